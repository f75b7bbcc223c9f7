"""Percent agreement: how often two ratings of the same item are equal."""

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.agreement.ratings import Statistic, label_counts, pair_disagreement, repeated
from calibration.agreement.scale import nominal
from calibration.arrays import Floats, confidence_level
from calibration.result import Degenerate, Estimate, Undefined

PROCEDURE = "percent agreement, Wilson interval with the effective number of items"


def percent_agreement(
    ratings: ArrayLike, *, categories: int, weights: ArrayLike | None = None, confidence: float = 0.95
) -> Estimate | Undefined:
    """The share of equal pairs of ratings within an item, mean over the items that have a pair.

    `ratings` (items, raters) are codes, nan where missing; `weights` are numbers of equal items. With two ratings an
    item either agrees or not and the interval is Wilson's; with more, n is replaced by the number of such items
    that would spread as much, `p (1 - p) / variance` times n. 100 % never gets an interval of width 0.

    Source: the mean is K. L. Gwet, "Handbook of Inter-Rater Reliability" (2014), chapter 2; the interval E. L. Korn
    and B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data", Survey Methodology 24 (1998), with E. B. Wilson, JASA 22 (1927).

    Raises:
        ValueError: ratings, weights or confidence out of range.

    >>> share = percent_agreement([[0, 0, 0], [0, 0, 1]], categories=2)
    >>> round(share.value, 3), share.n
    (0.667, 2)
    """
    confidence_level(confidence)
    scores = _agreed(repeated(ratings, weights), categories)
    scores = scores[~np.isnan(scores)]
    n = len(scores)
    if n == 0:
        return Undefined("no item has two ratings", 0, PROCEDURE)
    share, variance = float(scores.mean()), float(scores.var())
    effective = n * share * (1 - share) / variance if variance > 0 else n
    low, high = _wilson(share, effective, confidence)
    return Estimate(share, low, high, confidence, n, PROCEDURE)


def percent_statistic(ratings: ArrayLike, *, categories: int) -> Statistic:
    """Percent agreement as a function of one weight per item, for `item_bootstrap`.

    Source: Gwet (2014), as above.

    Raises:
        ValueError: ratings out of range.

    >>> percent_statistic([[0, 0], [0, 1]], categories=2)(np.array([3.0, 1.0]))
    0.75
    """
    scores = _agreed(ratings, categories)
    paired = ~np.isnan(scores)
    filled = np.where(paired, scores, 0)

    def statistic(weights: Floats) -> float:
        total = float(weights @ paired)
        if total == 0:
            raise Degenerate("no item has two ratings")
        return float(weights @ filled) / total

    return statistic


def _agreed(ratings: ArrayLike, categories: int) -> Floats:
    return 1 - pair_disagreement(label_counts(ratings, categories=categories), nominal(categories))


def _wilson(share: float, n: float, confidence: float) -> tuple[float, float]:
    z = -float(scipy.special.ndtri((1 - confidence) / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return (0.0 if share == 0 else max(0.0, centre - half)), (1.0 if share == 1 else min(1.0, centre + half))
