"""Feedback becomes rows, once: idempotent on source, external id and revision, and its next job in the same commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
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


TRIES = 5
OVERTAKEN = frozenset({"40001", "40P01"})  # serialization failure, deadlock: somebody else went first
LOCKED = frozenset({"55P03"})  # somebody else's lock was not to be had in time
Stored = TypeVar("Stored")


class Raced(Exception):
    """Another process stored one of these records a moment ago: try again, and see it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from: pushed, or a file. A record of history starts no clock and sends nothing."""

    import_id: UUID | None = None
    history: bool = False


PUSHED = Origin()


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
Queue = Callable[[str, int], int]


def first_come(source: str, number: int) -> int:  # noqa: ARG001 (what a `Queue` is asked)
    """The queue of who has no rivals: the tag of the next `number` records of a source."""
    return 0


def accept(
    session: Session,
    submissions: Sequence[Submission],
    vault: Vault,
    origin: Origin = PUSHED,
    queue: Queue = first_come,
) -> list[Outcome]:
    """Store several submissions in one transaction; each is accepted or refused as a whole.

    Args:
        session: whose transaction it is.
        submissions: records, in the order of their coming.
        vault: seals their originals.
        origin: where they come from.
        queue: gives what was pushed its place in the fair queue.

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
    _store(session, rows, vault, origin, queue)
    return outcomes


def patiently(once: Callable[[], Stored], again: frozenset[str] = OVERTAKEN) -> Stored:
    """Run a transaction that calls `accept`, and again (`TRIES` times in all) where somebody else went first.

    `again` holds the SQLSTATEs that are worth another try.
    """
    for _ in range(TRIES - 1):
        try:
            return once()
        except Raced:
            continue
        except (DBAPIError, psycopg.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if getattr(cause, "sqlstate", None) not in again:
                raise
    return once()


def _known(session: Session, identities: set[Identity]) -> dict[Identity, Known]:
    """What is stored of these identities, locked until the transaction ends, in one order to avoid deadlocks."""
    wanted = sorted(identities)
    found = session.execute(
        text(
            "SELECT f.id, f.source, f.external_id, f.revision, f.withdrawn_at FROM feedback f"
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
    return {
        (row.source, row.external_id): Known(row.id, row.revision, digests[row.id], row.withdrawn_at is not None)
        for row in found
    }


# COPY, because these carry every record of a flood: INSERT takes more CPU here and in the database.
_FEEDBACK = sql.SQL(
    "COPY feedback (id, source, external_id, revision, stage, stage_since, attempts, history, import_id, received_at)"
    " FROM STDIN"
)
_REVISIONS = sql.SQL(
    "COPY feedback_revision (id, feedback_id, revision, body, digest, original, key_id, original_expires_at,"
    " submitted_at, received_at) FROM STDIN"
)
_SOURCES = text(
    "INSERT INTO source (name, kind, settings, created_at)"
    " SELECT name, 'api', '{}', :at FROM unnest(CAST(:names AS varchar[])) AS name ON CONFLICT DO NOTHING"
)


def _store(session: Session, rows: Sequence[_Accepted], vault: Vault, origin: Origin, queue: Queue) -> None:
    at = now()
    fresh = [row.settled for row in rows if row.settled.status == "new"]
    if fresh:
        _insert_new(session, fresh, at, origin)
    stored = [_revision(row, vault, at) for row in rows if row.settled.status != "duplicate"]
    if stored:
        _copy(session, _REVISIONS, stored)
    for row in rows:
        if row.settled.status == "revision":
            _renew(session, row.settled, at, origin)
    _defer(session, [row.settled for row in rows if row.settled.status in {"new", "revision"}], origin, queue)


def _defer(session: Session, moved: Sequence[Settled], origin: Origin, queue: Queue) -> None:
    """The next jobs of records that are new, or have a new revision: none with records of two sources."""
    by_source: dict[str, dict[str, None]] = {}
    for settled in moved:
        by_source.setdefault(settled.record.source, {})[str(settled.id)] = None
    for source, ids in by_source.items():
        waiting = list(ids)
        tag = queue(source, len(waiting)) if origin.import_id is None else None
        for start in range(0, len(waiting), MICRO_BATCH):
            priority = jobs.LATER if tag is None else jobs.fair(tag + start)
            jobs.defer(session, "classify", priority=priority, ids=list(waiting[start : start + MICRO_BATCH]))


def _insert_new(session: Session, fresh: Sequence[Settled], at: datetime, origin: Origin) -> None:
    names = sorted({settled.record.source for settled in fresh})
    session.connection().execute(_SOURCES, {"names": names, "at": at})
    values = [
        (one.id, *identity(one.record), one.record.revision, "received", at, 0, origin.history, origin.import_id, at)
        for one in sorted(fresh, key=lambda one: identity(one.record))
    ]
    try:
        _copy(session, _FEEDBACK, values)
    except psycopg.errors.UniqueViolation as error:
        raise Raced from error


def _copy(session: Session, statement: sql.SQL, rows: Sequence[tuple[Any, ...]]) -> None:
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("heed's sessions run on psycopg 3")
    with driver.cursor() as cursor, cursor.copy(statement) as stream:
        for row in rows:
            stream.write_row(row)


def _revision(row: _Accepted, vault: Vault, at: datetime) -> tuple[Any, ...]:
    """The values of a revision, in the order of `_REVISIONS`."""
    settled = row.settled
    number, submitted_at = settled.record.revision, settled.record.submitted_at or at
    sealed = vault.seal(row.item.original, f"original {settled.id} {number}")
    original = (sealed.data, sealed.key_id, at + ORIGINALS_KEPT)
    return (uuid7(), settled.id, number, row.content, settled.digest, *original, submitted_at, at)


def _renew(session: Session, settled: Settled, at: datetime, origin: Origin) -> None:
    """A record is what its newest revision is: of history, or of today."""
    session.execute(
        update(Feedback)
        .where(col(Feedback.id) == settled.id, col(Feedback.revision) < settled.record.revision)
        .values(
            revision=settled.record.revision,
            stage="received",
            stage_since=at,
            attempts=0,
            reason=None,
            history=origin.history,
            import_id=origin.import_id,
        )
    )


def restart(session: Session, row: Feedback) -> None:
    """Send a record that left the road back to its beginning, with a clean slate of attempts."""
    row.stage, row.stage_since, row.attempts, row.reason = "received", now(), 0, None
    session.add(row)
    jobs.defer(session, "classify", ids=[str(row.id)])
