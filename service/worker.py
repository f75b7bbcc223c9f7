"""The worker process: runs the jobs of the pipeline until it is told to stop, through outages of the database."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy, exceptions
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.pipeline import EVERY, JOBS, Works
from service.store import jobs

log = structlog.get_logger(__name__)

GRACE = 10  # seconds a running job is given when the worker is told to stop
_AGAIN = RetryStrategy(
    max_attempts=10, wait=1, linear_wait=2, retry_exceptions=[DBAPIError, psycopg.Error, PoolTimeout]
)


class _Ended(Exception):
    """A part of the worker ended by itself, which only happens when the database went away."""


def build(works: Works, conninfo: str) -> App:
    """Procrastinate's app with every job of the pipeline registered under its name."""
    app = App(connector=PsycopgConnector(conninfo=conninfo, min_size=2, max_size=12, timeout=10))
    for name, function in JOBS.items():
        task = app.task(name=name, queue=jobs.QUEUES[name], retry=False if name in EVERY else _AGAIN)
        registered = task(_periodic(works, function) if name in EVERY else _ordinary(works, function))
        if name in EVERY:
            app.periodic(cron=EVERY[name])(registered)
    return app


def _ordinary(works: Works, function: Callable[..., None]) -> Callable[..., None]:
    def job(**arguments: Any) -> None:  # noqa: ANN401 (a job's JSON arguments)
        function(works, **arguments)

    return job


def _periodic(works: Works, function: Callable[..., None]) -> Callable[[int], None]:
    def job(timestamp: int) -> None:  # noqa: ARG001 (Procrastinate says when it was due; the rows say what is)
        function(works)

    return job


def run(works: Works, conninfo: str, *, slots: int, parent: int | None = None) -> None:
    """Run jobs until SIGTERM or SIGINT; running jobs get `GRACE` seconds to finish.

    Args:
        works: what the jobs work with.
        conninfo: the database, for the job engine's own connections.
        slots: how many classify and decide jobs run at the same time.
        parent: a pipe whose other end a parent process holds: when that is gone, even by SIGKILL, so are we.
    """
    asyncio.run(_run(works, conninfo, slots, parent))


async def drain(works: Works, conninfo: str) -> None:
    """Run every job that is due, then return: what tests and the benchmarks use."""
    app = build(works, conninfo)
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False, delete_jobs="successful")


async def _run(works: Works, conninfo: str, slots: int, parent: int | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if parent is not None:
        loop.add_reader(parent, stopping.set)  # nothing is ever written: readable means that the other end is closed
    log.info("worker.started", slots=slots)
    while not stopping.is_set():
        try:
            await _until_stopped(works, conninfo, slots, stopping)
        except* (exceptions.ConnectorException, psycopg.Error, _Ended) as lost:
            log.warning(
                "worker.database_lost", causes=sorted({type(one.__cause__ or one).__name__ for one in _each(lost)})
            )
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), timeout=1)
    log.info("worker.stopped")


async def _until_stopped(works: Works, conninfo: str, slots: int, stopping: asyncio.Event) -> None:
    app = build(works, conninfo)
    # A pool of slots for each kind of work: a slow vendor never delays classification. The queue `alone` has one,
    # so that a record that ends its worker is the only one to be charged with it.
    pools = (["classify", "decide"], slots), (["alone"], 1), (["deliver"], 4), (["upkeep"], 1)
    async with app.open_async(), asyncio.TaskGroup() as group:
        running = [group.create_task(_part(app, queues, number, stopping)) for queues, number in pools]
        await stopping.wait()
        for part in running:
            part.cancel()


def _each(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for one in group.exceptions:
        yield from _each(one) if isinstance(one, BaseExceptionGroup) else (one,)


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
