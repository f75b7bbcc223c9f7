"""Is the new version not worse than the old one by more than a margin said beforehand?"""

import math
from dataclasses import dataclass
from enum import StrEnum

from scipy.stats import norm

from calibration.arrays import confidence_level
from calibration.comparison.paired import Pairs, score_limits, tango
from calibration.result import Estimate, Undefined

MOST_LABELS = 10**7  # beyond it 'label more' is no advice


class Verdict(StrEnum):
    """What the interval says about the margin."""

    SUPERIOR = "superior"
    NON_INFERIOR = "non-inferior"
    INCONCLUSIVE = "inconclusive"
    INFERIOR = "inferior"


@dataclass(frozen=True, slots=True)
class NonInferiority:
    """The verdict, the difference (new less old) it rests on, and about how many labels are missing.

    `alpha` is the one-sided risk: `difference` is an interval at 1 - 2 alpha. `missing` is 0 where the margin is
    decided and None where no number of labels with the difference as seen would show it.
    """

    verdict: Verdict
    difference: Estimate
    margin: float
    alpha: float
    missing: int | None


def non_inferiority(counted: Pairs, *, margin: float, alpha: float = 0.05) -> NonInferiority | Undefined:
    """Judge the first (new) version of `counted` against the second (old) one with Tango's score interval.

    Superior when the lower bound is above 0, non-inferior when it is above -margin, inferior when the upper bound is
    below -margin, else inconclusive. Not being significantly worse is no verdict here.

    Source: T. Tango, Statistics in Medicine 17 (1998), as `paired.tango`; the order of the claims (non-inferior, then
    superior, at the same alpha): EMA, "Points to consider on switching between superiority and non-inferiority"
    (2000).

    Raises:
        ValueError: a margin outside (0, 1), or an alpha outside (0, 0.5).

    >>> decided = non_inferiority(Pairs(n=400, first_only=12, second_only=14), margin=0.03)
    >>> str(decided.verdict), round(decided.difference.low, 4)
    ('non-inferior', -0.0271)
    """
    confidence_level(margin, "margin")
    difference = tango(counted, confidence=1 - 2 * one_sided(alpha))
    if isinstance(difference, Undefined):
        return difference
    verdict = _verdict(difference, margin)
    missing = _missing(counted, margin, alpha) if verdict is Verdict.INCONCLUSIVE else 0
    return NonInferiority(verdict, difference, margin, alpha, missing)


def one_sided(alpha: float) -> float:
    """A one-sided risk strictly between 0 and 0.5.

    Source: the definition of a test's level, J. Neyman and E. S. Pearson, Philosophical Transactions A 231 (1933).

    Raises:
        ValueError: it is not.

    >>> one_sided(0.05)
    0.05
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie strictly between 0 and 0.5, not {alpha}")
    return alpha


def _verdict(difference: Estimate, margin: float) -> Verdict:
    if difference.low > 0:
        return Verdict.SUPERIOR
    if difference.low > -margin:
        return Verdict.NON_INFERIOR
    return Verdict.INFERIOR if difference.high < -margin else Verdict.INCONCLUSIVE


def _missing(counted: Pairs, margin: float, alpha: float) -> int | None:
    if (counted.first_only - counted.second_only) / counted.n <= -margin:
        return None
    z = float(norm.isf(alpha))
    short, enough = float(counted.n), float(MOST_LABELS)
    if not _shown(counted, enough, margin, z):
        return None
    while enough - short > 1:
        middle = (short + enough) / 2
        short, enough = (short, middle) if _shown(counted, middle, margin, z) else (middle, enough)
    return math.ceil(enough) - counted.n


def _shown(counted: Pairs, n: float, margin: float, z: float) -> bool:
    grown = n / counted.n
    return score_limits(counted.first_only * grown, counted.second_only * grown, n, z)[0] > -margin
