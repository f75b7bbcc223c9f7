"""How many items a day may pass: a threshold people can keep up with, which tightens a certificate, never loosens."""

from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, counts, floats
from calibration.result import Undefined
from calibration.thresholds.precision import GRID, Certified, Refused, passed
from calibration.words import counted

BUSY = 0.95  # the share of days that must fit
WEEK = 7
FEW_DAYS = 30  # below it the days of one weekday are too few to read a quantile from


@dataclass(frozen=True, slots=True)
class Capacity:
    """At `threshold`, 95 of 100 days of the busiest weekday bring at most `busy_day` items, within the `limit`.

    `days_over` of the `days` looked at would have brought more: what is over the limit waits in a dated queue and is
    never dropped. Items that tie at the threshold pass together.
    """

    threshold: float
    busy_day: int
    limit: int
    days: int
    days_over: int
    procedure: str


def capacity_threshold(
    scores: ArrayLike, day: ArrayLike, *, days: int, limit: int, grid: ArrayLike = GRID
) -> Capacity | Undefined:
    """From which score on do at most `limit` items a day pass, on 95 of 100 days?

    `scores` and `day` (0 is the first day, `days - 1` the last) hold one entry per item of unlabelled traffic; days
    without an item count. With 30 days or more the busiest weekday has to fit (8 weeks or more are advised); with
    fewer, a negative binomial fitted to all days by its moments, or a Poisson where they vary no more than that.
    Undefined below 7 days, or where even the strictest threshold of the grid lets too many pass.

    Source: the inverted-CDF quantile of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The
    American Statistician 50 (1996), definition 1; moments of the negative binomial: C. I. Bliss and R. A. Fisher,
    "Fitting the negative binomial distribution to biological data", Biometrics 9 (1953).

    Raises:
        ValueError: arrays of different lengths, a day outside 0 to `days - 1`, a limit below 0 or an empty grid.

    >>> day = np.repeat(np.arange(56), 4)
    >>> scores = np.tile([0.4, 0.6, 0.8, 0.9], 56)
    >>> capacity = capacity_threshold(scores, day, days=56, limit=2)
    >>> capacity.threshold, capacity.busy_day, capacity.days_over
    (0.61, 2, 0)
    """
    scored = floats(scores, "scores")
    day_of = counts(day, "day", shape=scored.shape)
    thresholds = np.unique(floats(grid, "grid"))
    if not len(thresholds):
        raise ValueError("grid must hold at least one threshold")
    if len(day_of) and day_of.max() >= days:
        raise ValueError(f"day must be from 0 to {days - 1}, not {day_of.max()}")
    if limit < 0:
        raise ValueError(f"limit must be 0 or more, not {limit}")
    procedure = _procedure(days)
    if days < WEEK:
        return Undefined(f"too few days of traffic: {days}, {WEEK} needed at the least", len(scored), procedure)
    daily = at_or_above(scored, day_of, days, thresholds)
    busy = _busiest_weekday(daily) if days >= FEW_DAYS else _fitted(daily)
    too_busy = np.flatnonzero(busy > limit)
    first = int(too_busy[-1]) + 1 if len(too_busy) else 0
    if first == len(thresholds):
        return Undefined(
            f"even at {thresholds[-1]:g} a busy day brings {busy[-1]}, more than {limit}", len(scored), procedure
        )
    over = int((daily[:, first] > limit).sum())
    return Capacity(float(thresholds[first]), int(busy[first]), limit, days, over, procedure)


def at_or_above(scores: Floats, day: Integers, days: int, thresholds: Floats) -> Integers:
    """How many items of each day score each threshold or more: shape (days, thresholds), thresholds rising.

    Source: plain counting; `day` is 0 to `days - 1`, one per score.

    >>> at_or_above(np.array([0.2, 0.6, 0.9]), np.array([0, 0, 1]), 2, np.array([0.5, 0.8])).tolist()
    [[1, 0], [1, 1]]
    """
    cells = len(thresholds) + 1
    reached = np.searchsorted(thresholds, scores, side="right")  # how many thresholds each item reaches
    table = np.bincount(day * cells + reached, minlength=days * cells).reshape(days, cells)
    return np.asarray(table[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:], dtype=np.int64)


def fitted_quantile(daily: Integers, quantile: float) -> int:
    """So many items or fewer come on that share of days, by a law fitted to the counts of 2 days or more, (days,).

    A negative binomial, or a Poisson where the days vary no more than that.

    Source: Bliss and Fisher (1953), as above.

    >>> fitted_quantile(np.array([2, 2, 2, 2]), 0.95), fitted_quantile(np.array([0, 0, 8, 0]), 0.95)
    (5, 10)
    """
    mean, variance = float(daily.mean()), float(daily.var(ddof=1))
    if mean == 0:
        return 0
    if variance <= mean:
        return int(scipy.stats.poisson.ppf(quantile, mean))
    return int(scipy.stats.nbinom.ppf(quantile, mean**2 / (variance - mean), mean / variance))


def tighten(certified: Certified, capacity: Capacity) -> Certified | Refused:
    """Where does a certified threshold go so that people can keep up?

    To the most lenient rung that passed and is no more lenient than the capacity's threshold; never below the
    certified one. A high precision at one threshold implies none at a stricter one, so a threshold above every rung
    that passed is refused: nobody tested it.

    Source: Angelopoulos et al., "Learn then Test" (2025): the promise holds at each rung passed, and only there.

    >>> from calibration.promise import Promise
    >>> from calibration.thresholds.precision import certify_precision
    >>> certified = certify_precision(np.linspace(0.3, 0.99, 700), np.ones(700), Promise(0.90, 0.95))
    >>> certified.threshold
    0.3
    >>> tighten(certified, Capacity(0.655, 12, 12, 56, 0, "by hand")).threshold
    0.66
    >>> tighten(certified, Capacity(0.99, 1, 1, 56, 0, "by hand")).reason_code
    'capacity'
    """
    if capacity.threshold <= certified.threshold:
        return certified
    allowed = [rung for rung in passed(certified.ladder) if rung.threshold >= capacity.threshold]
    if not allowed:
        return _untested(certified, capacity)
    rung = allowed[-1]
    return replace(
        certified,
        threshold=rung.threshold,
        n=rung.n,
        right=rung.right,
        lower_bound=rung.lower_bound,
        procedure=f"{certified.procedure}; tightened from {certified.threshold:g} for {capacity.limit} a day",
    )


def _untested(certified: Certified, capacity: Capacity) -> Refused:
    have = max((rung.n for rung in certified.ladder if rung.threshold >= capacity.threshold), default=0)
    reason = (
        f"{capacity.limit} a day needs a threshold of {capacity.threshold:g}, which was not tested: "
        f"{counted(have, 'checked answer', 'checked answers')} at or above it, {certified.first_step} needed"
    )
    return Refused(
        "capacity",
        reason,
        capacity.threshold,
        have,
        certified.first_step,
        certified.promise,
        certified.ladder,
        certified.procedure,
    )


def _procedure(days: int) -> str:
    if days >= FEW_DAYS:
        return f"95 % quantile of the busiest weekday, {days} days"
    return f"95 % quantile of a negative binomial fitted by moments, {days} days"


def _busiest_weekday(daily: Integers) -> Integers:
    each = [np.quantile(daily[weekday::WEEK], BUSY, axis=0, method="inverted_cdf") for weekday in range(WEEK)]
    return np.asarray(np.max(each, axis=0), dtype=np.int64)


def _fitted(daily: Integers) -> Integers:
    return np.array([fitted_quantile(column, BUSY) for column in daily.T], dtype=np.int64)
