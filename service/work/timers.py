"""Timers of work items: what fires when the moment has come, and the jobs that wait for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from service.store import jobs
from service.store.tables import WorkItem, WorkItemEvent
from service.work import escalation, handing
from service.work.items import locked
from service.work.ticking import catch_up, history_of, schedule, tick_key


def tick(session: Session, item_id: UUID, at: datetime) -> None:
    """Let an item's clocks say what they have to say at `at`; the caller commits.

    Written are, each once and in the order of their moments, `at_risk` and `missed` of every promise that is not met;
    then every escalation level whose time has come, and the end of an offer nobody took up; then when to look again.
    A tick that comes too early, too late, twice or for an item that is done changes nothing that is not so.
    """
    row = locked(session, item_id)
    if row is None:
        return
    if row.tick_at is not None and row.tick_at > at:
        _defer_anew(session, row, row.tick_at, early=row.tick_at - at)
        return
    history = history_of(session, row)
    catch_up(session, row, history, at)
    session.flush()
    _escalate(session, row, history, at)
    if row.offer_due_at is not None and row.offer_due_at <= at:
        handing.expire(session, row, at)
    row.tick_at = None  # this one has fired: the next, at the same moment even, has a job of its own
    schedule(session, row, history)


def _defer_anew(session: Session, row: WorkItem, moment: datetime, early: timedelta) -> None:
    """The job of a moment to come waits; or it ran too early by our clock, behind the database's or set back."""
    jobs.defer(session, "tick", at=moment + early, once=tick_key(row.id, moment), item=str(row.id))


def _escalate(session: Session, row: WorkItem, history: list[WorkItemEvent], at: datetime) -> None:
    while (found := escalation.next_level(row, history)) is not None:
        number, level, moment = found
        event = escalation.escalate(session, row, number, level, at) if moment <= at else None
        if event is None:
            return
        history.append(event)


def defer_ticks(session: Session, rows: Sequence[WorkItem]) -> None:
    """Defer the first ticks of new items, those that have clocks, in one statement."""
    alarms = [
        jobs.Alarm(row.tick_at, tick_key(row.id, row.tick_at), {"item": str(row.id)}) for row in rows if row.tick_at
    ]
    jobs.defer_at(session, "tick", alarms)


def defer_ticks_again(session: Session, rows: Sequence[WorkItem]) -> None:
    """Defer the first ticks of items whose clocks begin anew: a job of before may wait for the very same moment."""
    for row in rows:
        if row.tick_at is not None:
            jobs.defer(session, "tick", at=row.tick_at, once=tick_key(row.id, row.tick_at), item=str(row.id))


def defer_lost(session: Session, at: datetime, patience: timedelta) -> int:
    """Defer again the ticks of up to 1,000 items that are late by more than `patience`, and say how many are."""
    late = session.exec(
        select(WorkItem.id, WorkItem.tick_at)
        .where(col(WorkItem.tick_at) < at - patience)
        .order_by(col(WorkItem.tick_at))
        .limit(1_000)
    ).all()
    for item, moment in late:
        if moment is not None:
            jobs.defer(session, "tick", once=tick_key(item, moment), item=str(item))
    return len(late)
