"""Service levels: by when a work item must be acknowledged, the customer contacted, the matter resolved."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from service.route.expression import Shape

ALWAYS = "always"
OWNER = "owner"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Target = Literal["acknowledge", "contact", "resolve"]
TARGETS: tuple[Target, ...] = ("acknowledge", "contact", "resolve")
_LONGEST = timedelta(days=3650)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Duration(Shape):
    """So many minutes, hours or days, kept as written: on business calendars `2d` is not `48h`."""

    amount: Annotated[int, Field(ge=1)]
    unit: Literal["m", "h", "d"]

    @classmethod
    def from_text(cls, text: str) -> "Duration":
        """Read `30m`, `4h` or `2d`.

        Raises:
            ValueError: it is none of these, or longer than ten years.
        """
        found = re.fullmatch(r"([1-9][0-9]{0,6})([mhd])", text)
        if not found:
            raise ValueError("a duration is a whole number and m, h or d, such as 30m, 4h or 2d")
        duration = cls.model_validate({"amount": int(found[1]), "unit": found[2]})
        if duration.elapsed() > _LONGEST:
            raise ValueError("a duration is at most 3650d")
        return duration

    def elapsed(self) -> timedelta:
        """Give the plain time on a clock that never stops (the calendar `always`)."""
        return timedelta(**{_UNITS[self.unit]: self.amount})


class Escalation(Shape):
    """One level: who hears of a missed target, how long after it, and what keeps it from going off.

    `to` is `owner`, `owner.manager`, `owner.manager.manager` or a group. `stop` names what ends the waiting: the missed
    target was met after all, somebody who was told has acknowledged it, or the item is resolved. `any_hour` tells
    people outside their own hours too.
    """

    after: Duration
    to: str
    notice: str | None = None
    stop: Literal["met", "acknowledged", "resolved"] = "met"
    any_hour: bool = False


class Targets(Shape):
    """Promises that may differ by tier or kind; what is None stays as the service level has it."""

    acknowledge: Duration | None = None
    contact: Duration | None = None
    resolve: Duration | None = None


class Sla(Shape):
    """The targets of a work item, on a calendar; `hand_off` is how long a hand-off may wait to be accepted."""

    calendar: str = ALWAYS
    acknowledge: Duration | None = None
    contact: Duration | None = None
    resolve: Duration | None = None
    kinds: dict[str, Targets] = Field(default_factory=dict)
    tiers: dict[str, Targets] = Field(default_factory=dict)
    hand_off: Duration | None = None
    escalate: tuple[Escalation, ...] = ()

    def targets(self, kind: str, tier: str | None) -> dict[Target, Duration]:
        """The targets for a kind of item and a customer's tier: the tier's, else the kind's, else the general ones."""
        nothing = Targets()
        parts = (self.tiers.get(tier or "", nothing), self.kinds.get(kind, nothing), self)
        found: dict[Target, Duration] = {}
        for name in TARGETS:
            given = next((getattr(part, name) for part in parts if getattr(part, name) is not None), None)
            if given is not None:
                found[name] = given
        return found


class Interval(Shape):
    """Hours of one day, `opens` to `closes` in minutes after midnight, end exclusive."""

    opens: Annotated[int, Field(ge=0, lt=24 * 60)]
    closes: Annotated[int, Field(gt=0, le=24 * 60)]

    @classmethod
    def from_text(cls, text: str) -> "Interval":
        """Read `09:00-12:30`; `24:00` is the end of the day.

        Raises:
            ValueError: it is no such interval, or does not end after it begins.
        """
        found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24:00))", text)
        if not found:
            raise ValueError("hours are written as 09:00-12:30")
        closes = 24 * 60 if found[5] else int(found[3]) * 60 + int(found[4])
        opens = int(found[1]) * 60 + int(found[2])
        if closes <= opens:
            raise ValueError(
                "these hours end before they begin; write hours over midnight as two days, 22:00-24:00 and 00:00-06:00"
            )
        return cls(opens=opens, closes=closes)


class Calendar(Shape):
    """Business hours by weekday (`mon` to `sun`) in a time zone, and whose public holidays are free."""

    zone: str
    hours: dict[str, tuple[Interval, ...]]
    holidays: str | None = None


def days_from_text(text: str) -> tuple[str, ...]:
    """Read `fri`, or `mon-fri` for all days from the one to the other.

    Raises:
        ValueError: it names no days, or they run backwards.
    """
    first, _, last = text.partition("-")
    if first not in DAYS or (last or first) not in DAYS or text.endswith("-"):
        raise ValueError(f"days are {', '.join(DAYS)}, or a range such as mon-fri")
    days = DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]
    if not days:
        raise ValueError(f"{text} runs backwards; write two entries")
    return days
