"""The map that changes nothing: what is used while there are too few labels for any other."""

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, floats
from calibration.calibrators.tally import tally


@dataclass(frozen=True, slots=True)
class Identity:
    """The probability that the score itself states."""

    def apply(self, logits: ArrayLike) -> Floats:
        """Probabilities of shape (n,).

        Source: the logistic link, as in `Platt`.

        Raises:
            ValueError: nan or infinity.

        >>> Identity().apply([0.0])
        array([0.5])
        """
        return np.asarray(scipy.special.expit(floats(logits, "logits")), dtype=np.float64)


def fit_identity(logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> Identity:
    """The map that changes nothing, from any labels: the first rung of the ladder in `select`.

    Source: none is needed; the uncalibrated model of C. Guo et al., ICML (2017), table 1.

    Raises:
        ValueError: as `tally`.

    >>> fit_identity([2, -1], [1, 0])
    Identity()
    """
    tally(logits, labels, weights)
    return Identity()
