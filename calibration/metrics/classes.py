"""What labels and probabilities of several classes must look like."""

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, counts, probabilities

ROUNDING = 1e-6  # rows in single precision add up to 1 within this


def class_probabilities(values: ArrayLike) -> Floats:
    """An array (n, classes) of probabilities whose rows add up to 1.

    Source: none needed, it checks input.

    Raises:
        ValueError: another shape, a number outside 0 to 1, or a row with another sum.

    >>> class_probabilities([[0.5, 0.6]])
    Traceback (most recent call last):
        ...
    ValueError: probability[0] must add up to 1 over the classes, not 1.1
    """
    array = probabilities(values, "probability", shape=(None, None))
    total = array.sum(axis=1)
    wrong = np.flatnonzero(np.abs(total - 1) > ROUNDING)
    if len(wrong):
        raise ValueError(f"probability[{wrong[0]}] must add up to 1 over the classes, not {total[wrong[0]]:g}")
    return array


def class_numbers(values: ArrayLike, probability: Floats) -> Integers:
    """An array (n,) of class numbers, each a column of `probability` (n, classes).

    Source: none needed, it checks input.

    Raises:
        ValueError: another length, or something that is no column.

    >>> class_numbers([1], np.array([[0.5, 0.5]]))
    array([1])
    """
    numbers = counts(values, "outcome", shape=(len(probability),))
    beyond = np.flatnonzero(numbers >= probability.shape[1])
    if len(beyond):
        place = beyond[0]
        raise ValueError(f"outcome[{place}] must be a class from 0 to {probability.shape[1] - 1}, not {numbers[place]}")
    return numbers
