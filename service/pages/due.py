"""How a promise stands, for a page: when the next is due, in words, with a tone that never stands alone. Pure."""

from dataclasses import dataclass
from datetime import datetime

from service.pages.words import span_of
from service.store.tables import WorkItem
from service.work.lifecycle import target_state
from service.work.snapshot import clocks, snapshot

TARGETS = ("acknowledge", "contact", "resolve")
_TO = {"acknowledge": "to acknowledge", "contact": "to reach the customer", "resolve": "to finish"}


@dataclass(frozen=True, slots=True)
class Due:
    """The next promise of an item: `due in 1 h 20 m`, its tone (good, warn, bad, calm), what for and by when.

    `at` is None while nothing is due, or the clock stands.
    """

    words: str
    tone: str = "calm"
    what_for: str = ""
    at: datetime | None = None


def next_due(row: WorkItem, now: datetime) -> Due:
    """What is due next on an item that is not done; an item without a service level has no due time."""
    named = [(name, clock) for name, clock in zip(TARGETS, clocks(row), strict=True) if clock and clock.met_at is None]
    if row.status in {"resolved", "retracted"}:
        return Due("done" if row.status == "resolved" else "withdrawn")
    if not named:
        return Due("no due time")
    name, clock = min(named, key=lambda one: one[1].due_at)
    state = target_state(clock, row.paused_at, now)
    if state == "missed":
        return Due(f"missed by {span_of((row.paused_at or now) - clock.due_at)}", "bad", _TO[name], clock.due_at)
    if state == "paused":
        return Due(f"clock stands, {_left(row, clock.due_at, row.paused_at or now)}", "calm", _TO[name])
    left = span_of(clock.due_at - now)
    return (
        Due(f"at risk, due in {left}", "warn", _TO[name], clock.due_at)
        if state == "at_risk"
        else Due(f"due in {left}", "calm", _TO[name], clock.due_at)
    )


def working_time(row: WorkItem, due: Due, now: datetime) -> str:
    """How much of the calendar's open time lies between now and a due moment: nights and weekends do not count.

    Empty where every hour counts.
    """
    kept = snapshot(row)
    if due.at is None or kept is None or kept.hours is None:
        return ""
    if now > due.at:
        return f"{span_of(kept.time.between(due.at, now))} of working time late"
    return _left(row, due.at, now)


def _left(row: WorkItem, due_at: datetime, now: datetime) -> str:
    """The open time until a moment, which is what is left of a clock that stands."""
    kept = snapshot(row)
    if kept is None or kept.hours is None:
        return f"{span_of(due_at - now)} left"
    return f"{span_of(kept.time.between(now, due_at))} of working time left"
