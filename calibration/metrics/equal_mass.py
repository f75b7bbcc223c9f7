"""Bins that hold equal mass and never split equal scores."""

from collections.abc import Callable
from itertools import pairwise

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
    if mass.sum() <= 0:
        raise ValueError("mass must be more than 0 in all: pass items that carry weight")
    starts = _first_scores(np.cumsum(mass), bins)
    return np.repeat(np.arange(bins), np.diff(starts, append=len(mass)))


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
    order = np.argsort(probability, kind="stable")
    said = probability[order]
    first = np.flatnonzero(np.diff(said, prepend=-1.0))  # of each distinct score
    last, places = np.append(first[1:], len(said))[: len(first)] - 1, np.append(first, len(said))

    def sums(outcome: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
        mass, came_true = weights[order], outcome[order]
        reached = np.cumsum(mass)[last]
        if not len(reached) or reached[-1] <= 0:
            raise Degenerate("no item carries weight")
        # slices, because at 100 000 items each further pass over all of them costs as much as drawing them
        starts = np.append(places[_first_scores(reached, bins)], len(mass)).tolist()
        held = [slice(*ends) for ends in pairwise(starts) if mass[slice(*ends)].any()]
        whole, stated, true = np.array([(mass[h].sum(), mass[h] @ said[h], mass[h] @ came_true[h]) for h in held]).T
        return whole, stated, true

    return sums


def _first_scores(reached: Floats, bins: int) -> Integers:
    """The first score of each bin, given the weight reached at each score; the number of scores where none is left."""
    cuts = np.arange(bins) * reached[-1] / bins
    at = np.searchsorted(reached, cuts)
    before = np.where(at > 0, reached[at - 1], 0.0)
    firsts: Integers = at + ((before + reached[at]) / 2 < cuts)
    return firsts
