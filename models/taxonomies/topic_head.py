"""What a customer's labels taught about topics: regressions on the vector and on the words, mixed with zero-shot."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.prediction import Verbatim
from models.taxonomies.taxonomy import Taxonomy
from models.taxonomies.terms import Terms

Floats = NDArray[np.floating]
Kind = Literal["one", "many"]  # what a text may have: one topic at most, or many
NONE_OF_THESE = ""  # the class of the texts that are about no topic, where every text has at most one
SMALLEST = 1e-6  # no text makes a head surer than this: a log-odds stays finite
_MOST = -float(np.log(SMALLEST))


@dataclass(frozen=True)
class Mix:
    """Weights of three log-odds and what is added, fitted on texts the regressions had not seen: so it calibrates.

    `told` weighs what the taxonomy itself says (zero-shot): much while labels are few, little later.
    """

    vector: float
    words: float
    told: float
    offset: float

    def of(self, by_vector: Floats, by_words: Floats, told: Floats) -> Floats:
        """The mixed scores."""
        scores: Floats = self.vector * by_vector + self.words * by_words + self.told * told + self.offset
        return scores


@dataclass(frozen=True, eq=False)
class TopicHead:
    """A fitted head, immutable. `read` gives log-odds for the topics in `learned`; the others had too few labels.

    `taxonomy` carries the fitted thresholds. `kind` says what a text may have: one topic at most, or many. `encoder` is
    the digest of the model whose vectors it was fitted on: with another model's vectors it says nothing. `directions`
    (k, d) are zero-shot's for every topic of the taxonomy, in its order: what `told` was made with.
    """

    taxonomy: Taxonomy
    encoder: str
    kind: Kind
    classes: tuple[str, ...]
    terms: Terms
    vector_weights: Floats
    vector_bias: Floats
    word_weights: Floats
    word_bias: Floats
    mix: Mix
    directions: Floats

    @cached_property
    def learned(self) -> frozenset[str]:
        """The topics it can judge."""
        return frozenset(self.classes) - {NONE_OF_THESE}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of everything it judges by, the same before it was saved and after."""
        thresholds = {topic.name: topic.threshold for topic in self.taxonomy.topics}
        plain = [self.encoder, self.kind, self.classes, asdict(self.mix), self.terms.vocabulary, thresholds]
        together = hashlib.sha256(json.dumps(plain).encode())
        for numbers in (
            self.terms.idf,
            self.vector_weights,
            self.vector_bias,
            self.word_weights,
            self.word_bias,
            self.directions,
        ):
            together.update(np.ascontiguousarray(numbers, dtype=np.float32).tobytes())
        return together.hexdigest()

    def read(self, verbatim: Verbatim, vector: Floats, told: Mapping[str, float]) -> Mapping[str, float]:
        """The log-odds of every learned topic; the same bits alone and in company, on any number of threads.

        `vector` (d,) is the encoder's, of length 1, for this text and its question; `told` the log-odds of zero-shot.
        """
        said = np.array([told.get(name, 0.0) for name in self.classes])
        scores = self.mix.of(self.vector_scores(vector), self.word_scores(verbatim), said)
        log_odds = LINKS[self.kind].log_odds(scores)
        values = zip(self.classes, log_odds.tolist(), strict=True)
        return {name: value for name, value in values if name != NONE_OF_THESE}

    def vector_scores(self, vector: Floats) -> Floats:
        """What the vector alone says of each class. Summed without BLAS, whose order depends on the threads."""
        scores: Floats = (vector[:, None] * self.vector_weights).sum(axis=0) + self.vector_bias
        return scores

    def word_scores(self, verbatim: Verbatim) -> Floats:
        """What the words alone say of each class."""
        places, weights = self.terms.row(verbatim)
        scores: Floats = (weights[:, None] * self.word_weights[places]).sum(axis=0) + self.word_bias
        return scores


def with_thresholds(taxonomy: Taxonomy, thresholds: Mapping[str, float]) -> Taxonomy:
    """The taxonomy with these thresholds instead of its own; a topic that has none here keeps its own."""
    topics = tuple(replace(topic, threshold=thresholds.get(topic.name, topic.threshold)) for topic in taxonomy.topics)
    return replace(taxonomy, topics=topics)


class ManyTopics:
    """Each topic holds or not, whatever the others do."""

    @staticmethod
    def probabilities(scores: Floats) -> Floats:
        """(n, k) scores to (n, k) probabilities, each on its own."""
        return 1 / (1 + np.exp(-np.clip(scores, -30, 30)))

    @staticmethod
    def log_odds(scores: Floats) -> Floats:
        """(k,) scores of one text are log-odds already."""
        return np.clip(scores, -_MOST, _MOST)


class OneTopic:
    """Exactly one class holds."""

    @staticmethod
    def probabilities(scores: Floats) -> Floats:
        """(n, k) scores to (n, k) probabilities that sum to 1 over the last axis."""
        raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
        return shares

    @staticmethod
    def log_odds(scores: Floats) -> Floats:
        """(k,) scores of one text to the log-odds of each class against all others."""
        p = np.clip(OneTopic.probabilities(scores), SMALLEST, 1 - SMALLEST)
        return np.log(p / (1 - p))


LINKS: Mapping[Kind, type[ManyTopics] | type[OneTopic]] = {"one": OneTopic, "many": ManyTopics}
