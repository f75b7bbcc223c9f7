"""How often predictions are right, in percent, each with a 95 % interval over the items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.bootstrap import item_bootstrap
from calibration.metrics.class_errors import top_label_calibration_error
from calibration.result import Degenerate, Undefined

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]
Weighted = Callable[[Floats], float]
BINS = 15


@dataclass(frozen=True, slots=True)
class Score:
    """Percent, and the ends of its interval."""

    value: float
    low: float
    high: float


def macro_recall(truth: Classes, said: Classes) -> Weighted:
    """The mean over the classes of how many of each were found, as a function of item weights."""

    def statistic(weights: Floats) -> float:
        found = _confusion(truth, said, weights)
        return float(np.mean(np.diag(found) / _present(found.sum(axis=1))))

    return statistic


def macro_f1(truth: Classes, said: Classes) -> Weighted:
    """The mean F1 of the classes, as a function of item weights."""

    def statistic(weights: Floats) -> float:
        found = _confusion(truth, said, weights)
        return float(np.mean(2 * np.diag(found) / _present(found.sum(axis=0) + found.sum(axis=1))))

    return statistic


def accuracy(truth: Classes, said: Classes) -> Weighted:
    """The share of right answers, as a function of item weights."""
    right = (truth == said).astype(np.float64)
    return lambda weights: float(weights @ right / weights.sum())


def micro_f1(truth: Sequence[frozenset[str]], said: Sequence[frozenset[str]]) -> Weighted:
    """F1 over all pairs of an item and a topic, as a function of item weights."""
    both = np.array([len(one & other) for one, other in zip(truth, said, strict=True)], dtype=np.float64)
    named = np.array([len(one) + len(other) for one, other in zip(truth, said, strict=True)], dtype=np.float64)
    return lambda weights: float(2 * weights @ both / _present(weights @ named))


def scored(statistic: Weighted, items: int) -> Score | None:
    """The score of all items; None where they cannot define it."""
    found = item_bootstrap(statistic, items)
    if isinstance(found, Undefined):
        return None
    return Score(100 * found.value, 100 * found.low, 100 * found.high)


def calibration_error(truth: Classes, beliefs: Floats) -> Score | None:
    """How far the probability of the likeliest class is from how often it is right: 15 bins of equal mass."""
    found = top_label_calibration_error(truth, beliefs, bins=BINS)
    if isinstance(found, Undefined):
        return None
    return Score(100 * found.error.value, 100 * found.error.low, 100 * found.error.high)


def _confusion(truth: Classes, said: Classes, weights: Floats) -> Floats:
    classes = int(max(truth.max(), said.max())) + 1
    counted = np.bincount(truth * classes + said, weights=weights, minlength=classes * classes)
    return counted.reshape(classes, classes).astype(np.float64)


def _present(counts: Floats) -> Floats:
    if np.any(counts == 0):
        raise Degenerate("a class has no item")
    return counts
