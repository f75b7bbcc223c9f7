"""`heed serve` and `heed worker`: the web process with one worker beside it, and further workers anywhere."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Annotated

import structlog
import typer
import uvicorn

from models.catalog import check_name
from service import telemetry
from service.api.connection import Connection
from service.api.dependencies import Wiring
from service.app import create_app
from service.classify import Reader
from service.deliver.addresses import parse_targets
from service.deliver.http import open_client
from service.ingest.group import GroupedIntake
from service.installation import Opened, open_installation
from service.pipeline import Works
from service.settings import Settings
from service.store.database import answering
from service.worker import GRACE, run

log = structlog.get_logger(__name__)


class PortTaken(Exception):
    """Somebody else listens there."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (HEED_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (HEED_PORT).", min=0, max=65535)] = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Run a worker beside the web process.")] = True,
) -> None:
    """Serve the API, with one worker beside it: one command, one terminal."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    _leave_on_sigterm()
    check_name(settings.model)
    with (
        listen(host or settings.host, settings.port if port is None else port) as door,
        open_installation(settings, pool=2) as opened,
        answering(opened.database) as database,
    ):
        server = _Server(web(replace(opened, database=database)), child=WorkerProcess() if worker else None)
        server.run(sockets=[door])


def worker(
    parent: Annotated[int | None, typer.Option("--parent-pipe", hidden=True)] = None,
) -> None:
    """Run jobs. Any number of workers, on any machines, share one database."""
    settings = Settings()
    telemetry.configure(settings.log_level)
    _leave_on_sigterm()
    check_name(settings.model)
    with open_installation(settings) as opened:
        works = Works(
            database=opened.database,
            vault=opened.vault,
            reader=_reader(settings),
            http=open_client(parse_targets(settings.allow_targets)),
            public_url=settings.public_url,
        )
        ended = run(works, opened.database.conninfo, slots=settings.worker_slots, parent=parent)
    if not ended:
        os._exit(1)


def _leave_on_sigterm() -> None:
    """Until somebody who drains takes the signal over, SIGTERM unwinds as Ctrl-C does: the database is let go of."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))


def _reader(settings: Settings) -> Reader:
    """The model, loaded, so that the first text does not wait for it; where it cannot be used, the log says why."""
    reader = Reader(settings.model, settings.taxonomy)
    reader.warm_up()
    if reader.trouble is not None:
        log.error("model.refused", model=settings.model, reads=reader.classifier.name, reason=reader.trouble)
    return reader


def web(opened: Opened) -> Wiring:
    """The parts of the web process."""
    settings = opened.settings
    return Wiring(
        database=opened.database,
        vault=opened.vault,
        intake=GroupedIntake(opened.database, opened.vault, most_waiting=settings.most_waiting),
        reader=_reader(settings),
        http=open_client(parse_targets(settings.allow_targets)),
        require_approval=settings.require_approval,
        public_url=settings.public_url,
    )


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket, taken before anything else is started.

    Raises:
        PortTaken: with the remedy.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"heed cannot listen on {host}:{port} ({error.strerror}): stop what runs there, or choose another "
                "with --port or HEED_PORT."
            ) from error
        door.listen(1024)
        yield door


class WorkerProcess:
    """A worker beside the web process: started again when it dies, told to stop when we stop, gone when we are."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._deadline = float("inf")
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep_running, name="worker watch", daemon=True)

    def start(self) -> None:
        """Start it and watch over it."""
        self._watch.start()

    def ask_to_stop(self) -> None:
        """Begin to drain; returns at once, and may be called from a signal handler and more than once."""
        self._deadline = min(self._deadline, time.monotonic() + GRACE + 3)
        self._stopping.set()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Until it has gone; a worker that does not drain in time is killed, and its jobs are taken over later."""
        self._watch.join(max(0.0, self._deadline - time.monotonic()))
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _keep_running(self) -> None:
        while not self._stopping.is_set():
            inner, ours = os.pipe()
            command = [sys.executable, "-m", "service.cli", "worker", "--parent-pipe", str(inner)]
            self._process = subprocess.Popen(  # noqa: S603 (our own program)
                command,
                pass_fds=[inner],
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C is for us; we pass it on
            )
            os.close(inner)
            if self._stopping.is_set():
                self._process.send_signal(signal.SIGTERM)
            code = self._process.wait()
            os.close(ours)
            if not self._stopping.is_set():
                log.warning("worker.died", code=code)
                self._stopping.wait(1)


class _Server(uvicorn.Server):
    def __init__(self, wiring: Wiring, child: WorkerProcess | None) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(wiring),
                http=Connection,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
                timeout_keep_alive=15,
            )
        )
        self._child = child

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal; the worker drains at the same time as we do."""
        if self._child:
            self._child.start()
        try:
            host, port, *_ = sockets[0].getsockname() if sockets else ("", 0)
            log.info("web.started", host=host, port=port)
            super().run(sockets)
        finally:
            if self._child:
                self._child.ask_to_stop()
                self._child.wait()
            log.info("web.stopped")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (uvicorn's signature)
        """A signal: stop taking requests, let the worker drain meanwhile. uvicorn's own would raise it once more."""
        if self._child:
            self._child.ask_to_stop()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
