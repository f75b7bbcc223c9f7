"""The first classifier: reads every axis by words and phrases we wrote. Deterministic, no weights.

from models.catalog import load
from models.document import document
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy

classifier, taxonomy = load("keywords"), default_taxonomy()
readings = classifier.read([Verbatim("Parcel came two weeks late and broken.")], taxonomy)
print(document(readings, classifier.name, taxonomy).model_dump_json(indent=2))
"""

import hashlib
import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from models import beliefs
from models.beliefs import Found
from models.characters import MAX_CODE_POINTS, normalise
from models.failures import failures
from models.lexicon import english
from models.phrases import Cue, Hit, Phrases, longest
from models.prediction import SENTIMENTS, TYPES, URGENCIES, AbstainReason, Axis, Reading, Span, Verbatim
from models.taxonomies.taxonomy import Taxonomy, Topic
from models.text import Language, Token, Tokenised, declared, detect, tokenise, tokenised
from models.tone import weigh

WORDS = ("english_lexicon.toml", "english_failures.toml", "english_spelling.toml")
_SPANS_PER_LABEL = 20  # a text of nothing but hearts would otherwise point at each of them
_FEW_WORDS = 3
_BORROWED = re.compile(r'\s*"[^"]{20,}"\s*[-–—]\s*\w[^"\n]{0,60}')


class KeywordClassifier:
    """Judges by the lexicon and by the keywords of the taxonomy, one text at a time."""

    @property
    def name(self) -> str:
        """The lexicon and every number it is weighed with change together with this version."""
        return "keywords@1"

    @property
    def digest(self) -> str:
        """That of our words."""
        return words_digest()

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        """Read each verbatim on every axis; the same text gives the same reading in any company."""
        return [_read(verbatim, taxonomy) for verbatim in verbatims]


@lru_cache(maxsize=1)
def words_digest() -> str:
    """SHA-256 of the words and patterns we wrote, by which every classifier reads in part."""
    together = hashlib.sha256()
    for name in WORDS:
        together.update(hashlib.sha256(Path(__file__).with_name(name).read_bytes()).digest())
    return together.hexdigest()


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the words of a text say on every axis; `logits` and `spans` are those of a Reading.

    `spans` leaves out those of the sentiment, which `Found` holds.
    """

    found: Found
    sentiment: Mapping[str, float]
    topics: Mapping[str, float]
    types: Mapping[str, float]
    urgency: Mapping[str, float]
    logits: Mapping[str, tuple[float, ...]]
    spans: tuple[Span, ...]


def spoken(words: Tokenised, question: str | None, taxonomy: Taxonomy) -> Spoken:
    """Judge the words of a text that answers a question, whatever its language."""
    tokens = words.tokens
    hits, sentences = _phrases(taxonomy).find(tokens)
    hits.extend(failures().find(tokens))
    found = Found(tokens, sentences, hits, weigh(tokens, sentences, hits, english()), _ask(question))
    feeling = beliefs.mood(found)
    sentiment, types, urgency = (
        beliefs.sentiment_logits(feeling),
        beliefs.type_logits(found, feeling),
        beliefs.urgency_logits(found, feeling),
    )
    topics, witnesses = beliefs.topic_probabilities(found, taxonomy)
    type_beliefs = {label: beliefs.sigmoid(logit) for label, logit in zip(TYPES, types, strict=True)}
    urgencies = beliefs.softmax(URGENCIES, urgency)
    spans = [
        *_topic_spans(found, witnesses, topics),
        *_type_spans(found, type_beliefs),
        *_urgency_spans(found, urgencies),
    ]
    return Spoken(
        found=found,
        sentiment=beliefs.softmax(SENTIMENTS, sentiment),
        topics=topics,
        types=type_beliefs,
        urgency=urgencies,
        spans=_shortlist(spans),
        logits={
            "sentiment": sentiment,
            "topic": tuple(math.log(belief / (1 - belief)) for belief in topics.values()),
            "type": types,
            "urgency": urgency,
        },
    )


def _read(verbatim: Verbatim, taxonomy: Taxonomy) -> Reading:
    words = tokenised(verbatim.text)
    said = spoken(words, verbatim.question, taxonomy)
    language = declared(verbatim.language) or detect(words.text, words.tokens)
    return Reading(
        sentiment=said.sentiment,
        topics=said.topics,
        types=said.types,
        urgency=said.urgency,
        language=language.code,
        language_probability=language.probability,
        mixed=beliefs.is_mixed(said.found),
        truncated=len(verbatim.text) > MAX_CODE_POINTS,
        abstain=_abstain(words.text, said.found, language),
        spans=(*_shortlist(_sentiment_spans(said.found)), *said.spans),
        logits=said.logits,
        length=len(verbatim.text),
    )


@lru_cache(maxsize=16)
def _phrases(taxonomy: Taxonomy) -> Phrases:
    """Built once per taxonomy: our cues and its keywords are matched in the same pass."""
    topics = [entry for topic in taxonomy.topics for entry in _topic_cues(topic)]
    return Phrases([*english().cues, *topics])


def _topic_cues(topic: Topic) -> Iterator[tuple[Cue, Iterable[str]]]:
    """Without keywords a topic is found by its name: 'seats and legroom' by either half."""
    names = [part for part in re.split(r"\s*(?:,|/|&|\band\b)\s*", topic.name) if part]
    yield Cue("topic", topic.name, 1.0), topic.keywords or names
    yield Cue("topic", topic.name, 0.5), topic.hints


@lru_cache(maxsize=1)
def _asks() -> Phrases:
    return Phrases(english().asks)


@lru_cache(maxsize=1024)
def _ask(question: str | None) -> str | None:
    """What a survey question asks for: 'improve', 'praise', or neither."""
    hits, _ = _asks().find(tokenise(normalise((question or "")[:500])))
    labels = {hit.cue.label for hit in longest(hits)}
    return labels.pop() if len(labels) == 1 else None


def _abstain(text: str, found: Found, language: Language) -> AbstainReason | None:
    """Why nothing may act on this text, if so: nothing said, not English, somebody else's words, nothing to judge."""
    if not found.evidence and not any(_speaks(letter) for letter in text):
        return "empty"
    if language.code not in {"en", "und"}:
        return "language"
    lines = [line.lstrip() for line in text.split("\n") if line.strip()]
    if all(line.startswith(">") for line in lines) or _BORROWED.fullmatch(text):
        return "quote"
    words = tuple(token.form for token in found.tokens if token.form[0].isalnum())
    if words in english().nothing or (all(word[0].isdigit() for word in words) and not found.evidence):
        return "short"
    answers = found.ask is not None and any(len(word) > _FEW_WORDS for word in words)
    if len(words) <= _FEW_WORDS and not (found.hits or found.evidence or answers):
        return "short"
    return None


def _speaks(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter) == "So"


def _span(found: Found, start: int, end: int, axis: Axis, label: str, probability: float) -> Span:
    tokens: Sequence[Token] = found.tokens
    return Span(tokens[start].start, tokens[end - 1].end, axis, label, probability)


def _sentiment_spans(found: Found) -> Iterator[Span]:
    for item in found.evidence:
        if abs(item.value) >= 0.7:
            yield _span(found, item.start, item.end, "sentiment", *beliefs.alone(item.value))


def _topic_spans(
    found: Found, witnesses: Mapping[str, list[tuple[Hit, float]]], topics: Mapping[str, float]
) -> Iterator[Span]:
    for label, hits in witnesses.items():
        if topics[label] >= 0.5:
            for hit, belief in hits:
                yield _span(found, hit.start, hit.end, "topic", label, belief)


def _type_spans(found: Found, types: Mapping[str, float]) -> Iterator[Span]:
    """The sentences that hold a cue or the evidence for a type the text is thought to be."""
    places = {
        "suggestion": [hit.start for hit in found.of("suggestion") if hit.cue.weight > 2],
        "complaint": [item.start for item in found.evidence if item.value <= -1],
        "praise": [item.start for item in found.evidence if item.value >= 1],
        "question": [i for i, token in enumerate(found.tokens) if token.form == "?"]
        or [hit.start for hit in found.of("question")],
    }
    for label, starts in places.items():
        if types[label] < 0.5:
            continue
        begins = [start for start, _ in found.sentences]
        for number in sorted({bisect_right(begins, place) - 1 for place in starts or begins}):
            yield _span(found, *found.sentences[number], "type", label, types[label])


def _urgency_spans(found: Found, urgencies: Mapping[str, float]) -> Iterator[Span]:
    label = beliefs.most_likely(urgencies)
    for hit in longest(found.of("urgency")):
        if hit.cue.label == label:
            yield _span(found, hit.start, hit.end, "urgency", label, urgencies[label])


def _shortlist(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Per axis and label the most probable few, in reading order."""
    groups: dict[tuple[str, str], list[Span]] = {}
    for span in spans:
        groups.setdefault((span.axis, span.label), []).append(span)
    kept = []
    for group in groups.values():
        best = sorted(group, key=lambda span: (-span.probability, span.start, span.end))[:_SPANS_PER_LABEL]
        kept.extend(sorted(best, key=lambda span: (span.start, span.end)))
    return tuple(kept)
