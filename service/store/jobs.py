"""Jobs, deferred by name in the session's own transaction: the one module beside `worker` that knows Procrastinate."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from procrastinate import App, SyncPsycopgConnector, exceptions
from procrastinate.sql import queries
from procrastinate.types import JSONValue
from psycopg.rows import dict_row
from sqlalchemy import CTE, Uuid, column, text
from sqlmodel import Session

# One queue per kind of work: a slow vendor never delays classification, nor a flood of feedback the upkeep.
QUEUES: Mapping[str, str] = {
    "classify": "classify",
    "classify_alone": "alone",
    "decide": "decide",
    "decide_alone": "alone",
    "deliver": "deliver",
    "wake": "timers",
    "tick": "timers",
    "tell": "timers",
    "import": "imports",
    "backtest": "backtests",
    "calibrate": "calibrations",
    "watch": "calibrations",
    "refit": "calibrations",
    "weekly": "calibrations",
    "recover": "upkeep",
    "reconcile": "upkeep",
    "clean": "cleaning",
}
# What was begun is finished first: under a flood, records are routed one after the other, not all at its end.
PRIORITIES: Mapping[str, int] = {"decide": 1, "decide_alone": 1}
# What was pushed has its place in a fair queue (`fair`), at zero or below; what was imported comes after all of it.
LATER = -1_000_000_000
HEARTBEAT = 5  # seconds between two signs of life of a worker
STALLED = 20  # seconds without one, after which its jobs are taken over
SESSION_NAME = "heed jobs"  # of the job engine's own connections; all others of ours are called `heed`

# The app that defers needs no pool of its own: every defer happens on the caller's connection.
_app = App(connector=SyncPsycopgConnector())


@dataclass(frozen=True, slots=True)
class Alarm:
    """A job for a moment to come; at most one that waits carries the key `once`."""

    at: datetime
    once: str
    arguments: dict[str, JSONValue]


@dataclass(frozen=True, slots=True)
class StalledJob:
    """A job whose worker gave no sign of life."""

    id: int
    worker: int | None
    name: str
    arguments: dict[str, Any]


def _connection(session: Session) -> psycopg.Connection[Any]:
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("heed's sessions run on psycopg 3")
    return driver


def defer(
    session: Session,
    name: str,
    *,
    at: datetime | None = None,
    once: str | None = None,
    priority: int | None = None,
    **arguments: JSONValue,
) -> None:
    """Defer a job by name; it exists if, and only if, the session's transaction commits.

    Args:
        session: whose transaction the job joins.
        name: a key of `QUEUES`.
        at: not before this moment (at once where it is None).
        once: at most one *waiting* job carries this key; a second is not an error.
        priority: other than that of its name; what is higher runs first.
        arguments: ids, never payloads.

    Raises:
        psycopg.Error: the database did not take it.
    """
    session.flush()
    # Only a key can be refused, and only that needs a savepoint. It is sent lazily: the connection is taken inside
    # it, or a double key would end the caller.
    with (
        _driver_errors(),
        suppress(exceptions.AlreadyEnqueued),
        session.begin_nested() if once else nullcontext(),
    ):
        _app.configure_task(
            name,
            queue=QUEUES[name],
            priority=PRIORITIES.get(name, 0) if priority is None else priority,
            schedule_at=at,
            queueing_lock=once,
            connection=_connection(session),
        ).defer(**arguments)


def defer_each(session: Session, name: str, arguments: Sequence[dict[str, JSONValue]]) -> None:
    """Defer a job for each of these arguments, in one statement; otherwise as `defer`."""
    if not arguments:
        return
    session.flush()
    with _driver_errors():
        _app.configure_task(
            name, queue=QUEUES[name], priority=PRIORITIES.get(name, 0), connection=_connection(session)
        ).batch_defer(*arguments)


def defer_at(session: Session, name: str, alarms: Sequence[Alarm]) -> None:
    """Defer a job for each of these moments, in one statement.

    Raises:
        procrastinate.exceptions.AlreadyEnqueued: a job that waits carries one of the keys; only rows that are new, and
            have no jobs, are for this.
    """
    if not alarms:
        return
    session.flush()
    connection = _connection(session)
    waiting = [
        _app.configure_task(
            name,
            queue=QUEUES[name],
            priority=PRIORITIES.get(name, 0),
            schedule_at=alarm.at,
            queueing_lock=alarm.once,
        ).make_new_job(**alarm.arguments)
        for alarm in alarms
    ]
    with _driver_errors():
        _app.job_manager.batch_defer_jobs(waiting, connection=connection)


@contextmanager
def _driver_errors() -> Iterator[None]:
    """Raise the driver's own error, by which callers tell an outage from a mistake."""
    try:
        yield
    except exceptions.ConnectorException as error:
        raise (error.__cause__ or error) from None


def stalled(session: Session) -> list[StalledJob]:
    """The running jobs whose worker has been silent for longer than `STALLED` seconds, or is gone."""
    with _connection(session).cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            queries["select_stalled_jobs_by_heartbeat"],
            {"queue": None, "task_name": None, "seconds_since_heartbeat": STALLED},
        )
        return [StalledJob(row["id"], row["worker_id"], row["task_name"], row["args"]) for row in cursor.fetchall()]


def discard(session: Session, job: StalledJob) -> bool:
    """Remove a stalled job in the caller's transaction; False when it ended, or went to another worker, just now."""
    with _connection(session).cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %s",
            [job.id, job.worker],
        )
        return cursor.rowcount == 1


def end_frozen_sessions(session: Session) -> int:
    """End our sessions that have stood still for `STALLED` seconds within a transaction; how many.

    A worker that is frozen, or whose machine is gone, would keep its row locks until the network gives up. The
    server's own `idle_in_transaction_session_timeout` does not run in the middle of a pipeline, where psycopg inserts.
    """
    with _connection(session).cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND application_name IN ('heed', %s)"
            " AND wait_event IN ('ClientRead', 'ClientWrite') AND xact_start IS NOT NULL"
            " AND state_change < now() - make_interval(secs => %s)",
            [SESSION_NAME, STALLED],
        )
        return cursor.rowcount


def at_work(*names: str) -> CTE:
    """A table `at_work` with one column `id`: every id that a waiting or running job of these names carries."""
    carried = text(
        "SELECT CAST(jsonb_path_query(args, '$.*[*]') #>> '{}' AS uuid) AS id FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing') AND task_name = ANY(:names)"
    )
    return carried.bindparams(names=list(names)).columns(column("id", Uuid())).cte("at_work")


def fair(tag: int) -> int:
    """The priority of a job by its tag in the fair queue: the smaller the tag, the sooner its turn."""
    return -min(tag, -LATER - 1)


def front(session: Session) -> int | None:
    """How far the fair queue has come: the smallest tag that waits to be classified; None when nothing does."""
    with _connection(session).cursor() as cursor:
        cursor.execute(
            "SELECT -max(priority) FROM procrastinate_jobs"
            " WHERE status = 'todo' AND task_name = 'classify' AND priority > %s",
            [LATER],
        )
        row = cursor.fetchone()
        return None if row is None or row[0] is None else int(row[0])


def forget_old(session: Session, hours: int) -> None:
    """Remove jobs that ended longer ago than this; the rows they worked on are the record, not they."""
    with _connection(session).cursor() as cursor:
        cursor.execute(
            queries["delete_old_jobs"],
            {"nb_hours": hours, "queue": None, "statuses": ["succeeded", "failed", "cancelled", "aborted"]},
        )


def waiting(session: Session) -> dict[str, int]:
    """How many jobs wait or run, by queue."""
    with _connection(session).cursor() as cursor:
        cursor.execute(
            "SELECT queue_name, count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') GROUP BY queue_name"
        )
        return {str(queue): int(number) for queue, number in cursor.fetchall()}


def workers(session: Session) -> int:
    """How many workers have given a sign of life of late."""
    with _connection(session).cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s)",
            [STALLED],
        )
        row = cursor.fetchone()
        return int(row[0]) if row else 0
