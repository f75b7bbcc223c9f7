"""Updates and comments: they follow their work item to its destination, one after the other."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from service.deliver import draft
from service.deliver.destination import Draft
from service.store import jobs
from service.store.tables import Delivery, FeedbackRevision, WorkItemEvent, now

FOLLOWING = ("update", "comment")
_ORDER = (col(Delivery.sequence), col(Delivery.operation).desc())  # of what tells of one event, the update first

_PENDING = col(Delivery.operation).in_(FOLLOWING) & (col(Delivery.state) == "pending")


@dataclass(frozen=True)
class Amendment:
    """What `create` made is to be brought up to date."""

    draft: Draft
    external_ref: str | None


@dataclass(frozen=True)
class Remark:
    """Something is to be said about what `create` made."""

    draft: Draft
    external_ref: str | None
    text: str


def may_go(session: Session, row: Delivery) -> bool:
    """Whether it is this one's turn; else it is put off, or given up where the item itself never arrived."""
    created = _first(session, row, col(Delivery.operation) == "create")
    if created is None or created.state == "dead":
        row.state, row.next_at = "dead", None
        row.last_error = (
            f"The work item itself never arrived at '{row.destination}': send that delivery again, and this follows."
        )
        session.add(row)
        release(session, row)
        return False
    ahead = created if created.state == "pending" else _first(session, row, _pending_before(row))
    if ahead is None:
        return True
    row.next_at, row.last_error = ahead.next_at, f"It waits for an earlier delivery to '{row.destination}'."
    session.add(row)
    if row.next_at is not None:
        jobs.defer(session, "deliver", delivery=str(row.id), at=row.next_at, once=f"deliver:{row.id}")
    return False


def said(session: Session, row: Delivery, now: Draft) -> Amendment | Remark:
    """What an update or a comment has to say; a comment tells of the event that has its sequence."""
    created = _first(session, row, col(Delivery.operation) == "create")
    ref = created.external_ref if created else None
    if row.operation == "update":
        return Amendment(now, ref)
    event = session.get_one(WorkItemEvent, (row.work_item_id, row.sequence))
    return Remark(now, ref, draft.remark(event.type, event.data, *_words(session, event.data)))


def _words(session: Session, data: dict[str, Any]) -> tuple[list[draft.Said], dict[str, float]]:
    """What was said in the revision that an event tells of."""
    if "revision" not in data:
        return [], {}
    body = session.exec(
        select(FeedbackRevision.body).where(
            col(FeedbackRevision.feedback_id) == UUID(data["feedback_id"]),
            col(FeedbackRevision.revision) == data["revision"],
        )
    ).one()
    said = [draft.Said(answer.get("question"), answer["text"]) for answer in body.get("verbatims", [])]
    return said, body.get("scores", {})


def release(session: Session, row: Delivery) -> None:
    """A delivery has ended, well or not: the next one that waits behind it goes."""
    following = _first(session, row, _pending_after(row))
    if following is not None and following.attempt == 0:
        following.next_at = now()
        session.add(following)
        jobs.defer_each(session, "deliver", [{"delivery": str(following.id)}])  # beside the job that was put off


def revive(session: Session, row: Delivery) -> None:
    """A delivery is sent again: what was given up behind it, untried, follows it after all."""
    if row.operation == "create":
        for one in session.exec(_beside(row).where(col(Delivery.state) == "dead", col(Delivery.attempt) == 0)):
            one.state, one.next_at, one.acknowledged_at = "pending", row.next_at, None
            session.add(one)


def _beside(row: Delivery) -> SelectOfScalar[Delivery]:
    return (
        select(Delivery)
        .where(
            col(Delivery.work_item_id) == row.work_item_id,
            col(Delivery.destination) == row.destination,
            col(Delivery.id) != row.id,
        )
        .order_by(*_ORDER)
        .execution_options(populate_existing=True)
    )


def _first(session: Session, row: Delivery, condition: ColumnElement[bool]) -> Delivery | None:
    return session.exec(_beside(row).where(condition)).first()


def _pending_before(row: Delivery) -> ColumnElement[bool]:
    earlier = col(Delivery.sequence) < row.sequence
    if row.operation == "comment":
        earlier |= (col(Delivery.sequence) == row.sequence) & (col(Delivery.operation) == "update")
    return _PENDING & earlier


def _pending_after(row: Delivery) -> ColumnElement[bool]:
    if row.operation == "create":
        return _PENDING
    later = col(Delivery.sequence) > row.sequence
    if row.operation == "update":
        later |= (col(Delivery.sequence) == row.sequence) & (col(Delivery.operation) == "comment")
    return _PENDING & later
