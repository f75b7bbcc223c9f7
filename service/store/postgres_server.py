"""One embedded PostgreSQL server as processes: does it answer, start it, stop it, end what a crash left.

Whether anything of a server lives is never told by a process id, which may be somebody else's by now: `alive.lock` is
locked before the server is started and inherited by it and by its children, so the kernel frees it with the last.
Functions that change something are called under the `turn` lock of `postgres.py`.
"""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg

from service.store.postgres_errors import SPACE_NEEDED, EmbeddedUnavailable, disk_full
from service.store.postgres_files import (
    MAJOR,
    PORT,
    Place,
    binaries,
    drop_socket_folder,
    log_size,
    make_socket_folder,
    trim_log,
)

PATIENCE = 120.0  # seconds for a start, crash recovery of a full write-ahead log included
_STOP_PATIENCE = 60.0  # seconds for the last checkpoint
_PAUSE = 0.02
_TRIES = 5  # for a server that something kills while it starts
_LEFTOVERS = ((1.0, signal.SIGQUIT), (6.0, signal.SIGKILL))  # seconds of silence, and what is sent then
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_TELLING = re.compile(r"FATAL|PANIC|ERROR|error:|could not")
_LOG_PREFIX = re.compile(r"^\S+ \S+ UTC \[\d+\] ")
# English, and nothing of our environment (PGDATA, PGOPTIONS ...) reaches the server.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
_INITDB = (
    "--username=heed",
    # No password: only the server's own account (and root) can enter the folder of the socket, and there is no network.
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--no-instructions",
)
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "restart_after_crash": "on",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    # Statements and details can hold what customers wrote: neither belongs in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class Outcome(StrEnum):
    """How a server came to answer."""

    FOUND = "found"
    STARTED = "started"


@dataclass(frozen=True)
class _Launch:
    process: subprocess.Popen[bytes]
    log_before: int  # bytes


@contextmanager
def _token(place: Place) -> Iterator[int | None]:
    """The lock that every process of the server inherits, or None while one of them lives."""
    descriptor = os.open(place.folder / "alive.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor if _taken(descriptor) else None
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _listening(place: Place) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(place.socket))
        except (BlockingIOError, TimeoutError):  # a full queue: too busy to accept, but there
            return True
        except OSError:
            return False
        return True


def ensure(place: Place) -> Outcome:
    """Come back when the server answers and has the database `heed`; start it if nothing of it lives.

    Raises:
        EmbeddedUnavailable: it cannot start, or did not answer within `PATIENCE` seconds.
        OSError: what the file system refused.
    """
    launched: list[_Launch] = []
    began = quiet_since = time.monotonic()
    leftovers = list(_LEFTOVERS)
    while (failure := _reach(place)) is not None:
        with _token(place) as token:
            if token is not None:
                _give_up_on(place, launched)
                launched.append(_start(place, token))
        now = time.monotonic()
        if launched or _listening(place):
            quiet_since = now
        if leftovers and now - quiet_since > leftovers[0][0]:
            _end_leftovers(place, leftovers.pop(0)[1])
        if now - began > PATIENCE:
            raise EmbeddedUnavailable(
                f"PostgreSQL in {place.folder} did not answer within {PATIENCE:.0f} s ({failure}): see {place.log}."
            )
        time.sleep(_PAUSE)
    return Outcome.STARTED if launched else Outcome.FOUND


def _give_up_on(place: Place, launched: list[_Launch]) -> None:
    """Raise when our last launch ended of its own accord; one that was killed is worth another try, a few times."""
    if launched and (launched[-1].process.wait() >= 0 or len(launched) >= _TRIES):
        raise EmbeddedUnavailable(_why(place, launched[-1].log_before))


def _reach(place: Place) -> str | None:
    """None when the database answers, else what stood in the way."""
    try:
        with psycopg.connect(place.conninfo("postgres"), autocommit=True, connect_timeout=5) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = 'heed'").rowcount:
                connection.execute("CREATE DATABASE heed")
    except psycopg.errors.DiskFull:
        raise EmbeddedUnavailable(disk_full(place.folder)) from None
    except psycopg.Error as exc:
        return str(exc).strip().splitlines()[-1]
    return None


def _start(place: Place, token: int) -> _Launch:
    programs = binaries(place)
    for stale in (place.data / "postmaster.pid", place.socket, place.socket.with_suffix(f"{place.socket.suffix}.lock")):
        stale.unlink(missing_ok=True)  # the token is ours, so whatever process they name is not this server
    trim_log(place)
    if not place.data.exists():
        _create(place, programs, token)
    _check_version(place)
    make_socket_folder(place)
    settings = _SETTINGS | {"unix_socket_directories": str(place.socket.parent)}
    mark = log_size(place)
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server = _launch(place, [programs / "postgres", "-D", place.data, *options], place.data, token)
    threading.Thread(target=server.wait, name="postgres-reaper", daemon=True).start()  # a parent buries its child
    return _Launch(server, mark)


def _launch(place: Place, command: list[str | Path], folder: Path, token: int) -> subprocess.Popen[bytes]:
    with os.fdopen(os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
        return subprocess.Popen(  # noqa: S603 -- programs of the wheel, no shell parses the arguments
            command,
            user=place.account.user,
            group=place.account.group,
            extra_groups=place.account.extra_groups,
            cwd=folder,
            env=_ENVIRONMENT,
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[token],
            start_new_session=True,  # a Ctrl-C meant for heed must not reach the database
        )


def _create(place: Place, programs: Path, token: int) -> None:
    """Make a cluster beside its final name and rename it, so that a half-made one is never taken for a database."""
    shutil.rmtree(place.unfinished, ignore_errors=True)
    place.unfinished.mkdir(mode=0o700)
    place.account.own(place.unfinished)
    mark = log_size(place)
    with _launch(place, [programs / "initdb", "-D", place.unfinished, *_INITDB], place.unfinished, token) as initdb:
        try:
            status = initdb.wait()
        except BaseException:
            initdb.terminate()
            raise
    if status:
        why = _why(place, mark)
        shutil.rmtree(place.unfinished, ignore_errors=True)
        raise EmbeddedUnavailable(why)
    place.unfinished.rename(place.data)
    folder = os.open(place.folder, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_version(place: Place) -> None:
    try:
        made_by = (place.data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedUnavailable(
            f"{place.data} holds no PostgreSQL database: move it away to begin with an empty one, "
            "or put the right folder back."
        ) from None
    if made_by != str(MAJOR):
        raise EmbeddedUnavailable(
            f"The database in {place.data} was made by PostgreSQL {made_by} and heed brings PostgreSQL {MAJOR}: "
            f"dump it with PostgreSQL {made_by} and load it under a new HEED_HOME, or serve it yourself and set "
            "HEED_DATABASE_URL."
        )


def _why(place: Place, mark: int) -> str:
    """One sentence on a start that failed, from what was logged since."""
    with place.log.open("rb") as file:
        file.seek(mark)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    # Shared memory can be "full" too, so the words alone do not prove that it is this disk.
    if any(map(_FULL.search, lines)) and shutil.disk_usage(place.folder).free < SPACE_NEEDED * 1_000_000:
        return disk_full(place.folder)
    telling = [line for line in lines if _TELLING.search(line)] or lines or ["it said nothing"]
    reason = _LOG_PREFIX.sub("", telling[-1]).rstrip(".")
    return f"PostgreSQL did not start ({reason}): the whole story is in {place.log}."


def _end_leftovers(place: Place, sent: signal.Signals) -> None:
    """Signal what a killed server or start left running: the processes that hold the token open.

    Without /proc they are waited for: an orphaned backend ends with the statement it is at.
    """
    token = (place.folder / "alive.lock").stat()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = process.stat().st_uid == place.account.uid and _is_server(process)
            if ours and any(os.path.samestat(token, entry.stat()) for entry in (process / "fd").iterdir()):
                os.kill(int(process.name), sent)


def _is_server(process: Path) -> bool:
    return (process / "exe").readlink().name.removesuffix(" (deleted)") in ("postgres", "initdb")


def stop(place: Place) -> None:
    """Fast shutdown, and after `_STOP_PATIENCE` seconds a hard one; comes back when nothing of the server lives."""
    with suppress(FileNotFoundError):  # pg_ctl as the account: a process id in its files can then harm nobody else
        for mode, patience in (("fast", _STOP_PATIENCE), ("immediate", 10.0)):
            if _listening(place):
                place.account.run([binaries(place) / "pg_ctl", "stop", "--no-wait", "-m", mode, "-D", place.data])
            if _ended(place, patience if _listening(place) else 1.0):
                break
    for sent in (signal.SIGQUIT, signal.SIGKILL):
        if not _ended(place, 0):
            _end_leftovers(place, sent)
            _ended(place, 5.0)
    drop_socket_folder(place)


def _ended(place: Place, patience: float) -> bool:
    until = time.monotonic() + patience
    while True:
        with _token(place) as token:
            if token is not None:
                return True
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)
