"""The worker process: runs the jobs of the pipeline until it is told to stop, through outages of the database."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import psycopg
import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy, exceptions
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.pipeline import EVERY, JOBS, Works
from service.store import jobs

log = structlog.get_logger(__name__)

GRACE = 8  # seconds a running job is given when the worker is told to stop
LONGEST = 600  # seconds; what takes longer hangs, and only a new process gets rid of it
DELIVERING = 4  # deliveries at a time
_AGAIN = RetryStrategy(
    max_attempts=10, wait=1, linear_wait=2, retry_exceptions=[DBAPIError, psycopg.Error, PoolTimeout]
)
# They tell of every connection that an outage costs; `worker.begins_anew` says it once.
_EXCITED = ("procrastinate.worker.worker", "procrastinate.utils", "psycopg", "psycopg.pool")


class _Ended(Exception):
    """The engine has to begin anew; it happens when the database, or a connection to it, went away."""


class Turns:
    """Batches run side by side, a record on its own without any: if the worker ends then, it was that record."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._alone = False
        self._begun: dict[object, float] = {}

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Beside other batches."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            mark = self._begin()
        try:
            yield
        finally:
            self._end(mark)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Beside nothing; batches that come meanwhile wait."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._alone = True
            self._changed.wait_for(lambda: not self._begun)
            mark = self._begin()
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
            self._end(mark)

    def longest(self) -> float:
        """For how many seconds the oldest of those under way has been running."""
        with self._changed:
            return max((time.monotonic() - begun for begun in self._begun.values()), default=0.0)

    def _begin(self) -> object:
        mark = object()
        self._begun[mark] = time.monotonic()
        return mark

    def _end(self, mark: object) -> None:
        with self._changed:
            del self._begun[mark]
            self._changed.notify_all()


def build(works: Works, conninfo: str, turns: Turns) -> App:
    """Procrastinate's app with every job of the pipeline registered under its name."""
    named = {"application_name": jobs.SESSION_NAME}
    app = App(connector=PsycopgConnector(conninfo=conninfo, kwargs=named, min_size=2, max_size=13, timeout=10))
    turn: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
        "classify": turns.batch,
        "decide": turns.batch,
        "alone": turns.alone,
    }
    for name, function in JOBS.items():
        queue = jobs.QUEUES[name]
        task = app.task(name=name, queue=queue, retry=False if name in EVERY else _AGAIN)
        if name in EVERY:
            app.periodic(cron=EVERY[name])(task(_periodic(works, function)))
        else:
            task(_ordinary(works, function, turn.get(queue, nullcontext)))
    return app


def _ordinary(
    works: Works, function: Callable[..., None], turn: Callable[[], AbstractContextManager[None]]
) -> Callable[..., None]:
    def job(**arguments: Any) -> None:  # noqa: ANN401 (a job's JSON arguments)
        with turn():
            function(works, **arguments)

    return job


def _periodic(works: Works, function: Callable[..., None]) -> Callable[..., None]:
    def job(timestamp: int = 0) -> None:  # noqa: ARG001 (Procrastinate says when it was due; the rows say what is)
        function(works)

    return job


def run(works: Works, conninfo: str, *, slots: int, parent: int | None = None) -> bool:
    """Run jobs until SIGTERM or SIGINT; running jobs get `GRACE` seconds to finish.

    Args:
        works: what the jobs work with.
        conninfo: the database, for the job engine's own connections.
        slots: how many classify and decide jobs run at the same time.
        parent: a pipe whose other end a parent process holds: when that is gone, even by SIGKILL, so are we.

    Returns:
        whether every job has ended. If not, threads still run that only `os._exit` gets past; their jobs are
        taken over as those of any worker that is gone.
    """
    for name in _EXCITED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    ended = loop.run_until_complete(_run(works, conninfo, slots, parent))
    if ended:
        loop.close()
    return ended


async def drain(works: Works, conninfo: str) -> None:
    """Run every job that is due, then return: what tests and the benchmarks use."""
    app = build(works, conninfo, Turns())
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False, delete_jobs="successful")


async def _run(works: Works, conninfo: str, slots: int, parent: int | None) -> bool:
    loop = asyncio.get_running_loop()
    # A thread for every job that may run at once: by default there are as few as there are cores, and four slow
    # deliveries would leave none for recovery. Some are over for the look-up of host names.
    loop.set_default_executor(ThreadPoolExecutor(slots + DELIVERING + 8))
    stopping, turns = asyncio.Event(), Turns()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if parent is not None:
        loop.add_reader(parent, stopping.set)  # nothing is ever written: readable means that the other end is closed
    log.info("worker.started", slots=slots)
    work = asyncio.create_task(_work(works, conninfo, slots, turns, stopping))
    told = asyncio.create_task(stopping.wait())
    while not (told.done() or work.done()):
        await asyncio.wait({work, told}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if turns.longest() > LONGEST:
            log.error("worker.hangs", seconds=round(turns.longest()))
            return False
    await asyncio.wait({work}, timeout=GRACE + 2)
    if not work.done():
        log.error("worker.left_jobs", seconds=GRACE + 2)
        return False
    work.result()
    log.info("worker.stopped")
    return True


async def _work(works: Works, conninfo: str, slots: int, turns: Turns, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            await _until_stopped(build(works, conninfo, turns), slots, stopping)
        except* (exceptions.ConnectorException, psycopg.Error, _Ended) as lost:
            causes = sorted({type(one.__cause__ or one).__name__ for one in _each(lost)})
            log.warning("worker.begins_anew", causes=causes)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), timeout=1)


async def _until_stopped(app: App, slots: int, stopping: asyncio.Event) -> None:
    # A pool of slots for each kind of work: a slow vendor never delays classification.
    pools = (
        (["classify", "decide"], slots),
        (["alone"], 1),
        (["deliver"], DELIVERING),
        (["imports"], 1),
        (["backtests"], 1),
        (["calibrations"], 1),
        (["upkeep", "timers"], 1),
        (["cleaning"], 1),
    )
    async with app.open_async(), asyncio.TaskGroup() as group:
        running = [group.create_task(_part(app, queues, number, stopping)) for queues, number in pools]
        running.append(group.create_task(_unwritten()))
        await stopping.wait()
        for part in running:
            part.cancel()


async def _part(app: App, queues: list[str], slots: int, stopping: asyncio.Event) -> None:
    await app.run_worker_async(
        queues=queues,
        concurrency=slots,
        install_signal_handlers=False,
        delete_jobs="successful",
        fetch_job_polling_interval=2,
        update_heartbeat_interval=jobs.HEARTBEAT,
        stalled_worker_timeout=jobs.STALLED,
        shutdown_graceful_timeout=GRACE,
    )
    if not stopping.is_set():
        raise _Ended


async def _unwritten() -> None:
    """Raise when the end of a job could not be written down: it would count as running for as long as we live."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[None] = loop.create_future()

    def notice(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, exceptions.ConnectorException):
            loop.default_exception_handler(context)
        elif not failed.done():
            failed.set_exception(error)

    loop.set_exception_handler(notice)
    await failed


def _each(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for one in group.exceptions:
        yield from _each(one) if isinstance(one, BaseExceptionGroup) else (one,)
