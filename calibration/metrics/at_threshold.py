"""What one threshold does: the four counts, precision, recall and F1."""

from collections.abc import Callable
from dataclasses import dataclass

from numpy.typing import ArrayLike

from calibration.arrays import booleans, floats
from calibration.binomial import clopper_pearson
from calibration.result import Estimate, Undefined


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """The decision "yes from `threshold` on", counted, and how good it is.

    `precision` is the share of the passed that are right, `recall` the share of the positives that pass.
    """

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    precision: Estimate | Undefined
    recall: Estimate | Undefined
    f1: Estimate | Undefined


def at_threshold(
    outcome: ArrayLike,
    score: ArrayLike,
    threshold: float,
    *,
    interval: Callable[..., Estimate | Undefined] = clopper_pearson,
    confidence: float = 0.95,
) -> AtThreshold:
    """Precision, recall and F1, all with `interval` (`clopper_pearson` or `wilson`).

    F1 is `2 J / (1 + J)` where J is the share of right among the items that pass or are positive, so an interval of J
    is one of F1, and its `n` counts those items.

    `outcome` (n,) is 0 or 1; a `score` (n,) of `threshold` or more passes. Precision is undefined where nothing
    passes, recall where nothing is positive, F1 where neither. For a threshold fixed beforehand on a uniform sample:
    one chosen by looking needs `calibration.thresholds`, unequal sampling the ratio estimators of
    `calibration.sampling`.

    Source: C. J. van Rijsbergen, "Information Retrieval" (1979), chapter 7; L. R. Dice, "Measures of the amount of
    ecologic association between species", Ecology 26 (1945), for F1; intervals as Clopper and Pearson (1934).

    Raises:
        ValueError: unequal lengths, values out of range, or a confidence outside (0, 1).

    >>> found = at_threshold([1, 1, 0, 0, 1], [0.9, 0.8, 0.7, 0.2, 0.1], 0.5)
    >>> found.true_positives, found.false_positives, round(found.precision.value, 2), round(found.f1.value, 2)
    (2, 1, 0.67, 0.67)
    """
    passes = floats(score, "score") >= float(floats([threshold], "threshold")[0])
    positive = booleans(outcome, "outcome", shape=passes.shape)
    right = int((passes & positive).sum())
    wrong, missed = int(passes.sum()) - right, int(positive.sum()) - right
    return AtThreshold(
        threshold=float(threshold),
        true_positives=right,
        false_positives=wrong,
        false_negatives=missed,
        true_negatives=len(passes) - right - wrong - missed,
        precision=interval(right, right + wrong, confidence=confidence),
        recall=interval(right, right + missed, confidence=confidence),
        f1=_f1(interval(right, right + wrong + missed, confidence=confidence)),
    )


def _f1(shared: Estimate | Undefined) -> Estimate | Undefined:
    if isinstance(shared, Undefined):
        return Undefined("nothing passes and nothing is positive", 0, f"F1 by {shared.procedure}")
    value, low, high = (2 * share / (1 + share) for share in (shared.value, shared.low, shared.high))
    return Estimate(value, low, high, shared.confidence, shared.n, f"F1 by {shared.procedure} of right among all named")
