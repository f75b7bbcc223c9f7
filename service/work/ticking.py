"""What an item's clocks say on their own, and when next: at risk, missed, an escalation, an offer that ran out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlmodel import Session, col, select

from service.route.clocks import TARGETS, Target
from service.route.versions import SYSTEM
from service.store import jobs
from service.store.tables import WorkItem, WorkItemEvent
from service.work import escalation
from service.work.lifecycle import Clock
from service.work.snapshot import clocks

_AFTER = timedelta(microseconds=1)  # what is met at the moment it is due is met in time
_STOPPED = {"waiting", "resolved", "retracted"}


@dataclass(frozen=True, slots=True)
class Said:
    """That a promise is at risk or missed, true from `moment` on."""

    moment: datetime
    type: Literal["at_risk", "missed"]
    target: Target
    due_at: datetime

    @property
    def key(self) -> str:
        return f"{self.type}:{self.target}"


def unsaid(running: Mapping[Target, Clock], said: Collection[str]) -> list[Said]:
    """What clocks that are not met still have to say, in the order of the moments; `said` are keys of what they did."""
    both = [
        one
        for target, clock in running.items()
        if clock.met_at is None
        for one in (
            Said(clock.at_risk_at, "at_risk", target, clock.due_at),
            Said(clock.due_at + _AFTER, "missed", target, clock.due_at),
        )
        if one.key not in said
    ]
    return sorted(both, key=lambda one: (one.moment, one.type, TARGETS.index(one.target)))


def due_events(running: Mapping[Target, Clock], said: Collection[str], at: datetime) -> list[Said]:
    """What is to be written down at `at`: all whose moment has come, however long ago, each once."""
    return [one for one in unsaid(running, said) if one.moment <= at]


def next_moment(
    running: Mapping[Target, Clock], said: Collection[str], others: Collection[datetime]
) -> datetime | None:
    """When to look again; `others` are moments of other things that wait. None where nothing is left to wait for."""
    return min([one.moment for one in unsaid(running, said)] + list(others), default=None)


def history_of(session: Session, row: WorkItem) -> list[WorkItemEvent]:
    """What happened to an item, in order."""
    found = select(WorkItemEvent).where(WorkItemEvent.work_item_id == row.id).order_by(col(WorkItemEvent.sequence))
    return list(session.exec(found))


def catch_up(session: Session, row: WorkItem, history: list[WorkItemEvent], at: datetime) -> None:
    """Write down what an item's clocks had to say until `at`, also into `history`; its row is locked by the caller.

    The data of the events is `{"target": "acknowledge", "due_at": "..."}`, of one that is missed also whose it was,
    `owner` and `group`, for it counts for them whoever takes the item later; they are written at `at`.
    """
    life = 1 + _restored(history)
    for one in due_events(_running(row), _said(history), at):
        whose = {"owner": row.owner, "group": row.owner_group} if one.type == "missed" else {}
        event = WorkItemEvent(
            work_item_id=row.id,
            sequence=history[-1].sequence + 1 if history else 1,
            type=one.type,
            actor=SYSTEM,
            data={"target": one.target, "due_at": one.due_at.isoformat(), **whose},
            once_key=one.key if life == 1 else f"{one.key}:{life}",
            at=at,
        )
        session.add(event)
        history.append(event)


def schedule(session: Session, row: WorkItem, history: Sequence[WorkItemEvent]) -> None:
    """Note when the item's clocks have something to say next, and defer the job that lets them."""
    before, row.tick_at = row.tick_at, _next_tick(row, history)
    session.add(row)
    if row.tick_at is not None and row.tick_at != before:
        key = tick_key(row.id, row.tick_at)
        jobs.defer(session, "tick", at=row.tick_at, once=key, item=str(row.id))


def tick_key(item: UUID, moment: datetime) -> str:
    """The key by which the job of a moment waits only once."""
    return f"tick:{item}:{moment.isoformat()}"


def _next_tick(row: WorkItem, history: Sequence[WorkItemEvent]) -> datetime | None:
    level = escalation.next_level(row, history)
    others = [] if level is None else [level[2]]
    if row.offered_to is not None and row.offer_due_at is not None:
        others.append(row.offer_due_at)
    return next_moment(_running(row), _said(history), others)


def _running(row: WorkItem) -> dict[Target, Clock]:
    """The clocks that run; none while the item waits or once it is done."""
    if row.status in _STOPPED:
        return {}
    return {target: clock for target, clock in zip(TARGETS, clocks(row), strict=True) if clock is not None}


def _said(history: Sequence[WorkItemEvent]) -> set[str]:
    """What the clocks have said, in this life: those of an item that was restored after a retraction began anew."""
    said = set[str]()
    for event in history:
        if event.type in {"at_risk", "missed"}:
            said.add(f"{event.type}:{event.data['target']}")
        elif event.type == "restored":
            said.clear()
    return said


def _restored(history: Sequence[WorkItemEvent]) -> int:
    return sum(event.type == "restored" for event in history)
