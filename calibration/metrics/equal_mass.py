"""Bins that hold equal mass and never split equal scores."""

from collections.abc import Callable

import numpy as np

from calibration.arrays import Floats, Integers
from calibration.result import Degenerate

BINS = 15  # the usual number; the noise floor beside every error says what it costs


def bin_numbers(mass: Floats, bins: int = BINS) -> Integers:
    """The bin, 0 to `bins - 1`, of each distinct score, given the weight at each score in ascending order.

    A score goes where the middle of its mass falls, so all items of one score share a bin, the order of the items
    does not matter, and a weight of 2 is two items. Bins that a heavy tie covers stay empty.

    Source: K. Nguyen and B. O'Connor, "Posterior calibration and exploratory analysis for natural language processing
    models", EMNLP (2015), adaptive binning; ties kept whole as in A. Kumar, P. Liang and T. Ma (NeurIPS 2019).

    Raises:
        ValueError: fewer than 1 bin, or no mass at all.

    >>> bin_numbers(np.array([1.0, 1.0, 4.0, 1.0, 1.0]), bins=4)
    array([0, 0, 2, 3, 3])
    """
    if bins < 1:
        raise ValueError(f"bins must be 1 or more, not {bins}")
    total = mass.sum()
    if total <= 0:
        raise ValueError("mass must be more than 0 in all: pass items that carry weight")
    middle = np.cumsum(mass) - mass / 2
    numbers: Integers = np.minimum(np.floor(middle * bins / total), bins - 1).astype(np.int64)
    return numbers


def binned_sums(probability: Floats, bins: int = BINS) -> Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]:
    """A function of outcomes and weights: the weight, the sum of probabilities and of outcomes of every filled bin.

    The probabilities (n,) are sorted once, so that the function can be called for thousands of draws.

    Source: as `bin_numbers`.

    Raises:
        ValueError: fewer than 1 bin.
        Degenerate: from the function, where no item carries weight.

    >>> mass, said, came_true = binned_sums(np.array([0.2, 0.8, 0.2]), bins=2)(np.array([0.0, 1.0, 1.0]), np.ones(3))
    >>> mass, said, came_true
    (array([2., 1.]), array([0.4, 0.8]), array([1., 1.]))
    """
    if bins < 1:
        raise ValueError(f"bins must be 1 or more, not {bins}")
    values, place = np.unique(probability, return_inverse=True)

    def sums(outcome: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
        mass: Floats = np.bincount(place, weights, minlength=len(values)).astype(np.float64)
        if mass.sum() <= 0:
            raise Degenerate("no item carries weight")
        number = bin_numbers(mass, bins)
        came_true = np.bincount(place, weights * outcome, minlength=len(values))
        whole, said, true = (np.bincount(number, part).astype(np.float64) for part in (mass, mass * values, came_true))
        filled = whole > 0
        return whole[filled], said[filled], true[filled]

    return sums
