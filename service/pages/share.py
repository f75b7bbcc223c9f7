"""A share as pages tell it: never without n and its interval. Pure."""

from dataclasses import dataclass

from calibration.binomial import wilson
from calibration.result import Estimate

FEW = 20


@dataclass(frozen=True, slots=True)
class Share:
    """So many of n: `86 %`, `60 to 96 %`; `few` where n is too small to say much."""

    right: int
    n: int
    percent: int
    low: int
    high: int

    @property
    def few(self) -> bool:
        return self.n < FEW


def share(right: int, n: int) -> Share | None:
    """A share with its 95 % interval (Wilson); None of nothing.

    >>> share(12, 14)
    Share(right=12, n=14, percent=86, low=60, high=96)
    """
    found = wilson(right, n)
    if not isinstance(found, Estimate):
        return None
    return Share(right, n, *(round(100 * part) for part in (found.value, found.low, found.high)))
