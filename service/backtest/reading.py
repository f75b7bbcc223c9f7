"""Stored records as cases, piece by piece: one COPY of the parts that the policies look at.

COPY, since the server then writes the next record while this one is decided: measured at 34 us a record, where
fetching the same rows took 52 and fetching whole documents 95.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql
from pydantic_core import from_json

from service.backtest.judging import Needs
from service.decisions import case_from
from service.route.case import Case

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
    """A record; its case is None where nobody has read its text yet."""

    feedback_id: str
    case: Case | None


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


def stored(connection: psycopg.Connection[Any], needs: Needs, piece: Piece) -> Iterator[Stored]:
    """The records of a piece, oldest first."""
    with connection.cursor() as cursor, cursor.copy(_query(needs, piece)) as rows:
        for feedback_id, source, history, received_at, unread, body, document, topics, past in rows.rows():
            if unread == "t":
                yield Stored(feedback_id, None)
                continue
            answer = from_json(body)
            case = case_from(
                answer,
                from_json(document) if document else None,
                from_json(topics) if topics else None,
                source=source,
                history=history == "t",
                at=datetime.fromisoformat(received_at),
            )
            if needs.text:
                case = replace(case, text=tuple(said["text"] for said in answer.get("verbatims", ())))
            if needs.past and case.customer.id is not None:
                case = replace(case, past=_moments(past))
            yield Stored(feedback_id, case)


def _moments(past: str | None) -> dict[str, tuple[datetime, ...]]:
    made = from_json(past) if past else {}
    return {kind: tuple(datetime.fromisoformat(at) for at in moments) for kind, moments in made.items()}


def _query(needs: Needs, piece: Piece) -> sql.Composed:
    """The columns of `stored`: a part that nobody looks at is not there, or NULL."""
    read = sql.SQL("NULL, NULL"), sql.SQL("")
    if needs.beliefs:
        read = (
            sql.SQL("c.document - '{verbatims,spans,mixed,truncated,classifier}'::text[], c.topics"),
            sql.SQL(
                " LEFT JOIN LATERAL (SELECT document, topics FROM classification c"
                " WHERE c.feedback_id = f.id AND c.revision = f.revision ORDER BY c.created_at DESC LIMIT 1) c ON true"
            ),
        )
    return sql.SQL(
        "COPY (SELECT f.id, f.source, f.history, f.received_at, {unread}, {body}, {read}, {past}"
        " FROM feedback f JOIN feedback_revision r ON r.feedback_id = f.id AND r.revision = f.revision{join}"
        " WHERE {period} AND (f.received_at, f.id) >= ({begin}, {first}){end} ORDER BY f.received_at, f.id) TO STDOUT"
    ).format(
        unread=sql.SQL("f.stage IN ('received', 'quarantined') AND c.document IS NULL" if needs.beliefs else "false"),
        body=sql.SQL("r.body" if needs.text else "r.body - 'verbatims'"),
        read=read[0],
        past=_PAST if needs.past else sql.SQL("NULL"),
        join=read[1],
        period=_PERIOD.format(since=piece.begin.received_at, until=piece.until),
        begin=piece.begin.received_at,
        first=piece.begin.id,
        end=sql.SQL(" AND (f.received_at, f.id) < ({}, {})").format(*piece.end) if piece.end else sql.SQL(""),
    )


# What was really made for the customer before, as the decision of the day saw it.
_PAST = sql.SQL(
    "(SELECT jsonb_object_agg(kind, moments) FROM (SELECT w.kind, jsonb_agg(w.created_at ORDER BY w.created_at DESC)"
    " AS moments FROM work_item w WHERE w.customer = r.body #>> '{{customer,id}}' AND w.created_at < f.received_at"
    " AND w.status <> 'retracted' GROUP BY w.kind) made)"
)
