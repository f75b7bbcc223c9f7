"""Two versions on the same items: what only one of them gets right, and how much better it is."""

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import norm

from calibration.arrays import booleans, confidence_level
from calibration.binomial import wilson
from calibration.result import Estimate, Undefined


@dataclass(frozen=True, slots=True)
class Pairs:
    """`n` items judged under both versions: `first_only` right under the first alone, `second_only` the reverse.

    Items on which both are right or both are wrong count in `n` alone: they say nothing about which is better.

    Raises:
        ValueError: a count is negative, or the two exceed `n`.
    """

    n: int
    first_only: int
    second_only: int

    def __post_init__(self) -> None:
        if min(self.first_only, self.second_only) < 0 or self.discordant > self.n:
            raise ValueError(f"counts must be 0 or more and fit in n, not {self}")

    @property
    def discordant(self) -> int:
        """How many items tell the two apart."""
        return self.first_only + self.second_only


def pairs(first_right: ArrayLike, second_right: ArrayLike) -> Pairs:
    """Count what two versions did on the same items: two arrays of yes and no, shape (n,).

    Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947).

    Raises:
        ValueError: the arrays differ in length or hold something else than 0 and 1.

    >>> pairs([1, 1, 0, 0], [1, 0, 1, 0])
    Pairs(n=4, first_only=1, second_only=1)
    """
    first = booleans(first_right, "first_right")
    second = booleans(second_right, "second_right", shape=first.shape)
    return Pairs(first.size, int((first & ~second).sum()), int((second & ~first).sum()))


def wald(counted: Pairs, *, confidence: float = 0.95) -> Estimate | Undefined:
    """How much more often the first is right than the second, (b - c) / n, with the large-sample interval.

    SE = sqrt(b + c - (b - c)^2 / n) / n. Read `tango` instead below a few dozen discordant pairs, and where this is
    undefined: no pair is discordant, or every item favours the same one (SE 0).

    Source: A. Agresti, "Categorical Data Analysis" (2nd edition 2002), section 10.1.

    Raises:
        ValueError: a confidence outside (0, 1).

    >>> change = wald(Pairs(n=1600, first_only=86, second_only=150))
    >>> round(change.value, 2), round(change.standard_error, 4)
    (-0.04, 0.0095)
    """
    z = float(norm.isf((1 - confidence_level(confidence)) / 2))
    if counted.discordant == 0:
        reason = "the two are identical on this sample" if counted.n else "no item was judged"
        return Undefined(reason, counted.n, "Wald, paired")
    if max(counted.first_only, counted.second_only) == counted.n:
        return Undefined(
            "every item favours the same one: this interval would have no width", counted.n, "Wald, paired"
        )
    value = (counted.first_only - counted.second_only) / counted.n
    error = math.sqrt(max(counted.discordant / counted.n - value**2, 0.0) / counted.n)
    return Estimate(
        value, max(value - z * error, -1.0), min(value + z * error, 1.0), confidence, counted.n, "Wald, paired", error
    )


def tango(counted: Pairs, *, confidence: float = 0.95) -> Estimate | Undefined:
    """The score interval of (b - c) / n: good in small samples, and it needs no label where the versions agree.

    Without a discordant pair it is 0 with the interval +-z^2 / (n + z^2): no difference seen among n is no proof of
    none.

    Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17 (1998).

    Raises:
        ValueError: a confidence outside (0, 1).

    >>> change = tango(Pairs(n=21, first_only=1, second_only=7))
    >>> round(change.low, 3), round(change.high, 3)
    (-0.517, -0.026)
    """
    z = float(norm.isf((1 - confidence_level(confidence)) / 2))
    if counted.n == 0:
        return Undefined("no item was judged", 0, "Tango score, paired")
    low, high = score_limits(counted.first_only, counted.second_only, counted.n, z)
    value = (counted.first_only - counted.second_only) / counted.n
    return Estimate(value, low, high, confidence, counted.n, "Tango score, paired")


def score_limits(first_only: float, second_only: float, n: float, z: float) -> tuple[float, float]:
    """Tango's limits at a normal quantile `z`, for counts that need not be whole (as planning has them).

    Source: Tango (1998), as `tango`.

    >>> low, high = score_limits(0, 0, 100, 1.96)
    >>> round(low, 3), round(high, 3)
    (-0.037, 0.037)
    """
    if first_only == second_only == 0:
        return -z * z / (n + z * z), z * z / (n + z * z)
    value = (first_only - second_only) / n

    def excess(difference: float) -> float:
        half = (2 * n - first_only + second_only) * difference - first_only - second_only
        root = math.sqrt(max(half**2 + 8 * n * second_only * difference * (1 - difference), 0.0))
        variance = n * ((root - half) / (2 * n) + difference * (1 - difference))
        return float((first_only - second_only - n * difference) ** 2 - z * z * variance)

    # where one is right alone on every item, `excess` has a root at that end which is no limit (planned counts: nearly)
    if math.isclose(first_only, n):
        return (n - z * z) / (n + z * z), 1.0
    if math.isclose(second_only, n):
        return -1.0, (z * z - n) / (n + z * z)
    return float(brentq(excess, -1, value)), float(brentq(excess, value, 1))


def newcombe(both_right: int, counted: Pairs, *, confidence: float = 0.95) -> Estimate | Undefined:
    """The square-and-add interval of (b - c) / n (method 10): needs to know how often both are right.

    Source: R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
    paired data", Statistics in Medicine 17 (1998) 2635-2650, method 10.

    Raises:
        ValueError: `both_right` does not fit, or a confidence outside (0, 1).

    >>> change = newcombe(59, Pairs(n=161, first_only=6, second_only=16))
    >>> round(change.low, 4), round(change.high, 4)
    (-0.1186, -0.0046)
    """
    both_wrong = counted.n - both_right - counted.discordant
    if both_right < 0 or both_wrong < 0:
        raise ValueError(f"both_right must be from 0 to {counted.n - counted.discordant}, not {both_right}")
    first = wilson(both_right + counted.first_only, counted.n, confidence=confidence)
    second = wilson(both_right + counted.second_only, counted.n, confidence=confidence)
    if isinstance(first, Undefined) or isinstance(second, Undefined):
        return Undefined("no item was judged", 0, "Newcombe, paired")
    phi = _corrected_phi(both_right, counted.first_only, counted.second_only, both_wrong)
    value = (counted.first_only - counted.second_only) / counted.n
    down = _square_and_add(first.value - first.low, second.high - second.value, phi)
    up = _square_and_add(first.high - first.value, second.value - second.low, phi)
    return Estimate(value, max(value - down, -1.0), min(value + up, 1.0), confidence, counted.n, "Newcombe, paired")


def _corrected_phi(both_right: int, first_only: int, second_only: int, both_wrong: int) -> float:
    rows = (both_right + first_only) * (second_only + both_wrong)
    columns = (both_right + second_only) * (first_only + both_wrong)
    if rows * columns == 0:
        return 0.0
    cross = both_right * both_wrong - first_only * second_only
    half = (both_right + first_only + second_only + both_wrong) / 2
    return (max(cross - half, 0.0) if cross > 0 else cross) / math.sqrt(rows * columns)


def _square_and_add(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one**2 - 2 * phi * one * other + other**2, 0.0))
