"""Evidence by betting that a mean is above a threshold, for any bounded values, however often one looks."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from calibration.arrays import confidence_level, counts, floats

# Shares of the largest bet that cannot lose everything. Fixed, so that the evidence is a plain average of bets that
# were all placed beforehand: it needs no order of the items, no seed, and holds at every look.
_BETS = np.array([0.9, *(0.5**k for k in range(1, 9))])
_GROWTH = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)


def evidence_of_mean_above(
    values: ArrayLike, *, threshold: float = 0.0, least: float, repeats: ArrayLike | None = None
) -> float:
    """The log e-value against 'the mean is at most `threshold`', for values, shape (n,), that cannot be below `least`.

    The average of nine bets 1 + share (x - threshold) / (threshold - least), multiplied over the items. It assumes no
    shape of the distribution (a skewed one does not break it, as it breaks the t-test), holds at every look, and the
    order of the items does not matter. `least` is what could happen at worst, said before the labels, not the
    smallest value seen. `repeats` is how often each value was seen (whole numbers; None: once).

    Source: I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86
    (2024), section 4.

    Raises:
        ValueError: `least` is not below `threshold`, or a value is below `least`.

    >>> round(evidence_of_mean_above([0.5, -0.5, 0.5, 0.5] * 10, least=-1), 2)
    3.28
    """
    if not least < threshold:
        raise ValueError(f"least must be below the threshold {threshold}, not {least}")
    array = floats(values, "values")
    if (array < least - 1e-9).any():
        raise ValueError(f"values must be {least} or more, not {array.min():g}: declare the worst that can happen")
    times = np.ones(array.size) if repeats is None else counts(repeats, "repeats", shape=array.shape)
    stakes = (array - threshold) / (threshold - least)
    wealth = np.array([np.log1p(share * stakes) @ times for share in _BETS])
    return float(logsumexp(wealth)) - math.log(_BETS.size)


def growth_needed(evidence: Callable[[int], float], *, alpha: float) -> int | None:
    """How many times as many data like these would show it: the first of a few factors from 1 to 64, or None.

    `evidence` gives the log e-value of the data seen so many times over. An orientation, no promise.

    Source: the expected growth of a bet, J. L. Kelly, "A new interpretation of information rate", Bell System
    Technical Journal 35 (1956).

    Raises:
        ValueError: an alpha outside (0, 1).

    >>> growth_needed(lambda times: evidence_of_mean_above([0.5, -0.5, 0.5] * 4 * times, least=-1), alpha=0.05)
    8
    """
    goal = -math.log(confidence_level(alpha, "alpha"))
    return next((times for times in _GROWTH if evidence(times) >= goal), None)
