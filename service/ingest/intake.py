"""Feedback becomes rows, once: idempotent on source, external id and revision, and its next job in the same commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import Session, col, select
from uuid_utils.compat import uuid7

from service.ingest.settle import Conflict, Identity, Known, Settled, identity, settle
from service.ingest.source import Received
from service.store import jobs
from service.store.tables import Feedback, FeedbackRevision, Source, now
from service.store.vault import Vault

MICRO_BATCH = 64
ORIGINALS_KEPT = timedelta(days=90)


class Raced(Exception):
    """Another process stored one of these records a moment ago: try again, and see it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A submission with conflicts; nothing of it is stored."""

    conflicts: tuple[Conflict, ...]


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
    rows: list[tuple[Settled, Received]] = []
    for submission in submissions:
        digested = [(item.record, item.record.digest()) for item in submission]
        result = settle(digested, known, [uuid7() for _ in submission])
        if isinstance(result, list):
            outcomes.append(Refused(tuple(result)))
            continue
        settled, known = result
        outcomes.append(tuple(settled))
        rows.extend(zip(settled, submission, strict=True))
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
        for feedback_id, revision, digest in session.exec(
            stored.where(col(FeedbackRevision.feedback_id).in_(list(digests)))
        ):
            digests[feedback_id][revision] = digest
    return {(row.source, row.external_id): Known(row.id, row.revision, digests[row.id]) for row in found}


def _store(session: Session, rows: Sequence[tuple[Settled, Received]], vault: Vault) -> None:
    at = now()
    fresh = [settled for settled, _ in rows if settled.status == "new"]
    if fresh:
        _insert_new(session, fresh, at)
    stored = [(settled, item) for settled, item in rows if settled.status != "duplicate"]
    if stored:
        session.execute(insert(FeedbackRevision), [_revision(settled, item, vault, at) for settled, item in stored])
    for settled, _ in rows:
        if settled.status == "revision":
            _renew(session, settled, at)
    waiting = list(dict.fromkeys(str(settled.id) for settled, _ in rows if settled.status in {"new", "revision"}))
    for start in range(0, len(waiting), MICRO_BATCH):
        jobs.defer(session, "classify", ids=list(waiting[start : start + MICRO_BATCH]))


def _insert_new(session: Session, fresh: Sequence[Settled], at: datetime) -> None:
    names = sorted({settled.record.source for settled in fresh})
    session.execute(
        upsert(Source).on_conflict_do_nothing(),
        [{"name": name, "kind": "api", "settings": {}, "created_at": at} for name in names],
    )
    values: list[dict[str, Any]] = [
        {
            "id": settled.id,
            "source": settled.record.source,
            "external_id": settled.record.external_id,
            "revision": settled.record.revision,
            "stage": "received",
            "stage_since": at,
            "attempts": 0,
            "history": False,
            "received_at": at,
        }
        for settled in sorted(fresh, key=lambda one: identity(one.record))
    ]
    inserted = session.scalars(upsert(Feedback).on_conflict_do_nothing().returning(col(Feedback.id)), values).all()
    if len(inserted) < len(values):
        raise Raced


def _revision(settled: Settled, item: Received, vault: Vault, at: datetime) -> dict[str, Any]:
    submitted = settled.record.submitted_at or at
    sealed = vault.seal(item.original, f"original {settled.id} {settled.record.revision}")
    return {
        "id": uuid7(),
        "feedback_id": settled.id,
        "revision": settled.record.revision,
        "body": settled.record.content(),
        "digest": settled.digest,
        "original": sealed.data,
        "key_id": sealed.key_id,
        "original_expires_at": at + ORIGINALS_KEPT,
        "submitted_at": submitted,
        "received_at": at,
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
