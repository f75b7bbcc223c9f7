"""A z test of calibration that needs no bins."""

import math
from dataclasses import dataclass

import scipy
from numpy.typing import ArrayLike

from calibration.arrays import booleans, probabilities
from calibration.result import Undefined

PROCEDURE = "Spiegelhalter (1986)"


@dataclass(frozen=True, slots=True)
class CalibrationTest:
    """`z` is about standard normal for calibrated probabilities; `p_value` is two-sided."""

    z: float
    p_value: float
    n: int
    procedure: str


def spiegelhalter(outcome: ArrayLike, probability: ArrayLike) -> CalibrationTest | Undefined:
    """Is the Brier score what calibrated probabilities would get? Above 0: worse (overconfident); below: better.

    `outcome` (n,) is 0 or 1, `probability` (n,) from 0 to 1. Probabilities of 0, 0.5 and 1 carry no information on
    it, not even a 1 that failed (log loss tells); where there are no others the test is undefined. For large
    samples: think of 100 items and more.

    Source: D. J. Spiegelhalter, "Probabilistic prediction in patient management and clinical trials", Statistics in
    Medicine 5 (1986).

    Raises:
        ValueError: unequal lengths or values out of range.

    >>> test = spiegelhalter([1, 0], [0.8, 0.2])
    >>> round(test.z, 4), round(test.p_value, 4)
    (-0.7071, 0.4795)
    """
    p = probabilities(probability, "probability")
    y = booleans(outcome, "outcome", shape=p.shape)
    variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    if variance <= 0:
        return Undefined("every probability is 0, 0.5 or 1: nothing can be tested", len(p), PROCEDURE)
    z = float(((y - p) * (1 - 2 * p)).sum()) / math.sqrt(variance)
    return CalibrationTest(z, float(2 * scipy.special.ndtr(-abs(z))), len(p), PROCEDURE)
