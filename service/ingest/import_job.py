"""Files that were uploaded, imported by whichever worker is free: turn by turn, behind everything that is pushed."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlmodel import Session, col, exists, select

from service.ingest import upload
from service.ingest.importing import Asked, Overtaken, begin, fail, pieces
from service.store import jobs
from service.store.database import Database, is_outage
from service.store.tables import Import, ImportChunk, now
from service.store.vault import Unreadable, Vault

log = structlog.get_logger(__name__)

TURN = 5  # seconds of a job, which then goes to the end of its queue: no file holds a slot for hours
MOST_WAITING = 20_000  # imported records that nobody has read yet
PAUSE = timedelta(seconds=5)
LOST = timedelta(seconds=20)  # an upload that has stood still for longer, and that no job carries, has lost its job


def begin_upload(session: Session, vault: Vault, asked: Asked, path: Path, *, by: str) -> Import:
    """Begin an import that any worker can do: its file is kept, and its job deferred, in the same transaction."""
    made = begin(session, asked, by=by)
    upload.keep(session, vault, made.id, path)
    defer_turn(session, made.id)
    return made


def take_turn(database: Database, vault: Vault, import_id: UUID) -> None:
    """The `import` job: store pieces of an uploaded file for some seconds, then get in line again."""
    with database.session() as session:
        found = session.get(Import, import_id)
        if found is None or found.state != "running":
            return
        if _many_wait(session):
            defer_turn(session, import_id, at=now() + PAUSE)
            return
    try:
        ended = _some_pieces(database, vault, found)
    except Overtaken:
        return  # whoever has taken over goes on
    except Unreadable as error:
        fail(database, vault, found, f"The file kept with it cannot be read: {error}")
        return
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("import.failed", id=str(import_id))  # or it would be taken up again for ever
        fail(
            database,
            vault,
            found,
            f"heed made a mistake after row {found.rows:,} ({type(error).__name__}): see the log.",
        )
        return
    if not ended:
        with database.session() as session:
            defer_turn(session, import_id)


def _some_pieces(database: Database, vault: Vault, found: Import) -> bool:
    began = time.monotonic()
    with Session(database.engine) as session, upload.laid_out(session, vault, found.id) as path:
        for progress in pieces(database, vault, found, path):
            standing = progress.standing
            if standing.state != "running":
                log.info("import.ended", id=str(found.id), state=standing.state, rows=standing.rows)
                return True
            if time.monotonic() - began > TURN:
                return False
    return True


def _many_wait(session: Session) -> bool:
    waiting = text(
        "SELECT count(*) FROM (SELECT FROM feedback WHERE stage = 'received' AND import_id IS NOT NULL LIMIT :most) w"
    )
    return bool(session.execute(waiting, {"most": MOST_WAITING + 1}).scalar_one() > MOST_WAITING)


def defer_lost(session: Session) -> int:
    """Defer the uploads again that are under way and that no job carries; how many."""
    carried = jobs.at_work("import")
    lost = session.exec(
        select(Import.id)
        .outerjoin(carried, carried.c.id == Import.id)
        .where(
            col(Import.state) == "running",
            col(Import.updated_at) < now() - LOST,
            carried.c.id.is_(None),
            exists().where(col(ImportChunk.import_id) == col(Import.id)),
        )
    ).all()
    for one in lost:
        defer_turn(session, one)
    return len(lost)


def defer_turn(session: Session, import_id: UUID, at: datetime | None = None) -> None:
    """Let a worker go on with an upload."""
    jobs.defer(session, "import", at=at, once=f"import:{import_id}", upload=str(import_id))
