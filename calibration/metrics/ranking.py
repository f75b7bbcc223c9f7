"""How well scores rank the positives first, at every threshold at once: ROC AUC and average precision."""

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Booleans, Floats, Integers, booleans, confidence_level, floats
from calibration.arrays import weights as item_weights
from calibration.bootstrap import DRAWS, item_bootstrap
from calibration.result import Degenerate, Estimate, Undefined

ROUNDING = 1e-9  # an error below this is 0 but for the last bits


def roc_auc(
    outcome: ArrayLike, score: ArrayLike, *, weights: ArrayLike | None = None, confidence: float = 0.95
) -> Estimate | Undefined:
    """The chance that a positive scores higher than a negative (equal scores count half), with DeLong's interval.

    `outcome` (n,) is 0 or 1, `score` (n,) any number; a weight of 2 is two items. Where the scores separate the
    classes without one exception DeLong's error is 0; the interval then is the exact one for as many disjoint pairs,
    all in order, as the smaller class has items.

    Source: E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under two or more correlated
    receiver operating characteristic curves", Biometrics 44 (1988); by midranks as X. Sun and W. Xu, IEEE Signal
    Processing Letters 21 (2014).

    Raises:
        ValueError: unequal lengths, values out of range, a negative weight, or a confidence outside (0, 1).

    >>> auc = roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> auc.value, round(auc.standard_error, 4)
    (0.75, 0.3536)
    """
    ranked, positive, mass = _arrays(outcome, score, weights)
    tail = (1 - confidence_level(confidence)) / 2
    name, n = "DeLong", len(ranked)
    ups, downs = mass * positive, mass * ~positive
    if min(ups.sum(), downs.sum()) < 2:
        return Undefined("a ranking needs 2 positives and 2 negatives", n, name)
    place = np.unique(ranked, return_inverse=True)[1]
    above_down, above_up = _share_below(place, downs), _share_below(place, ups)
    value = round(float(ups @ above_down / ups.sum()), 12)
    error = math.sqrt(_variance_of_mean(above_down, ups) + _variance_of_mean(above_up, downs))
    if error > ROUNDING:
        half = -error * float(scipy.special.ndtri(tail))
        return Estimate(value, max(0.0, value - half), min(1.0, value + half), confidence, n, name, error)
    if value not in (0.0, 1.0):
        return Undefined("all positives share a score and all negatives share one: nothing varies", n, name)
    bound = tail ** (1 / math.floor(min(ups.sum(), downs.sum())))
    low, high = (bound, 1.0) if value == 1.0 else (0.0, 1.0 - bound)
    return Estimate(value, low, high, confidence, n, "exact for disjoint pairs (perfectly separated)")


def average_precision(
    outcome: ArrayLike,
    score: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate | Undefined:
    """The precision at every threshold, averaged over the recall each step adds; equal scores are one step.

    `outcome` (n,) is 0 or 1, `score` (n,) any number, the result from 0 to 1. Compare it with the share of positives,
    which is what scores that know nothing get. A weight of 2 is two items in the value; the interval draws items.
    Where the scores separate the classes every draw gives 1: only the interval of `roc_auc` tells how sure that is.

    Source: G. Salton and M. J. McGill, "Introduction to Modern Information Retrieval" (1983); without interpolation
    as J. Davis and M. Goadrich, ICML (2006), advise.

    Raises:
        ValueError: unequal lengths, values out of range, fewer than 1 draw, or a confidence outside (0, 1).

    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 4)
    0.8333
    """
    ranked, positive, mass = _arrays(outcome, score, weights)
    place = np.unique(-ranked, return_inverse=True)[1]

    def precision_over_recall(times: Floats) -> float:
        drawn = times * mass
        found = np.bincount(place, drawn * positive)
        passed = np.cumsum(np.bincount(place, drawn))
        if found.sum() <= 0 or found.sum() >= passed[-1]:
            raise Degenerate("precision over recall needs a positive and a negative")
        reached = passed > 0
        return float(found[reached] @ (np.cumsum(found)[reached] / passed[reached]) / found.sum())

    made = item_bootstrap(precision_over_recall, len(ranked), confidence=confidence, draws=draws, seed=seed)
    name = f"average precision, {made.procedure}"
    if isinstance(made, Undefined):
        return Undefined(made.reason, made.n, name)
    return Estimate(made.value, made.low, made.high, confidence, made.n, name)


def _arrays(outcome: ArrayLike, score: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Booleans, Floats]:
    ranked = floats(score, "score")
    return ranked, booleans(outcome, "outcome", shape=ranked.shape), item_weights(weights, len(ranked))


def _share_below(place: Integers, mass: Floats) -> Floats:
    """The share of `mass` that every item beats, half of what it ties with."""
    at = np.bincount(place, mass)
    below: Floats = (np.cumsum(at) - at / 2) / at.sum()
    return below[place]


def _variance_of_mean(values: Floats, mass: Floats) -> float:
    total = mass.sum()
    mean = values @ mass / total
    return float(mass @ (values - mean) ** 2 / (total - 1) / total)
