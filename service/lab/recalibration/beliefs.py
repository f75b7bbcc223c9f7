"""Beliefs: what the model would have said of a card's record under other calibrators."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from models.document import combine
from models.prediction import Reading
from service.source_maps import CALIBRATED, Calibrators, SourceMaps
from service.store.lab_tables import LabelCard, LabelSample
from service.store.tables import Classification, FeedbackRevision, among


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
