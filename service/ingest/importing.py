"""The rows of a file become feedback, a piece at a time: rows, counts and position commit together."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from service.ingest import upload
from service.ingest.field_map import check, guess, translate
from service.ingest.file_layout import Layout, UnreadableFile, recognise
from service.ingest.file_rows import Row, rows
from service.ingest.intake import LOCKED, OVERTAKEN, Origin, Refused, accept, patiently
from service.ingest.record import FeedbackRecord
from service.ingest.source import Received
from service.store.database import Database
from service.store.tables import Import, now
from service.store.vault import Vault

PIECE = 1_000  # rows in one transaction
ERRORS_KEPT = 1_000  # in the row of the import; all are counted
SAMPLE = 200  # rows that a guess looks at


class Overtaken(Exception):
    """The import is not where we left it: another process works on it, or has ended it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be imported and how, recognised and checked. `digest` is the file's SHA-256, `size` in bytes."""

    source: str
    file_name: str
    layout: Layout
    mapping: Mapping[str, str]
    history: bool
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a row was rejected; `column` is None where it is the row as a whole."""

    row: int
    column: str | None
    detail: str


@dataclass(frozen=True, slots=True)
class Understood:
    """A row of a file: as a record, or with every reason why it is none."""

    number: int
    cells: Mapping[str, object]
    record: FeedbackRecord | None
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """A piece that is stored: where the import stands now, and what of the piece was rejected."""

    standing: Import
    rejected: tuple[Understood, ...]


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def understand(row: Row, mapping: Mapping[str, str], source: str) -> Understood:
    """Read a row through the mapping."""
    if row.wrong is not None:
        return Understood(row.number, row.cells, None, (Mistake(row.number, None, row.wrong),))
    read = translate(row, mapping, source=source)
    if isinstance(read, FeedbackRecord):
        return Understood(row.number, row.cells, read)
    return Understood(row.number, row.cells, None, tuple(Mistake(one.row, one.column, one.detail) for one in read))


def ask(path: Path, name: str, *, source: str, mapping: Mapping[str, str] | None, history: bool) -> Asked:
    """Look at a file and settle how it is read; the mapping is guessed where none is given.

    Raises:
        UnreadableFile: it is no CSV, NDJSON or XLSX that can be read.
        InvalidMap: the mapping does not fit the file.
    """
    asked = look_at(path, name, source=source, mapping=mapping, history=history)
    check(asked.mapping, asked.layout.columns)
    return asked


def look_at(path: Path, name: str, *, source: str, mapping: Mapping[str, str] | None, history: bool) -> Asked:
    """As `ask`, but the mapping is not checked: a person is going to mend it.

    Raises:
        UnreadableFile: it is no CSV, NDJSON or XLSX that can be read.
    """
    layout = recognise(path, name)
    chosen = guessed(path, layout) if mapping is None else mapping
    return Asked(source, _plain_name(name), layout, chosen, history, digest_of_file(path), path.stat().st_size)


def guessed(path: Path, layout: Layout) -> dict[str, str]:
    """The mapping that the file's own names and first rows suggest."""
    return guess(layout.columns, [row.cells for row in islice(rows(path, layout), SAMPLE) if row.wrong is None])


def _plain_name(name: str) -> str:
    """The last step of a path, without what could act on a terminal."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(one for one in last if one.isprintable())[:255] or "file"


def preview(path: Path, asked: Asked, most: int) -> list[Understood]:
    """The first rows as an import would understand them; nothing is stored.

    Raises:
        UnreadableFile: the file breaks off within them.
    """
    return [understand(row, asked.mapping, asked.source) for row in islice(rows(path, asked.layout), most)]


def begin(session: Session, asked: Asked, *, by: str) -> Import:
    """The row of a new import, at its first row."""
    made = Import(
        source=asked.source,
        file_name=asked.file_name,
        layout=asked.layout.to_json(),
        mapping=dict(asked.mapping),
        history=asked.history,
        digest=asked.digest,
        size=asked.size,
        created_by=by,
    )
    session.add(made)
    session.flush()
    return made


def unfinished(session: Session, asked: Asked) -> Import | None:
    """The import of the same file, for the same source and read the same way, that a command left behind."""
    found = session.exec(
        select(Import)
        .where(col(Import.source) == asked.source, col(Import.digest) == asked.digest, col(Import.state) == "running")
        .order_by(col(Import.created_at).desc())
    )
    for one in found:
        same = (one.mapping, one.history, one.layout) == (dict(asked.mapping), asked.history, asked.layout.to_json())
        if same and not upload.is_kept(session, one.id):
            return one
    return None


def pieces(database: Database, vault: Vault, begun: Import, path: Path) -> Iterator[Progress]:
    """Store a file's rows from where its import stands; says after every piece how far it has come.

    Each piece is durable when it is told of, and whoever stops asking can go on later: nothing is stored twice.

    Raises:
        Overtaken: another process works on this import.
        sqlalchemy.exc.DBAPIError, psycopg.Error: the database did not take a piece; go on later.
    """
    standing = begun
    following = rows(path, Layout.from_json(begun.layout), after=begun.position)
    while standing.state == "running":
        piece, ending = _next_piece(following)
        understood = [understand(row, standing.mapping, standing.source) for row in piece]
        progress = patiently(partial(_store, database, vault, standing, understood, ending), OVERTAKEN | LOCKED)
        standing = progress.standing
        yield progress


@dataclass(frozen=True, slots=True)
class _Ending:
    state: str = "running"
    reason: str | None = None


def _next_piece(following: Iterator[Row]) -> tuple[list[Row], _Ending]:
    piece: list[Row] = []
    try:
        for row in islice(following, PIECE):
            piece.append(row)  # noqa: PERF402 (what was read before the file breaks off is kept)
    except UnreadableFile as error:
        return piece, _Ending("failed", str(error))
    return piece, _Ending() if len(piece) == PIECE else _Ending("done")


def _store(
    database: Database, vault: Vault, before: Import, understood: Sequence[Understood], ending: _Ending
) -> Progress:
    with database.session() as session:
        found = session.get(Import, before.id, with_for_update={"key_share": True})
        if found is None or found.state != "running" or found.position != before.position:
            raise Overtaken("This file is being imported by another process: look at its import instead.")
        good = [(one, one.record) for one in understood if one.record is not None]
        submissions = [[Received(record, _original(one.cells))] for one, record in good]
        outcomes = accept(session, submissions, vault, Origin(found.id, found.history))
        rejected = [one for one in understood if one.record is None]
        for (one, record), outcome in zip(good, outcomes, strict=True):
            if isinstance(outcome, Refused):
                rejected.append(_conflict(one, record, found.mapping))
            else:
                status = outcome[0].status
                setattr(found, status, getattr(found, status) + 1)
        rejected.sort(key=lambda one: one.number)
        _count(found, rejected)
        found.rows += len(understood)
        found.position = understood[-1].number if understood else found.position
        _end(session, found, ending)
        session.add(found)
    return Progress(found, tuple(rejected))


def _original(cells: Mapping[str, object]) -> bytes:
    return json.dumps(dict(cells), ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _conflict(one: Understood, record: FeedbackRecord, mapping: Mapping[str, str]) -> Understood:
    detail = (
        f"Revision {record.revision} of {record.external_id!r} is stored, or stands earlier in this file, with other "
        "content: give what has changed a higher revision, or read it with the same mapping as before."
    )
    return Understood(one.number, one.cells, None, (Mistake(one.number, mapping.get("external_id"), detail),))


def _count(found: Import, rejected: Sequence[Understood]) -> None:
    found.rejected += len(rejected)
    room = ERRORS_KEPT - len(found.errors)
    told = [_told(mistake) for one in rejected for mistake in one.mistakes][:room]
    if told:
        found.errors = [*found.errors, *told]


def _told(mistake: Mistake) -> dict[str, Any]:
    return {"row": mistake.row, "column": mistake.column, "detail": mistake.detail}


def _end(session: Session, found: Import, ending: _Ending) -> None:
    found.updated_at = now()
    if ending.state != "running":
        found.state, found.reason, found.finished_at = ending.state, ending.reason, now()
        upload.forget(session, found.id)


def fail(database: Database, vault: Vault, standing: Import, reason: str) -> None:
    """End an import that cannot go on; `reason` is a sentence.

    Raises:
        Overtaken: another process works on it.
    """
    _store(database, vault, standing, [], _Ending("failed", reason))
