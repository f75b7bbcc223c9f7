"""Records that fit a search, newest first. Every query is bounded, and says so where it did not look everywhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

SHOWN = 50  # records of a group
_COMMON = 10_000  # records with the same words; beyond that only the newest records are looked at
_NEWEST = 5_000
_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records may be found: those of one source, or (None) all."""

    source: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A feedback record that was found; `kinds` are those of the work it made."""

    id: UUID
    source: str
    external_id: str
    stage: str
    received_at: datetime
    words: str
    scores: dict[str, Any]
    kinds: list[str]


@dataclass(frozen=True, slots=True)
class Group:
    """The newest records that fit, whether there are more, and what was not looked at."""

    records: Sequence[Record]
    more: bool = False
    note: str = ""


_TOLD = (
    "SELECT f.id, f.source, f.external_id, f.stage, f.received_at,"
    " coalesce((SELECT left(answer.value ->> 'text', 600)"
    "  FROM jsonb_array_elements(r.body -> 'verbatims') AS answer (value)"
    "  WHERE answer.value ->> 'text' ~ '[^[:space:]]' LIMIT 1), '') AS words,"
    " coalesce(r.body -> 'scores', '{{}}') AS scores,"
    " ARRAY(SELECT DISTINCT e.kind FROM work_item_evidence e WHERE e.feedback_id = f.id ORDER BY e.kind) AS kinds"
    " FROM ({ids}) AS found (id) JOIN feedback f ON f.id = found.id"
    " JOIN feedback_revision r ON r.feedback_id = f.id AND r.revision = f.revision"
    " WHERE (CAST(:source AS varchar) IS NULL OR f.source = :source)"
    " ORDER BY f.received_at DESC, f.id DESC LIMIT :shown"
)
_EXTERNAL = _TOLD.format(
    ids="SELECT named.id FROM source s JOIN feedback named ON named.source = s.name AND named.external_id = :asked"
)
_CUSTOMER = _TOLD.format(
    ids="SELECT DISTINCT feedback_id FROM feedback_revision WHERE body -> 'customer' ->> 'id' = :asked LIMIT 10000"
)
# The matches in any order, up to a bound; a newer revision may have lost the words, so it is asked again below.
_MATCHES = text(
    "SELECT count(*) FROM (SELECT 1 FROM feedback_revision"
    " WHERE feedback_words(body) @@ websearch_to_tsquery('simple', :asked) LIMIT :common) AS matches"
)
_RARE = _TOLD.format(
    ids="SELECT DISTINCT old.feedback_id FROM feedback_revision old JOIN feedback now"
    " ON now.id = old.feedback_id AND now.revision = old.revision"
    " WHERE feedback_words(old.body) @@ websearch_to_tsquery('simple', :asked)"
)
_RECENT = _TOLD.format(
    ids="SELECT newest.id FROM (SELECT id, revision, received_at FROM feedback"
    " WHERE CAST(:source AS varchar) IS NULL OR source = :source ORDER BY received_at DESC, id DESC LIMIT :newest) AS"
    " newest JOIN feedback_revision said ON said.feedback_id = newest.id AND said.revision = newest.revision"
    " WHERE feedback_words(said.body) @@ websearch_to_tsquery('simple', :asked)"
    " ORDER BY newest.received_at DESC, newest.id DESC LIMIT :shown"
)


def by_external_id(session: Session, asked: str, scope: Scope) -> Group:
    """The records that a source calls exactly so."""
    return _group(session, _EXTERNAL, {"asked": asked, "source": scope.source})


def by_customer(session: Session, asked: str, scope: Scope) -> Group:
    """The records of the customer with exactly this id."""
    return _group(session, _CUSTOMER, {"asked": asked, "source": scope.source})


def by_words(session: Session, asked: str, scope: Scope) -> Group:
    """The records whose newest answers hold all these words.

    Words that very many records hold are looked for in the newest records only; the note says so.
    """
    # Everything *without* a word would be nearly everything: a leading minus means nothing here.
    bound = {"asked": re.sub(r"(^|\s)-+", r"\1", asked), "source": scope.source}
    try:
        # The index even for a common word: to read every record's words takes far longer. The bound is the last resort.
        session.execute(text(f"SET LOCAL statement_timeout = '{_SECONDS}s'"))
        session.execute(text("SET LOCAL enable_seqscan = off"))
        common = session.execute(_MATCHES, {**bound, "common": _COMMON + 1}).scalar_one() > _COMMON
        if not common:
            return _group(session, _RARE, bound)
        recent = _group(session, _RECENT, {**bound, "newest": _NEWEST})
        return Group(recent.records, recent.more, "" if recent.more else _ONLY_NEWEST)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "57014":
            raise
        return Group((), note="These words took too long to look for: ask for a rarer word, or for fewer.")
    finally:
        session.rollback()  # ends what was set for this one search


_ONLY_NEWEST = f"Very many records hold these words: only the newest {_NEWEST:,} records were looked at."


def _group(session: Session, query: str, bound: dict[str, Any]) -> Group:
    found = session.execute(text(query), {"shown": SHOWN + 1, **bound}).mappings()
    records = [Record(**row) for row in found]
    return Group(records[:SHOWN], len(records) > SHOWN)


def by_ids(session: Session, ids: Sequence[UUID]) -> dict[UUID, Record]:
    """These records, by their id; what is gone is left out."""
    bound = {"asked": list(ids), "source": None, "shown": len(ids)}
    rows = session.execute(text(_TOLD.format(ids="SELECT unnest(CAST(:asked AS uuid[]))")), bound).mappings()
    return {row["id"]: Record(**row) for row in rows}
