"""Shadow mode: the difference of two versions from labels on their disagreements alone."""

import math
from dataclasses import dataclass

from scipy.stats import norm

from calibration.arrays import confidence_level
from calibration.comparison.paired import Pairs
from calibration.result import Estimate, Undefined

PROCEDURE = "two-phase Wald, disagreements labelled at random"


@dataclass(frozen=True, slots=True)
class Shadow:
    """Both versions ran on `items` and decided differently on `disagreements` of them.

    `labelled.n` of the disagreements, drawn at random, were labelled: all of them, where the two are equal.

    Raises:
        ValueError: the counts do not fit into each other.
    """

    items: int
    disagreements: int
    labelled: Pairs

    def __post_init__(self) -> None:
        if not self.labelled.n <= self.disagreements <= self.items:
            raise ValueError(f"labelled <= disagreements <= items must hold, not {self}")


def difference_from_disagreements(shadow: Shadow, *, confidence: float = 0.95) -> Estimate | Undefined:
    """How much more often the first is right than the second, without one label on what they agree about.

    Each labelled disagreement stands for `disagreements / labelled`. The variance adds what comes from drawing the
    items and what comes from labelling a part of the disagreements; with all of them labelled it is `paired.wald`.
    `n` of the estimate is the number of items.

    Source: J. Neyman, "Contribution to the theory of sampling human populations", JASA 33 (1938) (double sampling);
    W. G. Cochran, "Sampling Techniques" (3rd edition 1977), chapter 12.

    Raises:
        ValueError: a confidence outside (0, 1).

    >>> shadow = Shadow(items=1000, disagreements=80, labelled=Pairs(n=40, first_only=22, second_only=12))
    >>> gain = difference_from_disagreements(shadow)
    >>> round(gain.value, 3), round(gain.low, 3), round(gain.high, 3)
    (0.02, -0.003, 0.043)
    """
    z = float(norm.isf((1 - confidence_level(confidence)) / 2))
    counted = shadow.labelled
    if counted.discordant == 0:
        return Undefined("no labelled disagreement tells the two apart", shadow.items, PROCEDURE)
    if counted.n == 1 < shadow.disagreements:
        return Undefined("1 disagreement was labelled, 2 needed", shadow.items, PROCEDURE)
    if max(counted.first_only, counted.second_only) == shadow.items:
        return Undefined("every item favours the same one: this interval would have no width", shadow.items, PROCEDURE)
    share = shadow.disagreements / shadow.items
    gain, either = (counted.first_only - counted.second_only) / counted.n, counted.discordant / counted.n
    value = share * gain
    left_out = 1 - counted.n / shadow.disagreements
    spread = (either - gain**2) / max(counted.n - 1, 1)  # the sample variance over its n
    variance = max(share * either - value**2, 0.0) / shadow.items + share**2 * left_out * spread
    error = math.sqrt(variance)
    low, high = max(value - z * error, -1.0), min(value + z * error, 1.0)
    return Estimate(value, low, high, confidence, shadow.items, PROCEDURE, error)
