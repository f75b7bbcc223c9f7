"""Volumes and shares from few labels and many predictions: unbiased however wrong the model is."""

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, confidence_level, floats
from calibration.result import Estimate, Undefined


def prediction_powered_mean(
    labels: ArrayLike,
    predictions: ArrayLike,
    unlabelled: ArrayLike,
    *,
    lam: float | None = None,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """The mean of what a label would say (a share, for labels of 0 and 1), helped by predictions for unlabelled items.

    `labels` and `predictions` (shape `(n,)`) belong to a uniform sample, `unlabelled` (shape `(N,)`) holds the
    predictions for other items of the same traffic. With lambda (`lam`, fixed beforehand: 1 is the first method, 0 the
    labels alone; None tunes it by `power`) the mean is `lambda mean(unlabelled) + mean(labels - lambda predictions)`,
    its variance `lambda^2 var(unlabelled) / N + var(labels - lambda predictions) / n`. For volumes, not for thresholds.

    Source: A. N. Angelopoulos, S. Bates, C. Fannjiang, M. I. Jordan and T. Zrnic, "Prediction-powered inference",
    Science 382 (2023); A. N. Angelopoulos, J. C. Duchi and T. Zrnic, "PPI++: Efficient prediction-powered inference",
    arXiv:2311.01453 (2023).

    Raises:
        ValueError: not one prediction per label, numbers (also `lam`) that are not finite, a confidence outside (0, 1).

    >>> share = prediction_powered_mean([1, 1, 0, 0, 1, 0], [0.9, 0.8, 0.2, 0.1, 0.7, 0.3], [0.9, 0.1] * 500)
    >>> round(share.value, 3), round(share.standard_error, 3), share.procedure
    (0.5, 0.097, 'PPI++, lambda 1.00')
    """
    y, f, others = _three(labels, predictions, unlabelled)
    lam = power(y, f, others) if lam is None else float(floats(lam, "lam", shape=()))
    procedure = f"PPI++, lambda {lam:.2f}" if lam else "mean of the labels alone (PPI++, lambda 0)"
    z = -float(scipy.special.ndtri((1 - confidence_level(confidence)) / 2))
    if y.size < 2:
        return Undefined(f"2 labels or more are needed to see their spread, not {y.size}", y.size, procedure)
    if lam and others.size < 2:
        reason = f"2 unlabelled predictions or more are needed, not {others.size}; or give lam=0"
        return Undefined(reason, y.size, procedure)
    if np.ptp(y) == 0:
        return Undefined(f"all {y.size} labels are alike: they show no spread to judge the error by", y.size, procedure)
    value, variance = float(y.mean() - lam * f.mean()), float((y - lam * f).var(ddof=1)) / y.size
    if lam:
        value, variance = (
            value + lam * float(others.mean()),
            variance + lam**2 * float(others.var(ddof=1)) / others.size,
        )
    error = math.sqrt(variance)
    return Estimate(value, value - z * error, value + z * error, confidence, y.size, procedure, error)


def power(labels: ArrayLike, predictions: ArrayLike, unlabelled: ArrayLike) -> float:
    """How far to trust the predictions: the lambda of PPI++, from 0 (not at all) to 1.

    `cov(labels, predictions) / ((1 + n / N) var(all predictions))`, clipped. 0 where the correlation is below
    `1 / sqrt(n - 2)`: there, tuning costs more than the predictions give.

    Source: Angelopoulos, Duchi and Zrnic (2023), as `prediction_powered_mean`, section 6; P. Mani et al., "No free
    lunch: non-asymptotic analysis of prediction-powered inference" (2025), for the fallback.

    Raises:
        ValueError: not one prediction per label, or numbers that are not finite.

    >>> round(power([5, 6, 7], [4.5, 5.5, 6.5], [6, 7, 8]), 2), power([0, 1, 0, 1], [1, 1, 0, 0], [1, 0])
    (0.34, 0.0)
    """
    y, f, others = _three(labels, predictions, unlabelled)
    if y.size < 3 or others.size < 2 or np.ptp(y) == 0 or np.ptp(f) == 0:
        return 0.0
    covariance = float(np.cov(y, f)[0, 1])
    least = 1 / math.sqrt(y.size - 2) - 1e-9
    # a product with the spreads: these may be too small to divide by
    if covariance <= least * float(y.std(ddof=1)) * float(f.std(ddof=1)):
        return 0.0
    spread = (1 + y.size / others.size) * float(np.concatenate([f, others]).var(ddof=1))
    return covariance / spread if covariance < spread else 1.0


def _three(labels: ArrayLike, predictions: ArrayLike, unlabelled: ArrayLike) -> tuple[Floats, Floats, Floats]:
    y = floats(labels, "labels")
    return y, floats(predictions, "predictions", shape=(y.size,)), floats(unlabelled, "unlabelled")
