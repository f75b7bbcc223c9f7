"""Cards: drawn records laid out to be labelled, some by two people, some twice by one."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import insert
from sqlmodel import Session
from uuid_utils.compat import uuid7

from calibration.sampling.draw import AuditDraw
from calibration.sampling.targeted import TargetedDraw
from service.lab.labels.order import REPEATED, by_lot, round_of
from service.lab.labels.pool import Wish, readings
from service.store.lab_tables import LabelCard, LabelSample, LabelSlot


def lay_out(
    session: Session, sample: LabelSample, wish: Wish, drawn: AuditDraw | TargetedDraw, asked_of_two: int
) -> None:
    """The cards with what the model believed, and a slot for each answer that is asked for at first."""
    twice = by_lot(drawn.ids, asked_of_two, seed=sample.seed, purpose="overlap")
    repeats = 0 if sample.pool == "targeted" else round(REPEATED * sample.size)
    again = by_lot(drawn.ids, repeats, seed=sample.seed, purpose="repeat")
    chances = _chances(drawn)
    places = round_of(drawn.ids, seed=sample.seed)
    cards: list[dict[str, Any]] = [
        {
            "id": uuid7(),
            "sample_id": sample.id,
            "feedback_id": read.feedback_id,
            "revision": read.revision,
            "probabilities": dict(read.probabilities),
            "calibrator": read.calibrator,
            "source": read.source,
            "language": read.language,
            "inclusion_probability": chances[str(read.feedback_id)],
            "places": 2 if str(read.feedback_id) in twice else 1,
            "repeats": str(read.feedback_id) in again,
            "state": "open",
        }
        for read in readings(session, wish, drawn.ids)
    ]
    slots = [
        {
            "id": uuid4(),  # as a slot that is made later: people see this id, and it must not tell which kind it is
            "card_id": card["id"],
            "sample_id": sample.id,
            "number": number,
            "kind": "first",
            "lot": places[str(card["feedback_id"])],
            "former": [],
        }
        for card in cards
        for number in range(1, card["places"] + 1)
    ]
    session.execute(insert(LabelCard), cards)
    session.execute(insert(LabelSlot), slots)


def _chances(drawn: AuditDraw | TargetedDraw) -> Mapping[str, float | None]:
    if isinstance(drawn, TargetedDraw):
        return dict.fromkeys(drawn.ids)
    return dict(zip(drawn.ids, drawn.inclusion_probability, strict=True))
