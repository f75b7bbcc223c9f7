"""What a Brier score is made of: reliability, resolution and the uncertainty of the outcomes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, booleans, probabilities
from calibration.arrays import weights as item_weights
from calibration.metrics.equal_mass import BINS, bin_numbers
from calibration.result import Undefined


@dataclass(frozen=True, slots=True)
class BrierParts:
    """`brier = reliability - resolution + uncertainty + within_variance - within_covariance`, exactly.

    `reliability` (0 is honest) is what calibration can mend, `resolution` (higher is better) what it cannot.
    The two parts within groups are 0 where every group is one score.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float
    groups: int
    n: int
    procedure: str


def murphy(outcome: ArrayLike, probability: ArrayLike, *, weights: ArrayLike | None = None) -> BrierParts | Undefined:
    """The parts of a Brier score with one group per distinct score: for scores that take few values.

    `outcome` (n,) is 0 or 1, `probability` (n,) from 0 to 1; a weight of 2 is two items. Where all scores differ,
    reliability is the whole Brier score: use `murphy_binned`.

    Source: A. H. Murphy, "A new vector partition of the probability score", Journal of Applied Meteorology 12 (1973).

    Raises:
        ValueError: unequal lengths, values out of range, or a negative weight.

    >>> parts = murphy([1, 0, 0, 0, 1, 1, 1, 0], [0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5])
    >>> parts.brier, parts.reliability, parts.resolution, parts.uncertainty
    (0.21875, 0.03125, 0.0625, 0.25)
    """
    predicted, came_true, mass = _arrays(outcome, probability, weights)
    number = np.unique(predicted, return_inverse=True)[1]
    return _parts(came_true, predicted, mass, number, "Murphy (1973), one group per score")


def murphy_binned(
    outcome: ArrayLike, probability: ArrayLike, *, weights: ArrayLike | None = None, bins: int = BINS
) -> BrierParts | Undefined:
    """The parts of a Brier score in equal-mass bins, with the two parts that binning adds.

    `resolution - within_variance + within_covariance` is the generalized resolution, which depends little on `bins`.

    Source: D. B. Stephenson, C. A. S. Coelho and I. T. Jolliffe, "Two extra components in the Brier score
    decomposition", Weather and Forecasting 23 (2008).

    Raises:
        ValueError: as `murphy`, or fewer than 1 bin.

    >>> parts = murphy_binned([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2)
    >>> round(parts.reliability, 4), round(parts.within_variance, 4), parts.groups
    (0.065, 0.01, 2)
    """
    predicted, came_true, mass = _arrays(outcome, probability, weights)
    place = np.unique(predicted, return_inverse=True)[1]
    number = bin_numbers(np.bincount(place, mass).astype(np.float64), bins)[place] if mass.sum() > 0 else place
    return _parts(came_true, predicted, mass, number, f"Stephenson et al. (2008), {bins} equal-mass bins")


def _arrays(outcome: ArrayLike, probability: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    predicted = probabilities(probability, "probability")
    came_true = booleans(outcome, "outcome", shape=predicted.shape).astype(np.float64)
    return predicted, came_true, item_weights(weights, len(predicted))


def _parts(y: Floats, p: Floats, weights: Floats, number: Integers, procedure: str) -> BrierParts | Undefined:
    total = weights.sum()
    if total <= 0:
        return Undefined("no item carries weight", len(y), procedure)
    share = np.bincount(number, weights) / total
    filled = share > 0
    divisor = np.where(filled, share * total, 1.0)
    said = np.bincount(number, weights * p) / divisor
    true = np.bincount(number, weights * y) / divisor
    rate = float(weights @ y / total)
    off = p - said[number]
    return BrierParts(
        brier=float(weights @ (p - y) ** 2 / total),
        reliability=float(share @ (said - true) ** 2),
        resolution=float(share @ (true - rate) ** 2),
        uncertainty=rate * (1 - rate),
        within_variance=float(weights @ off**2 / total),
        within_covariance=float(2 * weights @ (off * (y - true[number])) / total),
        groups=int(filled.sum()),
        n=len(y),
        procedure=procedure,
    )
