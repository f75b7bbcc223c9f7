"""A simple queue simulation: people work off what comes to them, and what that makes of the targets."""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

from service.route.business_time import NeverOpen, Time
from service.route.clocks import TARGETS, Target

# Minutes of work in an item. A guess until somebody measures it: what the history of an item tells is how long it was
# open, and that says nothing of how long anybody worked at it.
HANDLING: Mapping[str, int] = {"follow_up": 20, "ticket": 20, "backlog_item": 20, "quality_case": 45, "review": 5}
NEVER = datetime.max.replace(tzinfo=UTC)
_BEFORE = datetime.min.replace(tzinfo=UTC)


class Lane(NamedTuple):
    """What items have in common: kind, among whom an owner is looked for, service level, and when they work.

    `calendar` and `zone` name a calendar of the policy and a zone that stands in for its own, None where it has one.
    """

    kind: str
    people: tuple[str, ...]
    sla: str | None
    calendar: str
    zone: str | None


class Arrival(NamedTuple):
    """An item: when it comes, and by when it is to be acknowledged, the customer contacted, the matter resolved."""

    at: datetime
    lane: Lane
    due: tuple[datetime | None, ...]


class Promise(NamedTuple):
    """A target of a service level, for one person's items."""

    sla: str
    owner: str | None
    target: Target


@dataclass(slots=True)
class Kept:
    """How many items have a target, and how many of them miss it."""

    items: int = 0
    missed: int = 0


@dataclass(slots=True)
class _Desk:
    """One person: free again at a moment, and what waits, by due time."""

    free: datetime = _BEFORE
    waiting: list[tuple[datetime, int, Arrival]] = field(default_factory=list)

    def load(self, at: datetime) -> int:
        return len(self.waiting) + (self.free > at)


class Simulation:
    """Items come in order of time; each goes to whoever of its people has the fewest, the first named among equals.

    Everybody begins with nothing and takes what is due first, one item at a time, while their calendar is open. An
    item is acknowledged when work on it begins; the customer is contacted, and the item resolved, when it ends.
    Nobody works at what has no owner. Equal arrivals give equal figures.
    """

    def __init__(self, time_of: Callable[[Lane], Time], handling: Mapping[str, int]) -> None:
        self._time_of = time_of
        self._takes = {kind: timedelta(minutes=minutes) for kind, minutes in handling.items()}
        self._desks: dict[str, _Desk] = {}
        self._kept: dict[Promise, Kept] = {}
        self._turn = count()

    def arrive(self, item: Arrival) -> None:
        """Let an item come, not before the one that came last."""
        if not item.lane.people:
            self._judge(item, None, NEVER, NEVER)
            return
        chosen, least = "", -1
        for name in item.lane.people:
            desk = self._desks.setdefault(name, _Desk())
            self._work(name, desk, item.at)
            load = desk.load(item.at)
            if least < 0 or load < least:
                chosen, least = name, load
        first_due = min((due for due in item.due if due is not None), default=NEVER)
        heapq.heappush(self._desks[chosen].waiting, (first_due, next(self._turn), item))

    def finish(self) -> dict[Promise, Kept]:
        """Work off what waits, and give what came of all targets."""
        for name, desk in self._desks.items():
            self._work(name, desk, NEVER)
        return self._kept

    def _work(self, name: str, desk: _Desk, until: datetime) -> None:
        """Let a person begin everything that they would begin before `until`."""
        while desk.waiting:
            item = desk.waiting[0][2]
            ready = max(desk.free, item.at)
            if ready >= until:  # says the next line but one as well, but late
                return
            time = self._time_of(item.lane)
            try:
                begin = time.next_open(ready)
                if begin >= until:
                    return
                end = time.later(begin, self._takes[item.lane.kind])
            except (NeverOpen, OverflowError):  # no such calendar passes a check; an old one keeps nobody from theirs
                begin = end = NEVER
            heapq.heappop(desk.waiting)
            self._judge(item, name, begin, end)
            desk.free = end if end < NEVER else desk.free

    def _judge(self, item: Arrival, owner: str | None, begin: datetime, end: datetime) -> None:
        sla = item.lane.sla
        if sla is None:
            return
        for target, due, done in zip(TARGETS, item.due, (begin, end, end), strict=True):
            if due is not None:
                kept = self._kept.setdefault(Promise(sla, owner, target), Kept())
                kept.items += 1
                kept.missed += done > due
