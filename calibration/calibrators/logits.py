"""Between probabilities and logits: every map of this room works on logits, never on probabilities."""

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, floats, probabilities

LEAST = 1e-6  # nearer to 0 or 1 a stored probability is rounding, not belief


def to_logits(values: ArrayLike, *, least: float = LEAST) -> Floats:
    """The logits ln(p / (1 - p)) of probabilities of shape (n,), moved into `least` to 1 - `least` first.

    Source: logits before Platt scaling, as J. C. Platt, "Probabilistic outputs for support vector machines", Advances
    in Large Margin Classifiers (1999), fits unbounded scores; on probabilities his sigmoid fits worse.

    Raises:
        ValueError: a number outside 0 to 1, or `least` outside 0 to 0.5.

    >>> to_logits([0.5, 0.75, 1.0]).round(4)
    array([ 0.    ,  1.0986, 13.8155])
    """
    _between(least)
    return np.asarray(
        scipy.special.logit(np.clip(probabilities(values, "probabilities"), least, 1 - least)), dtype=np.float64
    )


def to_class_logits(values: ArrayLike, *, least: float = LEAST) -> Floats:
    """The logits ln p of class probabilities of shape (n, K), moved to at least `least` first and normalised again.

    Source: C. Guo et al., "On calibration of modern neural networks", ICML (2017): softmax undoes the logarithm.

    Raises:
        ValueError: a number outside 0 to 1, fewer than 2 classes, or `least` outside 0 to 0.5.

    >>> np.exp(to_class_logits([[0.2, 0.8, 0.0]])).round(4)
    array([[0.2, 0.8, 0. ]])
    """
    _between(least)
    logs = np.log(np.maximum(probabilities(values, "probabilities", shape=(None, None)), least))
    return np.asarray(scipy.special.log_softmax(class_logits(logs), axis=1), dtype=np.float64)


def class_logits(values: ArrayLike) -> Floats:
    """Class logits of shape (n, K) with K >= 2, checked.

    Source: as `to_class_logits`.

    Raises:
        ValueError: another shape, fewer than 2 classes, nan or infinity.

    >>> class_logits([[1, 0, -1]])
    array([[ 1.,  0., -1.]])
    """
    array = floats(values, "logits", shape=(None, None))
    if array.shape[1] < 2:
        raise ValueError(f"logits must have a column for each of 2 or more classes, not {array.shape[1]}")
    return array


def _between(least: float) -> None:
    if not 0 < least < 0.5:
        raise ValueError(f"least must lie strictly between 0 and 0.5, not {least}")
