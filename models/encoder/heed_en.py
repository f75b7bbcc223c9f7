"""heed-en, the model that ships: one pass of the encoder over a text and its clauses, beside what its words say."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.beliefs import sigmoid, softmax
from models.characters import MAX_CODE_POINTS, normalise
from models.encoder.domain import Centres
from models.encoder.limits import limits
from models.encoder.segments import Segment, clauses_of, sentences
from models.encoder.session import Encoder, Floats, Pass, Tokens
from models.encoder.spans import Beliefs, Clause, opposed, point
from models.encoder.topics import TopicReader
from models.encoder.weights import Blend, Config, Scaled, open_weights
from models.encoder.windows import token_range, windows
from models.keywords import Spoken, spoken
from models.prediction import SENTIMENTS, TYPES, URGENCIES, Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy
from models.text import Tokenised, tokenised

SHIPPED = Path(__file__).parents[1] / "weights" / "heed-en"


@dataclass(frozen=True, slots=True)
class _Window:
    """One run: its weight, what it said, and the clauses its rows 1.. stand for."""

    tokens: int
    said: Pass
    clauses: tuple[Segment, ...]


class HeedEn:
    """Reads English feedback on every axis.

    A text is read in one run, a longer one in windows of whole sentences: sentiment and vector are those of the mean
    over all tokens, type and urgency those of the window that is surest of them. Each clause is read in the same runs.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        """Open the weights.

        Raises:
            WeightsRefused: a file is missing, is not the one its manifest names, or cannot be run.
        """
        weights = open_weights(folder)
        self.encoder = Encoder(weights)
        self._config: Config = weights.config
        self._centres = Centres.open(weights.domain, weights.config.domain)
        self._topics = TopicReader(self.encoder, weights.topics)

    @property
    def name(self) -> str:
        """`heed-en@1`: another version reads otherwise."""
        return f"{self._config.name}@{self._config.version}"

    def read(self, verbatims: Sequence[Verbatim], taxonomy: Taxonomy) -> list[Reading]:
        """Read each verbatim on its own: the same text gives the same bits in any company."""
        return [self._read(verbatim, taxonomy) for verbatim in verbatims]

    def _read(self, verbatim: Verbatim, taxonomy: Taxonomy) -> Reading:
        given = normalise(verbatim.text[:MAX_CODE_POINTS])
        tokens = self.encoder.tokens(given)
        seen = limits(verbatim, tokens.offsets)
        text, own = _own(given, seen.own), seen.words
        if text != given:
            tokens, own = self.encoder.tokens(text), tokenised(text)
        words = spoken(own, verbatim.question, taxonomy)
        passes, cut = self._passes(own, tokens, verbatim.question)
        weights = np.array([one.tokens for one in passes], dtype=np.float32)
        sentiment = _mean(weights, np.stack([one.said.sentiment[0] for one in passes]))
        vector = _mean(weights, np.stack([one.said.vector[0] for one in passes]))
        vector = vector / max(float(np.sqrt((vector * vector).sum())), 1e-6)
        types = np.max([one.said.type[0] for one in passes], axis=0)
        urgency = max((one.said.urgency[0] for one in passes), key=lambda row: float(row[1]))
        kinds = self._types(types, words)
        lexical = [math.log(words.sentiment[label]) for label in SENTIMENTS]
        felt = _scaled(self._config.sentiment, [*map(float, sentiment), *lexical])
        feeling = self._urgency(urgency, words)
        clauses = [found for one in passes for found in self._clauses(one)]
        own_part = verbatim if text == verbatim.text else replace(verbatim, text=text)
        about = self._topics.read(own_part, vector, words.topics, taxonomy)
        held = [topic.name for topic in taxonomy.topics if sigmoid(about[topic.name]) >= topic.threshold]
        pointed = {name: self._topics.nearness(name, taxonomy) for name in held}
        beliefs = Beliefs(felt, {name: sigmoid(about[name]) for name in held}, kinds, feeling)
        spans = point(text, clauses, beliefs, words.spans, pointed)
        return Reading(
            sentiment=felt,
            types=kinds,
            urgency=feeling,
            mixed=opposed(clauses, kinds),
            language=seen.language.code,
            language_probability=seen.language.probability,
            abstain=seen.abstain or ("out-of-domain" if self._centres.is_outside(vector) else None),
            truncated=cut or len(verbatim.text) > MAX_CODE_POINTS,
            length=len(verbatim.text),
            topics={name: sigmoid(one) for name, one in about.items()},
            spans=tuple(spans),
            logits={
                "sentiment": tuple(sentiment.tolist()),
                "topic": tuple(about.values()),
                "type": tuple(types.tolist()),
                "urgency": tuple(urgency.tolist()),
            },
            vector=tuple(vector.tolist()),
        )

    def _passes(self, words: Tokenised, tokens: Tokens, question: str | None) -> tuple[list[_Window], bool]:
        asked = self.encoder.question(question)
        room = self.encoder.room(asked)
        parts = clauses_of(words)
        whole = Segment(0, len(words.text))  # of a text without a word, which has no sentence
        read = (sentences(words.text) or [whole]) if len(tokens.ids) > room else ()
        found, cut = windows(tokens, read, room)
        return [self._pass(tokens, asked, parts, one.start, one.end) for one in found], cut

    def _pass(self, tokens: Tokens, asked: Sequence[int], parts: Sequence[Segment], start: int, end: int) -> _Window:
        ranges, clauses = [], []
        for part in parts:
            first, last = token_range(tokens, part)
            if start <= first < last and first < end:
                ranges.append((first - start, min(last, end) - start))
                clauses.append(part)
        said = self.encoder.run(tokens.ids[start:end], asked, ranges)
        return _Window(max(1, end - start), said, tuple(clauses))

    def _types(self, logits: Floats, words: Spoken) -> dict[str, float]:
        pairs = zip(TYPES, self._config.type, logits, words.logits["type"], strict=True)
        return {label: _blend(blend, float(said), spoken) for label, blend, said, spoken in pairs}

    def _urgency(self, logits: Floats, words: Spoken) -> dict[str, float]:
        """Ordinal: from the chances of being above low and above normal."""
        low, _, high = (words.urgency[label] for label in URGENCIES)
        spoken = (-_log_odds(low), _log_odds(high))
        above = [_blend(*one) for one in zip(self._config.urgency, map(float, logits), spoken, strict=True)]
        top = min(above)
        return dict(zip(URGENCIES, (1 - above[0], above[0] - top, top), strict=True)) if above[0] >= top else {}

    def _clauses(self, window: _Window) -> Iterator[Clause]:
        for row, clause in enumerate(window.clauses, 1):
            felt = _scaled(self._config.clause, [*map(float, window.said.sentiment[row])])
            yield Clause(clause, felt, window.said.vector[row])


def _own(text: str, own: Sequence[Segment]) -> str:
    """The text with blanks where it is quoted or signed: what others wrote is not read, and no offset moves."""
    kept = [" "] * len(text)
    for part in own:
        kept[part.start : part.end] = text[part.start : part.end]
    return "".join(kept) if own else text


def _scaled(scaled: Scaled, scores: Sequence[float]) -> dict[str, float]:
    """Sentiment from the scores its map was fitted on. Summed in one order, whatever the machine."""
    raised = [
        bias + sum(weight * score for weight, score in zip(row, scores, strict=True))
        for row, bias in zip(scaled.weights, scaled.biases, strict=True)
    ]
    return softmax(SENTIMENTS, raised)


def _blend(blend: Blend, said: float, spoken: float) -> float:
    return sigmoid(blend.encoder * said + blend.words * spoken + blend.intercept)


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))


def _mean(weights: Floats, rows: Floats) -> Floats:
    mean: Floats = (weights[:, None] * rows).sum(axis=0) / weights.sum()
    return mean
