"""The last thing somebody answered on `/review`, which they may take back."""

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, exists, select

from service.pages import axis_words
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample, Reveal


@dataclass(frozen=True, slots=True)
class Last:
    """An answer of one's own. `given`: it says something about the card, so that there is something to compare."""

    slot: UUID
    feedback: UUID
    words: str
    given: bool


def find_last(session: Session, rater: str, slot: UUID | None = None) -> Last | None:
    """The newest answer of this person that stands and was not compared yet, or theirs in this slot."""
    asked = (
        select(HumanLabel, LabelCard.feedback_id, LabelSample.axis)
        .join(LabelCard, col(LabelCard.id) == col(HumanLabel.card_id))
        .join(LabelSample, col(LabelSample.id) == col(LabelCard.sample_id))
        .where(HumanLabel.rater == rater, col(HumanLabel.slot_id).is_not(None), col(HumanLabel.undone_at).is_(None))
        .order_by(col(HumanLabel.at).desc(), col(HumanLabel.id).desc())
        .limit(1)
    )
    compared = exists().where(col(Reveal.slot_id) == col(HumanLabel.slot_id))
    found = session.exec(asked.where(HumanLabel.slot_id == slot if slot else ~compared)).first()
    if found is None or found[0].slot_id is None:
        return None
    label, feedback, axis = found
    return Last(found[0].slot_id, feedback, _words(label, axis), given=label.skip is None)


def _words(label: HumanLabel, axis: str) -> str:
    if label.skip is not None:
        return "skipped"
    return f"{axis_words.NAMES[axis].lower()}: {axis_words.answer(label)}"
