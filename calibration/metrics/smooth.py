"""Smooth ECE: the calibration error without bins."""

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, booleans, probabilities
from calibration.arrays import weights as item_weights
from calibration.bootstrap import DRAWS
from calibration.metrics.noise_floor import ErrorOf, MeasuredError, measured_error
from calibration.result import Degenerate, Undefined

CELLS = 2048  # cells of the unit interval; errors below a few cells (0.002) are read as the plain sum of the cells
PRECISION = 1e-7


def smooth_calibration_error(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> MeasuredError | Undefined:
    """smECE: the mean absolute residual after smoothing over the scores, at the one width that equals the error.

    `outcome` (n,) is 0 or 1, `probability` (n,) and the result from 0 to 1. No bins to choose, and a small change of
    the scores changes it little.

    Source: J. Blasiok and P. Nakkiran, "Smooth ECE: principled reliability diagrams via kernel smoothing",
    ICLR (2024); arXiv 2309.12236 (2023).

    Raises:
        ValueError: unequal lengths, values out of range, fewer than 1 draw, or a confidence outside (0, 1).

    >>> error = smooth_calibration_error([1, 0] * 50, [0.8] * 100)
    >>> round(error.error.value, 4), round(error.floor.high, 2)
    (0.3, 0.08)
    """
    predicted = probabilities(probability, "probability")
    came_true = booleans(outcome, "outcome", shape=predicted.shape).astype(np.float64)
    return measured_error(
        smoothed_gap(predicted),
        came_true,
        predicted,
        name="smooth ECE",
        weights=item_weights(weights, len(predicted)),
        confidence=confidence,
        draws=draws,
        seed=seed,
    )


def smoothed_gap(probability: Floats) -> ErrorOf:
    """The smooth ECE of fixed probabilities (n,) as a function of outcomes and weights.

    Smoothing with a Gaussian reflected at 0 and 1 is the heat equation with insulated ends, so a cosine transform
    does it for a whole grid at once: the k-th wave shrinks by `exp(-(pi k sigma)^2 / 2)`. The error falls as the width
    grows, hence one width equals it.

    Source: Blasiok and Nakkiran (2023), as in `smooth_calibration_error`.

    Raises:
        Degenerate: from the function, where no item carries weight.

    >>> round(smoothed_gap(np.full(4, 0.5))(np.array([1.0, 1.0, 1.0, 0.0]), np.ones(4)), 6)
    0.25
    """
    cell, part = np.divmod(probability * CELLS - 0.5, 1.0)
    left = np.clip(cell, 0, CELLS - 1).astype(np.int64)
    right = np.clip(cell + 1, 0, CELLS - 1).astype(np.int64)
    decay = -((np.pi * np.arange(CELLS)) ** 2) / 2

    def error(outcome: Floats, weights: Floats) -> float:
        total = weights.sum()
        if total <= 0:
            raise Degenerate("no item carries weight")
        residual = weights * (outcome - probability) / total
        grid = np.bincount(left, (1 - part) * residual, CELLS) + np.bincount(right, part * residual, CELLS)
        waves = scipy.fft.dct(grid)

        def excess(sigma: float) -> float:
            return float(np.abs(scipy.fft.idct(waves * np.exp(decay * sigma**2))).sum()) - sigma

        return float(scipy.optimize.brentq(excess, 0.0, 1.0 + PRECISION, xtol=PRECISION))

    return error
