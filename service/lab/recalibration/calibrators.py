"""Calibrators in use and those that wait: what each replaces, and putting one to use."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from service.lab.labels.choices import AXES
from service.route.versions import SYSTEM, alone
from service.source_maps import CALIBRATED, NONE, Calibrators, SourceMaps, live, maps_of
from service.store import audit
from service.store.lab_tables import Calibrator, Certificate


class NotWaiting(Exception):
    """There is no such calibrator, or it does not wait."""


def waiting(session: Session, classifier: str, model_digest: str) -> list[Calibrator]:
    """Calibrators fitted on this classifier that wait for a certificate of their own, by source."""
    return list(
        session.exec(
            select(Calibrator)
            .where(
                col(Calibrator.state) == "waiting",
                col(Calibrator.classifier) == classifier,
                col(Calibrator.model_digest) == model_digest,
            )
            .order_by(col(Calibrator.source))
        )
    )


def on_trial(session: Session, classifier: str, model_digest: str) -> Calibrators:
    """Those in use, with each that waits in the place of the one it would follow: what a run judges its labels under.

    A certificate that names one of these puts it to use (`put_to_use`), so promise and reading change together.
    """
    trial = {row.source: maps_of(row) for row in waiting(session, classifier, model_digest)}
    return Calibrators({**live(session, classifier, model_digest).of_source, **trial})


def put_to_use(session: Session, names: Iterable[str], at: datetime) -> None:
    """Let those of these calibrators go live that wait: their certificate takes effect. The caller commits."""
    held = select(Calibrator.name).where(col(Calibrator.name).in_(set(names)), col(Calibrator.state) == "waiting")
    for name in session.exec(held.order_by(col(Calibrator.name))).all():
        go_live(session, name, at)


def go_live(session: Session, name: str, at: datetime, *, by: str = SYSTEM) -> Calibrator:
    """Put a waiting calibrator to use; the one before it of its source ends. The caller commits.

    Decisions, and whoever moves a gate, wait until then: they lock certificates before calibrators.

    A certificate of an axis that reads exactly as before, live or waiting, is bound to the new name. One of an axis
    that reads otherwise names the calibrator before: it is void from the next record on, unless it was made for this
    one (`service.route.certificates`).

    Raises:
        NotWaiting: there is no such calibrator, or it does not wait.
    """
    alone(session)
    row = session.get(Calibrator, name, with_for_update=True)
    if row is None or row.state != "waiting":
        raise NotWaiting(f"There is no calibrator {name} that waits to be used.")
    before = session.exec(
        select(Calibrator).where(col(Calibrator.source) == row.source, col(Calibrator.state) == "live")
    ).all()
    for one in before:
        one.state = "ended"
    row.state, row.live_at = "live", at
    _carry_over(session, row, _read_as(before, row), at)
    session.add_all([row, *before])
    session.flush()
    audit.record(session, by, "calibrator.live", name, before=[one.name for one in before])
    return row


def _read_as(before: Sequence[Calibrator], row: Calibrator) -> SourceMaps:
    """What the source was read under until now, by the same model."""
    same = (maps_of(one) for one in before if (one.classifier, one.model_digest) == (row.classifier, row.model_digest))
    return next(same, NONE)


def changed_axes(before: SourceMaps, after: SourceMaps) -> frozenset[str]:
    """The axes that read otherwise under the second."""
    return frozenset(axis for axis in CALIBRATED if before.maps.get(axis) != after.maps.get(axis))


def covering(session: Session, row: Calibrator, axes: Collection[str], at: datetime, *states: str) -> list[Certificate]:
    """Certificates in date and one of these states about this calibrator's source and model on one of these axes."""
    found = session.exec(
        select(Certificate).where(
            col(Certificate.state).in_(states),
            col(Certificate.expires_at) > at,
            col(Certificate.classifier) == row.classifier,
            col(Certificate.model_digest) == row.model_digest,
            col(Certificate.axis).in_(axes),
        )
    )
    return [one for one in found if row.source in one.sources]


def alike(session: Session, axis: str, names: Iterable[str]) -> dict[str, object]:
    """By calibrator, what it does on an axis: two that do the same are equal here, whatever their names."""
    if axis not in CALIBRATED:
        return dict.fromkeys(names)
    fitted = session.exec(select(Calibrator).where(col(Calibrator.name).in_(set(names))))
    maps = {row.name: maps_of(row).maps.get(axis) for row in fitted}
    return {name: maps.get(name) for name in names}


def _carry_over(session: Session, row: Calibrator, before: SourceMaps, at: datetime) -> None:
    same = set(AXES) - changed_axes(before, maps_of(row))
    for one in covering(session, row, same, at, "live", "waiting"):
        if one.calibrators.get(row.source) == before.name:
            one.calibrators = {**one.calibrators, row.source: row.name}
            session.add(one)
