"""Deliveries to a person's own destination: what they are told, once, with retries and dead letters as everywhere."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select
from uuid_utils.compat import uuid7

from service.deliver.destination import Notification, Told
from service.store import jobs
from service.store.tables import Delivery, Notice, WorkItem

NOTIFY = "notify"


def send(session: Session, destination: str, notices: Sequence[Notice], at: datetime) -> None:
    """Send these notices, all of one person, together; they are marked with their delivery. The caller commits.

    A delivery belongs to a work item, the first that is told of; what is about none is on the pages alone.
    """
    item = next((one.work_item_id for one in notices if one.work_item_id is not None), None)
    if item is None:
        return
    session.get(WorkItem, item, with_for_update={"key_share": True})  # one number at a time; held already where many
    before = select(func.coalesce(func.max(Delivery.sequence), 0)).where(
        col(Delivery.work_item_id) == item,
        col(Delivery.destination) == destination,
        col(Delivery.operation) == NOTIFY,
    )
    row_id = uuid7()
    row = Delivery(
        id=row_id,
        work_item_id=item,
        destination=destination,
        operation=NOTIFY,
        sequence=session.exec(before).one() + 1,
        idempotency_key=str(row_id),
        next_at=at,
        created_at=at,
    )
    session.add(row)
    session.flush()
    for notice in notices:
        notice.delivery_id = row_id
    jobs.defer(session, "deliver", delivery=str(row_id), once=f"deliver:{row_id}")


def notification(session: Session, delivery_id: UUID, public_url: str | None) -> Notification:
    """What a delivery tells, as it stands now: a due time that has moved since is told as it is."""
    found = session.exec(
        select(Notice, WorkItem)
        .outerjoin(WorkItem, col(WorkItem.id) == col(Notice.work_item_id))
        .where(col(Notice.delivery_id) == delivery_id)
        .order_by(col(Notice.harm).desc(), col(Notice.id))
    ).all()
    told = tuple(_told(notice, item, public_url) for notice, item in found)
    return Notification(person=found[0][0].person if found else "", notices=told)


def _told(notice: Notice, item: WorkItem | None, public_url: str | None) -> Told:
    return Told(
        kind=notice.kind,
        words=notice.words,
        work_item_id=str(item.id) if item else None,
        url=f"{public_url.rstrip('/')}/work-items/{item.id}" if item and public_url else None,
        level=notice.level,
        due_at=item.due_at if item else None,
    )
