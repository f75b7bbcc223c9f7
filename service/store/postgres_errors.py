"""What keeps the embedded PostgreSQL from running, each said in one sentence with its remedy."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPACE_NEEDED = 200  # MB: the binaries (as root), a new cluster and its first write-ahead log


class EmbeddedUnavailable(Exception):
    """The embedded PostgreSQL cannot run here; the message says in one sentence why, and what to do."""


@contextmanager
def plain_words(home: Path) -> Iterator[None]:
    """Turn what the system refuses us while preparing or starting into one sentence.

    Raises:
        EmbeddedUnavailable: in place of any OSError.
    """
    try:
        yield
    except OSError as exc:
        raise EmbeddedUnavailable(_sentence(home, exc)) from exc


def _sentence(home: Path, exc: OSError) -> str:
    place = exc.filename if isinstance(exc.filename, str) else str(home)
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(home)
    if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"heed cannot write its database to {home} ({exc.strerror}: {place}): "
            "give this user that folder, or set HEED_HOME to one it may write to."
        )
    return f"heed cannot keep its database in {home} ({exc.strerror}: {place}): set HEED_HOME to another folder."


def disk_full(folder: Path) -> str:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // 1_000_000
    return (
        f"The disk that holds {folder} is full: PostgreSQL needs about {SPACE_NEEDED} MB there to start "
        f"and {free} MB are free, so make room or set HEED_HOME to a folder on another disk."
    )
