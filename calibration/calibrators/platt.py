"""Platt scaling on logits: a slope and an intercept, so that a shifted base rate can be mended. The safe default."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, floats
from calibration.calibrators.newton import fit_logistic
from calibration.calibrators.tally import Tally, no_better_than_chance, refusal, tally
from calibration.result import Degenerate, Undefined

PROCEDURE = "Platt scaling on logits"


@dataclass(frozen=True, slots=True)
class Platt:
    """p = 1 / (1 + exp(-(slope logit + intercept))), slope > 0. Platt's own A and B are -slope and -intercept."""

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not self.slope > 0:
            raise ValueError(f"slope must be above 0, not {self.slope}")

    def apply(self, logits: ArrayLike) -> Floats:
        """Probabilities of shape (n,).

        Source: Platt (1999), as `fit_platt`.

        Raises:
            ValueError: nan or infinity.

        >>> Platt(1.0, -1.0).apply([1.0])
        array([0.5])
        """
        return np.asarray(scipy.special.expit(self.slope * floats(logits, "logits") + self.intercept), dtype=np.float64)


def fit_platt(logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> Platt | Undefined:
    """The slope and intercept of the greatest likelihood of Platt's smoothed targets.

    Targets are (n+ + 1) / (n+ + 2) for a yes and 1 / (n- + 2) for a no, so that few labels cannot make it certain.
    Shapes (n,), labels 0 or 1, a weight counts as that many items. Undefined for one class only, labels perfectly
    separated by the sign of the score, scores no better than chance. Another score that separates them leaves a finite
    fit (so in the example, from LibSVM), which `select_map` refuses to use.

    Source: J. C. Platt, "Probabilistic outputs for support vector machines", Advances in Large Margin Classifiers
    (1999); H.-T. Lin, C.-J. Lin and R. C. Weng, "A note on Platt's probabilistic outputs for support vector machines",
    Machine Learning 68 (2007).

    Raises:
        ValueError: as `tally`.

    >>> fitted = fit_platt([5, -4, 1], [1, 0, 0])
    >>> round(fitted.slope, 4), round(fitted.intercept, 4)
    (0.2026, -0.6524)
    """
    pooled = tally(logits, labels, weights)
    if refused := refusal(pooled, PROCEDURE):
        return refused
    high, low = smoothed_targets(pooled)
    targets = (pooled.right * high + pooled.wrong * low) / pooled.totals
    if not rises(pooled, targets):
        return no_better_than_chance(pooled, PROCEDURE)
    design = np.column_stack([pooled.scores, np.ones_like(pooled.scores)])
    try:
        slope, intercept = fit_logistic(design, targets, pooled.totals, np.zeros(2))
    except Degenerate as degenerate:
        return Undefined(str(degenerate), pooled.n, PROCEDURE)
    return Platt(float(slope), float(intercept)) if slope > 0 else no_better_than_chance(pooled, PROCEDURE)


def smoothed_targets(pooled: Tally) -> tuple[float, float]:
    """Platt's targets for a yes and for a no.

    Source: Platt (1999), as `fit_platt`: the Bayes rule with a uniform prior on each class's noise.

    >>> smoothed_targets(tally([1, 2, -1], [1, 1, 0]))
    (0.75, 0.3333333333333333)
    """
    yes, no = float(pooled.right.sum()), float(pooled.wrong.sum())
    return (yes + 1) / (yes + 2), 1 / (no + 2)


def rises(pooled: Tally, targets: Floats) -> bool:
    """Whether higher scores go with higher targets, so that the fitted slope is above 0.

    The loss is convex and its slope at 0 is minus the covariance of scores and targets.

    Source: Lin, Lin and Weng (2007), as `fit_platt`, for the convexity.

    >>> pooled = tally([1, 2], [0, 1])
    >>> rises(pooled, np.array([0.0, 1.0])), rises(pooled, np.array([1.0, 0.0]))
    (True, False)
    """
    share = pooled.totals / pooled.totals.sum()
    centred = pooled.scores - share @ pooled.scores
    scale = float(np.sqrt(share @ centred**2))
    return float(share @ (centred * targets)) > 1e-12 * scale
