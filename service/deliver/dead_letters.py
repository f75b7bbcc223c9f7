"""Deliveries that were given up: sent once more, or put away by somebody who has seen them."""

from uuid import UUID

from sqlmodel import Session, col, select

from service.deliver import outbox
from service.store import audit
from service.store.tables import Delivery, now

AT_ONCE = 200  # that one request sends again, or puts away


class NotDead(Exception):
    """Only a delivery that was given up can be sent again or put away; the message says how it stands."""


def replay(session: Session, delivery_id: UUID, *, actor: str) -> Delivery | None:
    """Send a dead delivery once more, under the same idempotency key; None where there is no such delivery.

    Raises:
        NotDead: it waits, or has been delivered.
    """
    row = _locked(session, delivery_id, "replayed")
    if row is not None:
        _replay(session, row, actor)
    return row


def put_away(session: Session, delivery_id: UUID, *, actor: str) -> Delivery | None:
    """Note that somebody has seen a dead delivery: it is no longer told of, and can still be sent again.

    Raises:
        NotDead: it waits, or has been delivered.
    """
    row = _locked(session, delivery_id, "put away")
    if row is not None and row.acknowledged_at is None:
        row.acknowledged_at = now()
        session.add(row)
        audit.record(session, actor, "delivery.put_away", str(row.id), destination=row.destination)
    return row


def replay_all(session: Session, *, actor: str) -> int:
    """Send the oldest dead deliveries that nobody has put away, at most `AT_ONCE`, again; how many."""
    rows = session.exec(
        select(Delivery)
        .where(col(Delivery.state) == "dead", col(Delivery.acknowledged_at).is_(None))
        .order_by(col(Delivery.created_at), col(Delivery.id))
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        _replay(session, row, actor)
    return len(rows)


def _replay(session: Session, row: Delivery, actor: str) -> None:
    row.acknowledged_at = None
    outbox.replay(session, row)
    audit.record(session, actor, "delivery.replayed", str(row.id), destination=row.destination)


def _locked(session: Session, delivery_id: UUID, done: str) -> Delivery | None:
    row = session.get(Delivery, delivery_id, with_for_update=True)
    if row is not None and row.state != "dead":
        raise NotDead(f"This delivery is {row.state}: only a dead one can be {done}.")
    return row
