"""Several topics certified together, the error rate shared among them; a topic that cannot be is refused alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from calibration.promise import Promise
from calibration.thresholds.precision import (
    GRID,
    OPERATING_POINT,
    Certified,
    Refused,
    certify_precision,
)


@dataclass(frozen=True, slots=True)
class TopicLabels:
    """The blind labels of one topic: its scores, and whether passing each would have been right."""

    topic: str
    scores: ArrayLike
    right: ArrayLike


@dataclass(frozen=True, slots=True)
class TopicOutcome:
    topic: str
    outcome: Certified | Refused


@dataclass(frozen=True, slots=True)
class TopicThresholds:
    """All the topics' thresholds hold together with `promise.confidence`; each alone was held to `shared`."""

    outcomes: tuple[TopicOutcome, ...]
    promise: Promise
    shared: Promise
    procedure: str

    @property
    def worst(self) -> TopicOutcome:
        """The topic with the least behind it: refused before certified, then the lowest proven precision.

        Source: the least of the exact lower bounds of Clopper and Pearson (1934).
        """
        return min(self.outcomes, key=_proven)


def certify_topics(
    topics: Sequence[TopicLabels],
    promise: Promise,
    *,
    grid: ArrayLike = GRID,
    operating_point: float = OPERATING_POINT,
) -> TopicThresholds:
    """From which score on may each topic pass, so that the promise holds for all certified topics at once?

    Each topic is certified by itself with its share `(1 - confidence) / topics` of the error rate (Bonferroni over
    all topics named, certified or not): 10 topics raise the 29 labels of a 90 % promise to 51. One that cannot be
    certified is refused by itself and blocks no other.

    Holm's step-down is not used: it hands on the error rate of a hypothesis that was rejected, but a topic's walk
    still needs its own share for its next rung and has some to hand on only once its most lenient rung has passed
    (Bretz et al. 2009), which real topics hardly ever reach.

    Source: C. E. Bonferroni (1936) over the fixed sequences of Angelopoulos et al., "Learn then Test" (2025);
    F. Bretz, W. Maurer, W. Brannath and M. Posch, "A graphical approach to sequentially rejective multiple test
    procedures", Statistics in Medicine 28 (2009).

    Raises:
        ValueError: as `certify_precision`; no topic, or one named twice.

    >>> import numpy as np
    >>> billing = TopicLabels("billing", np.full(80, 0.9), np.ones(80))
    >>> refunds = TopicLabels("refunds", np.full(30, 0.9), np.ones(30))
    >>> both = certify_topics([billing, refunds], Promise(precision=0.90, confidence=0.95))
    >>> [(one.topic, type(one.outcome).__name__) for one in both.outcomes], both.worst.topic, both.worst.outcome.need
    ([('billing', 'Certified'), ('refunds', 'Refused')], 'refunds', 36)
    """
    names = [labels.topic for labels in topics]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"topics must be at least one, each named once, not {names}")
    shared = promise.shared_among(len(names))
    outcomes = tuple(
        TopicOutcome(
            labels.topic,
            certify_precision(labels.scores, labels.right, shared, grid=grid, operating_point=operating_point),
        )
        for labels in topics
    )
    procedure = f"Bonferroni over {len(names)} topics, each a fixed-sequence test with exact binomial p-values"
    return TopicThresholds(outcomes, promise, shared, procedure)


def _proven(topic: TopicOutcome) -> tuple[bool, float]:
    outcome = topic.outcome
    if isinstance(outcome, Certified):
        return True, outcome.lower_bound
    return False, max(rung.lower_bound for rung in outcome.ladder)
