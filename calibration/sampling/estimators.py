"""What a weighted sample says about the whole pool: totals, means, ratios, with the error of the design.

The columns of an `AuditDraw` go in under their own names. `inclusion_probability` alone: every item stands for its
inverse. With `strata=draw.stratum, sampled_share=draw.sampled_share` (always both): for the inverse of `sampled_share`,
as the variance is then that of the strata as they were drawn, and the weights must be too. The variance is that of
stratified random sampling (one stratum where `strata` is None), linearised for means and ratios:
`sum over strata of (1 - f) n / (n - 1) * sum (w z - mean of w z)^2`. The finite population correction is on, with f
the share that was drawn, n over the sum of the weights; `fpc` is another f (one number or one per item), and `fpc=0`
leaves the correction out, which is right where the question is about traffic to come. The intervals are normal and
approximate: they describe, they never certify.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, confidence_level, floats, probabilities, weights
from calibration.result import Degenerate, Estimate, Undefined

NO_SPREAD = 1e-9  # an error below this share of the value is rounding


def horvitz_thompson_total(
    values: ArrayLike,
    inclusion_probability: ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    sampled_share: ArrayLike | None = None,
    fpc: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """The total of `values` (shape `(n,)`) over the pool, unbiased: the sum of `y / pi`.

    Undefined where the items leave no spread to judge by, as for `ratio`.

    `inclusion_probability` is the chance of each item, and its inverse the weight. For a stratified draw give `strata`
    and `sampled_share` as well: then the inverse of `sampled_share` is the weight. The finite population correction
    is on; `fpc=0` turns it off.

    Source: D. G. Horvitz and D. J. Thompson, "A generalization of sampling without replacement from a finite
    universe", JASA 47 (1952). Worked figures: S. K. Thompson, "Sampling" (2012), chapter 6, exercise 2.

    Raises:
        ValueError: not one probability above 0 (and stratum and share) per value, one of `strata` and `sampled_share`
            without the other, or a confidence outside (0, 1).

    >>> round(horvitz_thompson_total([3, 10, 7], [0.1694, 0.4880, 0.2710]).value, 2)
    64.03
    """
    y = floats(values, "values")
    w = _weights(y.size, inclusion_probability, strata, sampled_share)
    procedure = "Horvitz-Thompson total"
    try:
        error = _error(y * w, w, strata, fpc)
    except Degenerate as degenerate:
        return Undefined(str(degenerate), y.size, procedure)
    return _normal(float(y @ w), error, y.size, procedure, confidence, census=_census(w, fpc))


def hajek_mean(
    values: ArrayLike,
    inclusion_probability: ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    sampled_share: ArrayLike | None = None,
    fpc: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """The mean of `values` (shape `(n,)`) over the pool, weighted: `sum(y / pi) / sum(1 / pi)`.

    Never outside the range of the values, and it moves with them, which the Horvitz-Thompson total over the size of
    the pool does not.

    `inclusion_probability` is the chance of each item, and its inverse the weight. For a stratified draw give `strata`
    and `sampled_share` as well: then the inverse of `sampled_share` is the weight. The finite population correction
    is on; `fpc=0` turns it off.

    Source: J. Hajek, discussion of D. Basu in "Foundations of Statistical Inference" (1971); C.-E. Sarndal, B.
    Swensson and J. Wretman, "Model Assisted Survey Sampling" (1992), section 5.7.

    Raises:
        ValueError: not one probability above 0 (and stratum and share) per value, one of `strata` and `sampled_share`
            without the other, or a confidence outside (0, 1).

    >>> mean = hajek_mean([1, 1, 0, 1], [0.5, 0.5, 0.1, 0.1])
    >>> round(mean.value, 3), round(mean.standard_error, 3)
    (0.583, 0.319)
    """
    y = floats(values, "values")
    answer = ratio(
        y,
        np.ones(y.size),
        inclusion_probability,
        strata=strata,
        sampled_share=sampled_share,
        fpc=fpc,
        confidence=confidence,
    )
    return replace(answer, procedure="Hajek mean, linearised")


def stratified_mean(
    values: ArrayLike, strata: Sequence[str], sizes: Mapping[str, int], *, confidence: float = 0.95
) -> Estimate | Undefined:
    """The mean over the pool from a random sample of each stratum, with the finite population correction.

    `sizes` says how many items each stratum of the pool holds. Undefined where a stratum was not sampled.

    Source: W. G. Cochran, "Sampling Techniques" (1977), section 5.3 and theorem 5.3.

    Raises:
        ValueError: not one stratum per value, a stratum without a size, or one that holds fewer than were drawn.

    >>> mean = stratified_mean([3, 5, 10, 14], ["a", "a", "b", "b"], {"a": 30, "b": 10})
    >>> mean.value, round(mean.standard_error, 3)
    (6.0, 0.851)
    """
    y = floats(values, "values")
    if len(strata) != y.size:
        raise ValueError(f"strata must be one per value: {len(strata)} strata, {y.size} values")
    names, code, drawn = np.unique(np.asarray(strata, dtype=str), return_inverse=True, return_counts=True)
    missing = [str(name) for name in names if name not in sizes]
    if missing:
        raise ValueError(f"sizes must say how many items the stratum {missing[0]!r} holds")
    unseen = sorted(name for name in sizes if sizes[name] > 0 and name not in names)
    if unseen:
        return Undefined(f"no item of the stratum {unseen[0]!r} was labelled", y.size, "stratified mean")
    held = np.array([sizes[str(name)] for name in names], dtype=np.float64)
    if (held < drawn).any():
        name = str(names[int(np.argmax(held < drawn))])
        raise ValueError(f"the stratum {name!r} holds {sizes[name]} items: fewer than were drawn from it")
    share = (drawn / held)[code]
    answer = ratio(y, np.ones(y.size), share, strata=strata, sampled_share=share, confidence=confidence)
    return replace(answer, procedure="stratified mean")


def ratio(
    numerator: ArrayLike,
    denominator: ArrayLike,
    inclusion_probability: ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    sampled_share: ArrayLike | None = None,
    fpc: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """The total of one thing over the total of another (shapes `(n,)`): `sum(y / pi) / sum(x / pi)`.

    `n` counts the items with a denominator. Where the items leave no spread to judge by (all alike), the answer is
    undefined, unless the whole pool was labelled.

    `inclusion_probability` is the chance of each item, and its inverse the weight. For a stratified draw give `strata`
    and `sampled_share` as well: then the inverse of `sampled_share` is the weight. The finite population correction
    is on; `fpc=0` turns it off.

    Source: W. G. Cochran, "Sampling Techniques" (1977), sections 2.11 and 6.4; K. M. Wolter, "Introduction to Variance
    Estimation" (2007), chapter 6 (linearisation).

    Raises:
        ValueError: not one denominator and probability above 0 per numerator, one of `strata` and `sampled_share`
            without the other, or a confidence outside (0, 1).

    >>> cost = ratio([14.3, 20.8, 22.7], [2, 3, 3], [0.01] * 3)
    >>> round(cost.value, 3), round(cost.standard_error, 3)
    (7.225, 0.207)
    """
    y = floats(numerator, "numerator")
    w = _weights(y.size, inclusion_probability, strata, sampled_share)
    x = floats(denominator, "denominator", shape=(y.size,))
    counted, procedure = int(np.count_nonzero(x)), "ratio, linearised"
    try:
        value, error = _linearised(y, x, w, strata, fpc)
    except Degenerate as degenerate:
        return Undefined(str(degenerate), counted, procedure)
    return _normal(value, error, counted, procedure, confidence, census=_census(w, fpc))


def effective_sample_size(item_weights: ArrayLike) -> float:
    """How many equally weighted labels these (shape `(n,)`) are worth: "400 labels, worth 230". 0 for none.

    Source: L. Kish, "Survey Sampling" (1965), chapter 11; L. Kish, "Weighting for unequal P_i", Journal of Official
    Statistics 8 (1992).

    Raises:
        ValueError: weights that are negative or no finite numbers.

    >>> effective_sample_size([1, 1, 2])
    2.6666666666666665
    """
    w = weights(item_weights, np.size(np.asarray(item_weights)))
    largest = float(w.max(initial=0))
    if largest == 0:
        return 0.0
    w = w / largest
    return float(w.sum() ** 2 / (w @ w))


def _weights(
    n: int, inclusion_probability: ArrayLike, strata: Sequence[str] | None, sampled_share: ArrayLike | None
) -> Floats:
    """How many items of the pool each stands for: by the share drawn of its stratum where that is known."""
    chance = _above_zero(inclusion_probability, "inclusion_probability", n)
    if strata is None and sampled_share is None:
        return 1 / chance
    if strata is None or sampled_share is None:
        raise ValueError(
            "strata and sampled_share go together: give both (draw.stratum and draw.sampled_share), or neither"
        )
    if len(strata) != n:
        raise ValueError(f"strata must be one per value: {len(strata)} strata, {n} values")
    return 1 / _above_zero(sampled_share, "sampled_share", n)


def _above_zero(chances: ArrayLike, name: str, n: int) -> Floats:
    chance = probabilities(chances, name, shape=(n,))
    if (chance == 0).any():
        raise ValueError(f"{name}[{int(chance.argmin())}] must be above 0: the item was drawn")
    return chance


def _linearised(
    y: Floats, x: Floats, w: Floats, strata: Sequence[str] | None, fpc: ArrayLike | None
) -> tuple[float, float]:
    total = float(x @ w)
    if total == 0:
        raise Degenerate("no labelled item counts for the denominator")
    value = float(y @ w) / total
    return value, _error(w * (y - value * x) / total, w, strata, fpc)


def _error(z: Floats, w: Floats, strata: Sequence[str] | None, fpc: ArrayLike | None) -> float:
    """The standard error of the sum of the expanded values z."""
    if not z.size:
        raise Degenerate("no item was labelled")
    labels = np.zeros(z.size, dtype=str) if strata is None else np.asarray(strata, dtype=str)
    names, code, n = np.unique(labels, return_inverse=True, return_counts=True)
    share = np.bincount(code, weights=_shares(w, code, n, fpc)) / n
    lonely = (n < 2) & (share < 1)
    if lonely.any():
        where = "" if strata is None else f" of the stratum {str(names[int(np.argmax(lonely))])!r}"
        raise Degenerate(
            f"1 labelled item{where} shows no spread to judge the error by: label another, or merge strata"
        )
    spread = np.bincount(code, weights=(z - (np.bincount(code, weights=z) / n)[code]) ** 2)
    return math.sqrt(float(((1 - share) * n / np.maximum(n - 1, 1)) @ spread))


def _shares(w: Floats, code: Integers, n: Integers, fpc: ArrayLike | None) -> Floats:
    """The share of its stratum that was drawn, per item."""
    if fpc is None:
        return np.asarray((n / np.bincount(code, weights=w))[code])
    given = np.asarray(fpc, dtype=np.float64)
    return probabilities(np.broadcast_to(given, w.shape) if given.ndim == 0 else given, "fpc", shape=w.shape)


def _census(w: Floats, fpc: ArrayLike | None) -> bool:
    return bool((w == 1).all() if fpc is None else (np.asarray(fpc) == 1).all())


def _normal(
    value: float, error: float, n: int, procedure: str, confidence: float, *, census: bool
) -> Estimate | Undefined:
    if error <= NO_SPREAD * abs(value) and not census:
        return Undefined("the labelled items are all alike: they show no spread to judge the error by", n, procedure)
    half = -float(scipy.special.ndtri((1 - confidence_level(confidence)) / 2)) * error
    return Estimate(value, value - half, value + half, confidence, n, procedure, error)
