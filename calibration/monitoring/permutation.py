"""Drift tested by permutation: Kolmogorov-Smirnov where scores tie, and whole days where rows move together."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import ks_2samp, kstwobign

from calibration.arrays import Floats, Integers, floats
from calibration.monitoring.drift import Drift, per_test, verdict
from calibration.result import Undefined

PERMUTATIONS = 1_000
MOST_EXACT = 1_000  # rows of a side up to which lattice paths are counted
CELLS = 1_000_000  # permuted counts held at one time
ROWS_PER_VALUE = 10  # with fewer on average, shuffling rows is quicker than drawing how often each value occurs


def ks_distance(reference: ArrayLike, current: ArrayLike) -> float:
    """The largest distance between two empirical distribution functions, ties taken together.

    Source: N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Annals of Mathematical
    Statistics 19 (1948).

    Raises:
        ValueError: not finite numbers, or an empty sample.

    >>> ks_distance([1, 2, 2, 3], [2, 3, 3, 4])
    0.5
    """
    before, after = floats(reference, "reference"), floats(current, "current")
    if not before.size or not after.size:
        raise ValueError("reference and current must have rows")
    here, pooled = _tallies(before, after)
    return float(_distances(here[None, :], pooled, before.size)[0])


def kolmogorov_smirnov(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    alpha: float = 0.05,
    tests: int = 1,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Drift | Undefined:
    """Whether a score's distribution has moved; shapes (n,) and (m,).

    Without ties the p-value is the classical one; with ties, where that is conservative, rows are permuted.

    Source: Smirnov (1948), as above; permutation: E. L. Lehmann and J. P. Romano, "Testing Statistical Hypotheses",
    3rd edition (2005), section 15.2.

    Raises:
        ValueError: not finite numbers, fewer than 1 permutation or test, or an alpha outside (0, 1).

    >>> drift = kolmogorov_smirnov([1, 1, 1, 2] * 50, [1, 2, 2, 2] * 50)
    >>> drift.value, drift.schedules_labelling
    (0.5, True)
    """
    before, after = floats(reference, "reference"), floats(current, "current")
    alpha = per_test(alpha, tests)
    n, m = before.size, after.size
    if n == 0 or m == 0:
        return Undefined("one of the samples has no rows", n + m, "Kolmogorov-Smirnov")
    here, pooled = _tallies(before, after)
    if pooled.size == 1:
        return Undefined("all rows have one value: nothing can move", n + m, "Kolmogorov-Smirnov")
    if pooled.size == n + m:
        with warnings.catch_warnings():
            # the count of paths fails at the smallest distance there is; scipy then warns and takes the limit law: 1
            warnings.simplefilter("ignore", RuntimeWarning)
            classical = ks_2samp(before, after, method="exact" if max(n, m) <= MOST_EXACT else "asymp")
        level = min(1.0, float(kstwobign.isf(alpha)) * math.sqrt((n + m) / (n * m)))
        value, p_value, procedure = float(classical.statistic), float(classical.pvalue), "Kolmogorov-Smirnov, no ties"
    else:
        value = float(_distances(here[None, :], pooled, n)[0])
        chance = _permuted(pooled, n, permutations, seed)
        level, p_value = float(np.quantile(chance, 1 - alpha)), _p_value(value, chance)
        procedure = f"Kolmogorov-Smirnov, ties, {permutations} permutations, seed {seed}"
    return verdict(value, level, n, m, alpha=alpha, procedure=procedure, p_value=p_value)


def grouped_drift(
    reference: Sequence[ArrayLike],
    current: Sequence[ArrayLike],
    distance: Callable[[Floats, Floats], float] = ks_distance,
    *,
    alpha: float = 0.05,
    tests: int = 1,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Drift | Undefined:
    """Drift between rows that move together: `reference` and `current` hold one array per day (or survey).

    Whole days change sides, so an odd day counts as one piece of evidence and not as its hundred rows. `distance` is
    `ks_distance`, `drift.psi_distance` or any other distance of two samples.

    Source: A. M. Winkler et al., "Multi-level block permutation", NeuroImage 123 (2015), whole-block exchangeability.

    Raises:
        ValueError: a side without groups, an empty group, fewer than 1 permutation or test, or an alpha outside (0, 1).

    >>> days = [[1, 2, 3], [2, 3, 4], [1, 3, 4], [2, 2, 3]]
    >>> drift = grouped_drift(days, [[5, 6], [6, 7], [7, 8], [5, 8]])
    >>> drift.value, drift.p_value < 0.05
    (1.0, True)
    """
    groups = [floats(one, f"{side}[{i}]") for side, many in _sides(reference, current) for i, one in enumerate(many)]
    alpha = per_test(alpha, tests)
    first, rows = len(reference), sum(one.size for one in groups)
    if not reference or not current or any(one.size == 0 for one in groups):
        raise ValueError("reference and current must hold one group or more, and each group a row or more")
    ways = math.comb(len(groups), first)
    procedure = f"{len(groups)} whole groups permuted {permutations} times, seed {seed}"
    if ways * alpha < 1:
        reason = f"{first} against {len(groups) - first} groups can change sides in {ways} ways: too few to judge"
        return Undefined(reason, rows, procedure)

    def split(order: Integers) -> float:
        return distance(*(np.concatenate([groups[i] for i in side]) for side in (order[:first], order[first:])))

    generator = np.random.default_rng(seed)
    value = split(np.arange(len(groups)))
    chance = np.array([split(generator.permutation(len(groups))) for _ in range(_at_least_one(permutations))])
    level, n = float(np.quantile(chance, 1 - alpha)), sum(one.size for one in groups[:first])
    return verdict(value, level, n, rows - n, alpha=alpha, procedure=procedure, p_value=_p_value(value, chance))


def _sides(reference: Sequence[ArrayLike], current: Sequence[ArrayLike]) -> list[tuple[str, Sequence[ArrayLike]]]:
    return [("reference", reference), ("current", current)]


def _tallies(before: Floats, after: Floats) -> tuple[Integers, Integers]:
    """How often each distinct value occurs before, and in both together."""
    _, place = np.unique(np.concatenate([before, after]), return_inverse=True)
    pooled = np.bincount(place)
    return np.bincount(place[: before.size], minlength=pooled.size), pooled


def _distances(here: Integers, pooled: Integers, n: int) -> Floats:
    before = np.cumsum(here, axis=1)
    after = np.cumsum(pooled) - before
    gap: Floats = np.abs(before / n - after / (pooled.sum() - n)).max(axis=1)
    return gap


def _permuted(pooled: Integers, n: int, permutations: int, seed: int) -> Floats:
    generator = np.random.default_rng(seed)
    left, drawn = _at_least_one(permutations), []
    # two ways to draw the same law: shuffling rows costs by the row, drawing tallies by the value
    method: Literal["count", "marginals"] = "count" if pooled.sum() < ROWS_PER_VALUE * pooled.size else "marginals"
    while left:
        size = min(left, max(1, CELLS // pooled.size))
        here = generator.multivariate_hypergeometric(pooled, n, size=size, method=method)
        drawn.append(_distances(here, pooled, n))
        left -= size
    return np.concatenate(drawn)


def _p_value(value: float, chance: Floats) -> float:
    return float((1 + (chance >= value - 1e-12).sum()) / (1 + chance.size))


def _at_least_one(permutations: int) -> int:
    if permutations < 1:
        raise ValueError(f"permutations must be 1 or more, not {permutations}")
    return permutations
