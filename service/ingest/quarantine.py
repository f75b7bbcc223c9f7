"""Feedback that was set aside because it failed again and again: let it try once more."""

from uuid import UUID

from sqlmodel import Session, col, select

from service.ingest.intake import restart
from service.store import audit
from service.store.tables import Feedback

AT_ONCE = 200  # that one request lets go


class NotQuarantined(Exception):
    """Only a quarantined record can be retried; the message says how it stands."""


def retry(session: Session, feedback_id: UUID, *, actor: str) -> Feedback | None:
    """Let a quarantined record try again, from the beginning; None where there is no such record.

    Raises:
        NotQuarantined: it is under way, or through.
    """
    row = session.get(Feedback, feedback_id, with_for_update=True)
    if row is None:
        return None
    if row.stage != "quarantined":
        raise NotQuarantined(f"This record is {row.stage}: only a quarantined one can be retried.")
    _retry(session, row, actor)
    return row


def retry_all(session: Session, *, actor: str) -> int:
    """Let the records that were set aside first, at most `AT_ONCE`, try again; how many."""
    rows = session.exec(
        select(Feedback)
        .where(col(Feedback.stage) == "quarantined")
        .order_by(col(Feedback.stage_since))
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        _retry(session, row, actor)
    return len(rows)


def _retry(session: Session, row: Feedback, actor: str) -> None:
    restart(session, row)
    audit.record(session, actor, "feedback.retried", str(row.id))
