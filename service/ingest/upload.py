"""An uploaded file while its import is under way: kept sealed in pieces, put together again where it is worked on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

from sqlalchemy import delete, insert
from sqlmodel import Session, col, exists, select

from service.store.tables import ImportChunk
from service.store.vault import Sealed, Vault

CHUNK = 1_000_000  # bytes


def keep(session: Session, vault: Vault, import_id: UUID, path: Path) -> None:
    """Store a file with its import, in the caller's transaction."""
    with path.open("rb") as file:
        number = 0
        while data := file.read(CHUNK):
            sealed = vault.seal(data, _place(import_id, number))
            values = {"import_id": import_id, "number": number, "data": sealed.data, "key_id": sealed.key_id}
            session.connection().execute(insert(ImportChunk), values)
            number += 1


def is_kept(session: Session, import_id: UUID) -> bool:
    """Whether any worker can do this import: its file is here, not where somebody ran a command."""
    return bool(session.exec(select(exists().where(col(ImportChunk.import_id) == import_id))).one())


@contextmanager
def laid_out(session: Session, vault: Vault, import_id: UUID) -> Iterator[Path]:
    """The file on this machine's disk, for as long as the block runs.

    Raises:
        Unreadable: it was sealed under another key, or altered.
    """
    with NamedTemporaryFile(prefix="heed-import-") as file:
        number = 0
        while chunk := session.get(ImportChunk, (import_id, number)):
            file.write(vault.open(Sealed(chunk.data, chunk.key_id), _place(import_id, number)))
            session.expunge(chunk)  # a session remembers its rows: a large file must not pile up in it
            number += 1
        session.rollback()  # a transaction open for nothing would be ended as frozen
        file.flush()
        yield Path(file.name)


def forget(session: Session, import_id: UUID) -> None:
    """The import has ended: nobody needs the file any more."""
    session.execute(delete(ImportChunk).where(col(ImportChunk.import_id) == import_id))


def _place(import_id: UUID, number: int) -> str:
    return f"import {import_id} {number}"
