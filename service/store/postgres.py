"""The embedded PostgreSQL of a HEED_HOME: alive as long as any heed process holds it, restarted when it is killed.

Each holder keeps a shared lock on `held.lock`; whoever can make it exclusive on leaving was the last and stops the
server. The kernel drops the lock of a holder that was killed. `turn.lock` is held alone by whoever starts or stops.
"""

import fcntl
import os
import selectors
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import structlog
from sqlalchemy import URL

from service.store.postgres_errors import EmbeddedUnavailable, plain_words
from service.store.postgres_files import PORT, Place, prepare, trim_log
from service.store.postgres_server import Outcome, ensure, stop

__all__ = ["Embedded", "EmbeddedUnavailable", "hold"]

_LOG_CHECK = 30.0  # seconds
_RETRY = 1.0  # seconds between attempts to bring a server back that cannot start

log = structlog.get_logger()


@dataclass(frozen=True)
class Embedded:
    """How to reach the server: the same database `heed` in SQLAlchemy's and in libpq's spelling."""

    url: str
    conninfo: str


@contextmanager
def hold(home: Path) -> Iterator[Embedded]:
    """Run the server of this home while inside: started or taken over, watched, and stopped by the last who leaves.

    Args:
        home: HEED_HOME; made if missing. The server's files lie in or behind `home / "postgres"`.

    Raises:
        EmbeddedUnavailable: it cannot run here; one sentence with the remedy.
    """
    with plain_words(home):
        place = prepare(home)
        held = os.open(place.folder / "held.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        watch = _Watch(place, home)
        try:
            with plain_words(home):
                _join(place, held)
            watch.start()
            yield _address(place)
        finally:
            _leave(place, held, watch)
    finally:
        os.close(held)


@contextmanager
def _turn(place: Place) -> Iterator[None]:
    descriptor = os.open(place.folder / "turn.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # said aloud: a process forked meanwhile shares the descriptor
    finally:
        os.close(descriptor)


def _join(place: Place, held: int) -> None:
    with _turn(place):
        fcntl.flock(held, fcntl.LOCK_SH)
        outcome = ensure(place)
    log.info("postgres.started" if outcome is Outcome.STARTED else "postgres.adopted", folder=str(place.folder))


def _leave(place: Place, held: int, watch: "_Watch") -> None:
    try:
        with suppress(FileNotFoundError), _turn(place):  # no folder any more: its server ends by itself in a minute
            watch.call_off()
            if _alone(held):
                stop(place)
                log.info("postgres.stopped", folder=str(place.folder))
    finally:
        watch.end()


def _alone(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _address(place: Place) -> Embedded:
    query = {"host": str(place.socket.parent), "port": str(PORT)}
    url = URL.create("postgresql+psycopg", username="heed", database="heed", query=query)
    return Embedded(url.render_as_string(hide_password=False), place.conninfo("heed"))


class _Watch:
    """A thread with one idle connection: the kernel reports its end at once, and the server is brought back."""

    def __init__(self, place: Place, home: Path) -> None:
        self._place = place
        self._home = home
        self._off = threading.Event()
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="postgres-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def call_off(self) -> None:
        """Called under the turn lock: a restart either is over by now or will not begin."""
        self._off.set()
        os.write(self._wake_write, b".")

    def end(self) -> None:
        self.call_off()
        if self._thread.ident is not None:
            self._thread.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        said = ""
        while not self._off.is_set():
            with suppress(psycopg.Error):
                self._stay_connected()
            if self._off.is_set():
                return
            try:
                with plain_words(self._home):
                    self._revive()
            except EmbeddedUnavailable as exc:
                if str(exc) != said:
                    log.error("postgres.restart_failed", detail=str(exc))  # noqa: TRY400 -- the sentence is the story
                said = str(exc)
                self._off.wait(_RETRY)

    def _stay_connected(self) -> None:
        """Come back when called off; raises psycopg.Error when the server cannot be reached or ends."""
        # `postgres`, not `heed`: nobody who drops or copies the application's database is in our way.
        with (
            psycopg.connect(self._place.conninfo("postgres"), autocommit=True, connect_timeout=5) as connection,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while not self._off.is_set():
                if selector.select(_LOG_CHECK):
                    connection.pgconn.consume_input()
                else:
                    with suppress(OSError):  # a log that cannot be trimmed is no reason to stop watching
                        trim_log(self._place)

    def _revive(self) -> None:
        with _turn(self._place):
            if self._off.is_set():
                return
            outcome = ensure(self._place)
        name = "postgres.restarted" if outcome is Outcome.STARTED else "postgres.recovered"
        log.warning(name, folder=str(self._place.folder))
