"""The audit chain: who did what to which object, each link hashed over the one before."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from service.store.tables import AuditEvent, now

_CHAIN_LOCK = 0x68656564  # any constant: one writer of the chain at a time, until its transaction ends
GENESIS = "0" * 64


def link(
    previous: str, sequence: int, at: datetime, actor: str, action: str, subject: str, data: dict[str, Any]
) -> str:
    """SHA-256 (hex) of one event and of the hash before it, over canonical JSON."""
    record = [previous, sequence, at.isoformat(), actor, action, subject, data]
    return hashlib.sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def record(session: Session, actor: str, action: str, subject: str, **data: Any) -> None:  # noqa: ANN401 (JSON)
    """Append an event in the caller's transaction; `data` is JSON without secrets or customers' words."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHAIN_LOCK})
    last = session.exec(select(AuditEvent).order_by(col(AuditEvent.sequence).desc()).limit(1)).first()
    sequence, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
    at = now()
    session.add(
        AuditEvent(
            sequence=sequence,
            at=at,
            actor=actor,
            action=action,
            object=subject,
            data=data,
            previous_hash=previous,
            hash=link(previous, sequence, at, actor, action, subject, data),
        )
    )
    session.flush()
