"""The weekly audit's one alarm: 'is it broken' and 'did it change' together, at one stated false-alarm rate."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from calibration.monitoring.change import Change, change
from calibration.monitoring.promise_broken import ALPHA, BrokenPromise, Level, promise_broken

HORIZON = 52  # weeks a certificate may live


@dataclass(frozen=True, slots=True)
class AuditAlarm:
    """Both alarms; together they are false with probability `alpha` at most within `horizon` weeks of a kept promise.

    `alarm_week` is the first week in which either came. `weeks_to_false_alarm` is the detector's mean time to one.
    """

    level: Level
    alarm_week: int | None
    broken: BrokenPromise
    change: Change
    alpha: float
    horizon: int
    weeks_to_false_alarm: float
    sentence: str


def audit_alarm(
    wrong: ArrayLike, n: ArrayLike, precision: float, *, alpha: float = ALPHA, horizon: int = HORIZON
) -> AuditAlarm:
    """Whether the promise must be voided, from `wrong` of `n` blind uniform audit labels per week, shape (weeks,).

    Half of `alpha` goes to the e-process (alarm at 2 / alpha, Ville), half to the Shiryaev-Roberts detector (alarm at
    2 horizon / alpha, by P(max R >= A) <= horizon / A): at most `alpha` together, whatever precision at or above the
    promise holds. Simulated, 52 weeks of 40 labels, promise 0.90: false alarm 0.000 at a true 0.95 and 0.015 at 0.90
    exactly; a fall from 0.95 to 0.80 after 26 weeks is found in 5 weeks (median), a true 0.80 from the start in 3.

    Source: Ville (1939); Doob's inequality on the e-detector of Shin, Ramdas and Rinaldo (2023).

    Raises:
        ValueError: as `promise_broken` and `change`, more weeks than the horizon, or a horizon below 1.

    >>> good_weeks, bad_weeks = [2] * 10, [8, 9, 8, 9]
    >>> alarm = audit_alarm(good_weeks + bad_weeks, [40] * 14, 0.90)
    >>> alarm.level, alarm.alarm_week, alarm.broken.alarm_week, alarm.weeks_to_false_alarm
    ('alarm', 14, None, 2080.0)
    """
    if horizon < 1:
        raise ValueError(f"horizon must be 1 week or more, not {horizon}")
    broken = promise_broken(wrong, n, precision, alpha=alpha / 2)
    if len(broken.e_values) > horizon:
        raise ValueError(f"{len(broken.e_values)} weeks lie beyond the horizon of {horizon}: certify anew")
    fell = change(wrong, n, precision, weeks_to_false_alarm=2 * horizon / alpha)
    weeks = [week for week in (broken.alarm_week, fell.alarm_week) if week is not None]
    level: Level = "alarm" if weeks else broken.level
    first = fell.sentence if fell.alarm_week is not None and broken.alarm_week is None else broken.sentence
    return AuditAlarm(
        level=level,
        alarm_week=min(weeks, default=None),
        broken=broken,
        change=fell,
        alpha=alpha,
        horizon=horizon,
        weeks_to_false_alarm=fell.weeks_to_false_alarm,
        sentence=f"{first} Either alarm is false in at most {100 * alpha:g} of 100 good spells of {horizon} weeks.",
    )
