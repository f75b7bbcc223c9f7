"""The item bootstrap: an interval for any statistic of weighted items. A draw is a vector of counts."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, confidence_level, counts
from calibration.result import Degenerate, Estimate, Undefined

DRAWS = 1_000
MOST_KINDS = 1_000  # of so many kinds of items the skew is known well enough
ROUNDING = 1e-12
LEAST_ROOM = 1e-6  # beyond it the formula breaks: the end is that of the draws
LEAST_DEFINED = 0.5  # an interval from fewer of the draws would describe the draws that happened to work


def item_bootstrap(
    statistic: Callable[[Floats], float],
    items: int,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate | Undefined:
    """The percentile interval of a statistic when whole items are drawn again, with replacement.

    `statistic` takes one weight per item (how often it was drawn) and raises `Degenerate` where the weighted data
    cannot define it. All ratings of an item move together. Draws without a value are left out and counted in
    `procedure`; where less than half have one, the interval is undefined. Where all items are alike the interval has no
    width, and `procedure` says that this is no certainty.

    Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.

    Raises:
        ValueError: fewer than 1 draw, or a confidence outside (0, 1).

    >>> right = np.array([1.0] * 80 + [0.0] * 20)
    >>> share = item_bootstrap(lambda weights: float(weights @ right / weights.sum()), 100)
    >>> share.value, round(share.low, 2), round(share.high, 2), share.n
    (0.8, 0.72, 0.88, 100)
    """
    tail = (1 - confidence_level(confidence)) / 2
    procedure = f"percentile bootstrap over items, {draws} draws, seed {seed}"

    def draw(generator: np.random.Generator) -> Floats:
        return np.bincount(generator.integers(items, size=items), minlength=items).astype(np.float64)

    made = _drawn(statistic, np.ones(items), draw, draws, seed, procedure)
    if isinstance(made, Undefined):
        return made
    low, high = np.quantile(made.values, [tail, 1 - tail])
    width = "" if low < high else "; all items alike, so that its width says nothing"
    return Estimate(made.value, float(low), float(high), confidence, items, made.procedure + width)


def bca_bootstrap(
    statistic: Callable[[Floats], float],
    times: ArrayLike,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate | Undefined:
    """The bias-corrected and accelerated interval of a skewed statistic, whole items drawn again with replacement.

    Each end lies at the quantile of the draws that their skew calls for: where a statistic near its maximum can only
    fall, the percentile interval ends too early. `times` (kinds,) says how many items there are of each kind;
    `statistic` takes one weight per kind and raises `Degenerate` as for `item_bootstrap`. n is the number of items.

    Source: B. Efron, "Better bootstrap confidence intervals", JASA 82 (1987); Efron and Tibshirani (1993), as above,
    chapter 14.

    Raises:
        ValueError: fewer than 1 draw, a confidence outside (0, 1), or times that are no counts.

    >>> right, times = np.array([1.0, 0.0]), [57, 3]
    >>> share = bca_bootstrap(lambda weights: float(weights @ right / weights.sum()), times)
    >>> share.value, round(share.low, 2), round(share.high, 2), share.n
    (0.95, 0.87, 0.98, 60)
    """
    tail = (1 - confidence_level(confidence)) / 2
    there = counts(times, "times").astype(np.float64)
    items = int(there.sum())
    procedure = f"BCa bootstrap over items, {draws} draws, seed {seed}"

    def draw(generator: np.random.Generator) -> Floats:
        return generator.multinomial(items, there / items).astype(np.float64)

    made = _drawn(statistic, there, draw, draws, seed, procedure)
    if isinstance(made, Undefined):
        return made
    z = scipy.special.ndtri([tail, 1 - tail]) + _bias(made)
    room = np.maximum(1 - _acceleration(statistic, there) * z, LEAST_ROOM)
    low, high = np.quantile(made.values, scipy.special.ndtr(_bias(made) + z / room))
    return Estimate(
        made.value, min(float(low), made.value), max(float(high), made.value), confidence, items, made.procedure
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """A statistic of the items, and its values in the draws that have one."""

    value: float
    values: Floats
    procedure: str


def _drawn(
    statistic: Callable[[Floats], float],
    start: Floats,
    draw: Callable[[np.random.Generator], Floats],
    draws: int,
    seed: int,
    procedure: str,
) -> _Drawn | Undefined:
    if draws < 1:
        raise ValueError(f"draws must be 1 or more, not {draws}")
    items = int(start.sum())
    try:
        value = statistic(start)
    except Degenerate as degenerate:
        return Undefined(str(degenerate), items, procedure)
    if items == 0:
        return Undefined("there is no item to draw", 0, procedure)
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        try:
            values.append(statistic(draw(generator)))
        except Degenerate:
            continue
    lost = draws - len(values)
    if len(values) < LEAST_DEFINED * draws:
        return Undefined(f"{lost} of {draws} draws hold too little to compute it: too few items", items, procedure)
    if lost:
        procedure += f", {lost} of them undefined and left out"
    return _Drawn(value, np.array(values), procedure)


def _bias(made: _Drawn) -> float:
    """Where the value lies among the draws, in standard normal units; a draw within rounding of it counts half."""
    n = made.values.size
    below = np.count_nonzero(made.values < made.value - ROUNDING)
    upto = np.count_nonzero(made.values <= made.value + ROUNDING)
    return float(scipy.special.ndtri(np.clip((below + upto) / (2 * n), 1 / (2 * n), 1 - 1 / (2 * n))))


def _acceleration(statistic: Callable[[Floats], float], times: Floats) -> float:
    """The skew of what leaving out one item does to the statistic, over 6 roots of n."""
    items = float(times.sum())
    if items < 2:
        return 0.0
    present = np.flatnonzero(times)
    spread_out = present[np.unique(np.linspace(0, present.size - 1, MOST_KINDS).astype(np.int64))]
    left_out = {}
    for kind in spread_out.tolist():
        without = times.copy()
        without[kind] -= 1
        with suppress(Degenerate):
            left_out[kind] = statistic(without)
    if not left_out:
        return 0.0
    values, often = np.array(list(left_out.values())), times[list(left_out)]
    pull = np.average(values, weights=often) - values
    variance = float(np.average(pull**2, weights=often))
    if variance <= ROUNDING**2:
        return 0.0
    return float(np.average(pull**3, weights=often)) / (6 * math.sqrt(items * variance**3))
