"""A file that waits for somebody's word: kept, shown as an import would understand it, then begun or thrown away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from service.ingest import upload
from service.ingest.field_map import InvalidMap, check
from service.ingest.file_layout import Layout, UnreadableFile
from service.ingest.file_rows import rows
from service.ingest.import_job import defer_turn
from service.ingest.importing import Asked, Mistake, Understood, begin, understand
from service.store.tables import Import, ImportChunk, now
from service.store.vault import Vault

WAITING = "waiting"  # the state of an import that nobody has begun; the API does not tell of it
KEPT = timedelta(days=1)
LOOKED_AT = 1_000  # rows
SHOWN = 5  # rows, in full
MISTAKES = 50  # that are shown
MOST_FILES = 5  # of one person that wait


class TooManyFiles(Exception):
    """This person has kept so many files that they should begin or throw away one first."""


class NotWaiting(Exception):
    """Somebody has begun this import, or thrown the file away."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How the first rows of a file would be understood; `problems` are the mapping's own, as (field, sentence)."""

    first: tuple[Understood, ...]
    rows: int
    rejected: int
    mistakes: tuple[Mistake, ...]
    problems: tuple[tuple[str, str], ...]
    broken: str = ""


def keep(session: Session, vault: Vault, asked: Asked, path: Path, *, by: str) -> Import:
    """Keep a file, and how it would be imported, until somebody says so.

    Raises:
        TooManyFiles: five of theirs wait already; each may hold 200 MB.
    """
    waiting_now = select(func.count()).where(col(Import.state) == WAITING, col(Import.created_by) == by)
    if session.exec(waiting_now).one() >= MOST_FILES:
        raise TooManyFiles(f"{MOST_FILES} files of yours wait already: start them or throw them away first.")
    made = begin(session, asked, by=by)
    made.state, made.rows_about = WAITING, _lines(path, asked.layout)
    session.add(made)
    session.flush()
    upload.keep(session, vault, made.id, path)
    return made


def _lines(path: Path, layout: Layout) -> int | None:
    if layout.format == "xlsx":
        return None
    with path.open("rb") as stream:
        number = sum(piece.count(b"\n") for piece in iter(partial(stream.read, 1_000_000), b""))
        stream.seek(-1, 2)
        number += stream.read(1) != b"\n"
    return max(1, number - (layout.format == "csv"))


def rehearse(session: Session, vault: Vault, row: Import) -> Rehearsed:
    """Read the first rows as the import would. The session's transaction is over afterwards.

    Raises:
        Unreadable: the file was sealed under another key, or altered.
    """
    source, mapping, layout = row.source, dict(row.mapping), Layout.from_json(row.layout)
    import_id = row.id
    session.expunge(row)
    understood: list[Understood] = []
    broken = ""
    with upload.laid_out(session, vault, import_id) as path:
        try:
            # what was read before the file breaks off is kept
            understood.extend(understand(one, mapping, source) for one in islice(rows(path, layout), LOOKED_AT))
        except UnreadableFile as error:
            broken = str(error)
    mistakes = tuple(mistake for one in understood for mistake in one.mistakes)
    rejected = sum(one.record is None for one in understood)
    first = tuple(understood[:SHOWN])
    return Rehearsed(first, len(understood), rejected, mistakes[:MISTAKES], problems(row, mapping), broken)


def problems(row: Import, mapping: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What is wrong with a mapping for this file, as (field, sentence)."""
    try:
        check(mapping, Layout.from_json(row.layout).columns)
    except InvalidMap as error:
        return error.problems
    return ()


def waiting(session: Session, import_id: UUID) -> Import:
    """An import that nobody has begun, locked.

    Raises:
        NotWaiting: there is none of this id.
    """
    row = session.get(Import, import_id, with_for_update=True)
    if row is None or row.state != WAITING:
        raise NotWaiting
    return row


def start(session: Session, row: Import) -> None:
    """Let a worker import it; the caller has looked for `problems`."""
    row.state, row.updated_at = "running", now()
    session.add(row)
    defer_turn(session, row.id)


def throw_away(session: Session, row: Import) -> None:
    """Forget the file and that it was ever sent."""
    upload.forget(session, row.id)
    session.delete(row)


def forget_old(session: Session) -> None:
    """Throw away the files that nobody came back to."""
    old = select(Import.id).where(col(Import.state) == WAITING, col(Import.created_at) < now() - KEPT)
    session.execute(delete(ImportChunk).where(col(ImportChunk.import_id).in_(old)))
    session.execute(delete(Import).where(col(Import.state) == WAITING, col(Import.created_at) < now() - KEPT))
