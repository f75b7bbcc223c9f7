"""How the installation is: can it take feedback, what waits how long, what works less well than it should."""

from datetime import timedelta

import psycopg
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from pydantic import BaseModel
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, col, select

from service.store import jobs, migrate
from service.store.database import Database, explain
from service.store.tables import Decision, Delivery, Destination, Feedback, WorkItem, now

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


def readiness(database: Database) -> Health:
    """Look at everything once. Only the database and its schema decide about `ready`."""
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
    required = ("database", "schema")
    ready = all(name in checks and checks[name].ok for name in required)
    degraded = [name for name, check in checks.items() if not check.ok and name not in required]
    return Health(ready=ready, degraded=degraded, checks=checks)


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
    oldest = session.exec(
        select(func.min(Feedback.stage_since)).where(col(Feedback.stage).in_(("received", "classified")))
    ).one()
    if oldest is None or now() - oldest < STUCK:
        return Check(ok=True)
    minutes = int((now() - oldest).total_seconds() // 60)
    return Check(ok=False, reason=f"The oldest record has waited {minutes} minutes: start more workers.")


def _dead(session: Session) -> Check:
    dead = session.exec(select(func.count()).select_from(Delivery).where(col(Delivery.state) == "dead")).one()
    if not dead:
        return Check(ok=True)
    return Check(ok=False, reason=f"{dead} deliveries were given up: `heed deliveries list --state dead` shows why.")


def _switched_off(session: Session) -> Check:
    off = session.exec(
        select(Destination).where(col(Destination.disabled_at).is_not(None)).order_by(col(Destination.name))
    )
    reasons = [f"'{row.name}' is switched off ({row.disabled_reason})" for row in off]
    if not reasons:
        return Check(ok=True)
    return Check(ok=False, reason=f'{", ".join(reasons)}: mend it there, then PATCH it with {{"enabled": true}}.')


def gauges(session: Session) -> bytes:
    """The installation's state as Prometheus text, from our own rows; no customer, no text in any label."""
    registry = CollectorRegistry()
    depth = Gauge("heed_feedback_queue_depth", "Records in each stage", ["stage"], registry=registry)
    age = Gauge(
        "heed_feedback_queue_oldest_age_seconds", "Age of the oldest record in each stage", ["stage"], registry=registry
    )
    for stage, number, since in session.exec(
        select(Feedback.stage, func.count(), func.min(Feedback.stage_since)).group_by(col(Feedback.stage))
    ):
        depth.labels(stage).set(number)
        if stage in {"received", "classified"}:
            age.labels(stage).set(max(0.0, (now() - since).total_seconds()))
    items = Gauge("heed_work_items", "Work items", ["kind", "status"], registry=registry)
    for kind, status, number in session.exec(
        select(WorkItem.kind, WorkItem.status, func.count()).group_by(col(WorkItem.kind), col(WorkItem.status))
    ):
        items.labels(kind, status).set(number)
    deliveries = Gauge("heed_deliveries", "Deliveries", ["destination", "state"], registry=registry)
    for destination, state, number in session.exec(
        select(Delivery.destination, Delivery.state, func.count()).group_by(
            col(Delivery.destination), col(Delivery.state)
        )
    ):
        deliveries.labels(destination, state).set(number)
    decisions = Gauge("heed_decisions", "Decisions taken", ["mode", "policy_version"], registry=registry)
    for mode, version, number in session.exec(
        select(Decision.mode, Decision.policy_version, func.count()).group_by(
            col(Decision.mode), col(Decision.policy_version)
        )
    ):
        decisions.labels(mode, str(version)).set(number)
    queue = Gauge("heed_jobs_waiting", "Jobs waiting or running", ["queue"], registry=registry)
    for name, number in jobs.waiting(session).items():
        queue.labels(name).set(number)
    Gauge("heed_worker_pools", "Pools of job slots alive, five in each worker", registry=registry).set(
        jobs.workers(session)
    )
    return generate_latest(registry)
