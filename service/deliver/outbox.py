"""The `deliver` job, one per delivery: send, write down the attempt, and defer the next one or give up."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlmodel import Session, col, select, update

from service.deliver import following
from service.deliver.catalog import open_destination
from service.deliver.destination import Call, Draft, InvalidDestination, Notification, Receipt, Rejected, TryLater
from service.deliver.following import FOLLOWING, Amendment, Remark
from service.deliver.http import Client
from service.deliver.notify import NOTIFY, notification
from service.deliver.retry import SCHEDULE, GiveUp, next_attempt
from service.store import audit, jobs
from service.store.database import Database
from service.store.tables import (
    Delivery,
    DeliveryAttempt,
    Destination,
    Feedback,
    WorkItem,
    WorkItemEvidence,
    now,
)
from service.store.vault import Sealed, Unreadable, Vault

log = structlog.get_logger(__name__)

UNDER_WAY = timedelta(seconds=90)  # longer than any attempt: after this it is taken to be lost
MOST_EVIDENCE = 1_000  # feedback records that a destination is told of
EARLY = timedelta(seconds=5)  # by which the clocks of machines may differ


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt needs, read before the call and kept through it."""

    delivery_id: UUID
    number: int
    destination: Destination
    said: Draft | Amendment | Remark | Notification
    call: Call


def seal_secrets(vault: Vault, name: str, secrets: Iterable[str]) -> Sealed:
    """A destination's secrets, sealed for its row."""
    return vault.seal(json.dumps(list(secrets)).encode(), f"destination {name}")


def open_secrets(vault: Vault, row: Destination) -> list[str]:
    """A destination's secrets in clear."""
    if row.secrets is None or row.key_id is None:
        return []
    return list(json.loads(vault.open(Sealed(row.secrets, row.key_id), f"destination {row.name}")))


def deliver(database: Database, vault: Vault, http: Client, public_url: str | None, delivery_id: UUID) -> None:
    """Make one attempt. Of two runs of this job only one reaches the destination: the other finds it under way."""
    with database.session() as session:
        attempt = _begin(session, delivery_id, public_url)
    if attempt is None:
        return
    outcome = _send(attempt, vault, http)
    with database.session() as session:
        _finish(session, attempt, outcome)


def send_waiting(session: Session, destination: str) -> int:
    """Defer every delivery that has been waiting for this destination to be set up; how many.

    One that begins to wait at this very moment is not seen; the reconciler finds it.
    """
    waiting = session.scalars(
        update(Delivery)
        .where(
            col(Delivery.destination) == destination, col(Delivery.state) == "pending", col(Delivery.next_at).is_(None)
        )
        .values(next_at=now())
        .returning(col(Delivery.id))
    ).all()
    jobs.defer_each(session, "deliver", [{"delivery": str(one)} for one in waiting])
    return len(waiting)


def defer(session: Session, row: Delivery) -> None:
    """Send this delivery as soon as a worker is free."""
    row.next_at = now()
    session.add(row)
    jobs.defer(session, "deliver", delivery=str(row.id), once=f"deliver:{row.id}")


def replay(session: Session, row: Delivery) -> None:
    """Bring a dead delivery back; its key stays, so that what did arrive before is recognised there."""
    row.state = "pending"
    defer(session, row)
    following.revive(session, row)


def resume(session: Session, delivery_id: UUID) -> None:
    """Go on with a delivery whose worker was lost, under the same key; the lost attempt counts."""
    row = session.get(Delivery, delivery_id, with_for_update=True)
    if row is not None and row.state == "pending" and _write_off(session, row):
        defer(session, row)


def _write_off(session: Session, row: Delivery) -> bool:
    """Close an attempt that nobody will finish; False when it was the last one, and the delivery is dead."""
    lost = session.get(DeliveryAttempt, (row.id, row.attempt))
    if lost is None or lost.finished_at is not None:
        return True
    lost.finished_at, lost.outcome, lost.detail = now(), "lost", "The worker was lost during this attempt."
    session.add(lost)
    if row.attempt < len(SCHEDULE):
        return True
    row.state, row.next_at, row.last_error = "dead", None, f"The worker was lost during attempt {row.attempt}."
    session.add(row)
    following.release(session, row)
    return False


def _begin(session: Session, delivery_id: UUID, public_url: str | None) -> Attempt | None:
    row = session.get(Delivery, delivery_id, with_for_update=True)
    if row is None or row.state != "pending":
        return None
    at = now()
    if row.next_at is not None and row.next_at - at > EARLY:  # an attempt is under way, or a later time was agreed
        jobs.defer(session, "deliver", delivery=str(row.id), at=row.next_at, once=f"deliver:{row.id}")
        return None
    if not _write_off(session, row) or (row.operation in FOLLOWING and not following.may_go(session, row)):
        return None
    destination = session.get(Destination, row.destination)
    if destination is None or destination.disabled_at is not None:
        row.next_at = None  # it waits until somebody sets the destination up, or enables it again
        state = "is switched off" if destination else "is not set up yet"
        row.last_error = f"The destination '{row.destination}' {state}: what is sent there waits."
        session.add(row)
        return None
    row.attempt, row.next_at = row.attempt + 1, at + UNDER_WAY
    session.add_all([row, DeliveryAttempt(delivery_id=delivery_id, number=row.attempt, started_at=at)])
    call = Call(row.idempotency_key, row.created_at, at)
    return Attempt(delivery_id, row.attempt, destination, _said(session, row, public_url), call)


def _said(session: Session, row: Delivery, public_url: str | None) -> Draft | Amendment | Remark | Notification:
    if row.operation == NOTIFY:
        return notification(session, row.id, public_url)
    draft = _draft(session, row.work_item_id, public_url)
    return following.said(session, row, draft) if row.operation in FOLLOWING else draft


def _draft(session: Session, item_id: UUID, public_url: str | None) -> Draft:
    item = session.exec(select(WorkItem).where(WorkItem.id == item_id)).one()
    origin_first = (col(WorkItemEvidence.decision_id) != item.decision_id, col(Feedback.id))
    evidence = session.exec(
        select(Feedback.id, Feedback.source, WorkItemEvidence.ended_at)
        .join(WorkItemEvidence, col(WorkItemEvidence.feedback_id) == col(Feedback.id))
        .where(WorkItemEvidence.work_item_id == item_id)
        .order_by(*origin_first)
        .limit(MOST_EVIDENCE)
    ).all()
    standing = [feedback for feedback, _, ended_at in evidence if ended_at is None]
    return Draft(
        work_item_id=str(item.id),
        kind=item.kind,
        title=item.title,
        body=item.body,
        priority=item.priority,
        mandatory=item.mandatory,
        tags=tuple(item.tags),
        owner=item.owner,
        due_at=item.due_at,
        rule=item.rule,
        feedback_ids=tuple(map(str, standing or [feedback for feedback, *_ in evidence])),
        source=evidence[0][1],
        customer=item.customer,
        url=f"{public_url.rstrip('/')}/work-items/{item.id}" if public_url else None,
        created_at=item.created_at,
        status=item.status,
    )


def _send(attempt: Attempt, vault: Vault, http: Client) -> Receipt | Rejected | TryLater:
    row = attempt.destination
    try:
        opened = open_destination(row.kind, row.settings, open_secrets(vault, row), http)
        match attempt.said:
            case Notification():
                return opened.notify(attempt.said, attempt.call)
            case Amendment(draft, external_ref):
                return opened.update(draft, external_ref, attempt.call)
            case Remark(draft, external_ref, text):
                return opened.comment(draft, external_ref, text, attempt.call)
            case Draft():
                return opened.create(attempt.said, attempt.call)
    except (Rejected, TryLater) as refusal:
        return refusal
    except Unreadable as error:
        return Rejected(f"The destination's secrets cannot be read; set them again, then replay this. {error}")
    except InvalidDestination as error:
        return Rejected(f"The destination's settings no longer work: {error}")


def _finish(session: Session, attempt: Attempt, outcome: Receipt | Rejected | TryLater) -> None:
    if isinstance(outcome, Rejected) and outcome.disable:  # locked first, as by whoever changes it: no deadlock
        session.get(Destination, attempt.destination.name, with_for_update=True)
    row = session.get(Delivery, attempt.delivery_id, with_for_update=True)
    record = session.get(DeliveryAttempt, (attempt.delivery_id, attempt.number))
    if row is None or record is None or row.attempt != attempt.number or row.state != "pending":
        return  # a later attempt has taken over: what it finds out counts
    record.finished_at = now()
    if isinstance(outcome, Receipt):
        record.outcome = "delivered"
        row.state, row.next_at, row.last_error = "delivered", None, None
        row.external_ref, row.external_url = outcome.external_ref, outcome.external_url
    else:
        record.outcome, record.detail = type(outcome).__name__.lower(), outcome.detail
        row.last_error = outcome.detail
        _plan_next(session, row, outcome)
    session.add_all([row, record])
    if row.state != "pending":
        following.release(session, row)
    log.info(
        "delivery.attempted",
        delivery=str(row.id),
        destination=row.destination,
        attempt=attempt.number,
        outcome=record.outcome,
        state=row.state,
    )


def _plan_next(session: Session, row: Delivery, outcome: Rejected | TryLater) -> None:
    decided = next_attempt(outcome, row.attempt, now(), row.idempotency_key)
    if isinstance(decided, GiveUp):
        row.state, row.next_at, row.last_error = "dead", None, decided.reason
    else:
        row.next_at = decided.at
        jobs.defer(session, "deliver", delivery=str(row.id), at=decided.at, once=f"deliver:{row.id}")
    if isinstance(outcome, Rejected) and outcome.disable:
        destination = session.get(Destination, row.destination, with_for_update=True)
        if destination is not None and destination.disabled_at is None:
            destination.disabled_at, destination.disabled_reason = now(), outcome.detail
            session.add(destination)
            audit.record(session, "heed", "destination.disabled", destination.name, reason=outcome.detail)
