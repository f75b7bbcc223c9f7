"""How a promise stands, for a page: when the next is due, in words, with a tone that never stands alone. Pure."""

from dataclasses import dataclass
from datetime import datetime

from service.pages.words import span_of
from service.store.tables import WorkItem
from service.work.lifecycle import target_state
from service.work.snapshot import clocks

TARGETS = ("acknowledge", "contact", "resolve")
_TO = {"acknowledge": "to acknowledge", "contact": "to reach the customer", "resolve": "to finish"}


@dataclass(frozen=True, slots=True)
class Due:
    """The next promise of an item: `due in 1 h 20 m`, its tone (good, warn, bad, calm), and what for."""

    words: str
    tone: str = "calm"
    what_for: str = ""


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
        return Due(f"missed by {span_of((row.paused_at or now) - clock.due_at)}", "bad", _TO[name])
    left = span_of(clock.due_at - (row.paused_at or now))
    if state == "paused":
        return Due(f"clock stands, {left} left", "calm", _TO[name])
    return (
        Due(f"at risk, due in {left}", "warn", _TO[name])
        if state == "at_risk"
        else Due(f"due in {left}", "calm", _TO[name])
    )
