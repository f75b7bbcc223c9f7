"""What a backtest found: counts now and then, who would have had how much to do, and which promises would be missed.

"Now" is the version compared against, "then" the version under test. `appears`: only then; `vanishes`: only now;
`changed`: both make it, by another rule or for another first owner. What is made either way without a change is
`now - vanishes - changed`. Days are of UTC.
"""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

Change = Literal["appears", "vanishes", "changed"]
CHANGES: tuple[Change, ...] = ("appears", "vanishes", "changed")


class Part(BaseModel):
    """A frozen part of a result."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(Part):
    """Items under each version, and in how many the two differ; a changed item counts at its place of then."""

    now: int = 0
    then: int = 0
    appears: int = 0
    vanishes: int = 0
    changed: int = 0


class KindLine(Counts):
    """All items of a kind; reviews are a kind."""

    kind: str


class RuleLine(Counts):
    """Items of a kind that a rule makes; a review stands at the first rule that hangs."""

    rule: str
    kind: str


class OwnerLine(Counts):
    """Items that come to a person, None for nobody, if everything goes to the first of its group.

    `capacity` is the group's, None where it has none; a day is above it when more items come than that. `busiest_*`
    is the largest number of a single day.
    """

    owner: str | None
    capacity: int | None
    busiest_now: int
    busiest_then: int
    days_above_now: int
    days_above_then: int


class DayLine(Counts):
    """Items of a kind made of what was received on a day."""

    day: date
    kind: str


class LoadLine(Part):
    """Items that come to a person on a day."""

    owner: str | None
    day: date
    now: int
    then: int


class MissLine(Part):
    """A target of a service level for one person's items: how many would have it, and how many would miss it."""

    sla: str
    owner: str | None
    target: Literal["acknowledge", "contact", "resolve"]
    items_now: int
    items_then: int
    missed_now: int
    missed_then: int


class Queue(Part):
    """What a simple simulation expects of the queues; `handling` is in minutes by kind of item."""

    handling: dict[str, int]
    missed_now: int
    missed_then: int
    misses: tuple[MissLine, ...]
    assumptions: tuple[str, ...]


class Promises(Part):
    """What can be promised about items that are wrong or missed: a sentence, since nothing is certified yet."""

    sentence: str


class Result(Part):
    """A finished backtest. Lines stand in a fixed order: the largest change first, days by date."""

    records: int
    unread: int  # received, and left out: nobody has read them yet
    differing: int  # records of which the two make something else
    kinds: tuple[KindLine, ...]
    rules: tuple[RuleLine, ...]
    owners: tuple[OwnerLine, ...]
    days: tuple[DayLine, ...]
    load: tuple[LoadLine, ...]
    queue: Queue
    promises: Promises
    assumptions: tuple[str, ...]
    cases: int  # how many differences are kept and can be opened
    seconds: float
    processes: int
