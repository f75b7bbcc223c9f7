"""What becomes of each record, decided on values: new, duplicate, revision, stale, or in conflict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from uuid import UUID

from service.ingest.record import FeedbackRecord

Status = Literal["new", "duplicate", "revision", "stale"]
Identity = tuple[str, str]  # source, external id


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a feedback record: its newest revision and the digest of each; a withdrawn one stays so."""

    id: UUID
    revision: int
    digests: Mapping[int, str] = field(default_factory=dict)
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """One record's outcome, and the feedback it belongs to."""

    record: FeedbackRecord
    digest: str
    id: UUID
    status: Status


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same source, external id and revision with other content."""

    index: int
    record: FeedbackRecord


def identity(record: FeedbackRecord) -> Identity:
    """What makes two records revisions of one answer."""
    return record.source, record.external_id


def settle(
    records: Sequence[tuple[FeedbackRecord, str]], known: Mapping[Identity, Known], fresh: Sequence[UUID]
) -> tuple[list[Settled], dict[Identity, Known]] | list[Conflict]:
    """Settle a list in its order: the second of two equal records in it is a duplicate.

    Args:
        records: each with the digest of its content.
        known: what is stored already; it is not changed.
        fresh: one unused id per record.

    Returns:
        every record's outcome and what is known afterwards, or all conflicts where there is any.
    """
    after = dict(known)
    settled: list[Settled] = []
    conflicts: list[Conflict] = []
    for index, ((record, digest), new_id) in enumerate(zip(records, fresh, strict=True)):
        stored = after.get(identity(record))
        if stored is None:
            stored = Known(new_id, record.revision)
            status: Status = "new"
        elif record.revision in stored.digests:
            if stored.digests[record.revision] != digest:
                conflicts.append(Conflict(index, record))
            status = "duplicate"
        else:
            status = "revision" if record.revision > stored.revision and not stored.withdrawn else "stale"
        after[identity(record)] = replace(
            stored,
            revision=max(stored.revision, record.revision),
            digests={**stored.digests, record.revision: digest},
        )
        settled.append(Settled(record, digest, stored.id, status))
    return conflicts or (settled, after)
