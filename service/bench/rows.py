"""The floor under ingest: the rows it stored, written again by nothing but INSERT or COPY on one connection."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import set_json_loads
from sqlmodel import SQLModel
from uuid_utils.compat import uuid7

from service.bench.posting import chunks

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Values for one table, in the order of its columns."""

    table: str
    columns: tuple[str, ...]
    values: Sequence[Row]


def connect(conninfo: str) -> psycopg.Connection[Row]:
    """A connection that gives jsonb as the text it takes again, so that no time goes into JSON."""
    connection: psycopg.Connection[Row] = psycopg.connect(conninfo)
    set_json_loads(lambda data: data if isinstance(data, str) else data.decode(), connection)
    return connection


def stored(connection: psycopg.Connection[Row], prefix: str, anew: str) -> tuple[Rows, Rows]:
    """What ingest wrote for the records whose external ids begin with `prefix`, under fresh ids: `anew` before each."""
    feedback = _read(connection, "feedback", "id", prefix)
    revisions = _read(connection, "feedback_revision", "feedback_id", prefix)
    ids: Mapping[UUID, UUID] = {row[0]: uuid7() for row in feedback.values}
    external = feedback.columns.index("external_id")
    owner = revisions.columns.index("feedback_id")
    return (
        replace(
            feedback,
            values=[
                (ids[row[0]], *row[1:external], anew + row[external], *row[external + 1 :]) for row in feedback.values
            ],
        ),
        replace(
            revisions,
            values=[(uuid7(), *row[1:owner], ids[row[owner]], *row[owner + 1 :]) for row in revisions.values],
        ),
    )


def _read(connection: psycopg.Connection[Row], table: str, owner: str, prefix: str) -> Rows:
    columns = tuple(column.name for column in SQLModel.metadata.tables[table].columns)
    query = sql.SQL(
        "SELECT {columns} FROM {table}"
        " WHERE {owner} IN (SELECT id FROM feedback WHERE external_id LIKE %s) ORDER BY {owner}"
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        table=sql.Identifier(table),
        owner=sql.Identifier(owner),
    )
    found = connection.execute(query, [prefix + "-%"]).fetchall()
    connection.commit()
    return Rows(table, columns, found)


Write = Callable[[psycopg.Cursor[Row], Rows], None]


def insert(cursor: psycopg.Cursor[Row], rows: Rows) -> None:
    """One INSERT of many rows."""
    row = sql.SQL("({})").format(sql.SQL(", ").join([sql.Placeholder()] * len(rows.columns)))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES {}").format(
        sql.Identifier(rows.table),
        sql.SQL(", ").join(map(sql.Identifier, rows.columns)),
        sql.SQL(", ").join([row] * len(rows.values)),
    )
    cursor.execute(statement, [value for values in rows.values for value in values])


def copy(cursor: psycopg.Cursor[Row], rows: Rows) -> None:
    """One COPY of many rows."""
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(rows.table), columns)
    with cursor.copy(statement) as stream:
        for values in rows.values:
            stream.write_row(values)


def write(connection: psycopg.Connection[Row], both: tuple[Rows, Rows], how: Write, per_commit: int) -> float:
    """Write feedback and revisions, `per_commit` records in each transaction; seconds."""
    parts = [
        [replace(rows, values=values) for rows, values in zip(both, pair, strict=True)]
        for pair in zip(*(chunks(rows.values, per_commit) for rows in both), strict=True)
    ]
    started = time.perf_counter()
    for part in parts:
        with connection.transaction(), connection.cursor() as cursor:
            for rows in part:
                how(cursor, rows)
    return time.perf_counter() - started
