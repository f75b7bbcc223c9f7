"""Beta calibration: three numbers, so that the two ends of the score may be bent differently."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, floats
from calibration.calibrators.newton import fit_logistic
from calibration.calibrators.platt import rises
from calibration.calibrators.tally import Tally, no_better_than_chance, refusal, tally
from calibration.result import Degenerate, Undefined

PROCEDURE = "beta calibration"
SEPARATED = "one score separates every yes from every no: the map would be a step"


@dataclass(frozen=True, slots=True)
class Beta:
    """logit p = a ln s - b ln(1 - s) + c with s = 1 / (1 + exp(-logit)); a, b >= 0 and not both 0."""

    a: float
    b: float
    c: float

    def __post_init__(self) -> None:
        if not (self.a >= 0 and self.b >= 0 and self.a + self.b > 0):
            raise ValueError(f"a and b must be 0 or more and not both 0, not {self.a} and {self.b}")

    def apply(self, logits: ArrayLike) -> Floats:
        """Probabilities of shape (n,).

        Source: Kull et al. (2017), as `fit_beta`.

        Raises:
            ValueError: nan or infinity.

        >>> Beta(1.0, 1.0, 0.0).apply([0.0])
        array([0.5])
        """
        features = _features(floats(logits, "logits"))
        return np.asarray(scipy.special.expit(features @ np.array([self.a, self.b, self.c])), dtype=np.float64)


def fit_beta(logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> Beta | Undefined:
    """The beta map of the greatest likelihood among those that never fall.

    Shapes (n,), labels 0 or 1, a weight counts as that many items. Undefined for one class only, labels that a score
    separates perfectly, scores no better than chance.

    Source: M. Kull, T. M. Silva Filho and P. Flach, "Beta calibration: a well-founded and easily implemented
    improvement on logistic calibration for binary classifiers", AISTATS (2017).

    Raises:
        ValueError: as `tally`.

    >>> fitted = fit_beta([-2, -1, 0, 1, 2, 3], [0, 0, 1, 0, 1, 1])
    >>> fitted.a >= 0, fitted.b >= 0
    (True, True)
    """
    pooled = tally(logits, labels, weights)
    if refused := refusal(pooled, PROCEDURE):
        return refused
    if len(pooled.scores) > 1 and pooled.gap >= 0:
        return Undefined(SEPARATED, pooled.n, PROCEDURE)
    try:
        best = _best_that_rises(pooled)
    except Degenerate as degenerate:
        return Undefined(str(degenerate), pooled.n, PROCEDURE)
    return Beta(*best) if best else no_better_than_chance(pooled, PROCEDURE)


def _best_that_rises(pooled: Tally) -> tuple[float, float, float] | None:
    """The optimum under a, b >= 0: an edge where the loss rises inwards, else inside, where it has no other minimum."""
    features, targets = _features(pooled.scores), pooled.right / pooled.totals
    flat = True
    for kept, other in ((0, 1), (1, 0)):
        column = Tally(features[:, kept], pooled.right, pooled.wrong)
        if not rises(column, targets):
            continue
        slope, shift = fit_logistic(features[:, [kept, 2]], targets, pooled.totals, np.zeros(2))
        if slope <= 0:  # flat but for rounding
            continue
        flat = False
        residual = pooled.totals * (targets - scipy.special.expit(slope * features[:, kept] + shift))
        if residual @ features[:, other] <= 0:
            return (float(slope), 0.0, float(shift)) if kept == 0 else (0.0, float(slope), float(shift))
    if flat:
        return None
    a, b, c = fit_logistic(features, targets, pooled.totals, np.zeros(3))
    return (max(float(a), 0.0), max(float(b), 0.0), float(c)) if max(a, b) > 0 else None


def _features(logits: Floats) -> Floats:
    """The columns ln s, -ln(1 - s), 1, exact for any logit."""
    return np.column_stack([-np.logaddexp(0, -logits), np.logaddexp(0, logits), np.ones_like(logits)])
