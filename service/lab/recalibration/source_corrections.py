"""In a few words per source, whether what the model says of its texts is corrected, and if not why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import distinct
from sqlmodel import Session, col, func, select

from calibration.calibrators.select import LEAST_LABELS
from service.lab.labels.evidence import HEARD, Binding, stood_by
from service.route.certificates import day
from service.route.phrases import listed
from service.source_maps import CALIBRATED
from service.store.lab_tables import Calibrator, HumanLabel, LabelCard, LabelSample
from service.store.tables import Source


@dataclass(frozen=True, slots=True)
class SourceCorrection:
    """A source and how its calibrator stands: `live`, `waiting`, or as the model says."""

    source: str
    state: str
    words: str


def source_corrections(session: Session, binding: Binding | None) -> tuple[SourceCorrection, ...]:
    """How the calibrator of every source stands under the model that reads now; nothing before the first reading."""
    if binding is None:
        return ()
    fitted = session.exec(
        select(Calibrator).where(
            col(Calibrator.state).in_(["live", "waiting"]),
            col(Calibrator.classifier) == binding.classifier,
            col(Calibrator.model_digest) == binding.model_digest,
        )
    ).all()
    reviewed = _reviewed(session, binding)
    return tuple(
        _correction(source, [one for one in fitted if one.source == source], reviewed)
        for source in session.exec(select(Source.name).order_by("name"))
    )


def _correction(source: str, fitted: Sequence[Calibrator], reviewed: Mapping[tuple[str, str], int]) -> SourceCorrection:
    waiting = next((one for one in fitted if one.state == "waiting"), None)
    live = next((one for one in fitted if one.state == "live"), None)
    used = f"{_corrects(live)} since {day(live.live_at)}" if live and live.live_at else ""
    if waiting is not None:
        words = f"{_corrects(waiting)} once a run proves a promise with it: it was fitted on {day(waiting.created_at)}"
        return SourceCorrection(source, "waiting", f"{words}; until then {used or 'as the model says'}.")
    if used:
        return SourceCorrection(source, "live", f"{used}.")
    most = max(reviewed[source, axis] for axis in CALIBRATED)
    if most < LEAST_LABELS:
        return SourceCorrection(
            source, "too few labels", f"As the model says: {most} of {LEAST_LABELS} training labels."
        )
    return SourceCorrection(source, "as it is", f"As the model says: {most} training labels asked for no correction.")


def _corrects(row: Calibrator) -> str:
    axes = sorted(row.maps)
    said = [f"{axis} by {row.labels.get(axis, 0)} labels" for axis in axes]
    return f"Corrected ({listed(said, 'and')})" if said else "As the model says"


def _reviewed(session: Session, binding: Binding) -> Mapping[tuple[str, str], int]:
    """By source and axis, how many records of the training samples people have answered."""
    found = session.exec(
        select(LabelCard.source, LabelSample.axis, func.count(distinct(col(LabelCard.feedback_id))))
        .join(LabelSample, col(LabelSample.id) == col(LabelCard.sample_id))
        .join(HumanLabel, col(HumanLabel.card_id) == col(LabelCard.id))
        .where(
            col(LabelSample.pool) == "targeted",
            col(LabelSample.classifier) == binding.classifier,
            col(LabelSample.model_digest) == binding.model_digest,
            col(LabelCard.state).in_(HEARD),
            *stood_by(),
            col(HumanLabel.unsure).is_(False),
        )
        .group_by(col(LabelCard.source), col(LabelSample.axis))
    )
    return Counter({(source, axis): count for source, axis, count in found})
