"""Did it change? An e-detector that forgets the good weeks, with a stated mean time to a false alarm."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, confidence_level, counts, floats

WEEKS_TO_FALSE_ALARM = 520.0
ODDS_RATIOS = (1.5, 2.25)  # of the error odds after the change against the promise's: 0.90 falls to 0.857 or 0.80


@dataclass(frozen=True, slots=True)
class Change:
    """The detector's path; `alarm_week` (from 1) is the first week it reached `weeks_to_false_alarm`.

    While precision keeps the promise, a false alarm comes after `weeks_to_false_alarm` weeks or more on average.
    """

    alarm_week: int | None
    path: tuple[float, ...]
    wrong: int
    n: int
    weeks_to_false_alarm: float
    procedure: str
    sentence: str


def log_shiryaev_roberts(log_ratio: ArrayLike) -> Floats:
    """The logarithm of R_w = (R_{w-1} + 1) LR_w from R_0 = 0, for the weekly log likelihood ratios, shape (weeks,).

    Wherever each LR_w has mean 1 or less before the change, stopping at R >= A gives a mean time of A or more to a
    false alarm, and P(false alarm within W weeks) <= W / A.

    Source: A. N. Shiryaev, "On optimum methods in quickest detection problems" (1963); S. W. Roberts, "A comparison of
    some control chart procedures", Technometrics 8 (1966); J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a
    nonparametric framework for sequential change detection", New England Journal of Statistics in Data Science (2023).

    Raises:
        ValueError: not finite numbers.

    >>> [round(float(r)) for r in np.exp(log_shiryaev_roberts(np.log([1, 2, 3])))]
    [1, 4, 15]
    """
    ratio = floats(log_ratio, "log_ratio")
    path, value = np.empty(ratio.size), -math.inf
    for week, step in enumerate(ratio.tolist()):
        value = float(np.logaddexp(value, 0.0)) + step
        path[week] = value
    return path


def change(
    wrong: ArrayLike,
    n: ArrayLike,
    precision: float,
    *,
    weeks_to_false_alarm: float = WEEKS_TO_FALSE_ALARM,
    odds_ratios: Sequence[float] = ODDS_RATIOS,
) -> Change:
    """Whether precision fell below the promise at some week, from `wrong` of `n` audit labels per week, shape (weeks,).

    One Shiryaev-Roberts detector per odds ratio, averaged, which is a detector again. Before the change any precision
    at or above the promise will do: the ratio is against the promise itself, where it is largest.

    Source: Shin, Ramdas and Rinaldo (2023), as above, mixtures of e-detectors.

    Raises:
        ValueError: counts that are no counts, more wrong than labels, a precision outside (0, 1), an odds ratio of 1 or
            less or none, or less than 1 week to a false alarm.

    >>> weeks = change([2, 1, 3, 2, 2, 9, 10, 9], [40] * 8, 0.90)
    >>> weeks.alarm_week, [round(r) for r in weeks.path]
    (8, [0, 0, 0, 0, 0, 11, 260, 3179])
    """
    k, total = counts(wrong, "wrong"), counts(n, "n")
    if k.shape != total.shape or (k > total).any():
        raise ValueError("wrong and n must be as long as each other, and wrong must not exceed n in any week")
    if weeks_to_false_alarm < 1 or not odds_ratios or min(odds_ratios) <= 1:
        raise ValueError("weeks_to_false_alarm must be 1 or more, and the odds ratios above 1")
    q0 = 1 - confidence_level(precision, "precision")
    detectors = []
    for odds in odds_ratios:
        q1 = odds * q0 / (1 - q0 + odds * q0)
        ratio = k * math.log(q1 / q0) + (total - k) * math.log((1 - q1) / (1 - q0))
        detectors.append(log_shiryaev_roberts(ratio))
    path = np.logaddexp.reduce(detectors, axis=0) - math.log(len(detectors))
    reached = np.flatnonzero(path >= math.log(weeks_to_false_alarm))
    week = int(reached[0]) + 1 if reached.size else None
    finding = f"Precision fell: the alarm came in week {week}" if week else "No fall in precision is seen"
    return Change(
        alarm_week=week,
        path=tuple(float(r) for r in np.exp(np.minimum(path, 700.0))),
        wrong=int(k.sum()),
        n=int(total.sum()),
        weeks_to_false_alarm=weeks_to_false_alarm,
        procedure=f"Shiryaev-Roberts e-detector, error odds times {', '.join(f'{one:g}' for one in odds_ratios)}",
        sentence=f"{finding}. A false alarm comes once in {weeks_to_false_alarm:g} weeks or less often.",
    )
