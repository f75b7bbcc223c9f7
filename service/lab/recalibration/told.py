"""What people are told of calibrators: which source is read with a correction of its own, and which no longer is."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from calibration.words import counted
from service.lab.labels.evidence import newest_binding
from service.route.certificates import day
from service.store.lab_tables import Calibrator

WEEK = timedelta(weeks=1)


def told(session: Session, at: datetime) -> tuple[str, ...]:
    """What became of calibrators in the last week, and of those a new model has no use for; gravest first."""
    binding = newest_binding(session)
    if binding is None:
        return ()
    found = select(Calibrator).where(col(Calibrator.state).in_(["live", "waiting"]), col(Calibrator.created_at) <= at)
    rows = session.exec(found.order_by(col(Calibrator.source), col(Calibrator.version).desc())).all()
    ours = [row for row in rows if (row.classifier, row.model_digest) == (binding.classifier, binding.model_digest)]
    corrected = {row.source for row in ours}
    others = {row.source: row for row in rows if row.state == "live" and row.maps and row.source not in corrected}
    return (
        *(_of_another_model(row) for row in others.values()),
        *(_live(row) for row in ours if row.state == "live" and _lately(row.live_at, at)),
        *(_waiting(row) for row in ours if row.state == "waiting" and _lately(row.created_at, at)),
    )


def _lately(then: datetime | None, at: datetime) -> bool:
    return then is not None and at - WEEK < then <= at


def _of_another_model(row: Calibrator) -> str:
    return (
        f"{row.source}: its correction was learnt for another model and is not used any more; label 50 answers of a "
        "targeted sample, and it is learnt anew."
    )


def _live(row: Calibrator) -> str:
    since = day(row.live_at) if row.live_at else ""
    if not row.maps:
        return f"{row.source}: since {since} it is read as the model says, for its labels ask for no correction."
    return f"{row.source}: since {since} its answers are read with a correction, learnt from {_labels(row.labels)}."


def _waiting(row: Calibrator) -> str:
    return (
        f"{row.source}: a correction learnt from {_labels(row.labels)} waits, since it would void a promise; label an "
        "audit sample and start a run, which judges it."
    )


def _labels(labels: Mapping[str, int]) -> str:
    return f"{counted(max(labels.values(), default=0), 'answer', 'answers')} that people labelled"
