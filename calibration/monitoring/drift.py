"""Has the input moved? Population stability index with a level that knows n: a reason to label, never to void."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, confidence_level, counts, floats
from calibration.result import Undefined

BINS = 10
PSEUDO_COUNT = 0.5
LARGE = 0.1  # below this a shift may be certain and still not worth a label


@dataclass(frozen=True, slots=True)
class Drift:
    """A distance between a reference and a current sample, beside what chance alone would make of it.

    `level` is what chance exceeds with probability `alpha` (already shared among the tests made together). Only a
    drift that is both `significant` and `large` is a reason to label more.
    """

    value: float
    level: float
    significant: bool
    large: bool
    n_reference: int
    n_current: int
    alpha: float
    procedure: str
    sentence: str
    p_value: float | None = None

    @property
    def schedules_labelling(self) -> bool:
        """Whether to open 'label more of this': never whether to void a promise."""
        return self.significant and self.large


def psi_level(n_reference: int, n_current: int, bins: int, *, alpha: float = 0.05, tests: int = 1) -> float:
    """What a PSI exceeds by chance with probability `alpha / tests`: chi2_{bins-1} quantile times (1/n + 1/m).

    Source: B. Yurdakul, "Statistical properties of population stability index", dissertation, Western Michigan
    University (2018), chapter 2; B. Yurdakul and J. Naranjo, Journal of Risk Model Validation 14 (2020).

    Raises:
        ValueError: an empty sample, fewer than 2 bins or 1 test, or an alpha outside (0, 1).

    >>> [round(psi_level(n, n, 10), 3) for n in (100, 200, 500, 1000, 5000)]
    [0.338, 0.169, 0.068, 0.034, 0.007]
    """
    if n_reference < 1 or n_current < 1 or bins < 2:
        raise ValueError(f"a PSI needs rows on both sides and 2 bins, not {n_reference}, {n_current} and {bins}")
    return float(scipy.special.chdtri(bins - 1, per_test(alpha, tests))) * (1 / n_reference + 1 / n_current)


def psi_of_shares(
    reference: ArrayLike, current: ArrayLike, *, alpha: float = 0.05, tests: int = 1
) -> Drift | Undefined:
    """How far category counts (labels, languages, channels) have moved: PSI = sum (a - e) ln(a / e).

    `reference` and `current` are counts per category, in the same order, shape (categories,). Half a row is added to
    each category; a category that is empty on both sides is left out.

    Source: N. Siddiqi, "Intelligent Credit Scoring", 2nd edition (2017), p. 369; level: Yurdakul (2018).

    Raises:
        ValueError: counts of unequal length or that are no counts, fewer than 1 test, or an alpha outside (0, 1).

    >>> drift = psi_of_shares([400, 300, 300], [350, 250, 400])
    >>> round(drift.value, 3), round(drift.level, 3), drift.significant, drift.large
    (0.044, 0.012, True, False)
    """
    before = counts(reference, "reference")
    after = counts(current, "current", shape=before.shape)
    alpha = per_test(alpha, tests)
    n, m = int(before.sum()), int(after.sum())
    used = (before + after) > 0
    procedure = f"PSI over {int(used.sum())} categories, chi-squared level"
    if n == 0 or m == 0:
        return Undefined("one of the samples has no rows", n + m, procedure)
    if used.sum() < 2:
        return Undefined("all rows lie in one category: nothing can move", n + m, procedure)
    value = _psi(before[used], after[used])
    level = psi_level(n, m, int(used.sum()), alpha=alpha)
    return verdict(value, level, n, m, alpha=alpha, procedure=procedure)


def psi(
    reference: ArrayLike, current: ArrayLike, *, bins: int = BINS, alpha: float = 0.05, tests: int = 1
) -> Drift | Undefined:
    """How far a score or feature has moved: PSI over the quantile bins (deciles) of the reference, shapes (n,), (m,).

    Equal values stay in one bin; a reference of few distinct values gets one bin for each.

    Source: Siddiqi (2017) and Yurdakul (2018), as above.

    Raises:
        ValueError: not finite numbers, fewer than 2 bins or 1 test, or an alpha outside (0, 1).

    >>> drift = psi(np.arange(1000) / 1000, np.arange(1000) / 1250)
    >>> round(drift.value, 2), drift.significant, drift.large
    (1.1, True, True)
    >>> psi([1, 1, 1], [1, 1]).reason
    'all rows lie in one category: nothing can move'
    """
    before, after = floats(reference, "reference"), floats(current, "current")
    if bins < 2:
        raise ValueError(f"bins must be 2 or more, not {bins}")
    if not before.size or not after.size:
        return Undefined("one of the samples has no rows", before.size + after.size, "PSI")
    return psi_of_shares(*_binned(before, after, bins), alpha=alpha, tests=tests)


def psi_distance(reference: ArrayLike, current: ArrayLike) -> float:
    """The bare PSI over the deciles of the reference, for tests that make their own level (whole days permuted).

    Source: Siddiqi (2017), as above.

    Raises:
        ValueError: not finite numbers, or an empty sample.

    >>> psi_distance([1, 2, 3, 4], [1, 2, 3, 4])
    0.0
    """
    before, after = floats(reference, "reference"), floats(current, "current")
    if not before.size or not after.size:
        raise ValueError("reference and current must have rows")
    return _psi(*_binned(before, after, BINS))


def per_test(alpha: float, tests: int) -> float:
    """The share of `alpha` that each of `tests` tests made together may use.

    Source: C. E. Bonferroni (1936), as in O. J. Dunn, "Multiple comparisons among means", JASA 56 (1961).

    Raises:
        ValueError: fewer than 1 test, or an alpha outside (0, 1).

    >>> per_test(0.05, 10)
    0.005
    """
    if tests < 1:
        raise ValueError(f"tests must be 1 or more, not {tests}")
    return confidence_level(alpha, "alpha") / tests


def verdict(
    value: float, level: float, n: int, m: int, *, alpha: float, procedure: str, p_value: float | None = None
) -> Drift:
    """The distance as a `Drift` with its sentence: significant above the level (or by its p-value), large above 0.1.

    Source: the two conditions together follow Yurdakul (2018), chapter 5, against one fixed level for every n.

    >>> verdict(0.2, 0.3, 100, 100, alpha=0.05, procedure="PSI").sentence
    'No drift beyond chance: 0.200, and chance alone reaches 0.300 one time in 20 (100 against 100 rows).'
    """
    significant = value > level if p_value is None else p_value <= alpha
    large = value > LARGE
    chance = f"chance alone reaches {level:.3f} one time in {round(1 / alpha)} ({n} against {m} rows)."
    finding = {
        (True, True): "Drift: label more of this",
        (True, False): f"A real shift, too small to matter (up to {LARGE})",
    }.get((significant, large), "No drift beyond chance")
    return Drift(
        value, level, significant, large, n, m, alpha, procedure, f"{finding}: {value:.3f}, and {chance}", p_value
    )


def _psi(before: ArrayLike, after: ArrayLike) -> float:
    expected, actual = (np.asarray(one, dtype=np.float64) + PSEUDO_COUNT for one in (before, after))
    expected, actual = expected / expected.sum(), actual / actual.sum()
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _binned(before: Floats, after: Floats, bins: int) -> tuple[Floats, Floats]:
    cuts = _cuts(before, bins)
    sides = [np.bincount(np.searchsorted(cuts, one), minlength=cuts.size + 1) for one in (before, after)]
    return sides[0].astype(np.float64), sides[1].astype(np.float64)


def _cuts(before: Floats, bins: int) -> Floats:
    """The values at which a bin ends: every distinct one where there are few, else the quantiles."""
    values = np.unique(before)
    if values.size == 1:
        return np.array([np.nextafter(values[0], -np.inf), values[0]])  # below, equal, above
    if values.size <= bins:
        return values[:-1]
    # where the largest value ties over several quantiles, its bin starts after the value before it
    return np.unique(np.minimum(np.quantile(before, np.arange(1, bins) / bins), values[-2]))
