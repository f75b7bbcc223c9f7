"""Somebody who was told of a missed promise sees to it."""

from datetime import datetime

from sqlmodel import Session, col, func, select, update

from service.store.tables import Notice, WorkItem
from service.work.events import AcknowledgeEscalation
from service.work.items import record_event
from service.work.lifecycle import Impossible


def acknowledge(session: Session, row: WorkItem, event: AcknowledgeEscalation, *, actor: str, at: datetime) -> None:
    """Note that somebody sees to an escalation (the item's row locked by the caller); the caller commits.

    Raises:
        Impossible: nothing was escalated, the item is done, or it was told to others.
    """
    escalated = select(Notice.person).where(col(Notice.work_item_id) == row.id, col(Notice.kind) == "escalated")
    told = sorted(set(session.exec(escalated)))
    if not told:
        raise Impossible("Nothing about this item was escalated: there is nothing to acknowledge.")
    if actor not in told:
        raise Impossible(f"This was told to {', '.join(told)}: one of them says that they see to it.")
    record_event(session, row, event, actor=actor, at=at)
    session.execute(
        update(Notice)
        .where(
            col(Notice.work_item_id) == row.id,
            col(Notice.person) == actor,
            col(Notice.kind) == "escalated",
            col(Notice.acknowledged_at).is_(None),
        )
        .values(
            acknowledged_at=at,
            seen_at=func.coalesce(col(Notice.seen_at), at),
            told_at=func.coalesce(col(Notice.told_at), at),
        )
    )
