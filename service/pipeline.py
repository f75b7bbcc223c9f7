"""The story in one screen: classify, decide, deliver; what happens when a worker dies; who looks for what got lost."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import or_, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from service.backtest import job as backtest_job
from service.classify import Reader, classify
from service.decisions import decide
from service.deliver import outbox
from service.deliver.http import Client
from service.ingest import import_job, rehearsal
from service.ingest.intake import MICRO_BATCH
from service.lab.watch import errands
from service.store import jobs
from service.store.database import Database, is_outage
from service.store.tables import Delivery, Destination, Feedback, FeedbackRevision, WorkItem, now
from service.store.vault import Vault
from service.work import items, leaving, telling, timers

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 3  # of a record's own: a batch that fails or loses its worker counts for nobody
PATIENCE = timedelta(seconds=20)  # a row that has waited longer, and that no job carries, has lost its job
STAGES: Mapping[str, str] = {"classify": "received", "decide": "classified"}  # step -> the stage it takes rows from


@dataclass(frozen=True, slots=True)
class Works:
    """What the jobs work with; built once by the worker."""

    database: Database
    vault: Vault
    reader: Reader
    http: Client
    public_url: str | None


def _run(works: Works, step: str, ids: Sequence[UUID]) -> None:
    with Session(works.database.engine, expire_on_commit=False) as session:
        if step == "classify":
            classify(session, works.reader, ids)
        else:
            decide(session, ids)


def batch(works: Works, step: str, ids: Sequence[str]) -> None:
    """Take a step for up to 64 records at once; if one of them fails, each is tried again on its own."""
    try:
        _run(works, step, [UUID(one) for one in ids])
    except Exception as error:
        if is_outage(error):
            raise
        log.warning("step.batch_failed", step=step, records=len(ids), exc_info=error)
        with works.database.session() as session:
            _one_by_one(session, step, ids)


def alone(works: Works, step: str, feedback: str) -> None:
    """Take a step for one record that was in a batch that failed; the third failure of its own quarantines it.

    The attempt is counted before it begins: a record that ends its worker leaves nobody behind to count it.
    """
    with works.database.session() as session:
        row = _waiting(session, step, UUID(feedback))
        if row is None:
            return
        row.attempts += 1
        session.add(row)
    try:
        _run(works, step, [UUID(feedback)])
    except Exception as error:
        if is_outage(error):
            with suppress(DBAPIError), works.database.session() as session:
                _give_back(session, step, UUID(feedback))
            raise
        log.warning("step.failed", step=step, feedback=feedback, exc_info=error)
        with works.database.session() as session:
            _go_on(session, step, UUID(feedback), f"{step} failed with {type(error).__name__}")


def _give_back(session: Session, step: str, feedback: UUID) -> None:
    """An attempt that the database cut short was none of the record's own."""
    row = _waiting(session, step, feedback)
    if row is not None:
        row.attempts = max(0, row.attempts - 1)
        session.add(row)


def _one_by_one(session: Session, step: str, ids: Sequence[str]) -> None:
    for one in ids:
        jobs.defer(session, f"{step}_alone", feedback=one, once=f"{step}_alone:{one}")


def _waiting(session: Session, step: str, feedback: UUID) -> Feedback | None:
    row = session.get(Feedback, feedback, with_for_update=True)
    return row if row is not None and row.stage == STAGES[step] else None


def _go_on(session: Session, step: str, feedback: UUID, reason: str) -> None:
    """After an attempt that came to nothing: the next one, or quarantine."""
    row = _waiting(session, step, feedback)
    if row is None:
        return
    if row.attempts < MOST_ATTEMPTS:
        _one_by_one(session, step, [str(feedback)])
        return
    row.stage, row.stage_since = "quarantined", now()
    row.reason = f"{reason}, {row.attempts} times"
    session.add(row)
    log.error("feedback.quarantined", feedback=str(feedback), step=step, reason=row.reason)


def deliver(works: Works, delivery: str) -> None:
    """Make one attempt at a delivery."""
    outbox.deliver(works.database, works.vault, works.http, works.public_url, UUID(delivery))


def import_file(works: Works, upload: str) -> None:
    """Store the next rows of an uploaded file."""
    import_job.take_turn(works.database, works.vault, UUID(upload))


def backtest(works: Works, backtest: str) -> None:
    """Compare two versions over a past period."""
    backtest_job.run(works.database, UUID(backtest))


def wake(works: Works, item: str) -> None:
    """The time a work item was to wait for is here."""
    with works.database.session() as session:
        items.wake(session, UUID(item))


def tell(works: Works) -> None:
    """Tell people what is due."""
    telling.tell_due(works.database, now())


def tick(works: Works, item: str) -> None:
    """The clocks of a work item have something to say."""
    with works.database.session() as session:
        timers.tick(session, UUID(item), now())


def recover(works: Works) -> None:
    """Take over the jobs of workers that have fallen silent, each in a transaction of its own."""
    with works.database.session() as session:
        if frozen := jobs.end_frozen_sessions(session):
            log.warning("sessions.ended", number=frozen)
        stalled = jobs.stalled(session)
    for job in stalled:
        with works.database.session() as session:
            if jobs.discard(session, job):
                log.warning("job.taken_over", job=job.name)
                _take_over(session, job)


def _take_over(session: Session, job: jobs.StalledJob) -> None:
    step, _, single = job.name.partition("_")
    if single == "alone":
        _go_on(session, step, UUID(job.arguments["feedback"]), f"{step} ended its worker")
    elif step in STAGES:
        _one_by_one(session, step, job.arguments["ids"])
    elif step == "deliver":
        outbox.resume(session, UUID(job.arguments["delivery"]))
    elif step == "import":
        import_job.defer_turn(session, UUID(job.arguments["upload"]))
    elif step == "backtest":
        backtest_job.defer(session, UUID(job.arguments["backtest"]))
    elif jobs.QUEUES[job.name] == "calibrations" and job.name != "weekly":
        jobs.defer(session, job.name, **job.arguments)


def reconcile(works: Works) -> None:
    """Defer again what waits without a job, for rows are the truth and jobs may be lost; pass on what nobody has."""
    with works.database.session() as session:
        for step in STAGES:
            stuck = _stuck(session, step)
            for start in range(0, len(stuck), MICRO_BATCH):
                jobs.defer(session, step, ids=list(stuck[start : start + MICRO_BATCH]), once=f"{step}:{stuck[start]}")
            if stuck:
                log.warning("rows.deferred_again", step=step, records=len(stuck))
        overdue = _overdue(session)
        jobs.defer_each(session, "deliver", [{"delivery": one} for one in overdue])
        if overdue:
            log.warning("rows.deferred_again", step="deliver", records=len(overdue))
        for step, again in LOST.items():
            if lost := again(session):
                log.warning("rows.deferred_again", step=step, records=lost)
        if telling.waiting_for(session, now()):
            jobs.defer(session, "tell", once="tell")
        for one in session.exec(select(WorkItem.id).where(col(WorkItem.wait_until) < now() - PATIENCE).limit(1_000)):
            jobs.defer(session, "wake", item=str(one), once=f"wake:{one}")
        if late := timers.defer_lost(session, now(), PATIENCE):
            log.warning("rows.deferred_again", step="tick", records=late)
    _pass_on(works)
    errands.tell_voided(works.database)


def _pass_on(works: Works) -> None:
    """Give away what came to people while their accounts were being closed."""
    with works.database.session() as session:
        left = leaving.left_behind(session)
    for name in left:
        with works.database.session() as session:
            if number := leaving.pass_on(session, name, now()):
                log.warning("items.passed_on", owner=name, items=number)


def _stuck(session: Session, step: str) -> list[str]:
    carried = jobs.at_work(step, f"{step}_alone")
    found = session.exec(
        select(Feedback.id)
        .outerjoin(carried, carried.c.id == Feedback.id)
        .where(
            col(Feedback.stage) == STAGES[step],
            col(Feedback.stage_since) < now() - PATIENCE,
            carried.c.id.is_(None),
        )
        .order_by(col(Feedback.stage_since))
        .limit(100 * MICRO_BATCH)
    )
    return [str(one) for one in found]


def _overdue(session: Session) -> list[str]:
    """Deliveries whose time has come, or that wait for a destination which is there, and that no job carries."""
    carried = jobs.at_work("deliver")
    ready = select(Destination.name).where(col(Destination.disabled_at).is_(None))
    found = session.exec(
        select(Delivery.id)
        .outerjoin(carried, carried.c.id == Delivery.id)
        .where(
            col(Delivery.state) == "pending",
            or_(
                col(Delivery.next_at) < now() - PATIENCE,
                col(Delivery.next_at).is_(None) & col(Delivery.destination).in_(ready),
            ),
            carried.c.id.is_(None),
        )
        .order_by(col(Delivery.next_at))
        .limit(1_000)
    )
    return [str(one) for one in found]


def clean(works: Works) -> None:
    """Forget what has served: originals past their expiry, jobs that ended a week ago, files nobody came back to."""
    with works.database.session() as session:
        session.execute(
            update(FeedbackRevision)
            .where(col(FeedbackRevision.original_expires_at) < now(), col(FeedbackRevision.original).is_not(None))
            .values(original=None, key_id=None)
        )
        jobs.forget_old(session, hours=7 * 24)
        rehearsal.forget_old(session)


LOST: Mapping[str, Callable[[Session], int]] = {
    "import": import_job.defer_lost,
    "backtest": backtest_job.defer_lost,
    "calibrate": errands.defer_lost,
}
JOBS: Mapping[str, Callable[..., None]] = {
    "classify": lambda works, ids: batch(works, "classify", ids),
    "classify_alone": lambda works, feedback: alone(works, "classify", feedback),
    "decide": lambda works, ids: batch(works, "decide", ids),
    "decide_alone": lambda works, feedback: alone(works, "decide", feedback),
    "deliver": deliver,
    "import": import_file,
    "backtest": backtest,
    "calibrate": lambda works, run: errands.calibrate(works.database, UUID(run)),
    "watch": lambda works: errands.watch(works.database),
    "refit": lambda works, source: errands.refit_source(works.database, source),
    "weekly": lambda works: errands.week(works.database, works.reader.taxonomy),
    "wake": wake,
    "tick": tick,
    "tell": tell,
    "recover": recover,
    "reconcile": reconcile,
    "clean": clean,
}
EVERY: Mapping[str, str] = {  # crontabs; the sixth column is the second
    "recover": "* * * * * */10",
    "reconcile": "* * * * * */30",
    "clean": "17 3 * * *",
    "weekly": "0 6 * * 1",
}
