"""Folds for cross-fitting: balanced over strata, and drawn for what an item is, not for where it stands."""

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, counts


def stratified_folds(strata: ArrayLike, keys: Floats, *, folds: int, seed: int = 0) -> Integers:
    """The fold, 0 to `folds` - 1, of each item. Shapes: strata (n,) whole numbers, keys (n, k).

    Items are put in the order of stratum and keys, and each stratum is dealt evenly to the folds by a seeded shuffle.
    So permuting the items permutes their folds with them, except among items that are alike in stratum and all keys,
    where it makes no difference which is which. The folds are not balanced over the keys: a held-out fold that mirrors
    the rest score by score would make the richest map look best.

    Source: stratified cross-validation: R. Kohavi, "A study of cross-validation and bootstrap for accuracy estimation
    and model selection", IJCAI (1995).

    Raises:
        ValueError: fewer than 2 folds, or strata that are no whole numbers.

    >>> stratified_folds([0, 0, 1, 1], np.array([[0.1], [0.2], [0.3], [0.4]]), folds=2, seed=0).tolist()
    [1, 0, 0, 1]
    """
    if folds < 2:
        raise ValueError(f"folds must be 2 or more, not {folds}")
    stratum = counts(strata, "strata", shape=(len(keys),))
    order = np.lexsort((*keys.T, stratum))
    generator = np.random.default_rng(seed)
    dealt = np.empty(len(order), dtype=np.int64)
    for items in np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1):
        first = generator.integers(folds)  # so that small strata do not all fill the same folds
        dealt[items] = generator.permutation((first + np.arange(len(items))) % folds)
    return dealt


def paired_gain(before: Floats, after: Floats, weights: Floats) -> tuple[float, float]:
    """How much lower the weighted mean of the losses `after` is, and the standard error of that. Shapes (n,).

    The standard error is linearised, sqrt(sum w^2 (d - gain)^2) / sum w: an item of weight 3 is one judgement.

    Source: C. E. Sarndal, B. Swensson and J. Wretman, "Model Assisted Survey Sampling" (1992), section 5.7; the rule of
    one standard error: L. Breiman et al., "Classification and Regression Trees" (1984), section 3.4.3.

    >>> gain, error = paired_gain(np.array([1.0, 3.0]), np.array([1.0, 1.0]), np.ones(2))
    >>> gain, round(error, 4)
    (1.0, 0.7071)
    """
    difference = before - after
    gain = float(weights @ difference / weights.sum())
    error = float(np.sqrt((weights**2) @ (difference - gain) ** 2) / weights.sum())
    return gain, error
