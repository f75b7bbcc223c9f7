"""How far probabilities are from frequencies, in equal-mass bins: the ECE and its debiased form."""

import math

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, booleans, probabilities
from calibration.arrays import weights as item_weights
from calibration.bootstrap import DRAWS
from calibration.metrics.equal_mass import BINS, binned_sums
from calibration.metrics.noise_floor import ErrorOf, MeasuredError, measured_error
from calibration.result import Degenerate, Undefined


def expected_calibration_error(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    bins: int = BINS,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> MeasuredError | Undefined:
    """ECE: how far the mean probability of a bin is from the share that came true, on average over items.

    `outcome` (n,) is 0 or 1, `probability` (n,) and the result from 0 to 1. Bins hold equal mass and never split
    equal scores. Never read it without its floor: calibrated scores give 0.11 at n = 100. Gate on proper scores.

    Source: M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
    binning", AAAI (2015); equal mass: Nguyen and O'Connor, EMNLP (2015).

    Raises:
        ValueError: unequal lengths, values out of range, fewer than 1 bin or draw, or a confidence outside (0, 1).

    >>> ece = expected_calibration_error([0, 1, 0, 1, 0, 1, 1, 1, 0], [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6])
    >>> round(ece.error.value, 4), ece.error.n, ece.exceeds_chance
    (0.2222, 9, False)
    """
    predicted, came_true = _binary(outcome, probability)
    return measured_error(
        absolute_gap(predicted, bins),
        came_true,
        predicted,
        name=f"ECE, {bins} equal-mass bins",
        weights=item_weights(weights, len(predicted)),
        confidence=confidence,
        draws=draws,
        seed=seed,
    )


def debiased_calibration_error(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    bins: int = BINS,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> MeasuredError | Undefined:
    """The root mean square gap of the bins, less what sampling adds to it, 0 where sampling explains it all.

    Per bin `(p - y)^2 - y (1 - y) / (n - 1)`, averaged over items; negative terms count, only the sum is cut at 0.
    A bin with 1 item says nothing and adds 0; where no bin has 2, the error is undefined. A weight of 2 is two items.

    Source: A. Kumar, P. Liang and T. Ma, "Verified uncertainty calibration", NeurIPS (2019).

    Raises:
        ValueError: as `expected_calibration_error`.

    >>> outcome, probability = [0, 1, 0, 1, 0, 1, 1, 1, 0], [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6]
    >>> debiased_calibration_error(outcome, probability).error.value
    0.0
    """
    predicted, came_true = _binary(outcome, probability)
    return measured_error(
        debiased_gap(predicted, bins),
        came_true,
        predicted,
        name=f"debiased L2 calibration error, {bins} equal-mass bins",
        weights=item_weights(weights, len(predicted)),
        confidence=confidence,
        draws=draws,
        seed=seed,
    )


def absolute_gap(probability: Floats, bins: int = BINS) -> ErrorOf:
    """The plain ECE of fixed probabilities (n,) as a function of outcomes and weights: what `measured_error` draws.

    Source: Naeini, Cooper and Hauskrecht (2015), as in `expected_calibration_error`.

    Raises:
        ValueError: fewer than 1 bin.
        Degenerate: from the function, where no item carries weight.

    >>> absolute_gap(np.array([0.9, 0.8]), bins=1)(np.array([1.0, 1.0]), np.array([1.0, 1.0]))
    0.1499999999999999
    """
    sums = binned_sums(probability, bins)

    def error(outcome: Floats, weights: Floats) -> float:
        mass, said, came_true = sums(outcome, weights)
        return float(np.abs(said - came_true).sum() / mass.sum())

    return error


def debiased_gap(probability: Floats, bins: int = BINS) -> ErrorOf:
    """The debiased error of fixed probabilities (n,) as a function of outcomes and weights, as `absolute_gap`.

    Source: Kumar, Liang and Ma (2019), as in `debiased_calibration_error`.

    Raises:
        ValueError: fewer than 1 bin.
        Degenerate: from the function, where no bin holds 2 items.

    >>> debiased_gap(np.full(4, 0.9), bins=1)(np.zeros(4), np.ones(4))
    0.9
    """
    sums = binned_sums(probability, bins)

    def error(outcome: Floats, weights: Floats) -> float:
        mass, said, came_true = sums(outcome, weights)
        several = mass > 1
        if not several.any():
            raise Degenerate("no bin holds 2 items: too few items or too many bins")
        n, p, y = mass[several], said[several] / mass[several], came_true[several] / mass[several]
        square = n @ ((p - y) ** 2 - y * (1 - y) / (n - 1)) / mass.sum()
        return math.sqrt(max(0.0, round(float(square), 15)))  # the last bits of a difference are no error

    return error


def _binary(outcome: ArrayLike, probability: ArrayLike) -> tuple[Floats, Floats]:
    predicted = probabilities(probability, "probability")
    return predicted, booleans(outcome, "outcome", shape=(len(predicted),)).astype(np.float64)
