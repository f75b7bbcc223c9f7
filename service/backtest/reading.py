"""Stored records as cases, piece by piece: one COPY of the values that the policies look at.

COPY, since the server then writes the next record while this one is decided, and takes the least time of ours.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql
from pydantic_core import from_json

from service.backtest.columns import Columns
from service.route.case import Case
from service.route.certificates import ReadBy

PIECE = 5_000  # records
_PERIOD = sql.SQL("f.withdrawn_at IS NULL AND f.received_at >= {since} AND f.received_at < {until}")


class Place(NamedTuple):
    """A record's place in the order of the feedback."""

    received_at: datetime
    id: UUID


class Piece(NamedTuple):
    """Records next to each other, from `begin` up to `end` or the end of the period; `number` counts from 0."""

    number: int
    begin: Place
    end: Place | None
    until: datetime


class Stored(NamedTuple):
    """A record, and what it was read by where a gate asks; its case is None where nobody has read its text yet."""

    feedback_id: str
    case: Case | None
    by: ReadBy | None


class Laid(NamedTuple):
    """A period cut into pieces, and how many records it has."""

    records: int
    pieces: tuple[Piece, ...]


def lay(connection: psycopg.Connection[Any], since: datetime, until: datetime) -> Laid:
    """Cut a period into pieces of equal size."""
    query = sql.SQL(
        "SELECT received_at, id, number, records FROM ("
        "SELECT f.received_at, f.id, row_number() OVER (ORDER BY f.received_at, f.id) - 1 AS number,"
        " count(*) OVER () AS records FROM feedback f WHERE {period}) numbered"
        " WHERE number % {size} = 0 ORDER BY number"
    ).format(period=_PERIOD.format(since=since, until=until), size=PIECE)
    rows = connection.execute(query).fetchall()
    begins = [Place(received_at, feedback_id) for received_at, feedback_id, *_ in rows]
    ends = [*begins, None][1 : len(begins) + 1]
    pieces = (Piece(number, begin, end, until) for number, (begin, end) in enumerate(zip(begins, ends, strict=True)))
    return Laid(rows[0][3] if rows else 0, tuple(pieces))


def stored(connection: psycopg.Connection[Any], columns: Columns, piece: Piece) -> Iterator[Stored]:
    """The records of a piece, oldest first."""
    query = sql.SQL("COPY ({}{}) TO STDOUT {}").format(columns.query, _within(piece), _PLAIN)
    with connection.cursor() as cursor, cursor.copy(query) as lines:
        for line in lines:
            row = from_json(bytes(line))
            yield Stored(row[0], columns.case(row), columns.read_by(row))


# JSON has no bare control characters, so with these nothing of it is quoted: each line is a record's array as it is.
_PLAIN = sql.SQL("(FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')")


def _within(piece: Piece) -> sql.Composed:
    """The WHERE of a piece.

    Of the bounds on `received_at` alone the planner can tell how few records lie between them: without, it reads all
    feedback there is for each piece (84 s for a million records, 41 with).
    """
    period = _PERIOD.format(since=piece.begin.received_at, until=piece.until)
    begin = sql.SQL(" AND (f.received_at, f.id) >= ({}, {})").format(*piece.begin)
    end = sql.SQL(" AND f.received_at <= {0} AND (f.received_at, f.id) < ({0}, {1})")
    bounds = period + begin + (end.format(*piece.end) if piece.end else sql.SQL(""))
    return sql.SQL(" WHERE {} ORDER BY f.received_at, f.id").format(bounds)
