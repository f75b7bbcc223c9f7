"""Flags: what reviewers noted about a card for somebody to look at, and about which words."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from service.classify import words
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample
from service.store.tables import Feedback, FeedbackRevision, among


@dataclass(frozen=True, slots=True)
class Flag:
    """An answer with a note, and the words it is about; they are empty where the feedback was withdrawn."""

    answer: HumanLabel
    axis: str
    feedback_id: UUID
    text: str


def flagged() -> SelectOfScalar[HumanLabel]:
    """The answers with a note that were not taken back."""
    return select(HumanLabel).where(col(HumanLabel.flag).is_not(None), col(HumanLabel.undone_at).is_(None))


def flags(session: Session, answers: Sequence[HumanLabel]) -> list[Flag]:
    """These answers as flags, in their order."""
    found = session.exec(
        select(LabelCard.id, LabelSample.axis, LabelCard.feedback_id, FeedbackRevision.body)
        .join(LabelSample, col(LabelSample.id) == col(LabelCard.sample_id))
        .join(Feedback, col(Feedback.id) == col(LabelCard.feedback_id))
        .outerjoin(
            FeedbackRevision,
            (col(FeedbackRevision.feedback_id) == col(LabelCard.feedback_id))
            & (col(FeedbackRevision.revision) == col(LabelCard.revision))
            & col(Feedback.withdrawn_at).is_(None),
        )
        .where(among(LabelCard.id, {one.card_id for one in answers}))
    )
    about = {card: (axis, feedback, words(body) if body else "") for card, axis, feedback, body in found}
    return [Flag(one, *about[one.card_id]) for one in answers]
