"""How the installation is: can it take feedback, what waits how long, what works less well than it should."""

from datetime import timedelta

import psycopg
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from service.standing import counted_dead, counted_stage, oldest_since, oldest_waiting, switched_off
from service.store import jobs, migrate
from service.store.database import Database, explain
from service.store.tables import now

STUCK = timedelta(minutes=5)


class Check(BaseModel):
    """One thing looked at; `reason` says what is wrong and how to mend it."""

    ok: bool
    reason: str | None = None


class Health(BaseModel):
    """Whether feedback can be accepted durably, and what is degraded although it can."""

    ready: bool
    degraded: list[str]
    checks: dict[str, Check]


def readiness(database: Database, model_trouble: str | None = None) -> Health:
    """Look at everything once. Only the database and its schema decide about `ready`.

    Args:
        database: where everything is.
        model_trouble: why the configured model does not read in this process; None while it does.
    """
    checks = checked(database) | {"model": _model(model_trouble)}
    required = ("database", "schema")
    ready = all(name in checks and checks[name].ok for name in required)
    degraded = [name for name, check in checks.items() if not check.ok and name not in required]
    return Health(ready=ready, degraded=degraded, checks=checks)


def checked(database: Database) -> dict[str, Check]:
    """What can be told from the database, beginning with whether it answers."""
    checks: dict[str, Check] = {}
    try:
        with Session(database.engine) as session:
            checks["database"] = Check(ok=True)
            checks["schema"] = _schema(session)
            if checks["schema"].ok:
                checks |= {
                    "workers": _workers(session),
                    "progress": _progress(session),
                    "dead_letters": _dead(session),
                    "destinations": _switched_off(session),
                }
    except PoolTimeout:
        checks["database"] = Check(ok=False, reason="All connections to the database are in use.")
    except (DBAPIError, psycopg.Error) as error:
        reason = explain(error, database.place)
        checks["database"] = Check(ok=False, reason=reason)
    return checks


def _model(trouble: str | None) -> Check:
    if trouble is None:
        return Check(ok=True)
    return Check(ok=False, reason=f"Keywords read in place of the model, and no rule acts on what they find: {trouble}")


def _schema(session: Session) -> Check:
    stands, head = migrate.current(session.connection()), migrate.head()
    if stands == head:
        return Check(ok=True)
    return Check(ok=False, reason=f"The schema stands at {stands}, heed needs {head}: run `heed migrate`.")


def _workers(session: Session) -> Check:
    if jobs.workers(session):
        return Check(ok=True)
    return Check(
        ok=False, reason="No worker has given a sign of life: start `heed worker`. Feedback is kept meanwhile."
    )


def _progress(session: Session) -> Check:
    oldest = oldest_waiting(session)
    if oldest is None or now() - oldest < STUCK:
        return Check(ok=True)
    minutes = int((now() - oldest).total_seconds() // 60)
    return Check(ok=False, reason=f"The oldest record has waited {minutes} minutes: start more workers.")


def _dead(session: Session) -> Check:
    dead = counted_dead(session)
    if not dead.number:
        return Check(ok=True)
    return Check(ok=False, reason=f"{dead} deliveries were given up: `heed deliveries list --state dead` shows why.")


def _switched_off(session: Session) -> Check:
    reasons = [f"'{row.name}' is switched off ({row.disabled_reason})" for row in switched_off(session)]
    if not reasons:
        return Check(ok=True)
    return Check(ok=False, reason=f'{", ".join(reasons)}: mend it there, then PATCH it with {{"enabled": true}}.')


WHOLE = 32 * 2**20  # bytes of a table that are counted; of a larger one, evenly spread pages that come to as much
_WAITING = ("received", "classified", "quarantined")  # stages that are counted exactly, however large the table


def gauges(session: Session) -> bytes:
    """The installation's state as Prometheus text, from our own rows; no customer, no text in any label."""
    registry = CollectorRegistry()
    _gauge_feedback(session, registry)
    items = Gauge("heed_work_items", f"Work items{_ABOUT}", ["kind", "status"], registry=registry)
    for (kind, status), number in _groups(session, "work_item", "kind, status").items():
        items.labels(kind, status).set(number)
    deliveries = Gauge("heed_deliveries", f"Deliveries{_ABOUT}", ["destination", "state"], registry=registry)
    for (destination, state), number in _groups(session, "delivery", "destination, state").items():
        deliveries.labels(destination, state).set(number)
    decisions = Gauge("heed_decisions", f"Decisions taken{_ABOUT}", ["mode", "policy_version"], registry=registry)
    for (mode, version), number in _groups(session, "decision", "mode, policy_version").items():
        decisions.labels(mode, version).set(number)
    queue = Gauge("heed_jobs_waiting", "Jobs waiting or running", ["queue"], registry=registry)
    for name, number in jobs.waiting(session).items():
        queue.labels(name).set(number)
    Gauge("heed_worker_pools", "Pools of job slots alive, five in each worker", registry=registry).set(
        jobs.workers(session)
    )
    return generate_latest(registry)


_ABOUT = " (of a large table about: from a sample)"


def _gauge_feedback(session: Session, registry: CollectorRegistry) -> None:
    depth = Gauge("heed_feedback_queue_depth", "Records in each stage", ["stage"], registry=registry)
    age = Gauge(
        "heed_feedback_queue_oldest_age_seconds", "Age of the oldest record in each stage", ["stage"], registry=registry
    )
    about = {stage: number for (stage,), number in _groups(session, "feedback", "stage").items()}
    exact = {stage: counted_stage(session, stage) for stage in _WAITING}
    for stage, amount in exact.items():
        if amount.more:
            about[stage] = max(amount.number, about.get(stage, 0))
        elif amount.number:
            about[stage] = amount.number
        else:
            about.pop(stage, None)
    for stage, number in about.items():
        depth.labels(stage).set(number)
        since = oldest_since(session, stage) if stage in {"received", "classified"} else None
        if since is not None:
            age.labels(stage).set(max(0.0, (now() - since).total_seconds()))


def _groups(session: Session, table: str, columns: str) -> dict[tuple[str, ...], int]:
    """How many rows of each kind. The sample is the same pages every time, so that a figure grows without jumping."""
    size = int(
        session.execute(text("SELECT pg_relation_size(CAST(:table AS regclass))"), {"table": table}).scalar_one()
    )
    share = min(1.0, WHOLE / max(size, 1))
    sample = f"TABLESAMPLE SYSTEM ({100 * share:.6f}) REPEATABLE (1)" if share < 1 else ""
    query = text(f"SELECT {columns}, count(*) FROM {table} {sample} GROUP BY {columns}")  # noqa: S608 (our own names)
    return {tuple(map(str, kind)): round(number / share) for *kind, number in session.execute(query)}
