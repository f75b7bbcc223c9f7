"""Log loss and Brier score, and their difference between two sets of probabilities: what to gate on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, booleans, probabilities
from calibration.arrays import weights as item_weights
from calibration.bootstrap import DRAWS, item_bootstrap
from calibration.metrics.classes import class_numbers, class_probabilities
from calibration.result import Degenerate, Estimate, Undefined

CLIP = 1e-15
Losses = Callable[[ArrayLike, ArrayLike], Floats]


def log_losses(outcome: ArrayLike, probability: ArrayLike, *, clip: float = CLIP) -> Floats:
    """The log loss of every item, `-ln` of the probability given to what happened.

    `outcome` (n,) is 0 or 1 with `probability` (n,), or a class number with `probability` (n, classes). A probability
    below `clip` counts as `clip`: an impossible thing that happens costs 34.5, not infinity.

    Source: I. J. Good, "Rational decisions", Journal of the Royal Statistical Society B 14 (1952).

    Raises:
        ValueError: unequal lengths, values out of range, rows that do not add up to 1, or a clip outside (0, 0.5).

    >>> log_losses([1, 0, 1], [0.5, 0.0, 0.0]).round(2)
    array([ 0.69,  0.  , 34.54])
    """
    if not 0 < clip < 0.5:
        raise ValueError(f"clip must lie between 0 and 0.5, not {clip}")
    actual, table = _as_table(outcome, probability)
    return np.asarray(0.0 - np.log(np.maximum(table[np.arange(len(table)), actual], clip)))


def brier_losses(outcome: ArrayLike, probability: ArrayLike) -> Floats:
    """The Brier score of every item: the squared distance of the probability from what happened.

    Shapes as `log_losses`. Yes or no: `(p - y)^2`, from 0 to 1. Several classes: the sum over all of them, from 0 to
    2 as in the paper, so that two columns give twice the score of one.

    Source: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review
    78 (1950).

    Raises:
        ValueError: unequal lengths, values out of range, or rows that do not add up to 1.

    >>> brier_losses([1, 0], [0.7, 0.7]).round(2)
    array([0.09, 0.49])
    """
    actual, table = _as_table(outcome, probability)
    squares = (table - (actual[:, None] == np.arange(table.shape[1]))) ** 2
    return np.asarray(squares[:, 1] if np.ndim(probability) == 1 else squares.sum(axis=1))


def log_loss(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    clip: float = CLIP,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate | Undefined:
    """The mean log loss, shapes as `log_losses`; `procedure` states the clip and how many items it touched.

    Defined for one class too. A weight of 2 counts as two items in the value; the interval draws whole items. What
    honest probabilities would lose: `score_floor`.

    Source: Good (1952), as in `log_losses`; the interval as in `item_bootstrap`.

    Raises:
        ValueError: as `log_losses`, fewer than 1 draw, or a confidence outside (0, 1).

    >>> loss = log_loss([1, 0, 2], [[0.2, 0.7, 0.1], [0.6, 0.2, 0.2], [0.6, 0.1, 0.3]])
    >>> round(loss.value, 7), loss.n
    (0.6904911, 3)
    """
    losses = log_losses(outcome, probability, clip=clip)
    touched = int((losses >= -np.log(clip)).sum())
    name = f"log loss, probabilities clipped at {clip:g} ({touched} items)"
    return _mean(losses, weights, name=name, confidence=confidence, draws=draws, seed=seed)


def brier_score(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate | Undefined:
    """The mean Brier score, shapes and range as `brier_losses`, floor as `score_floor`. Defined for one class too.

    Source: Brier (1950), as in `brier_losses`; the interval as in `item_bootstrap`.

    Raises:
        ValueError: as `brier_losses`, fewer than 1 draw, or a confidence outside (0, 1).

    >>> rain = [0.7, 0.9, 0.8, 0.4, 0.2, 0.0, 0.0, 0.0, 0.0, 0.1]
    >>> round(brier_score([0, 1, 1, 1, 0, 0, 0, 0, 0, 0], rain).value, 3)
    0.095
    """
    losses = brier_losses(outcome, probability)
    return _mean(losses, weights, name="Brier score", confidence=confidence, draws=draws, seed=seed)


def score_difference(
    losses: Losses,
    outcome: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate | Undefined:
    """How much more the `first` probabilities lose than the `second` on the same items: above 0, the second are better.

    `losses` is `log_losses`, `brier_losses` or another function of outcomes and probabilities to one loss per item.
    Both answers to an item are drawn together, so what makes an item hard cancels.

    Source: Efron and Tibshirani (1993), on the scores of Good (1952) or Brier (1950).

    Raises:
        ValueError: as `losses`, two shapes, fewer than 1 draw, or a confidence outside (0, 1).

    >>> gain = score_difference(brier_losses, [1, 0, 1, 0], [0.5, 0.5, 0.5, 0.5], [0.8, 0.2, 0.8, 0.2])
    >>> round(gain.value, 2), round(gain.low, 2)
    (0.21, 0.21)
    """
    if np.shape(first) != np.shape(second):
        raise ValueError(f"second must have the shape of first, {np.shape(first)}, not {np.shape(second)}")
    lost = losses(outcome, first) - losses(outcome, second)
    name = f"paired difference of {getattr(losses, '__name__', 'losses').replace('_', ' ')}"
    return _mean(lost, weights, name=name, confidence=confidence, draws=draws, seed=seed)


def _as_table(outcome: ArrayLike, probability: ArrayLike) -> tuple[Integers, Floats]:
    if np.ndim(probability) == 2:
        table = class_probabilities(probability)
        return class_numbers(outcome, table), table
    yes = probabilities(probability, "probability")
    return booleans(outcome, "outcome", shape=yes.shape).astype(np.int64), np.column_stack([1 - yes, yes])


def _mean(
    losses: Floats, weights: ArrayLike | None, *, name: str, confidence: float, draws: int, seed: int
) -> Estimate | Undefined:
    mass = item_weights(weights, len(losses))
    order = np.lexsort((mass, losses))  # the draws name places: sorted, the order of the items changes nothing
    losses, mass = losses[order], mass[order]
    if np.count_nonzero(mass) < 2:
        return Undefined("an interval needs 2 items that carry weight", len(losses), name)

    def mean(times: Floats) -> float:
        drawn = times * mass
        if drawn.sum() <= 0:
            raise Degenerate("no item carries weight")
        return float(drawn @ losses / drawn.sum())

    made = item_bootstrap(mean, len(losses), confidence=confidence, draws=draws, seed=seed)
    if isinstance(made, Undefined):
        return Undefined(made.reason, made.n, f"{name}, {made.procedure}")
    return Estimate(made.value, made.low, made.high, confidence, made.n, f"{name}, {made.procedure}")
