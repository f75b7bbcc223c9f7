"""How good the model probably still is, read from its own calibrated probabilities: an estimate without labels."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from calibration import arrays
from calibration.arrays import Floats, confidence_level, probabilities
from calibration.result import Estimate, Undefined

LEAST_ROWS = 500
ASSUMPTIONS = (
    "the probabilities are calibrated",
    "what a text means for its label has not changed (no concept drift): this estimate cannot see it",
    "no texts of a kind that the calibration never saw",
)


@dataclass(frozen=True, slots=True)
class EstimatedPerformance:
    """Expected counts of the confusion table and the figures from them; `assumptions` belong beside every one."""

    true_positives: float
    false_positives: float
    false_negatives: float
    true_negatives: float
    precision: Estimate | Undefined
    recall: Estimate | Undefined
    accuracy: Estimate | Undefined
    f1: Estimate | Undefined
    n: int
    assumptions: tuple[str, ...] = ASSUMPTIONS


def estimated_performance(
    probability: ArrayLike,
    threshold: float,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> EstimatedPerformance | Undefined:
    """Precision, recall, accuracy and F1 that calibrated probabilities, shape (n,), promise at `threshold`.

    A row counts as positive at `probability >= threshold`. The band is the sampling variation of the figure that
    labels would show if every assumption held; it says nothing about broken assumptions. Integer weights equal
    repeated rows. Fewer than 500 rows (the sum of the weights) are refused: `Undefined`.

    Source: NannyML documentation, "Confidence-based performance estimation (CBPE)", how_it_works (2022-2025); band:
    variance of a sum of Bernoulli variables, ratios by the delta method.

    Raises:
        ValueError: not probabilities, negative weights, or a threshold or confidence out of range.

    >>> estimate = estimated_performance([0.9] * 400 + [0.1] * 600, 0.5)
    >>> round(estimate.true_positives), round(estimate.precision.value, 2), round(estimate.recall.value, 3)
    (360, 0.9, 0.857)
    """
    chance = probabilities(probability, "probability")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be from 0 to 1, not {threshold}")
    times = arrays.weights(weights, chance.size)
    n = round(float(times.sum()))
    if n < LEAST_ROWS:
        return Undefined(f"too few rows to estimate from: {n}, {LEAST_ROWS} needed", n, "CBPE")
    flagged = (chance >= threshold).astype(np.float64)
    spread = times * chance * (1 - chance)
    tp, fp = float(times @ (flagged * chance)), float(times @ (flagged * (1 - chance)))
    fn, tn = float(times @ ((1 - flagged) * chance)), float(times @ ((1 - flagged) * (1 - chance)))

    def figure(
        part: float, whole: float, slope: Callable[[float], Floats | float], reason: str
    ) -> Estimate | Undefined:
        if whole == 0:
            return Undefined(reason, n, "CBPE")
        value = part / whole
        # one more positive label moves part / whole by slope / whole
        error = math.sqrt(float((spread * slope(value) ** 2).sum())) / whole
        return _banded(value, error, n, confidence)

    return EstimatedPerformance(
        tp,
        fp,
        fn,
        tn,
        n=n,
        precision=figure(tp, tp + fp, lambda _: flagged, "no row reaches the threshold"),
        recall=figure(tp, tp + fn, lambda recall: flagged - recall, "no positive is expected"),
        accuracy=figure(tp + tn, tp + fp + fn + tn, lambda _: 1.0, "no row"),
        f1=figure(2 * tp, 2 * tp + fp + fn, lambda f1: 2 * flagged - f1, "no positive is expected or flagged"),
    )


def _banded(value: float, error: float, n: int, confidence: float) -> Estimate:
    half = float(norm.isf((1 - confidence_level(confidence)) / 2)) * error
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), confidence, n, "CBPE, sampling band", error)
