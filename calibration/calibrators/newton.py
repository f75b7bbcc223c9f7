"""Newton's method for the convex losses of the maps, and the one loss that the binary maps share."""

from collections.abc import Callable

import numpy as np
import scipy

from calibration.arrays import Floats
from calibration.result import Degenerate

STEPS = 200
ROUNDING = 1e-13
ENOUGH = 1e-20  # a decrement so small that the next step is rounding
CLOSE = 1e-8  # where weights lie far apart, rounding in the gradient never lets it fall to that: a minimum all the same

Objective = Callable[[Floats], tuple[float, Floats, Floats]]


def newton(objective: Objective, start: Floats) -> Floats:
    """The minimum of a convex function that answers its value, gradient and Hessian; damped by halving the step.

    Source: S. Boyd and L. Vandenberghe, "Convex Optimization" (2004), algorithm 9.5.

    Raises:
        Degenerate: no minimum was reached in 200 steps (the function falls for ever).

    >>> newton(lambda x: (float((x - 3) @ (x - 3)), 2 * (x - 3), 2 * np.eye(1)), np.zeros(1))
    array([3.])
    """
    place = start
    value, gradient, hessian = objective(place)
    for _ in range(STEPS):
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        decrement = float(gradient @ step)
        if decrement <= ENOUGH * (1 + abs(value)):
            return place - step
        scale = 1.0
        rounding = ROUNDING * (1 + abs(value))  # a full step near the minimum may rise by what rounding adds
        while (ahead := objective(place - scale * step))[0] > value - 1e-4 * scale * decrement + rounding:
            scale /= 2
        place = place - scale * step
        value, gradient, hessian = ahead
    if decrement <= CLOSE * (1 + abs(value)):
        return place
    raise Degenerate("the fit did not come to an end: labels too well separated, or weights too far apart")


def fit_logistic(design: Floats, targets: Floats, weights: Floats, ridge: Floats) -> Floats:
    """The coefficients of a weighted logistic regression with targets from 0 to 1, `ridge` per coefficient.

    Minimises sum w (ln(1 + exp(eta)) - t eta) + sum ridge c^2 / 2 with eta = design c. Shapes: (n, k), (n,), (n,),
    (k,). Ridge 1 / tau^2 is a normal prior of variance tau^2.

    Source: D. R. Cox, "The regression analysis of binary sequences", JRSS B 20 (1958); ridge: S. le Cessie and J. C.
    van Houwelingen, "Ridge estimators in logistic regression", Applied Statistics 41 (1992).

    Raises:
        Degenerate: no finite fit exists.

    >>> both = np.array([[1.0], [1.0]])
    >>> fit_logistic(both, np.array([0.0, 1.0]), np.array([1.0, 3.0]), np.zeros(1)).round(4)
    array([1.0986])
    """

    def loss(coefficients: Floats) -> tuple[float, Floats, Floats]:
        eta = design @ coefficients
        value = weights @ (np.logaddexp(0, eta) - targets * eta) + ridge @ coefficients**2 / 2
        p = scipy.special.expit(eta)
        gradient = design.T @ (weights * (p - targets)) + ridge * coefficients
        hessian = (design.T * (weights * p * (1 - p))) @ design + np.diag(ridge)
        return float(value), gradient, hessian

    return newton(loss, np.zeros(design.shape[1]))
