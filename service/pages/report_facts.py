"""From a run's result and rows to the figures that the plots of a label's report are drawn from."""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from sqlalchemy import text
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from calibration.result import Estimate, Undefined
from calibration.words import percent
from service.lab.labels.evidence import Binding
from service.lab.runs.run_result import LabelResult
from service.lab.watch.light_words import ended
from service.pages.report_plots import Agreement, Group, Ladder, Rung
from service.pages.report_trail import Change, Life
from service.store.lab_tables import Calibrator, Certificate, GateChange, GateHold, LabelSample

_MODEL = "heed"
_LATELY = 20_000  # answers, the newest
_SINCE = text("""
    SELECT classifier, coalesce(model_digest, ''), taxonomy, coalesce(preparation, ''), min(created_at)
    FROM (SELECT * FROM classification WHERE NOT degraded ORDER BY id DESC LIMIT :lately) AS newest GROUP BY 1, 2, 3, 4
""")
_STATES: Mapping[str, str] = {
    "live": "in force",
    "waiting": "waiting for a second person",
    "superseded": "replaced",
    "declined": "declined",
}


def ladder(found: LabelResult, stands: float | None, room: float | None, *, certified: bool) -> Ladder:
    """The rungs that were walked, and what would pass at each."""
    daily = {one.threshold: one.tickets.value for one in found.what_if if isinstance(one.tickets, Estimate)}
    refusal = ended(found.threshold.reason) if found.threshold.status == "refused" else ""
    return Ladder(
        rungs=[
            Rung(one.threshold, one.n, one.correct, one.lower_bound, one.outcome, daily.get(one.threshold))
            for one in found.ladder
        ],
        precision=found.precision,
        stands=stands,
        refusal=refusal,
        room=room,
        certified=certified,
    )


def groups(found: LabelResult) -> list[Group]:
    """The groups of answers of which the model believed about the same."""
    return [
        Group(
            said=one.mean_probability,
            share=one.share.value,
            low=one.share.low,
            high=one.share.high,
            n=one.count,
            chance_low=one.chance_low,
            chance_high=one.chance_high,
        )
        for one in found.reliability
        if isinstance(one.share, Estimate)
    ]


def agreements(found: LabelResult) -> tuple[list[Agreement], str]:
    """Each person and the model beside the majority of the others, and the sentence about it."""
    against = found.agreement.model
    if against is None:
        return [], found.held_back or "People and heed are not compared before a promise is tested."
    if isinstance(against, Undefined):
        return [], f"heed cannot be compared with your people yet: {ended(against.reason)}"
    people = [
        Agreement(
            found.agreement.raters[one.rater].name, one.person.value, one.person.low, one.person.high, one.person.n
        )
        for one in against.raters
        if one.rater is not None and isinstance(one.person, Estimate)
    ]
    model = against.pooled.model
    if isinstance(model, Estimate):
        people.append(Agreement(_MODEL, model.value, model.low, model.high, model.n, model=True))
    return people, ended(against.sentence)


def lives(session: Session, axis: str, label: str, now: datetime) -> list[Life]:
    """The certificates of a label, oldest first."""
    rows = session.exec(
        select(Certificate)
        .where(col(Certificate.axis) == axis, col(Certificate.label) == label)
        .order_by(col(Certificate.issued_at))
    )
    held = session.exec(_holds(axis, label).where(col(GateHold.lifted_at).is_(None), col(GateHold.source).is_(None)))
    rests = held.first() is not None
    return [
        Life(
            one.issued_at,
            min(one.ended_at or one.expires_at, one.expires_at),
            f"certificate of {one.issued_at:%d %b %Y}, from {percent(one.threshold)} on, {_STATES[one.state]}",
            live=one.state == "live" and now < one.expires_at and not rests,
        )
        for one in rows
    ]


def _holds(axis: str, label: str) -> SelectOfScalar[GateHold]:
    return select(GateHold).where(col(GateHold.axis) == axis, col(GateHold.label) == label)


def changes(session: Session, axis: str, label: str) -> list[Change]:
    """When another model, list of topics, correction or threshold came into use, or people decided; oldest first."""
    fitted = session.exec(select(Calibrator).where(col(Calibrator.live_at).is_not(None)))
    moved = session.exec(
        select(GateChange).where(
            col(GateChange.axis) == axis,
            col(GateChange.label) == label,
            col(GateChange.action) == "move",
            col(GateChange.state) == "done",
        )
    )
    found = _readings(session)
    found += [Change(one.live_at, f"correction {one.name}") for one in fitted if one.live_at]
    found += [
        Change(one.decided_at or one.at, f"threshold {percent(one.after)}") for one in moved if one.after is not None
    ]
    for hold in session.exec(_holds(axis, label)):
        where = "" if hold.source is None else f", {hold.source}"
        found.append(Change(hold.at, f"{'alarm' if hold.cause == 'alarm' else 'people decide'}{where}"))
        found += [Change(hold.lifted_at, f"acts again{where}")] if hold.lifted_at else []
    return sorted(found, key=lambda one: one.at)


def _readings(session: Session) -> list[Change]:
    """When texts began to be read otherwise, as far as samples and the newest answers tell."""
    since = {Binding(*row[:4]): row[4] for row in session.execute(_SINCE, {"lately": _LATELY})}
    for sample in session.exec(select(LabelSample)):
        by = Binding(sample.classifier, sample.model_digest, sample.taxonomy, sample.preparation)
        since[by] = min(since.get(by, sample.created_at), sample.created_at)
    ordered = sorted(since.items(), key=lambda pair: pair[1])
    return [Change(at, _otherwise(before, now)) for (before, _), (now, at) in pairwise(ordered)]


def _otherwise(before: Binding, now: Binding) -> str:
    if before.classifier != now.classifier:
        return f"model {now.classifier}"
    if before.model_digest != now.model_digest:
        return "model changed"
    return f"topics {now.taxonomy}" if before.taxonomy != now.taxonomy else "preparation of texts"
