"""Temperature scaling: one number that softens or sharpens every probability and moves no base rate."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, floats
from calibration.calibrators.newton import fit_logistic
from calibration.calibrators.tally import no_better_than_chance, refusal, tally
from calibration.result import Degenerate, Undefined

PROCEDURE = "temperature scaling"


@dataclass(frozen=True, slots=True)
class Temperature:
    """p = 1 / (1 + exp(-logit / temperature)), temperature > 0; above 1 it softens."""

    temperature: float

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0, not {self.temperature}")

    def apply(self, logits: ArrayLike) -> Floats:
        """Probabilities of shape (n,).

        Source: Guo et al. (2017), as `fit_temperature`.

        Raises:
            ValueError: nan or infinity.

        >>> Temperature(2.0).apply([0, 2]).round(4)
        array([0.5   , 0.7311])
        """
        return np.asarray(scipy.special.expit(floats(logits, "logits") / self.temperature), dtype=np.float64)


def fit_temperature(
    logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None
) -> Temperature | Undefined:
    """The temperature of the greatest likelihood; for a constant |logit| a and accuracy q it is a / logit(q).

    Shapes (n,), labels 0 or 1, a weight counts as that many items. Undefined for one class only, labels perfectly
    separated by the sign of the score (T to 0), scores no better than chance (T to infinity).

    Source: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks", ICML (2017).

    Raises:
        ValueError: as `tally`.

    >>> round(fit_temperature([2, 2, 2, -2], [1, 1, 0, 0]).temperature, 4)  # 2 / ln 3
    1.8205
    """
    pooled = tally(logits, labels, weights)
    if refused := refusal(pooled, PROCEDURE):
        return refused
    agreement = float(pooled.scores @ (pooled.right - pooled.wrong))
    if agreement <= 0:  # the slope of the likelihood at 1 / T = 0; the likelihood is concave
        return no_better_than_chance(pooled, PROCEDURE)
    design = pooled.scores[:, np.newaxis]
    try:
        (inverse,) = fit_logistic(design, pooled.right / pooled.totals, pooled.totals, np.zeros(1))
    except Degenerate as degenerate:
        return Undefined(str(degenerate), pooled.n, PROCEDURE)
    return Temperature(1 / float(inverse)) if inverse > 0 else no_better_than_chance(pooled, PROCEDURE)
