"""Feedback becomes rows, once: idempotent on source, external id and revision, and its next job in the same commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlmodel import Session, col, select
from uuid_utils.compat import uuid7

from service.ingest.record import digest_of
from service.ingest.settle import Conflict, Identity, Known, Settled, identity, settle
from service.ingest.source import Received
from service.store import jobs
from service.store.tables import Feedback, FeedbackRevision, among, now
from service.store.vault import Vault

MICRO_BATCH = 64
ORIGINALS_KEPT = timedelta(days=90)


class Raced(Exception):
    """Another process stored one of these records a moment ago: try again, and see it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A submission with conflicts; nothing of it is stored."""

    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class _Accepted:
    settled: Settled
    content: str
    item: Received


Submission = Sequence[Received]
Outcome = tuple[Settled, ...] | Refused


def accept(session: Session, submissions: Sequence[Submission], vault: Vault) -> list[Outcome]:
    """Store several submissions in one transaction; each is accepted or refused as a whole.

    Returns:
        one outcome per submission, in order. Durable once the caller has committed.

    Raises:
        Raced: roll back and call again.
    """
    known = _known(session, {identity(item.record) for submission in submissions for item in submission})
    outcomes: list[Outcome] = []
    rows: list[_Accepted] = []
    for submission in submissions:
        contents = [item.record.canonical() for item in submission]
        digested = [(item.record, digest_of(content)) for item, content in zip(submission, contents, strict=True)]
        result = settle(digested, known, [uuid7() for _ in submission])
        if isinstance(result, list):
            outcomes.append(Refused(tuple(result)))
            continue
        settled, known = result
        outcomes.append(tuple(settled))
        rows.extend(map(_Accepted, settled, contents, submission))
    _store(session, rows, vault)
    return outcomes


def _known(session: Session, identities: set[Identity]) -> dict[Identity, Known]:
    """What is stored of these identities, locked until the transaction ends, in one order to avoid deadlocks."""
    wanted = sorted(identities)
    found = session.execute(
        text(
            "SELECT f.id, f.source, f.external_id, f.revision FROM feedback f"
            " JOIN unnest(CAST(:sources AS varchar[]), CAST(:ids AS varchar[])) AS wanted (source, external_id)"
            " USING (source, external_id) ORDER BY f.id FOR NO KEY UPDATE OF f"
        ),
        {"sources": [source for source, _ in wanted], "ids": [external for _, external in wanted]},
    ).all()
    digests: dict[UUID, dict[int, str]] = {row.id: {} for row in found}
    if digests:
        stored = select(FeedbackRevision.feedback_id, FeedbackRevision.revision, FeedbackRevision.digest)
        for feedback_id, revision, stored_digest in session.exec(
            stored.where(among(FeedbackRevision.feedback_id, digests))
        ):
            digests[feedback_id][revision] = stored_digest
    return {(row.source, row.external_id): Known(row.id, row.revision, digests[row.id]) for row in found}


# Plain SQL, because these carry every record of a flood: SQLAlchemy's own inserts take three times the CPU.
_SOURCES = text(
    "INSERT INTO source (name, kind, settings, created_at)"
    " SELECT name, 'api', '{}', :at FROM unnest(CAST(:names AS varchar[])) AS name ON CONFLICT DO NOTHING"
)
_FEEDBACK = text(
    "INSERT INTO feedback (id, source, external_id, revision, stage, stage_since, attempts, history, received_at)"
    " VALUES (:id, :source, :external_id, :revision, 'received', :at, 0, false, :at) ON CONFLICT DO NOTHING"
)
_REVISIONS = text(
    "INSERT INTO feedback_revision (id, feedback_id, revision, body, digest, original, key_id, original_expires_at,"
    " submitted_at, received_at) VALUES (:id, :feedback_id, :revision, CAST(:body AS jsonb), :digest, :original,"
    " :key_id, :original_expires_at, :submitted_at, :at)"
)


def _store(session: Session, rows: Sequence[_Accepted], vault: Vault) -> None:
    at = now()
    fresh = [row.settled for row in rows if row.settled.status == "new"]
    if fresh:
        _insert_new(session, fresh, at)
    stored = [_revision(row, vault, at) for row in rows if row.settled.status != "duplicate"]
    if stored:
        session.connection().execute(_REVISIONS, stored)
    for row in rows:
        if row.settled.status == "revision":
            _renew(session, row.settled, at)
    moved = (row.settled for row in rows if row.settled.status in {"new", "revision"})
    waiting = list(dict.fromkeys(str(settled.id) for settled in moved))
    for start in range(0, len(waiting), MICRO_BATCH):
        jobs.defer(session, "classify", ids=list(waiting[start : start + MICRO_BATCH]))


def _insert_new(session: Session, fresh: Sequence[Settled], at: datetime) -> None:
    names = sorted({settled.record.source for settled in fresh})
    session.connection().execute(_SOURCES, {"names": names, "at": at})
    values = [
        {
            "id": settled.id,
            "source": settled.record.source,
            "external_id": settled.record.external_id,
            "revision": settled.record.revision,
            "at": at,
        }
        for settled in sorted(fresh, key=lambda one: identity(one.record))
    ]
    if session.connection().execute(_FEEDBACK, values).rowcount < len(values):
        raise Raced


def _revision(row: _Accepted, vault: Vault, at: datetime) -> dict[str, Any]:
    settled = row.settled
    sealed = vault.seal(row.item.original, f"original {settled.id} {settled.record.revision}")
    return {
        "id": uuid7(),
        "feedback_id": settled.id,
        "revision": settled.record.revision,
        "body": row.content,
        "digest": settled.digest,
        "original": sealed.data,
        "key_id": sealed.key_id,
        "original_expires_at": at + ORIGINALS_KEPT,
        "submitted_at": settled.record.submitted_at or at,
        "at": at,
    }


def _renew(session: Session, settled: Settled, at: datetime) -> None:
    session.execute(
        update(Feedback)
        .where(col(Feedback.id) == settled.id, col(Feedback.revision) < settled.record.revision)
        .values(revision=settled.record.revision, stage="received", stage_since=at, attempts=0, reason=None)
    )


def restart(session: Session, row: Feedback) -> None:
    """Send a record that left the road back to its beginning, with a clean slate of attempts."""
    row.stage, row.stage_since, row.attempts, row.reason = "received", now(), 0, None
    session.add(row)
    jobs.defer(session, "classify", ids=[str(row.id)])
