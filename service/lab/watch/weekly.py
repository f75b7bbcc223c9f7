"""The weekly loop: audit samples drawn, reviewers told, promises watched, sources refitted, and what changed told.

Each step is a transaction of its own that finds out what is done already: whoever is cut off is gone on with, and of
two workers the second does nothing twice.
"""

from collections import defaultdict
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
from service.lab.labels.samples import InvalidSample, Wanted, await_draw, close, draw
from service.lab.recalibration.refit import refit
from service.lab.runs.looks import NextLook, next_look
from service.lab.runs.run import Wanted as Asked
from service.lab.runs.run import begin
from service.lab.watch import news
from service.lab.watch.alarms import raise_alarms
from service.lab.watch.gate_week import PromisedLabel, WeekSample, left_of, promise_of
from service.lab.watch.trail import monday_of
from service.lab.watch.week_report import report_of
from service.lab.watch.what_changed import tell_voided
from service.route.certificates import day
from service.route.policy import strictest
from service.route.versions import SYSTEM, deciding
from service.store import jobs
from service.store.lab_tables import CalibrationRun, Certificate, LabelSample, WeeklyReport
from service.store.tables import Source, now

log = structlog.get_logger(__name__)

SIZE = 60
LEAST = 10  # texts, or the week has no sample
DUE = time(6, tzinfo=UTC)  # of a Monday: people find it when they begin
_KEY = 0x68656C62  # any constant: one worker does a step of a week at a time

Done = TypeVar("Done")


def weekly(session: Session, taxonomy: Taxonomy, at: datetime) -> WeeklyReport:
    """Do what is left to do of the week of `at`, and write its report; commits. A week that is done stays as it is."""
    week = monday_of(at)
    gates = _step(session, lambda: promised_gates(session))
    _step(session, lambda: raise_alarms(session, at))
    _step(session, lambda: tell_voided(session, at))
    samples = [_step(session, partial(_sample, session, gate, taxonomy, at)) for gate in gates]
    _step(session, lambda: _tell_reviewers(session, week, at))
    for gate in gates:
        _step(session, partial(_judge, session, gate, at))
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


def promised_gates(session: Session) -> Sequence[PromisedLabel]:
    """What the policies that decide promise about labels; of several promises about one label the strictest."""
    decided = deciding(session)
    live = {one.version for one in decided.in_force if one.mode == "live"}
    found: defaultdict[tuple[str, str], list[Promise]] = defaultdict(list)
    for version in live:
        for one in (decided.policies or {})[version].thresholds.values():
            if one.promise is not None:
                found[one.axis, one.label].append(one.promise)
    return [PromisedLabel(*about, promise) for about, asked in sorted(found.items()) if (promise := strictest(asked))]


def _sample(session: Session, gate: PromisedLabel, taxonomy: Taxonomy, at: datetime) -> WeekSample:
    """Draw the week's audit sample of a label, unless this week has one or one is still being labelled.

    Where a promise stands, it is watched: drawn is from what came in since the sample before, and that one is closed.
    Where one was withdrawn, is void or ends soon, the sample is to prove it anew: one at a time, judged when done.
    """
    promise = promise_of(session, gate.axis, gate.label, at)
    newest = session.exec(_samples(session, gate).order_by(col(LabelSample.created_at).desc())).first()
    look = _next_look(session, gate)
    awaited = _awaited(session, gate, at)
    watched = promise.stands or (awaited and promise.passes)
    renews = promise.to_prove and not watched
    if newest is not None and (watched or not awaited) and _keeps(newest, look, monday_of(at), watched=watched):
        return left_of(session, gate, newest, renews=renews)
    if not watched and awaited:
        return WeekSample(gate, 0, "its new certificate waits for a second person to agree to it")
    if not watched and _unjudged(session, gate, look):
        return WeekSample(gate, 0, "the answers that were labelled are judged first")
    since = max(promise.since, newest.created_at) if promise.since and newest else promise.since
    purpose = "renewal" if renews else "weekly"
    await_draw(session)
    try:
        with session.begin_nested() as nested:
            wanted = Wanted(gate.axis, gate.label, SIZE, "audit", since=since, purpose=purpose)
            drawn = draw(session, wanted, taxonomy, by=SYSTEM, at=at)
            if drawn.size < LEAST:
                nested.rollback()
                return WeekSample(
                    gate, 0, f"only {counted(drawn.size, 'text', 'texts')} came in that nobody has judged"
                )
    except InvalidSample:
        return WeekSample(gate, 0, "nothing came in that nobody has judged")
    if promise.since and newest is not None and newest.state == "open":
        close(session, newest, at, by=SYSTEM)
    return WeekSample(gate, drawn.size, "", renews=renews)


def _keeps(newest: LabelSample, look: NextLook | None, week: date, *, watched: bool) -> bool:
    """Whether the newest sample is this week's: drawn this week, or, where something is to be proved, open still."""
    of_the_week = monday_of(newest.created_at) == week
    if watched:
        return of_the_week and newest.purpose == "weekly"
    counts = look is None or newest.id not in look.without
    return counts and (of_the_week or newest.state == "open")


def _samples(session: Session, gate: PromisedLabel) -> SelectOfScalar[LabelSample]:
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
    open_ones = select(LabelSample.id).where(
        col(LabelSample.purpose).in_(["weekly", "renewal"]), col(LabelSample.state) == "open"
    )
    if session.exec(open_ones.limit(1)).first() is not None:
        words = f"The answers to judge in the week of {day(at)} are there: open the page Review."
        news.tell(session, news.REVIEWERS, "to_label", words, f"weekly:{week}", at)


def _judge(session: Session, gate: PromisedLabel, at: datetime) -> None:
    """Begin a run where something is to be proved, and a sample was labelled that no run has judged."""
    if promise_of(session, gate.axis, gate.label, at).stands or _awaited(session, gate, at):
        return
    if _unjudged(session, gate, _next_look(session, gate)):
        begin(session, Asked(gate.axis, gate.label, gate.promise), by=SYSTEM, at=at)


def _next_look(session: Session, gate: PromisedLabel) -> NextLook | None:
    read = newest_binding(session)
    return next_look(session, gate.axis, gate.label, None, read) if read else None


def _unjudged(session: Session, gate: PromisedLabel, look: NextLook | None) -> bool:
    """Whether a sample is done that counts for the next look, and that no run has judged."""
    done = _samples(session, gate).where(col(LabelSample.state) == "done").order_by(col(LabelSample.closed_at).desc())
    fresh = [one for one in session.exec(done) if look is None or _counts(one, look)]
    if not fresh or fresh[0].closed_at is None:
        return False
    since = select(CalibrationRun.id).where(
        col(CalibrationRun.axis) == gate.axis,
        col(CalibrationRun.label).is_(None) | (col(CalibrationRun.label) == gate.label),
        col(CalibrationRun.created_at) >= fresh[0].closed_at,
    )
    return session.exec(since.limit(1)).first() is None


def _counts(sample: LabelSample, look: NextLook) -> bool:
    return sample.id not in look.without and (look.since is None or sample.created_at > look.since)


def _awaited(session: Session, gate: PromisedLabel, at: datetime) -> bool:
    """Whether a certificate of the label waits for a second person."""
    waiting = select(Certificate.id).where(
        col(Certificate.axis) == gate.axis,
        col(Certificate.label) == gate.label,
        col(Certificate.state) == "waiting",
        col(Certificate.expires_at) > at,
    )
    return session.exec(waiting.limit(1)).first() is not None


def _write(session: Session, week: date, samples: Sequence[WeekSample], at: datetime) -> WeeklyReport:
    row = session.get(WeeklyReport, week)
    if row is None:
        told = report_of(session, samples, at)
        row = WeeklyReport(week=week, sentences=list(told.sentences), figures=told.figures, created_at=at)
        session.add(row)
        log.info("weekly.done", week=str(week))
    return row
