"""heed-en, the model that ships: one pass of the encoder over a text and its clauses, beside what its words say."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.beliefs import log_odds, sigmoid, softmax
from models.characters import MAX_CODE_POINTS, normalise
from models.encoder.domain import Centres
from models.encoder.limits import limits
from models.encoder.segments import Segment, clauses_of, sentences
from models.encoder.session import Encoder, Floats, Pass, Tokens
from models.encoder.spans import Beliefs, Clause, leaned, opposed, point
from models.encoder.topics import TopicReader
from models.encoder.weights import LEAST, Blend, Config, Scaled, open_weights
from models.encoder.windows import windows, within
from models.keywords import Spoken, spoken, words_digest
from models.prediction import SENTIMENTS, TYPES, URGENCIES, Reading, Verbatim
from models.taxonomies.taxonomy import Taxonomy
from models.text import Tokenised, tokenised

SHIPPED = Path(__file__).parents[1] / "weights" / "heed-en"


@dataclass(frozen=True, slots=True)
class _Heard:
    """What the encoder says of a whole text, and of each clause. `cut`: not all of it was read."""

    sentiment: Floats
    types: Floats
    urgency: Floats
    vector: Floats
    clauses: tuple[Clause, ...]
    cut: bool


class HeedEn:
    """Reads English feedback on every axis.

    A text is read in one run, a longer one in windows of whole sentences: sentiment and vector are those of the mean
    over all tokens, type those of the window that is surest of them, urgency that of the most urgent clause. Each
    clause is read in the same runs.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        """Open the weights.

        Raises:
            WeightsRefused: a file is missing, is not the one its manifest names, or cannot be run.
        """
        weights = open_weights(folder)
        self.encoder = Encoder(weights)
        self._digest = hashlib.sha256(bytes.fromhex(weights.whole + words_digest())).hexdigest()
        self._config: Config = weights.config
        self._centres = Centres.open(weights.domain, weights.config.domain)
        self._topics = TopicReader(self.encoder, weights.topics)

    @property
    def name(self) -> str:
        """`heed-en@1`: another version reads otherwise."""
        return f"{self._config.name}@{self._config.version}"

    @property
    def digest(self) -> str:
        """That of its weights and of our words, which are read beside them."""
        return self._digest

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
        heard = self._hear(own, tokens, verbatim.question, words)
        about = self._topics.read(replace(verbatim, text=text), heard.vector, words.topics, taxonomy)
        topics = {name: sigmoid(one) for name, one in about.items()}
        held = {topic.name: topics[topic.name] for topic in taxonomy.topics if topics[topic.name] >= topic.threshold}
        beliefs = self._beliefs(heard, words, held)
        directions = {name: self._topics.direction(name, taxonomy) for name in held}
        return Reading(
            sentiment=beliefs.sentiment,
            topics=topics,
            types=beliefs.types,
            urgency=beliefs.urgency,
            mixed=opposed(heard.clauses, beliefs.types),
            language=seen.language.code,
            language_probability=seen.language.probability,
            abstain=seen.abstain or ("out-of-domain" if self._centres.is_outside(heard.vector) else None),
            truncated=heard.cut or len(verbatim.text) > MAX_CODE_POINTS,
            length=len(verbatim.text),
            spans=tuple(point(heard.clauses, beliefs, words.spans, directions)),
            logits={
                "sentiment": tuple(heard.sentiment.tolist()),
                "topic": tuple(about.values()),
                "type": tuple(heard.types.tolist()),
                "urgency": tuple(heard.urgency.tolist()),
            },
            vector=tuple(heard.vector.tolist()),
        )

    def _hear(self, own: Tokenised, tokens: Tokens, question: str | None, words: Spoken) -> _Heard:
        """Read a text, window by window where it is long."""
        asked = self.encoder.question(question)
        room = self.encoder.room(asked)
        whole = Segment(0, len(own.text))  # of a text without a word, which has no sentence
        read = (sentences(own.text) or [whole]) if len(tokens.ids) > room else ()
        found, cut = windows(tokens, read, room)
        parts = clauses_of(own)
        clauses: list[Clause] = []
        passes: list[Pass] = []
        for window in found:
            inside = within(tokens, parts, window)
            passes.append(self.encoder.run(tokens.ids[window.start : window.end], asked, [one for _, one in inside]))
            clauses.extend(self._clauses([place for place, _ in inside], passes[-1], words))
        weights = np.array([max(1, one.end - one.start) for one in found], dtype=np.float32)
        vector = _mean(weights, [one.vector[0] for one in passes])
        return _Heard(
            sentiment=_mean(weights, [one.sentiment[0] for one in passes]),
            types=np.max([one.type[0] for one in passes], axis=0),
            # A danger is one whatever else is said: no number of kind sentences around it makes it less urgent.
            urgency=np.max(np.concatenate([one.urgency for one in passes]), axis=0),
            vector=vector / max(float(np.sqrt((vector * vector).sum())), 1e-6),
            clauses=tuple(clauses),
            cut=cut,
        )

    def _clauses(self, places: Sequence[Segment], said: Pass, words: Spoken) -> Iterator[Clause]:
        for row, place in enumerate(places, 1):
            felt = leaned(_scaled(self._config.clause, said.sentiment[row].tolist()), place, words.found)
            yield Clause(place, felt, said.type[row], float(said.urgency[row, 1]), said.vector[row])

    def _beliefs(self, heard: _Heard, words: Spoken, topics: Mapping[str, float]) -> Beliefs:
        """The encoder and the words together, by the maps that were fitted for them."""
        lexical = [math.log(words.sentiment[label]) for label in SENTIMENTS]
        types = zip(TYPES, self._config.type, heard.types.tolist(), words.logits["type"], strict=True)
        return Beliefs(
            sentiment=_scaled(self._config.sentiment, [*heard.sentiment.tolist(), *lexical]),
            topics=topics,
            types={label: _blend(blend, said, told) for label, blend, said, told in types},
            urgency=self._urgency(heard, words),
        )

    def _urgency(self, heard: _Heard, words: Spoken) -> dict[str, float]:
        """Ordinal: from the chances of being above low and above normal, the second at most the first."""
        low, _, high = (words.urgency[label] for label in URGENCIES)
        told = (-log_odds(low, LEAST), log_odds(high, LEAST))
        above, top = (_blend(*one) for one in zip(self._config.urgency, heard.urgency.tolist(), told, strict=True))
        top = min(above, top)
        return dict(zip(URGENCIES, (1 - above, above - top, top), strict=True))


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


def _blend(blend: Blend, said: float, told: float) -> float:
    return sigmoid(blend.encoder * said + blend.words * told + blend.intercept)


def _mean(weights: Floats, rows: Sequence[Floats]) -> Floats:
    mean: Floats = (weights[:, None] * np.stack(rows)).sum(axis=0) / weights.sum()
    return mean
