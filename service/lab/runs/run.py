"""Runs: the blind labels of an axis judged once, and what they prove put in force."""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select, update

from calibration.promise import Promise
from service.lab.labels.choices import AXES
from service.lab.labels.evidence import newest_binding
from service.lab.runs import looks
from service.lab.runs.findings import JudgedRun, RunQuestion, gather, judge_all
from service.lab.runs.putting_in_force import put_in_force
from service.store import audit, jobs
from service.store.database import Database, is_outage
from service.store.lab_tables import CalibrationRun
from service.store.tables import Classification, Source, now

log = structlog.get_logger(__name__)

MOST_TRIES = 3
_SEEDS = 2**31


class InvalidRun(Exception):
    """What was asked for cannot be; the message says why. `field` is the one to mend."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to prove: of one label or (None) of all that policies ask about, for one source or (None) for all."""

    axis: str
    label: str | None
    promise: Promise
    source: str | None = None
    comment: str | None = None
    seed: int | None = None


def begin(session: Session, wanted: Wanted, *, by: str, at: datetime) -> CalibrationRun:
    """Store a run and let a worker take it up; the caller commits.

    Raises:
        InvalidRun: the axis, the label or the source is not there.
    """
    _check(session, wanted)
    row = CalibrationRun(
        axis=wanted.axis,
        label=wanted.label,
        source=wanted.source,
        precision=wanted.promise.precision,
        confidence=wanted.promise.confidence,
        seed=secrets.randbelow(_SEEDS) if wanted.seed is None else wanted.seed,
        comment=wanted.comment,
        created_by=by,
        created_at=at,
    )
    session.add(row)
    session.flush()
    told = {"axis": row.axis, "label": row.label, "source": row.source}
    promise = {"precision": row.precision, "confidence": row.confidence}
    audit.record(session, by, "calibration.begun", str(row.id), **told, **promise)
    defer(session, row.id)
    return row


def _check(session: Session, wanted: Wanted) -> None:
    if wanted.axis not in AXES:
        raise InvalidRun("axis", f"There is no axis '{wanted.axis}': choose of {', '.join(AXES)}.")
    known = _labels_known(session, wanted.axis)
    if wanted.label is not None and known and wanted.label not in known:
        raise InvalidRun("label", f"There is no {wanted.axis} '{wanted.label}': choose of {', '.join(known)}.")
    if wanted.source is not None and session.get(Source, wanted.source) is None:
        raise InvalidRun("source", f"There is no source '{wanted.source}'.")


def _labels_known(session: Session, axis: str) -> Sequence[str]:
    """The labels that the newest record was judged by; none before the first."""
    newest = session.exec(select(Classification).order_by(col(Classification.id).desc()).limit(1)).first()
    if newest is None:
        return ()
    return sorted(newest.topics if axis == "topic" else newest.document[axis]["probabilities"])


def defer(session: Session, run: UUID) -> None:
    """Let a worker take a run up."""
    jobs.defer(session, "calibrate", once=f"calibrate:{run}", run=str(run))


def defer_lost(session: Session) -> int:
    """Defer those again that are under way and that no job carries; how many."""
    carried = jobs.at_work("calibrate")
    lost = session.exec(
        select(CalibrationRun.id)
        .outerjoin(carried, carried.c.id == CalibrationRun.id)
        .where(col(CalibrationRun.state) == "running", carried.c.id.is_(None))
    ).all()
    for one in lost:
        defer(session, one)
    return len(lost)


def run(database: Database, run_id: UUID, at: datetime) -> None:
    """Compute a run that is under way, whoever began it; the row says what came of it, also where that is a failure.

    Raises:
        DBAPIError, psycopg.Error: the database went away; the same may simply be tried again.
    """
    with database.session() as session:
        row = session.get(CalibrationRun, run_id, with_for_update=True)
        if row is None or row.state != "running":
            return
        if row.tries >= MOST_TRIES:
            _fail(session, run_id, f"It ended its worker {MOST_TRIES} times: see the log of the worker.")
            return
        row.tries += 1
        session.add(row)
    try:
        with database.session() as session:
            compute(session, run_id, at)
    except Exception as error:
        if is_outage(error):
            with suppress(DBAPIError), database.session() as session:
                _give_back(session, run_id)
            raise
        log.exception("calibration.failed", id=str(run_id))
        with database.session() as session:
            _fail(session, run_id, f"It came to nothing: heed made a mistake ({type(error).__name__}). See the log.")


def compute(session: Session, run_id: UUID, at: datetime) -> None:
    """Judge the labels of a run and put in force what they prove; commits. A run that is done stays as it is.

    Nothing is locked while the statistics take their time. Where another run judged the same labels meanwhile, they
    are judged again, as what they are then.
    """
    question = _question(session, run_id)
    while question is not None:
        binding = newest_binding(session)
        if binding is None:
            _fail(session, run_id, "Nothing has been read yet: send feedback first.")
            break
        gathered = gather(session, question, binding, at)
        session.commit()
        findings = judge_all(gathered, question)
        looks.one_at_a_time(session)
        if _written(session, question, findings, at):
            break
        session.rollback()
        question = _question(session, run_id)
    session.commit()


def _question(session: Session, run_id: UUID) -> RunQuestion | None:
    row = session.get(CalibrationRun, run_id, populate_existing=True)
    if row is None or row.state != "running":
        return None
    promise = Promise(row.precision, row.confidence)
    return RunQuestion(row.id, row.axis, row.label, row.source, promise, row.seed, row.created_by, row.comment)


def _written(session: Session, question: RunQuestion, findings: JudgedRun, at: datetime) -> bool:
    """Write down what was found, unless a look was taken meanwhile."""
    gathered = findings.gathered
    for one in gathered.looks:
        if looks.next_look(session, question.axis, one.label, question.source, gathered.binding) != one.next_look:
            return False
    row = session.get_one(CalibrationRun, question.run, with_for_update=True)
    if row.state != "running":
        return True
    row.result = put_in_force(session, question, findings, at).model_dump(mode="json")
    row.state, row.finished_at = "done", max(at, now())
    session.add(row)
    session.flush()
    log.info("calibration.done", id=str(row.id), labels=len(gathered.looks))
    return True


def _give_back(session: Session, run_id: UUID) -> None:
    """A try that the database cut short was none of the run's own."""
    row = session.get(CalibrationRun, run_id, with_for_update=True)
    if row is not None:
        row.tries = max(0, row.tries - 1)
        session.add(row)


def _fail(session: Session, run_id: UUID, reason: str) -> None:
    session.execute(
        update(CalibrationRun)
        .where(col(CalibrationRun.id) == run_id, col(CalibrationRun.state) == "running")
        .values(state="failed", reason=reason, finished_at=now())
    )
