"""Gwet's AC1 and AC2: agreement beyond chance that stays put where nearly everything is one category."""

import numpy as np
from numpy.typing import ArrayLike

from calibration.agreement.estimate import chance_corrected
from calibration.agreement.ratings import Statistic, label_counts, pair_disagreement, repeated
from calibration.agreement.scale import nominal, symmetric
from calibration.arrays import Floats, confidence_level
from calibration.result import Degenerate, Estimate, Undefined

PROCEDURE = "linearised t interval (Gwet 2014)"


def gwet_ac1(
    ratings: ArrayLike, *, categories: int, weights: ArrayLike | None = None, confidence: float = 0.95
) -> Estimate | Undefined:
    """Agreement beyond the chance of random guesses on hard items, for categories without an order.

    `ratings` (items, raters) are codes, nan where missing; `weights` are numbers of equal items. Two raters or more,
    any number of ratings per item; n counts the items with two. Undefined where one category is all that was used.

    Source: K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement",
    British Journal of Mathematical and Statistical Psychology 61 (2008); missing labels and their standard error:
    K. L. Gwet, "Handbook of Inter-Rater Reliability" (4th edition, 2014), chapters 2 and 5.

    Raises:
        ValueError: ratings, weights or confidence out of range.

    >>> table = [[0, 0]] * 118 + [[0, 1]] * 5 + [[1, 0]] * 2
    >>> round(gwet_ac1(table, categories=2).value, 3)
    0.941
    """
    return _gwet(repeated(ratings, weights), nominal(categories), confidence, f"Gwet's AC1, {PROCEDURE}")


def gwet_ac2(
    ratings: ArrayLike, *, disagreement: ArrayLike, weights: ArrayLike | None = None, confidence: float = 0.95
) -> Estimate | Undefined:
    """AC1 with some disagreements worse than others; `disagreement` is the declared scale, from 0 to 1.

    As `gwet_ac1`, with `linear(range(5))`, `quadratic(range(5))` or a symmetric matrix of your own.

    Source: Gwet (2014), as above, chapters 3 and 5.

    Raises:
        ValueError: as `gwet_ac1`, or no disagreement above 0, or one above 1.

    >>> from calibration.agreement.scale import linear
    >>> round(gwet_ac2([[0, 0], [1, 2], [2, 2]], disagreement=linear(range(3))).value, 3)
    0.66
    """
    return _gwet(repeated(ratings, weights), _fractions(disagreement), confidence, f"Gwet's AC2, {PROCEDURE}")


def gwet_statistic(ratings: ArrayLike, *, disagreement: ArrayLike) -> Statistic:
    """AC2 as a function of one weight per item, for `item_bootstrap`; with `nominal(categories)` it is AC1.

    Source: Gwet (2014), as above.

    Raises:
        ValueError: ratings out of range, or no disagreement above 0, or one above 1.

    >>> gwet_statistic([[0, 0], [1, 1], [0, 1]], disagreement=nominal(2))(np.array([1.0, 1.0, 2.0]))
    0.0
    """
    matrix = _fractions(disagreement)
    counts = label_counts(ratings, categories=len(matrix))
    shares, disagreed = _shares(counts), pair_disagreement(counts, matrix)

    def statistic(weights: Floats) -> float:
        return _coefficient(shares, disagreed, matrix, weights)

    return statistic


def _gwet(ratings: ArrayLike, matrix: Floats, confidence: float, procedure: str) -> Estimate | Undefined:
    confidence_level(confidence)
    counts = label_counts(ratings, categories=len(matrix))
    counts = counts[counts.any(axis=1)]
    shares, disagreed = _shares(counts), pair_disagreement(counts, matrix)
    try:
        _coefficient(shares, disagreed, matrix, np.ones(len(counts)))
    except Degenerate as degenerate:
        return Undefined(str(degenerate), int((~np.isnan(disagreed)).sum()), procedure)
    expected = 1 - _chance(matrix) * (shares @ (1 - shares.mean(axis=0)))
    return chance_corrected(disagreed, expected, worst=float(matrix.max()), confidence=confidence, procedure=procedure)


def _fractions(disagreement: ArrayLike) -> Floats:
    matrix = symmetric(disagreement)
    worst = matrix.max(initial=0)
    if not 0 < worst <= 1:
        raise ValueError(f"disagreement must reach above 0 and at most 1, not {worst:g}: use linear or quadratic")
    return matrix


def _shares(counts: Floats) -> Floats:
    """Each item's ratings as shares of 1; zeros for an item that nobody rated."""
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _chance(matrix: Floats) -> float:
    categories = len(matrix)
    return float((1 - matrix).sum()) / (categories * (categories - 1))


def _coefficient(shares: Floats, disagreed: Floats, matrix: Floats, weights: Floats) -> float:
    paired = ~np.isnan(disagreed)
    if not weights[paired].any():
        raise Degenerate("no item has two ratings")
    used = weights @ shares
    if np.count_nonzero(used) < 2:
        raise Degenerate("every rating names the same category: nothing could have differed")
    used = used / used.sum()
    expected = 1 - _chance(matrix) * float(used @ (1 - used))
    observed = float(weights[paired] @ disagreed[paired]) / float(weights[paired].sum())
    return 1 - observed / expected
