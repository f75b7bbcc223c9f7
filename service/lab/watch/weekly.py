"""The weekly loop: audit samples drawn, reviewers told, promises watched, sources refitted, and what changed told.

Each step is a transaction of its own that finds out what is done already: whoever is cut off is gone on with, and of
two workers the second does nothing twice.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import text
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from calibration.promise import Promise
from calibration.words import counted
from models.taxonomies.taxonomy import Taxonomy
from service.lab.labels.evidence import newest_binding
from service.lab.labels.samples import InvalidSample, Wanted, close, draw
from service.lab.recalibration.refit import refit
from service.lab.runs.run import Wanted as Asked
from service.lab.runs.run import begin
from service.lab.watch import news
from service.lab.watch.alarms import raise_alarms
from service.lab.watch.trail import live_certificates, monday_of
from service.lab.watch.week_report import Gate, WeekSample, report_of
from service.lab.watch.what_changed import tell_voided
from service.route.certificates import day
from service.route.versions import deciding
from service.store import jobs
from service.store.lab_tables import CalibrationRun, Certificate, LabelSample, WeeklyReport
from service.store.tables import Source, now

log = structlog.get_logger(__name__)

SIZE = 60
LEAST = 10  # texts, or the week has no sample
SYSTEM = "heed"
DUE = time(6, tzinfo=UTC)  # of a Monday: people find it when they begin
_KEY = 0x68656C62  # any constant: one worker does a step of a week at a time

Done = TypeVar("Done")


def weekly(session: Session, taxonomy: Taxonomy, at: datetime) -> WeeklyReport:
    """Do what is left to do of the week of `at`, and write its report; commits. A week that is done stays as it is."""
    week = monday_of(at)
    gates = _step(session, lambda: promised_gates(session))
    samples = [_step(session, partial(_sample, session, gate, taxonomy, at)) for gate in gates]
    _step(session, lambda: _tell_reviewers(session, week, at))
    for gate in gates:
        _step(session, partial(_judge, session, gate, at))
    _step(session, lambda: raise_alarms(session, at))
    _step(session, lambda: tell_voided(session, at))
    for source in sorted(session.exec(select(Source.name))):
        _step(session, partial(refit, session, source, at))
    return _step(session, lambda: _write(session, week, samples, at))


def _step(session: Session, step: Callable[[], Done]) -> Done:
    session.commit()
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEY})
    done = step()
    session.commit()
    return done


def defer_lost(session: Session) -> int:
    """Defer the week again where it is due and was not done although a week before it was; how many: 1 or 0."""
    at = now()
    week = monday_of(at)
    if at < datetime.combine(week, DUE) or session.get(WeeklyReport, week) is not None:
        return 0
    if session.exec(select(WeeklyReport).limit(1)).first() is None:
        return 0
    jobs.defer(session, "weekly", once="weekly")
    return 1


def promised_gates(session: Session) -> Sequence[Gate]:
    """What the policies that decide promise about labels; of several promises about one label the strictest."""
    decided = deciding(session)
    live = {one.version for one in decided.in_force if one.mode == "live"}
    found: dict[tuple[str, str], Promise] = {}
    for version in live:
        for one in (decided.policies or {})[version].thresholds.values():
            if one.promise is not None:
                promises = [one.promise, found.get((one.axis, one.label), one.promise)]
                strictest = Promise(max(p.precision for p in promises), max(p.confidence for p in promises))
                found[one.axis, one.label] = strictest
    return [Gate(axis, label, promise) for (axis, label), promise in sorted(found.items())]


def _sample(session: Session, gate: Gate, taxonomy: Taxonomy, at: datetime) -> WeekSample:
    """Draw the week's audit sample of a label, unless this week has one or one is still being labelled.

    Under a certificate it is drawn from what came in since the sample before, and that one is closed: there is a next.
    """
    newest = session.exec(_samples(session, gate).order_by(col(LabelSample.created_at).desc())).first()
    certificate = _certificate(session, gate, at)
    if newest is not None and _keeps(newest, certificate, monday_of(at)):
        return WeekSample(gate, newest.size, "")
    if certificate is None and _unjudged(session, gate, at):
        return WeekSample(gate, 0, "the answers that were labelled are judged first")
    since = max(certificate.issued_at, newest.created_at if newest else certificate.issued_at) if certificate else None
    try:
        with session.begin_nested() as nested:
            wanted = Wanted(gate.axis, gate.label, SIZE, "audit", since=since, purpose="weekly")
            drawn = draw(session, wanted, taxonomy, by=SYSTEM, at=at)
            if drawn.size < LEAST:
                nested.rollback()
                return WeekSample(
                    gate, 0, f"only {counted(drawn.size, 'text', 'texts')} came in that nobody has judged"
                )
    except InvalidSample:
        return WeekSample(gate, 0, "nothing came in that nobody has judged")
    if certificate is not None and newest is not None and newest.state == "open":
        close(session, newest, at, by=SYSTEM)
    return WeekSample(gate, drawn.size, "")


def _keeps(newest: LabelSample, certificate: Certificate | None, week: date) -> bool:
    if monday_of(newest.created_at) == week and newest.purpose == "weekly":
        return True
    return certificate is None and newest.state == "open"


def _samples(session: Session, gate: Gate) -> SelectOfScalar[LabelSample]:
    """The audit samples of a label whose records were read as they are read now."""
    read = newest_binding(session)
    return select(LabelSample).where(
        col(LabelSample.axis) == gate.axis,
        col(LabelSample.label) == gate.label,
        col(LabelSample.pool) == "audit",
        col(LabelSample.classifier) == (read.classifier if read else None),
        col(LabelSample.model_digest) == (read.model_digest if read else None),
    )


def _tell_reviewers(session: Session, week: date, at: datetime) -> None:
    open_ones = select(LabelSample.id).where(col(LabelSample.purpose) == "weekly", col(LabelSample.state) == "open")
    if session.exec(open_ones.limit(1)).first() is not None:
        words = f"The answers to judge in the week of {day(at)} are there: open the page Review."
        news.tell(session, news.REVIEWERS, "to_label", words, f"weekly:{week}", at)


def _judge(session: Session, gate: Gate, at: datetime) -> None:
    """Begin a run where a label without certificate has a sample that was labelled since the last one."""
    if _certificate(session, gate, at) is None and _unjudged(session, gate, at):
        begin(session, Asked(gate.axis, gate.label, gate.promise), by=SYSTEM, at=at)


def _certificate(session: Session, gate: Gate, at: datetime) -> Certificate | None:
    return next((one for one in live_certificates(session, at) if gate.is_of(one)), None)


def _unjudged(session: Session, gate: Gate, at: datetime) -> bool:
    """Whether a sample is done that no run has judged; one whose certificate waits for a second person has been."""
    done = _samples(session, gate).where(col(LabelSample.state) == "done").order_by(col(LabelSample.closed_at).desc())
    newest = session.exec(done).first()
    if newest is None or newest.closed_at is None:
        return False
    waiting = select(Certificate.id).where(
        col(Certificate.axis) == gate.axis,
        col(Certificate.label) == gate.label,
        col(Certificate.state) == "waiting",
        col(Certificate.expires_at) > at,
    )
    since = select(CalibrationRun.id).where(
        col(CalibrationRun.axis) == gate.axis,
        col(CalibrationRun.label).is_(None) | (col(CalibrationRun.label) == gate.label),
        col(CalibrationRun.created_at) >= newest.closed_at,
    )
    return not any(session.exec(found.limit(1)).first() for found in (waiting, since))


def _write(session: Session, week: date, samples: Sequence[WeekSample], at: datetime) -> WeeklyReport:
    row = session.get(WeeklyReport, week)
    if row is None:
        told = report_of(session, samples, at)
        row = WeeklyReport(week=week, sentences=list(told.sentences), figures=told.figures, created_at=at)
        session.add(row)
        log.info("weekly.done", week=str(week))
    return row
