"""Sources and how each of them stands: made when their first record comes, by a push or in a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from service.ingest.backlog import MOST_WAITING
from service.ingest.backlog import count as count_waiting

COUNTED = 1_000  # records of a source; beyond that it is "1,000+"
_SECRET = frozenset({"token"})  # settings that are never shown


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source without its secrets; `newest_at` is when its newest record was received."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    created_at: datetime
    newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """A source in figures. `records` is exact up to `COUNTED`; `refused`: heed takes no more of it for now."""

    source: KnownSource
    records: int
    waiting: int
    set_aside: int
    refused: bool = field(default=False)


_SOURCES = (
    "SELECT s.name, s.kind, s.settings, s.created_at, newest.received_at AS newest_at FROM source s"
    " LEFT JOIN LATERAL (SELECT received_at FROM feedback WHERE source = s.name ORDER BY received_at DESC LIMIT 1)"
    " newest ON true"
)


def sources(session: Session, *, after: str = "", limit: int = 200) -> list[KnownSource]:
    """Sources by name, after this one."""
    query = text(f"{_SOURCES} WHERE s.name > :after ORDER BY s.name LIMIT :limit")
    return [_known(row) for row in session.execute(query, {"after": after, "limit": limit})]


def find_source(session: Session, name: str) -> KnownSource | None:
    """The source of this name."""
    row = session.execute(text(f"{_SOURCES} WHERE s.name = :name"), {"name": name}).first()
    return _known(row) if row else None


def standings(session: Session, *, after: str = "", limit: int = 200) -> list[SourceStanding]:
    """Sources by name, after this one, in figures: everything from indexes, whatever they hold."""
    found = sources(session, after=after, limit=limit)
    records = _records(session, [one.name for one in found])
    waiting = count_waiting(session).sources
    aside = set_aside(session)
    full = waiting.total() >= MOST_WAITING
    return [
        SourceStanding(
            source=one,
            records=records.get(one.name, 0),
            waiting=waiting[one.name],
            set_aside=aside.get(one.name, 0),
            refused=full or waiting[one.name] >= MOST_WAITING // 2,
        )
        for one in found
    ]


def set_aside(session: Session) -> dict[str, int]:
    """How many records of each source were set aside, of the first `COUNTED`."""
    query = text(
        "SELECT source, count(*) FROM (SELECT source FROM feedback WHERE stage = 'quarantined' LIMIT :most) aside"
        " GROUP BY source"
    )
    return {str(source): int(number) for source, number in session.execute(query, {"most": COUNTED + 1})}


def _records(session: Session, names: Sequence[str]) -> dict[str, int]:
    query = text(
        "SELECT name, (SELECT count(*) FROM (SELECT FROM feedback WHERE source = name LIMIT :most) few)"
        " FROM unnest(CAST(:names AS varchar[])) AS name"
    )
    found = session.execute(query, {"names": list(names), "most": COUNTED + 1})
    return {str(name): int(number) for name, number in found}


def _known(row: Any) -> KnownSource:  # noqa: ANN401 (a row of the query above)
    shown = {name: value for name, value in row.settings.items() if name not in _SECRET}
    return KnownSource(row.name, row.kind, shown, row.created_at, row.newest_at)
