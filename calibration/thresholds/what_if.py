"""What would happen at each threshold: tickets, mistakes, misses and work a day, with ranges. It certifies nothing."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Booleans, Floats, Integers, booleans, confidence_level, counts, floats
from calibration.result import Estimate, Undefined
from calibration.sampling.shares import precision, recall, share
from calibration.thresholds.capacity import FEW_DAYS, WEEK, at_or_above, fitted_quantile
from calibration.thresholds.precision import GRID


@dataclass(frozen=True, slots=True, eq=False)
class Traffic:
    """Unlabelled traffic, counted by day.

    `grid` holds the thresholds to ask about, rising, shape (t,); its first is the line from which on people look at
    an item that does not pass. `items` counts all items of each day, shape (days,); `passing` those that score each
    threshold or more, shape (days, t). Days without an item count.

    Raises:
        ValueError: shapes that do not fit, counts that are no counts, or a grid that is empty or does not rise.
    """

    grid: Floats
    items: Integers
    passing: Integers

    def __post_init__(self) -> None:
        grid = floats(self.grid, "grid")
        if not len(grid) or (np.diff(grid) <= 0).any():
            raise ValueError("grid must hold at least one threshold, and rise")
        items = counts(self.items, "items")
        counts(self.passing, "passing", shape=(len(items), len(grid)))

    @classmethod
    def of(cls, scores: ArrayLike, day: ArrayLike, *, days: int, grid: ArrayLike = GRID) -> "Traffic":
        """Count single items: `scores` and `day` (0 is the first day, `days - 1` the last), one entry each.

        Raises:
            ValueError: arrays of different lengths, or a day outside 0 to `days - 1`.

        >>> Traffic.of([0.2, 0.6, 0.9], [0, 0, 1], days=2, grid=[0.5, 0.8]).passing.tolist()
        [[1, 0], [1, 1]]
        """
        scored = floats(scores, "scores")
        day_of = counts(day, "day", shape=scored.shape)
        thresholds = np.unique(floats(grid, "grid"))
        if len(day_of) and day_of.max() >= days:
            raise ValueError(f"day must be from 0 to {days - 1}, not {day_of.max()}")
        items = np.bincount(day_of, minlength=days).astype(np.int64)
        return cls(thresholds, items, at_or_above(scored, day_of, days, thresholds))


@dataclass(frozen=True, slots=True)
class Position:
    """What would happen with the threshold here; `proved` says whether a certificate may put it here.

    `tickets` would open a day, and `minutes` of people's time a day go to what does not pass but lies at or above the
    line: their ranges say what single days bring. Of the tickets `wrong` a day would be wrong, and `missed` a day
    would be right and lie below the threshold: their ranges say how well the labels know the long run. `recall` is the
    share of what is right that passes.
    """

    threshold: float
    proved: bool
    tickets: Estimate | Undefined
    wrong: Estimate | Undefined
    missed: Estimate | Undefined
    minutes: Estimate | Undefined
    recall: Estimate | Undefined


def what_if(
    scores: ArrayLike,
    right: ArrayLike,
    inclusion: ArrayLike,
    traffic: Traffic,
    *,
    minutes_per_review: float,
    proved: Collection[float] = (),
    confidence: float = 0.95,
) -> tuple[Position, ...]:
    """What each threshold of the traffic's grid would mean, in the order of the grid.

    `scores`, `right` (0 or 1: would passing it have been right?) and `inclusion` (its chance of being drawn; only the
    proportions matter) hold one entry per settled blind label of the audit pool, items below the line among them.
    Figures a day are undefined below 7 days of traffic, the others where no label tells. `proved` holds the thresholds
    that a certificate proved.

    Shares are weighted ratio estimates, without the finite population correction, since the question is about traffic
    to come. A range over days is that of the observed quantiles from 30 days on, and below that of a negative binomial
    fitted by its moments, or a Poisson where days vary no more than that.

    Source: J. Hajek (1971) and W. G. Cochran, "Sampling Techniques" (1977), section 2.11, as
    `calibration.sampling.estimators`; for the range over days as `calibration.thresholds.capacity`.

    Raises:
        ValueError: arrays of different lengths, values out of range, or minutes below 0.

    >>> traffic = Traffic.of(np.tile([0.1, 0.4, 0.9, 0.9], 30), np.repeat(np.arange(30), 4), days=30, grid=[0.3, 0.8])
    >>> labels = np.repeat([0.1, 0.4, 0.9], 40), np.tile([1, 0, 0, 0, 1, 1, 1, 1], 15), np.full(120, 0.5)
    >>> here = what_if(*labels, traffic, minutes_per_review=0.5)[1]
    >>> here.tickets.value, round(here.wrong.value, 2), here.minutes.value
    (2.0, 0.75, 0.5)
    """
    scored = floats(scores, "scores")
    answers = booleans(right, "right", shape=scored.shape)
    chance = floats(inclusion, "inclusion", shape=scored.shape)
    if not 0 <= minutes_per_review < math.inf:
        raise ValueError(f"minutes_per_review must be 0 or more, not {minutes_per_review}")
    labels = _Labels(scored, answers, chance, confidence_level(confidence))
    return tuple(_position(place, labels, traffic, minutes_per_review, proved) for place in range(len(traffic.grid)))


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    scores: Floats
    right: Booleans
    inclusion: Floats
    confidence: float


def _position(
    place: int, labels: _Labels, traffic: Traffic, minutes_per_review: float, proved: Collection[float]
) -> Position:
    threshold, passing = float(traffic.grid[place]), traffic.passing[:, place]
    passes, confidence = labels.scores >= threshold, labels.confidence
    kept = precision(passes, labels.right, labels.inclusion, fpc=0, confidence=confidence)
    missed = share(labels.right & ~passes, labels.inclusion, name="missed", fpc=0, confidence=confidence)
    return Position(
        threshold=threshold,
        proved=threshold in proved,
        tickets=_days(passing, 1, confidence),
        wrong=_a_day(_others(kept), passing),
        missed=_a_day(missed, traffic.items),
        minutes=_days(traffic.passing[:, 0] - passing, minutes_per_review, confidence),
        recall=recall(passes, labels.right, labels.inclusion, fpc=0, confidence=confidence),
    )


def _too_few(daily: Integers) -> Undefined | None:
    if len(daily) >= WEEK:
        return None
    return Undefined(f"too few days of traffic: {len(daily)}, {WEEK} needed at the least", len(daily), "days counted")


def _days(daily: Integers, each: float, confidence: float) -> Estimate | Undefined:
    """The mean of the days, `each` worth so much, and the range that single days fall into."""
    if (few := _too_few(daily)) is not None:
        return few
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    if len(daily) >= FEW_DAYS:
        low, high = (float(np.quantile(daily, tail, method="inverted_cdf")) for tail in tails)
        procedure = "mean of the days, range of observed days"
    else:
        low, high = (float(fitted_quantile(daily, tail)) for tail in tails)
        procedure = "mean of the days, range of a negative binomial fitted by moments"
    return Estimate(float(daily.mean()) * each, low * each, high * each, confidence, len(daily), procedure)


def _a_day(share_of: Estimate | Undefined, daily: Integers) -> Estimate | Undefined:
    """A share of what comes, as so many a day."""
    if (few := _too_few(daily)) is not None:
        return few
    if isinstance(share_of, Undefined):
        return share_of
    mean = float(daily.mean())
    procedure = f"{share_of.procedure}, of {mean:.4g} a day"
    low, high = share_of.low * mean, share_of.high * mean
    return Estimate(share_of.value * mean, low, high, share_of.confidence, share_of.n, procedure)


def _others(share_of: Estimate | Undefined) -> Estimate | Undefined:
    """What is not of the share."""
    if isinstance(share_of, Undefined):
        return share_of
    return replace(share_of, value=1 - share_of.value, low=1 - share_of.high, high=1 - share_of.low)
