"""What chance alone makes of a calibration error, and a measured error beside it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, confidence_level, floats, probabilities
from calibration.arrays import weights as item_weights
from calibration.bootstrap import DRAWS, item_bootstrap
from calibration.result import Degenerate, Estimate, Undefined

ErrorOf = Callable[[Floats, Floats], float]  # outcome and weight of every item, in the order of the probabilities
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """The error that perfectly calibrated probabilities show on `n` items: `mean`, and at most `high` at `level`."""

    mean: float
    high: float
    level: float
    n: int
    procedure: str


@dataclass(frozen=True, slots=True)
class MeasuredError:
    """A calibration error with its interval, never without what chance alone explains."""

    error: Estimate
    floor: NoiseFloor

    @property
    def exceeds_chance(self) -> bool:
        """Whether calibrated probabilities would show an error this large only rarely (1 - `floor.level`)."""
        return self.error.value > self.floor.high

    def __str__(self) -> str:
        return f"{self.error.value:.2f}, of which chance alone explains up to {self.floor.high:.2f}"


def noise_floor(
    error: ErrorOf,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> NoiseFloor | Undefined:
    """The size of an error when nothing is wrong: outcomes are drawn from the probabilities themselves.

    `probability` has the shape (n,) and outcomes are 0 or 1, or (n, classes) and outcomes are class numbers.
    `error` takes outcomes and weights and raises `Degenerate` where they define nothing.

    Source: J. Brocker and L. A. Smith, "Increasing the reliability of reliability diagrams", Weather and Forecasting
    22 (2007), consistency resampling with the probabilities held fixed.

    Raises:
        ValueError: values out of range, a negative weight, fewer than 1 draw, or a level outside (0, 1).

    >>> probability = np.full(100, 0.5)
    >>> floor = noise_floor(lambda y, w: abs(float(w @ (y - probability)) / 100), probability)
    >>> round(floor.mean, 2), round(floor.high, 2)
    (0.04, 0.1)
    """
    if draws < 1:
        raise ValueError(f"draws must be 1 or more, not {draws}")
    confidence_level(level, "level")
    procedure = f"parametric bootstrap of the outcomes, {draws} draws, seed {seed}"
    said = _valid(probability)
    mass = item_weights(weights, len(said))
    generator, outcomes = np.random.default_rng(seed), _drawn_from(said)
    try:
        drawn = [error(outcomes(generator), mass) for _ in range(draws)]
    except Degenerate as degenerate:
        return Undefined(str(degenerate), len(said), procedure)
    return NoiseFloor(float(np.mean(drawn)), float(np.quantile(drawn, level)), level, len(said), procedure)


def measured_error(
    error: ErrorOf,
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    name: str,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> MeasuredError | Undefined:
    """A calibration error with an item-bootstrap interval and its noise floor; shapes and `error` as in `noise_floor`.

    Drawing items again adds noise that such errors count as miscalibration, so that percentile intervals lie too high
    and basic ones (`2 value - quantile`) at times too low. The interval spans both, cut at 0 and 1, and starts at 0
    unless the value exceeds its floor: an error that chance explains may be none. A weight counts as so many equal
    items in the value; interval and floor draw whole items, whatever their weight.

    Source: A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application" (1997), section 5.2, basic
    intervals; 0 by inverting the test that the floor is.

    Raises:
        ValueError: unequal lengths, values out of range, fewer than 1 draw, or a confidence outside (0, 1).

    >>> outcome, probability = np.array([1.0, 0.0] * 50), np.full(100, 0.8)
    >>> def error(y, w):
    ...     return abs(float(w @ (y - probability)) / w.sum())
    >>> print(measured_error(error, outcome, probability, name="bias"))
    0.30, of which chance alone explains up to 0.08
    """
    said = _valid(probability)
    n = len(said)
    actual, mass = floats(outcome, "outcome", shape=(n,)), item_weights(weights, n)
    if n < 2:
        return Undefined("an interval needs 2 items or more", n, name)
    spread = item_bootstrap(lambda times: error(actual, times * mass), n, confidence=confidence, draws=draws, seed=seed)
    if isinstance(spread, Undefined):
        return Undefined(spread.reason, n, f"{name}, {spread.procedure}")
    floor = noise_floor(error, said, weights=mass, draws=draws, seed=seed)
    if isinstance(floor, Undefined):
        return Undefined(floor.reason, n, f"{name}, {floor.procedure}")
    value = spread.value
    low = max(0.0, min(spread.low, 2 * value - spread.high)) if value > floor.high else 0.0
    high = min(1.0, max(spread.high, 2 * value - spread.low))
    procedure = f"{name}, {spread.procedure}, with the basic one and 0 if not above the floor"
    return MeasuredError(Estimate(value, low, high, confidence, n, procedure), floor)


def _valid(probability: ArrayLike) -> Floats:
    return probabilities(probability, "probability", shape=(None,) * max(1, min(2, np.ndim(probability))))


def _drawn_from(probability: Floats) -> Callable[[np.random.Generator], Floats]:
    if probability.ndim == 1:
        return lambda generator: (generator.random(len(probability)) < probability).astype(np.float64)
    edges = np.cumsum(probability, axis=1)[:, :-1]
    return lambda generator: np.asarray((edges <= generator.random((len(edges), 1))).sum(axis=1), dtype=np.float64)
