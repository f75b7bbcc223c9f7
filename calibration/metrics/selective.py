"""Answering only when sure: how often an answer is wrong, against how many items get one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta

from calibration.arrays import booleans, confidence_level, floats


@dataclass(frozen=True, slots=True)
class RiskCoveragePoint:
    """Answering from `threshold` on: `answered` items, a share `coverage` of all, of which a share `risk` is wrong.

    The true risk at this threshold is at most `risk_bound`, and the accuracy at least `accuracy_bound`, at `confidence`
    (one-sided, exact).
    """

    threshold: float
    answered: int
    wrong: int
    coverage: float
    risk: float
    risk_bound: float
    accuracy_bound: float
    confidence: float


def risk_coverage_curve(
    right: ArrayLike, score: ArrayLike, *, confidence: float = 0.95
) -> tuple[RiskCoveragePoint, ...]:
    """One point per distinct score, strictest first: what abstaining below it would buy.

    `right` (n,) says whether the answer was right, `score` (n,) how sure it was. No items, no points. Each bound
    holds for a threshold fixed beforehand; to choose one from the curve, use `calibration.thresholds`, or ask here
    for the confidence `1 - (1 - confidence) / ceil(log2 n)` and search by halving, as the paper does.

    Source: Y. Geifman and R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS (2017), lemma 3.1
    (the exact binomial bound) and algorithm 1.

    Raises:
        ValueError: unequal lengths, values out of range, or a confidence outside (0, 1).

    >>> for point in risk_coverage_curve([1, 1, 0], [0.9, 0.8, 0.7]):
    ...     print(point.threshold, point.answered, round(point.coverage, 2), round(point.risk_bound, 2))
    0.9 1 0.33 0.95
    0.8 2 0.67 0.78
    0.7 3 1.0 0.86
    """
    sure = floats(score, "score")
    correct = booleans(right, "right", shape=sure.shape)
    confidence_level(confidence)
    if not len(sure):
        return ()
    negated, place, count = np.unique(-sure, return_inverse=True, return_counts=True)
    answered = np.cumsum(count)
    wrong = np.cumsum(np.bincount(place, ~correct)).astype(np.int64)
    bound = np.where(wrong == answered, 1.0, beta.ppf(confidence, wrong + 1, np.maximum(answered - wrong, 1)))
    return tuple(
        RiskCoveragePoint(
            float(-s), int(n), int(k), float(n / len(sure)), float(k / n), float(b), float(1 - b), confidence
        )
        for s, n, k, b in zip(negated, answered, wrong, bound, strict=True)
    )
