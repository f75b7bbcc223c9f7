"""The difference of two versions in a figure such as F1 or log loss, by the paired bootstrap over items."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, booleans, probabilities
from calibration.arrays import weights as item_weights
from calibration.bootstrap import DRAWS, item_bootstrap
from calibration.result import Degenerate, Estimate, Undefined

Figure = Callable[[Floats, Floats, Floats], float]


def paired_difference(
    figure: Figure,
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate | Undefined:
    """`figure` of the first version less that of the second, with its interval: both see the same drawn items.

    `figure` is one of `precision`, `recall`, `f1`, `log_loss`, `brier` (for the losses below 0 means the first is
    better). `truth` holds 0 and 1, `first` and `second` decisions (0 and 1) or probabilities, each of shape (n,).
    Weights (one over the inclusion probability) move with their item. Undefined where the two versions say the same.

    Source: T. Berg-Kirkpatrick, D. Burkett and D. Klein, "An empirical investigation of statistical significance in
    NLP", EMNLP (2012), after Efron and Tibshirani (1993).

    Raises:
        ValueError: arrays of different lengths, a truth that is not 0 or 1, a value outside 0 to 1.

    >>> truth = [1, 1, 1, 1, 0, 0, 0, 0] * 10
    >>> gain = paired_difference(f1, truth, [1, 1, 1, 0, 0, 0, 0, 1] * 10, [1, 1, 0, 0, 0, 0, 0, 1] * 10)
    >>> round(gain.value, 3), gain.low > 0, gain.n
    (0.179, True, 80)
    """
    right = booleans(truth, "truth").astype(np.float64)
    one = probabilities(first, "first", shape=right.shape)
    other = probabilities(second, "second", shape=right.shape)
    held = item_weights(weights, right.size)
    if right.size and np.array_equal(one, other):
        return Undefined("identical on this sample", right.size, "paired bootstrap")
    order = np.lexsort((held, other, one, right))  # the draws name places: sorted, the order changes nothing
    right, one, other, held = right[order], one[order], other[order], held[order]

    def gain(drawn: Floats) -> float:
        weighted = held * drawn
        return figure(right, one, weighted) - figure(right, other, weighted)

    return item_bootstrap(gain, right.size, confidence=confidence, draws=draws, seed=seed)


def precision(truth: Floats, decided: Floats, weights: Floats) -> float:
    """The share of what was said to be so that is so.

    Source: C. J. van Rijsbergen, "Information Retrieval" (2nd edition 1979), chapter 7.

    Raises:
        Degenerate: nothing was said to be so.

    >>> precision(np.array([1, 0, 1]), np.array([1, 1, 0]), np.ones(3))
    0.5
    """
    return _share(_sum(truth * _yes(decided), weights), _sum(decided, weights), "nothing was decided positive")


def recall(truth: Floats, decided: Floats, weights: Floats) -> float:
    """The share of what is so that was said to be so.

    Source: van Rijsbergen (1979), as `precision`.

    Raises:
        Degenerate: nothing is so.

    >>> recall(np.array([1, 0, 1]), np.array([1, 1, 0]), np.ones(3))
    0.5
    """
    return _share(_sum(truth * _yes(decided), weights), _sum(truth, weights), "no positive item")


def f1(truth: Floats, decided: Floats, weights: Floats) -> float:
    """The harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).

    Source: van Rijsbergen (1979), as `precision`.

    Raises:
        Degenerate: nothing is so.

    >>> f1(np.array([1, 0, 1]), np.array([1, 1, 0]), np.ones(3))
    0.5
    """
    positives = _sum(truth, weights)
    if positives == 0:
        raise Degenerate("no positive item")
    return 2 * _sum(truth * _yes(decided), weights) / (positives + _sum(decided, weights))


def log_loss(truth: Floats, probability: Floats, weights: Floats) -> float:
    """The mean of -ln of the probability given to what came true.

    Source: I. J. Good, "Rational decisions", Journal of the Royal Statistical Society B 14 (1952).

    Raises:
        Degenerate: no weight, or a probability of 0 for what came true: infinite.

    >>> round(log_loss(np.array([1.0, 0.0]), np.array([0.8, 0.2]), np.ones(2)), 4)
    0.2231
    """
    given = np.where(truth > 0, probability, 1 - probability)
    if ((given == 0) & (weights > 0)).any():
        raise Degenerate("what came true had probability 0: the log loss is infinite, clip the probabilities first")
    return _share(-_sum(np.log(np.where(given > 0, given, 1.0)), weights), float(weights.sum()), "no weight")


def brier(truth: Floats, probability: Floats, weights: Floats) -> float:
    """The mean squared distance of the probability from what came true.

    Source: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78
    (1950), in the form for one event.

    Raises:
        Degenerate: no weight.

    >>> round(brier(np.array([1.0, 0.0]), np.array([0.8, 0.2]), np.ones(2)), 4)
    0.04
    """
    return _share(_sum((truth - probability) ** 2, weights), float(weights.sum()), "no weight")


def _yes(decided: Floats) -> Floats:
    if ((decided != 0) & (decided != 1)).any():
        raise ValueError("decisions must be 0 or 1 for this figure: apply the threshold first")
    return decided


def _sum(values: Floats, weights: Floats) -> float:
    return float(values @ weights)


def _share(part: float, whole: float, reason: str) -> float:
    if whole <= 0:
        raise Degenerate(reason)
    return part / whole
