"""Thresholds on calibrated probabilities that cost least: act or not, and act, ask a person or ignore."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.arrays import probabilities as checked_probabilities
from calibration.result import Undefined

PROCEDURE = "least expected cost"


class Action(StrEnum):
    """What to do with an item."""

    ACT = "act"
    REVIEW = "review"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Costs:
    """What a false alarm, a miss and a person's look cost, in one currency; being right costs nothing.

    Raises:
        ValueError: a cost is no finite number, a false alarm or a miss costs nothing, or a look less than nothing.
    """

    false_alarm: float
    miss: float
    review: float

    def __post_init__(self) -> None:
        for name, cost in (("false_alarm", self.false_alarm), ("miss", self.miss)):
            if not 0 < cost < math.inf:
                raise ValueError(f"{name} must be a finite cost above 0, not {cost}")
        if not 0 <= self.review < math.inf:
            raise ValueError(f"review must be a finite cost of 0 or more, not {self.review}")


@dataclass(frozen=True, slots=True)
class ReviewBand:
    """Act from probability `act_from` on, ignore up to `ignore_up_to`, ask a person strictly between the two."""

    ignore_up_to: float
    act_from: float

    @property
    def is_empty(self) -> bool:
        """Whether asking a person never pays."""
        return self.ignore_up_to >= self.act_from


def act_threshold(
    *, false_alarm: float, miss: float, right_alarm: float = 0.0, right_silence: float = 0.0
) -> float | Undefined:
    """From which calibrated probability on does acting cost less than not acting?

    The four costs are c_FP, c_FN, c_TP and c_TN, in one currency (negative: a gain). Undefined where the costs set no
    such probability: the denominator is not above 0, or one choice is never the dearer one.

    Source: C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001, equation 2.

    Raises:
        ValueError: a cost is no finite number.

    >>> act_threshold(false_alarm=1, miss=9)
    0.1
    """
    if not all(map(math.isfinite, (false_alarm, miss, right_alarm, right_silence))):
        raise ValueError("every cost must be a finite number")
    needless = false_alarm - right_silence
    missed = miss - right_alarm
    if needless + missed <= 0:
        return Undefined("being wrong costs no more than being right: check the costs", 0, PROCEDURE)
    if needless < 0:
        return Undefined("acting is never the dearer choice: always act, or check the costs", 0, PROCEDURE)
    if missed < 0:
        return Undefined("not acting is never the dearer choice: never act, or check the costs", 0, PROCEDURE)
    return needless / (needless + missed)


def review_band(costs: Costs) -> ReviewBand:
    """Between which calibrated probabilities does asking a person cost least?

    From `review / miss` to `1 - review / false_alarm`; empty, with both ends at Elkan's threshold, where
    `review * (1 / false_alarm + 1 / miss) >= 1`.

    Source: C. K. Chow, "On optimum recognition error and reject tradeoff", IEEE Transactions on Information Theory 16
    (1970), with unequal costs; at the empty end Elkan (2001).

    >>> review_band(Costs(false_alarm=10, miss=20, review=2))
    ReviewBand(ignore_up_to=0.1, act_from=0.8)
    >>> review_band(Costs(false_alarm=1, miss=1, review=0.6)).is_empty
    True
    """
    low, high = costs.review / costs.miss, 1 - costs.review / costs.false_alarm
    if low >= high:
        low = high = costs.false_alarm / (costs.false_alarm + costs.miss)
    return ReviewBand(low, high)


def cheapest_actions(probabilities: ArrayLike, costs: Costs) -> NDArray[np.str_]:
    """What to do with each item of these calibrated probabilities (items,), so that it costs least on average?

    Where two cost the same, acting goes before ignoring and ignoring before asking.

    Source: C. K. Chow (1970) and C. Elkan (2001), as in `review_band`.

    Raises:
        ValueError: a probability outside 0 to 1.

    >>> cheapest_actions([0.05, 0.5, 0.9], Costs(false_alarm=10, miss=20, review=2)).tolist()
    ['ignore', 'review', 'act']
    """
    p = checked_probabilities(probabilities, "probabilities")
    band = review_band(costs)
    return np.where(p >= band.act_from, Action.ACT, np.where(p <= band.ignore_up_to, Action.IGNORE, Action.REVIEW))
