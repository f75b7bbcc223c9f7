"""Fleiss' kappa: as many ratings for every item, whoever gave them."""

import numpy as np
from numpy.typing import ArrayLike

from calibration.agreement.estimate import chance_corrected
from calibration.agreement.ratings import Statistic, label_counts, pair_disagreement, repeated
from calibration.agreement.scale import nominal
from calibration.arrays import Floats, confidence_level
from calibration.result import Degenerate, Estimate, Undefined

PROCEDURE = "Fleiss' kappa, linearised t interval (Gwet 2021)"


def fleiss_kappa(
    ratings: ArrayLike, *, categories: int, weights: ArrayLike | None = None, confidence: float = 0.95
) -> Estimate | Undefined:
    """Agreement of interchangeable raters beyond chance, each item having the same number of ratings.

    `ratings` (items, raters) are codes, nan where missing: a rater may have missed items if another took the turn.
    Items without any rating are left out; `weights` are numbers of equal items. The interval is cut at -1 and 1.

    Source: J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76 (1971);
    K. L. Gwet, "Large-sample variance of Fleiss generalized kappa", Educational and Psychological Measurement 81
    (2021): the error of Fleiss, Nee and Landis (1979) holds only where the true kappa is 0.

    Raises:
        ValueError: items with unequal numbers of ratings, or ratings, weights or confidence out of range.

    >>> kappa = fleiss_kappa([[0, 0, 1], [1, 1, 1], [0, 0, 0], [0, 1, 1]], categories=2)
    >>> round(kappa.value, 3), kappa.n
    (0.333, 4)
    """
    confidence_level(confidence)
    counts = _equal_counts(repeated(ratings, weights), categories)
    counts = counts[counts.any(axis=1)]
    disagreed = pair_disagreement(counts, nominal(categories))
    try:
        _kappa(counts, disagreed, np.ones(len(counts)))
    except Degenerate as degenerate:
        return Undefined(str(degenerate), len(counts), PROCEDURE)
    shares = counts / counts.sum(axis=1, keepdims=True)
    expected = 1 - shares @ shares.mean(axis=0)
    return chance_corrected(disagreed, expected, worst=1, confidence=confidence, procedure=PROCEDURE)


def fleiss_statistic(ratings: ArrayLike, *, categories: int) -> Statistic:
    """Fleiss' kappa as a function of one weight per item, for `item_bootstrap`.

    Source: Fleiss (1971), as above.

    Raises:
        ValueError: items with unequal numbers of ratings, or ratings out of range.

    >>> round(fleiss_statistic([[0, 0, 1], [1, 1, 1], [0, 0, 0]], categories=2)(np.array([2.0, 1.0, 1.0])), 3)
    0.314
    """
    counts = _equal_counts(ratings, categories)
    disagreed = np.nan_to_num(pair_disagreement(counts, nominal(categories)))

    def statistic(weights: Floats) -> float:
        return _kappa(counts, disagreed, weights)

    return statistic


def _equal_counts(ratings: ArrayLike, categories: int) -> Floats:
    counts = label_counts(ratings, categories=categories)
    sizes = counts.sum(axis=1)
    labelled = np.flatnonzero(sizes)
    uneven = labelled[sizes[labelled] != sizes[labelled[:1]]]
    if len(uneven):
        here, there = sizes[uneven[0]], sizes[labelled[0]]
        raise ValueError(
            f"ratings[{uneven[0]}] has {here:g} ratings where ratings[{labelled[0]}] has {there:g}: "
            "Fleiss' kappa needs as many for every item, use krippendorff_alpha"
        )
    return counts


def _kappa(counts: Floats, disagreed: Floats, weights: Floats) -> float:
    used = weights @ counts
    if not used.any():
        raise Degenerate("no item has a rating")
    if counts.sum(axis=1).max() < 2:
        raise Degenerate("no item has two ratings")
    if np.count_nonzero(used) < 2:
        raise Degenerate("every rating names the same category: nothing could have differed")
    shares = used / used.sum()
    observed = float(weights @ disagreed) / float(weights @ counts.any(axis=1))
    return 1 - observed / float(1 - shares @ shares)
