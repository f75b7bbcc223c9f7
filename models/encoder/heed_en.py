"""heed-en, the model that ships: one pass of the encoder over a text and its clauses, beside what its words say."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.beliefs import sigmoid, softmax
from models.encoder.domain import Centres
from models.encoder.limits import limits
from models.encoder.segments import Segment, all_clauses, sentences
from models.encoder.session import Encoder, Floats, Pass, Tokens
from models.encoder.spans import Beliefs, Clause, opposed, point
from models.encoder.topics import TopicReader
from models.encoder.weights import Blend, Config, open_weights
from models.encoder.windows import token_range, windows
from models.keywords import KeywordClassifier
from models.prediction import SENTIMENTS, TYPES, URGENCIES, Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy
from models.text import MAX_CODE_POINTS, normalise

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
        self._keywords = KeywordClassifier()
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
        text = _own(given, seen.own)
        if text != given:
            tokens = self.encoder.tokens(text)
        words = self._keywords.read([replace(verbatim, text=text)], taxonomy)[0]
        passes, cut = self._passes(text, tokens, verbatim.question)
        weights = np.array([one.tokens for one in passes], dtype=np.float32)
        sentiment = _mean(weights, np.stack([one.said.sentiment[0] for one in passes]))
        vector = _mean(weights, np.stack([one.said.vector[0] for one in passes]))
        vector = vector / max(float(np.sqrt((vector * vector).sum())), 1e-6)
        types = np.max([one.said.type[0] for one in passes], axis=0)
        urgency = max((one.said.urgency[0] for one in passes), key=lambda row: float(row[1]))
        kinds = self._types(types, words)
        felt, feeling = self._sentiment(sentiment, words.sentiment), self._urgency(urgency, words)
        clauses = [found for one in passes for found in self._clauses(one)]
        about = self._topics.read(replace(verbatim, text=text), vector, words.topics, taxonomy)
        held = [topic.name for topic in taxonomy.topics if sigmoid(about[topic.name]) >= topic.threshold]
        pointed = {name: self._topics.nearness(name, taxonomy) for name in held}
        beliefs = Beliefs(felt, {name: sigmoid(about[name]) for name in held}, kinds, feeling)
        spans = point(text, clauses, beliefs, words.spans, pointed)
        return replace(
            words,
            sentiment=felt,
            types=kinds,
            urgency=feeling,
            mixed=opposed(clauses),
            language=seen.language.code,
            language_probability=seen.language.probability,
            abstain=seen.abstain or ("out-of-domain" if self._centres.is_outside(vector) else None),
            truncated=cut or len(verbatim.text) > MAX_CODE_POINTS,
            length=len(verbatim.text),
            topics={name: sigmoid(one) for name, one in about.items()},
            spans=tuple(spans),
            logits={
                "sentiment": tuple(map(float, sentiment)),
                "topic": tuple(about.values()),
                "type": tuple(map(float, types)),
                "urgency": tuple(map(float, urgency)),
            },
            vector=tuple(map(float, vector)),
        )

    def _passes(self, text: str, tokens: Tokens, question: str | None) -> tuple[list[_Window], bool]:
        asked = self.encoder.question(question)
        room = self.encoder.room(asked)
        parts = all_clauses(text)
        found, cut = windows(tokens, sentences(text) if len(tokens.ids) > room else (), room)
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

    def _sentiment(self, logits: Floats, words: Mapping[str, float]) -> dict[str, float]:
        """What the encoder and, where they were asked, the words say."""
        soft = self._config.sentiment
        spoken = [soft.words * math.log(words[label]) if words else 0.0 for label in SENTIMENTS]
        raised = [
            (float(one) + word + bias) / soft.temperature
            for one, word, bias in zip(logits, spoken, soft.biases, strict=True)
        ]
        return softmax(SENTIMENTS, raised)

    def _types(self, logits: Floats, words: Reading) -> dict[str, float]:
        pairs = zip(TYPES, self._config.type, logits, words.logits["type"], strict=True)
        return {label: _blend(blend, float(said), spoken) for label, blend, said, spoken in pairs}

    def _urgency(self, logits: Floats, words: Reading) -> dict[str, float]:
        """Ordinal: from the chances of being above low and above normal."""
        low, _, high = (words.urgency[label] for label in URGENCIES)
        spoken = (-_log_odds(low), _log_odds(high))
        above = [_blend(*one) for one in zip(self._config.urgency, map(float, logits), spoken, strict=True)]
        top = min(above)
        return dict(zip(URGENCIES, (1 - above[0], above[0] - top, top), strict=True)) if above[0] >= top else {}

    def _clauses(self, window: _Window) -> Iterator[Clause]:
        for row, clause in enumerate(window.clauses, 1):
            yield Clause(clause, self._sentiment(window.said.sentiment[row], {}), window.said.vector[row])


def _own(text: str, own: Sequence[Segment]) -> str:
    """The text with blanks where it is quoted or signed: what others wrote is not read, and no offset moves."""
    kept = [" "] * len(text)
    for part in own:
        kept[part.start : part.end] = text[part.start : part.end]
    return "".join(kept) if own else text


def _blend(blend: Blend, said: float, spoken: float) -> float:
    return sigmoid(blend.encoder * said + blend.words * spoken + blend.intercept)


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))


def _mean(weights: Floats, rows: Floats) -> Floats:
    mean: Floats = (weights[:, None] * rows).sum(axis=0) / weights.sum()
    return mean
