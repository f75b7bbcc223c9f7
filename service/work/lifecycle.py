"""How a work item moves: a state and an event in, the next state out. Pure; the clocks shift with the pauses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from service.route.business_time import PLAIN_TIME, Time
from service.work.events import (
    Accept,
    Acknowledge,
    AcknowledgeEscalation,
    Assign,
    ContactAttempt,
    Decline,
    Event,
    HandOff,
    Judge,
    Reopen,
    Resolve,
    Resume,
    ReviewBypass,
    Wait,
    WrongRouting,
)

Status = Literal["open", "acknowledged", "waiting", "resolved", "retracted"]
UNRESOLVED: tuple[Status, ...] = ("open", "acknowledged", "waiting")  # there is still something to do
TargetState = Literal["running", "paused", "at_risk", "met", "missed"]
Owning = Assign | HandOff | Accept | Decline | ReviewBypass | AcknowledgeEscalation | WrongRouting
AT_RISK = 0.75  # of the time given


class Impossible(Exception):
    """The item's state does not allow this. `missing` names each thing that is needed first (pointer, words)."""

    def __init__(
        self, detail: str, type: str = "impossible-transition", missing: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.type = type
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise of a service level: due at a moment, at risk from one on, met at one or not yet."""

    due_at: datetime
    at_risk_at: datetime
    met_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What an event may look at and change; `time` is the time in which its clocks run."""

    status: Status
    mandatory: bool
    owner: str | None = None
    offered_to: str | None = None
    contacted: bool = False
    acknowledge: Clock | None = None
    contact: Clock | None = None
    resolve: Clock | None = None
    paused_at: datetime | None = None
    wait_until: datetime | None = None
    outcome: str | None = None
    root_cause: str | None = None
    time: Time = PLAIN_TIME


def target_state(clock: Clock, paused_at: datetime | None, now: datetime) -> TargetState:
    """How a promise stands at `now`; a clock that stands still is judged by the moment it was stopped."""
    if clock.met_at is not None:
        return "met" if clock.met_at <= clock.due_at else "missed"
    moment = paused_at or now
    if moment > clock.due_at:
        return "missed"
    if paused_at is not None:
        return "paused"
    return "at_risk" if moment >= clock.at_risk_at else "running"


def next_due(item: Item) -> datetime | None:
    """The earliest promise still to be kept; none of an item that is done."""
    if item.status in {"resolved", "retracted"}:
        return None
    clocks = (item.acknowledge, item.contact, item.resolve)
    return min((clock.due_at for clock in clocks if clock and clock.met_at is None), default=None)


def happen(item: Item, event: Event, now: datetime) -> Item:
    """Apply an event.

    Raises:
        Impossible: the item's status does not allow it, or something is needed first.
    """
    match event:
        case Acknowledge():
            _require(item, event, "open")
            return replace(_acknowledged(item, now), status="acknowledged")
        case Assign() | HandOff() | Accept() | Decline() | ReviewBypass() | AcknowledgeEscalation() | WrongRouting():
            return _owned(item, event)
        case ContactAttempt():
            _require(item, event, *UNRESOLVED)
            reached = _met(item.contact, now) if event.outcome == "reached" else item.contact
            return replace(item, contacted=True, contact=reached)
        case Wait():
            _require(item, event, "open", "acknowledged")
            if event.until is not None and event.until <= now:
                later = "This lies in the past: give a moment to come, or leave it out."
                raise Impossible("`until` lies in the past.", missing=[("/until", later)])
            return replace(_acknowledged(item, now), status="waiting", paused_at=now, wait_until=event.until)
        case Resume():
            _require(item, event, "waiting")
            return replace(_resumed(item, now), status="acknowledged")
        case Resolve():
            _require(item, event, *UNRESOLVED)
            _require_complete(item, event)
            return replace(_resolved(item, now), outcome=event.outcome, root_cause=event.root_cause)
        case Judge():
            _require(item, event, *UNRESOLVED)
            return replace(_resolved(item, now), outcome=_verdict(event), root_cause=None)
        case Reopen():
            _require(item, event, "resolved")
            reopened = None if item.resolve is None else replace(item.resolve, met_at=None)
            return replace(item, status="acknowledged", resolve=reopened, outcome=None, root_cause=None)


def _owned(item: Item, event: Owning) -> Item:
    """Whose it is, to whom it is offered, what was said about that; who may say so is asked before."""
    if isinstance(event, WrongRouting):
        return item
    if isinstance(event, ReviewBypass | AcknowledgeEscalation):
        _require(item, event, *UNRESOLVED, "resolved")
        return item
    _require(item, event, *UNRESOLVED)
    match event:
        case Assign():
            return replace(item, owner=event.owner, offered_to=None)
        case HandOff():
            return replace(item, offered_to=event.owner)
        case Accept():
            return replace(item, owner=item.offered_to, offered_to=None)
        case Decline():
            return replace(item, offered_to=None)


def _require(item: Item, event: Event, *allowed: Status) -> None:
    if item.status not in allowed:
        raise Impossible(f"The item is {item.status}; '{event.type}' is possible while it is {' or '.join(allowed)}.")


def _met(clock: Clock | None, now: datetime) -> Clock | None:
    return clock if clock is None or clock.met_at is not None else replace(clock, met_at=now)


def _acknowledged(item: Item, now: datetime) -> Item:
    return replace(item, acknowledge=_met(item.acknowledge, now))


def _resumed(item: Item, now: datetime) -> Item:
    """A true pause: of what is still to be kept, as much open time is left as there was when the clocks stopped."""
    if item.paused_at is None:
        return item
    paused_at, time = item.paused_at, item.time

    def later(clock: Clock | None) -> Clock | None:
        if clock is None or clock.met_at is not None or clock.due_at < paused_at:
            return clock
        return _moved(clock, time, max(clock.due_at, time.later(now, time.between(paused_at, clock.due_at))))

    return replace(
        item,
        acknowledge=later(item.acknowledge),
        contact=later(item.contact),
        resolve=later(item.resolve),
        paused_at=None,
        wait_until=None,
    )


def _moved(clock: Clock, time: Time, due_at: datetime) -> Clock:
    if due_at == clock.due_at:
        return clock
    return replace(clock, due_at=due_at, at_risk_at=time.earlier(due_at, time.between(clock.at_risk_at, clock.due_at)))


def _require_complete(item: Item, event: Resolve) -> None:
    if not item.mandatory:
        return
    needed = (
        ("/contact_attempt", item.contacted, "the customer has not been contacted: record a contact_attempt"),
        ("/outcome", bool((event.outcome or "").strip()), "say what came of it"),
        ("/root_cause", bool((event.root_cause or "").strip()), "say what the cause was"),
    )
    missing = [(pointer, detail) for pointer, given, detail in needed if not given]
    if missing:
        raise Impossible(
            "A mandatory follow-up is resolved with a contact attempt, an outcome and a root cause.",
            "follow-up-incomplete",
            missing,
        )


def _resolved(item: Item, now: datetime) -> Item:
    running = _resumed(item, now)
    return replace(
        running,
        status="resolved",
        offered_to=None,
        acknowledge=_met(running.acknowledge, now),
        resolve=_met(running.resolve, now),
    )


def _verdict(event: Judge) -> str:
    """The answers in words: `Yes: negative-text-ticket. No: product-suggestion.`."""
    by_answer = {said: [name for name, answer in event.rules.items() if answer is said] for said in (True, False)}
    return " ".join(
        f"{word}: {', '.join(by_answer[said])}." for said, word in ((True, "Yes"), (False, "No")) if by_answer[said]
    )
