"""Isotonic regression: any rising shape, for thousands of labels."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, floats
from calibration.calibrators.tally import no_better_than_chance, refusal, tally
from calibration.result import Undefined

PROCEDURE = "isotonic regression"


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Straight lines between knots (rising logits) and values (never falling probabilities), flat outside."""

    knots: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.knots) != len(self.values) or not self.knots:
            raise ValueError(f"{len(self.knots)} knots cannot have {len(self.values)} values")
        if np.any(np.diff(self.knots) <= 0) or np.any(np.diff(self.values) < 0):
            raise ValueError("knots must rise and values must not fall")

    def apply(self, logits: ArrayLike) -> Floats:
        """Probabilities of shape (n,).

        Source: Zadrozny and Elkan (2002), as `fit_isotonic`.

        Raises:
            ValueError: nan or infinity.

        >>> Isotonic((-1.0, 1.0), (0.25, 0.75)).apply([-9, 0, 9])
        array([0.25, 0.5 , 0.75])
        """
        return np.interp(floats(logits, "logits"), self.knots, self.values)


def fit_isotonic(logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> Isotonic | Undefined:
    """The rising map nearest to the labels in squared error, ties pooled first, clipped to 1/(n+2) and 1 - 1/(n+2).

    Unclipped it states exact 0 and 1 and its log loss is infinite. Shapes (n,), labels 0 or 1, a weight counts as that
    many items. Undefined for one class only, perfect separation by sign, and where one flat line fits best.

    Source: M. Ayer et al., "An empirical distribution function for sampling with incomplete information", Annals of
    Mathematical Statistics 26 (1955); as a map: B. Zadrozny and C. Elkan, "Transforming classifier scores into accurate
    multiclass probability estimates", KDD (2002).

    Raises:
        ValueError: as `tally`.

    >>> fit_isotonic([0, 1, 1, 2, 3, 4], [0, 0, 1, 0, 0, 1]).values
    (0.125, 0.25, 0.25, 0.875)
    """
    pooled = tally(logits, labels, weights)
    if refused := refusal(pooled, PROCEDURE):
        return refused
    fitted = pool_adjacent_violators(pooled.right / pooled.totals, pooled.totals)
    if fitted[0] == fitted[-1]:
        return no_better_than_chance(pooled, PROCEDURE)
    changes = fitted[1:] != fitted[:-1]
    kept = np.append(True, changes) | np.append(changes, True)  # the two ends of each flat piece
    least = 1 / (float(pooled.totals.sum()) + 2)
    values = np.clip(fitted[kept], least, 1 - least)
    return Isotonic(tuple(pooled.scores[kept].tolist()), tuple(values.tolist()))


def pool_adjacent_violators(values: ArrayLike, weights: ArrayLike) -> Floats:
    """The never falling sequence nearest to `values` in weighted squared error. Shapes (n,), weights above 0.

    Source: R. E. Barlow, D. J. Bartholomew, J. M. Bremner and H. D. Brunk, "Statistical Inference under Order
    Restrictions" (1972); M. J. Best and N. Chakravarti, "Active set algorithms for isotonic regression; a unifying
    framework", Mathematical Programming 47 (1990).

    Raises:
        ValueError: arrays of other shapes, nan, or a weight of 0 or less.

    >>> pool_adjacent_violators([10, 0, 2], [1, 1, 1])
    array([4., 4., 4.])
    """
    sequence = floats(values, "values")
    each = floats(weights, "weights", shape=sequence.shape)
    if np.any(each <= 0):
        raise ValueError("weights must be above 0: leave out what has no weight")
    return np.asarray(scipy.optimize.isotonic_regression(sequence, weights=each).x, dtype=np.float64)
