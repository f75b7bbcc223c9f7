"""Refit: correct a source's probabilities by its own reviewed items, of the targeted pool, from 50 on."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from sqlmodel import Session, col, select

from calibration.calibrators.class_scaling import ClassScaling
from calibration.calibrators.logits import to_class_logits
from calibration.calibrators.select import LEAST_LABELS, Selection, select_class_map
from calibration.calibrators.storage import to_json
from calibration.labels.label import Label
from service.lab.labels.evidence import Binding, labels_of, newest_binding
from service.lab.recalibration.beliefs import beliefs
from service.lab.recalibration.calibrators import changed_axes, covering, go_live
from service.route.versions import alone
from service.source_maps import CALIBRATED, LABELS, NONE, Calibrators, SourceMaps, maps_of
from service.store.lab_tables import Calibrator, Certificate
from service.store.tables import Source

AGAIN = 50  # so many labels more, before a source is refitted


@dataclass(frozen=True, slots=True)
class Refit:
    """What came of it: the calibrator that went live or waits, and by axis the reason, in a sentence.

    Both None: there is nothing new, and what was read as before still is.
    """

    source: str
    calibrator: str | None
    state: Literal["live", "waiting"] | None
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the labels of one axis led to; `map` None: as the model says. `labels` is how many it rests on."""

    map: ClassScaling | None
    labels: int
    reason: str


def refit(session: Session, source: str, at: datetime) -> Refit:
    """Refit the maps of one source, on each axis with 50 more reviewed items than before; the caller commits.

    A new calibrator goes live by itself only where no live certificate covers the source on an axis it changes; else
    it waits for a certificate of its own, or until there is none left to void. Where nothing would read otherwise
    there is no new one.
    """
    session.get(Source, source, with_for_update={"key_share": True})  # one refit of a source at a time
    binding = newest_binding(session)
    if binding is None:
        return Refit(source, None, None, dict.fromkeys(CALIBRATED, "Nothing has been read yet."))
    last = _newest(session, source, binding, "live", "waiting")
    if last and _awaited(session, last, at):
        return _postponed(last)
    before = _maps(last)
    fitted = {axis: _fitted(session, source, axis, binding, before, last) for axis in CALIBRATED}
    return _taken_up(session, source, binding, fitted, at)


def _postponed(row: Calibrator) -> Refit:
    words = f"A certificate made with {row.name} waits for a second person: until then nothing is refitted."
    return Refit(row.source, row.name, "waiting", dict.fromkeys(CALIBRATED, words))


def _taken_up(session: Session, source: str, binding: Binding, fitted: Mapping[str, Fitted], at: datetime) -> Refit:
    """Store what was fitted where it is new, and let it go live or wait: no certificate is issued meanwhile."""
    alone(session)
    live, last = (_newest(session, source, binding, *states) for states in (("live",), ("live", "waiting")))
    if last and _awaited(session, last, at):
        return _postponed(last)
    reasons = {axis: one.reason for axis, one in fitted.items()}
    after = SourceMaps("", {axis: one.map for axis, one in fitted.items() if one.map is not None})
    row = _stored(session, source, binding, fitted, at) if changed_axes(_maps(last), after) else last
    if row is None or row.state == "live":
        return Refit(source, None, None, reasons)
    if covering(session, row, changed_axes(_maps(live), after), at, "live"):
        return Refit(source, row.name, "waiting", reasons)
    go_live(session, row.name, at)
    return Refit(source, row.name, "live", reasons)


def _maps(row: Calibrator | None) -> SourceMaps:
    return maps_of(row) if row else NONE


def _awaited(session: Session, row: Calibrator, at: datetime) -> bool:
    """Whether a certificate that names this calibrator waits to be agreed to, and still can be."""
    held = session.exec(
        select(Certificate.calibrators).where(col(Certificate.state) == "waiting", col(Certificate.expires_at) > at)
    )
    return row.state == "waiting" and any(one.get(row.source) == row.name for one in held)


def _newest(session: Session, source: str, binding: Binding, *states: str) -> Calibrator | None:
    """The newest calibrator of a source in one of these states that was fitted on this model."""
    return session.exec(
        select(Calibrator)
        .where(
            col(Calibrator.source) == source,
            col(Calibrator.classifier) == binding.classifier,
            col(Calibrator.model_digest) == binding.model_digest,
            col(Calibrator.state).in_(states),
        )
        .order_by(col(Calibrator.version).desc())
        .execution_options(populate_existing=True)
    ).first()


def _fitted(
    session: Session, source: str, axis: str, binding: Binding, before: SourceMaps, last: Calibrator | None
) -> Fitted:
    """The map of one axis by all that is known today, or the one before where too little is new."""
    rows = _reviewed(session, source, axis, binding)
    known = last.labels.get(axis, 0) if last else 0
    if len(rows) < max(known + AGAIN, LEAST_LABELS):
        return Fitted(before.maps.get(axis), known, _too_few(axis, len(rows), known))
    chosen = _chosen(axis, rows)
    reason = next((one.refused for one in chosen.candidates if one.refused), None) or chosen.reason
    found = chosen.map if isinstance(chosen.map, ClassScaling) and _gains(chosen) else None
    return Fitted(found, len(rows), f"{axis.capitalize()}: {reason if found is None else chosen.reason}.")


def _gains(chosen: Selection) -> bool:
    """Whether the chosen map's cross-validated log loss lies below that of changing nothing."""
    losses = {one.name: one.log_loss for one in chosen.candidates if one.log_loss is not None}
    return losses[chosen.name] < losses["identity"]


def _too_few(axis: str, found: int, known: int) -> str:
    needed = max(known + AGAIN, LEAST_LABELS)
    since = f", {known} of them known before" if known else ""
    return f"{axis.capitalize()}: {found} reviewed items of this source{since}; {needed} are needed."


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the model itself said of a record, by label, and the label that people agreed on."""

    probabilities: Mapping[str, float]
    right: str


def _reviewed(session: Session, source: str, axis: str, binding: Binding) -> list[Reviewed]:
    """Every record of a source in the targeted pool about which people agree, with uncalibrated probabilities."""
    said = labels_of(session, axis, binding=binding, source=source, pool="targeted")
    raw = {str(card.feedback_id): card.id for card in said.cards}
    own = beliefs(session, said.cards, axis, Calibrators())
    agreed = agreed_labels(said.labels)
    return [Reviewed(own[raw[record]], right) for record, right in agreed.items() if raw[record] in own]


def agreed_labels(labels: Iterable[Label]) -> dict[str, str]:
    """By record, the label that an adjudicator chose, else most of those who were sure; none where there is no such.

    For training only, so that answers which were not blind count too.
    """
    chosen: defaultdict[str, list[Label]] = defaultdict(list)
    for one in labels:
        if one.human:
            chosen[one.id].append(one)
    agreed = {}
    for record, ones in chosen.items():
        voices = [one for one in ones if one.adjudicated] or ones
        (label, most), *others = Counter(one.label for one in voices).most_common()
        if most > sum(count for _, count in others):
            agreed[record] = label
    return agreed


def _chosen(axis: str, rows: list[Reviewed]) -> Selection:
    labels = LABELS[axis]
    logits = to_class_logits([[one.probabilities[label] for label in labels] for one in rows])
    return select_class_map(logits, np.array([labels.index(one.right) for one in rows]))


def _stored(session: Session, source: str, binding: Binding, fitted: Mapping[str, Fitted], at: datetime) -> Calibrator:
    """The next version of a source, waiting; one that waited before it waits no more."""
    earlier = session.exec(select(Calibrator).where(col(Calibrator.source) == source)).all()
    for one in earlier:
        if one.state == "waiting":
            one.state = "ended"
            session.add(one)
    version = max((one.version for one in earlier), default=0) + 1
    maps: dict[str, Any] = {axis: json.loads(to_json(one.map)) for axis, one in fitted.items() if one.map is not None}
    row = Calibrator(
        name=f"{source}@{version}",
        source=source,
        version=version,
        classifier=binding.classifier,
        model_digest=binding.model_digest,
        maps=maps,
        labels={axis: one.labels for axis, one in fitted.items()},
        state="waiting",
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row
