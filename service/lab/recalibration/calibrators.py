"""Calibrators: what labels would be worth under another one, and putting a waiting one to use."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from models.document import combine
from models.prediction import Reading
from service.lab.labels.choices import AXES
from service.source_maps import CALIBRATED, NONE, Calibrators, SourceMaps, live, maps_of
from service.store.audit import record
from service.store.lab_tables import Calibrator, Certificate, LabelCard, LabelSample
from service.store.tables import Classification, FeedbackRevision, among


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


def beliefs(
    session: Session, cards: Sequence[LabelCard], axis: str, calibrators: Calibrators
) -> dict[UUID, Mapping[str, float]]:
    """By card id, the probabilities of the axis' labels had its record been read under these calibrators.

    `Calibrators()` gives what the model itself says, whatever calibrator the record was read under. Each verbatim is
    corrected and the record combined again, as `service.classify` does. A card whose record or reading is gone is left
    out. On an axis that no calibrator maps a card's own probabilities are the answer.
    """
    if axis not in CALIBRATED:
        return {card.id: card.probabilities for card in cards}
    read = _readings(session, cards)
    return {card.id: _combined(read[card.id], calibrators.of(card.source), axis) for card in cards if card.id in read}


def go_live(session: Session, name: str, at: datetime, *, by: str = "heed") -> Calibrator:
    """Put a waiting calibrator to use; the one before it of its source ends. The caller commits.

    A live certificate of an axis that reads exactly as before stays in force, bound to the new name. One of an axis
    that reads otherwise names the calibrator before: it is void from the next record on, unless it was made for this
    one (`service.route.certificates`).

    Raises:
        NotWaiting: there is no such calibrator, or it does not wait.
    """
    row = session.get(Calibrator, name, with_for_update=True)
    if row is None or row.state != "waiting":
        raise NotWaiting(f"There is no calibrator {name} that waits to be used.")
    before = session.exec(
        select(Calibrator).where(col(Calibrator.source) == row.source, col(Calibrator.state) == "live")
    ).all()
    for one in before:
        one.state, one.ended_at = "ended", at
    row.state, row.live_at = "live", at
    _carry_over(session, row, _read_as(before, row), at)
    session.add_all([row, *before])
    session.flush()
    record(session, by, "calibrator.live", name, before=[one.name for one in before])
    return row


def _read_as(before: Sequence[Calibrator], row: Calibrator) -> SourceMaps:
    """What the source was read under until now, by the same model."""
    same = (maps_of(one) for one in before if (one.classifier, one.model_digest) == (row.classifier, row.model_digest))
    return next(same, NONE)


def changed_axes(before: SourceMaps, after: SourceMaps) -> frozenset[str]:
    """The axes that read otherwise under the second."""
    return frozenset(axis for axis in CALIBRATED if before.maps.get(axis) != after.maps.get(axis))


def covering(session: Session, row: Calibrator, axes: Collection[str], at: datetime) -> list[Certificate]:
    """Certificates in force at a moment that speak of this calibrator's source and model on one of these axes."""
    found = session.exec(
        select(Certificate).where(
            col(Certificate.state) == "live",
            col(Certificate.expires_at) > at,
            col(Certificate.classifier) == row.classifier,
            col(Certificate.model_digest) == row.model_digest,
            col(Certificate.axis).in_(axes),
        )
    )
    return [one for one in found if row.source in one.sources]


def _carry_over(session: Session, row: Calibrator, before: SourceMaps, at: datetime) -> None:
    same = set(AXES) - changed_axes(before, maps_of(row))
    for one in covering(session, row, same, at):
        if one.calibrators.get(row.source) == before.name:
            one.calibrators = {**one.calibrators, row.source: row.name}
            session.add(one)


def _readings(session: Session, cards: Sequence[LabelCard]) -> dict[UUID, list[Reading]]:
    """What the model itself said of each verbatim of each card's record, as far as sentiment and urgency go."""
    drawn = select(LabelSample).where(among(LabelSample.id, {card.sample_id for card in cards}))
    samples = {row.id: row for row in session.exec(drawn)}
    found = session.exec(
        select(Classification, FeedbackRevision.body)
        .join(
            FeedbackRevision,
            (col(FeedbackRevision.feedback_id) == col(Classification.feedback_id))
            & (col(FeedbackRevision.revision) == col(Classification.revision)),
        )
        .where(among(Classification.feedback_id, {card.feedback_id for card in cards}))
        .order_by(col(Classification.created_at))
    )
    rows = {_way(row): _uncalibrated(row, body) for row, body in found}
    read = {card.id: rows.get(_drawn(card, samples[card.sample_id])) for card in cards}
    return {card: readings for card, readings in read.items() if readings}


def _way(row: Classification) -> tuple[object, ...]:
    """The record and the way it was read, whatever calibrator came after."""
    return (row.feedback_id, row.revision, row.classifier, row.model_digest or "", row.taxonomy)


def _drawn(card: LabelCard, sample: LabelSample) -> tuple[object, ...]:
    return (card.feedback_id, card.revision, sample.classifier, sample.model_digest, sample.taxonomy)


def _uncalibrated(row: Classification, body: Mapping[str, Any]) -> list[Reading]:
    said = row.document["verbatims"]
    own = row.uncalibrated or [{axis: one[axis]["probabilities"] for axis in CALIBRATED} for one in said]
    return [
        Reading(
            sentiment=probabilities["sentiment"],
            topics={},
            types={},
            urgency=probabilities["urgency"],
            language="und",
            language_probability=0.0,
            abstain=one["abstain"]["reason"] if one["abstain"] else None,
            length=len(answer["text"]),
        )
        for probabilities, one, answer in zip(own, said, body.get("verbatims", ()), strict=True)
    ]


def _combined(readings: Sequence[Reading], maps: SourceMaps, axis: str) -> Mapping[str, float]:
    whole = combine([maps.apply(reading) for reading in readings])
    return whole.sentiment if axis == "sentiment" else whole.urgency
