"""Shares of yes and no: exact and approximate intervals, exact tail probabilities."""

import math

import scipy

from calibration.arrays import confidence_level
from calibration.result import Estimate, Undefined


def clopper_pearson(right: int, n: int, *, confidence: float = 0.95) -> Estimate | Undefined:
    """The exact two-sided interval of a share: covers with at least `confidence`, whatever the truth.

    Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26 (1934). Worked figures: R. G. Newcombe, Statistics in Medicine 17 (1998), table I.

    Raises:
        ValueError: not 0 <= right <= n, or a confidence outside (0, 1).

    >>> share = clopper_pearson(81, 263)
    >>> round(share.low, 4), round(share.high, 4)
    (0.2527, 0.3676)
    """
    _check(right, n)
    tail = (1 - confidence_level(confidence)) / 2
    if n == 0:
        return Undefined("no item was judged", 0, "Clopper-Pearson")
    low = 0.0 if right == 0 else float(scipy.special.betaincinv(right, n - right + 1, tail))
    high = 1.0 if right == n else float(scipy.special.betainccinv(right + 1, n - right, tail))
    return Estimate(right / n, low, high, confidence, n, "Clopper-Pearson")


def lower_bound(right: int, n: int, *, confidence: float) -> float:
    """The one-sided exact lower bound of a share, 0 where nothing was right or judged: what a promise rests on.

    Source: Clopper and Pearson (1934), as above, one-sided.

    Raises:
        ValueError: not 0 <= right <= n, or a confidence outside (0, 1).

    >>> round(lower_bound(29, 29, confidence=0.95), 4)
    0.9019
    """
    _check(right, n)
    tail = 1 - confidence_level(confidence)
    return 0.0 if right == 0 else float(scipy.special.betaincinv(right, n - right + 1, tail))


def wilson(right: int, n: int, *, confidence: float = 0.95) -> Estimate | Undefined:
    """The score interval of a share: close to `confidence` on average and never outside 0 to 1.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    Worked figures: Newcombe (1998), table I, method 3.

    Raises:
        ValueError: not 0 <= right <= n, or a confidence outside (0, 1).

    >>> share = wilson(81, 263)
    >>> round(share.low, 4), round(share.high, 4)
    (0.2553, 0.3662)
    """
    _check(right, n)
    z = -float(scipy.special.ndtri((1 - confidence_level(confidence)) / 2))
    if n == 0:
        return Undefined("no item was judged", 0, "Wilson")
    share = right / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if right == 0 else centre - half
    high = 1.0 if right == n else centre + half
    return Estimate(share, low, high, confidence, n, "Wilson")


def p_value_at_least(wrong: int, n: int, precision: float) -> float:
    """The exact p-value against 'precision is below `precision`': how likely so few errors were if it were.

    `BinomCDF(wrong; n, 1 - precision)`, 1 where nothing was judged.

    Source: the exact binomial test of Clopper and Pearson (1934); for 0/1 losses it is smaller than the
    Hoeffding-Bentkus value of A. N. Angelopoulos et al., "Learn then Test", Annals of Applied Statistics 19 (2025).

    Raises:
        ValueError: not 0 <= wrong <= n, or a precision outside (0, 1).

    >>> round(p_value_at_least(5, 100, 0.9), 3)
    0.058
    """
    _check(wrong, n)
    confidence_level(precision, "precision")
    if wrong == n:
        return 1.0
    # the binomial tail as an incomplete beta: a ladder asks for many, and `scipy.stats` takes 50 times as long
    return float(scipy.special.betainc(n - wrong, wrong + 1, precision))


def _check(part: int, n: int) -> None:
    if not 0 <= part <= n or part != int(part) or n != int(n):
        raise ValueError(f"a part must be a whole number from 0 to n, not {part} of {n}")
