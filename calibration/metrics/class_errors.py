"""The calibration error of several classes: of every column, and of the class that was chosen."""

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats
from calibration.arrays import weights as item_weights
from calibration.bootstrap import DRAWS
from calibration.metrics.calibration_error import absolute_gap
from calibration.metrics.classes import class_numbers, class_probabilities
from calibration.metrics.equal_mass import BINS
from calibration.metrics.noise_floor import MeasuredError, measured_error
from calibration.result import Undefined


def classwise_calibration_error(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    bins: int = BINS,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> MeasuredError | Undefined:
    """The mean of the ECE of every class against the rest: are all columns of the probabilities honest?

    `outcome` (n,) holds class numbers, `probability` (n, classes) rows that add up to 1.

    Source: M. Kull et al., "Beyond temperature scaling: obtaining well-calibrated multi-class probabilities with
    Dirichlet calibration", NeurIPS (2019); "marginal" in Kumar, Liang and Ma (2019).

    Raises:
        ValueError: as `expected_calibration_error`, and rows that do not add up to 1 or an unknown class.

    >>> error = classwise_calibration_error([0, 0, 1, 1], [[0.75, 0.25], [0.75, 0.25], [0.25, 0.75], [0.25, 0.75]])
    >>> error.error.value
    0.25
    """
    predicted = class_probabilities(probability)
    classes = range(predicted.shape[1])
    gaps = [absolute_gap(predicted[:, one], bins) for one in classes]

    def error(actual: Floats, mass: Floats) -> float:
        return float(np.mean([gaps[one]((actual == one).astype(np.float64), mass) for one in classes]))

    return measured_error(
        error,
        class_numbers(outcome, predicted).astype(np.float64),
        predicted,
        name=f"classwise ECE, {bins} equal-mass bins",
        weights=item_weights(weights, len(predicted)),
        confidence=confidence,
        draws=draws,
        seed=seed,
    )


def top_label_calibration_error(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    bins: int = BINS,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> MeasuredError | Undefined:
    """The ECE of the highest probability of a row as the chance that its class is right (the first of equal ones).

    `outcome` (n,) holds class numbers, `probability` (n, classes) rows that add up to 1.

    Source: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks", ICML (2017);
    "top-label" in Kumar, Liang and Ma (2019).

    Raises:
        ValueError: as `classwise_calibration_error`.

    >>> round(top_label_calibration_error([0, 0], [[0.9, 0.1], [0.8, 0.2]]).error.value, 4)
    0.15
    """
    predicted = class_probabilities(probability)
    gap = absolute_gap(predicted.max(axis=1), bins)
    chosen = predicted.argmax(axis=1)
    return measured_error(
        lambda actual, mass: gap((actual == chosen).astype(np.float64), mass),
        class_numbers(outcome, predicted).astype(np.float64),
        predicted,
        name=f"top-label ECE, {bins} equal-mass bins",
        weights=item_weights(weights, len(predicted)),
        confidence=confidence,
        draws=draws,
        seed=seed,
    )
