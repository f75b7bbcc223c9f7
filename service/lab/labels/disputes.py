"""Disputes: cards on which people differ, and who decides them, with a reason and by which sentence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session
from uuid_utils.compat import uuid7

from models.taxonomies.taxonomy import Taxonomy
from service.lab.labels.choices import Choices, choices
from service.lab.labels.hearing import Card, Opinion, card_by_id, heard, opinions
from service.lab.labels.labelling import LONGEST, InvalidLabel, UnknownCard, in_order
from service.lab.labels.rater import Rater
from service.lab.labels.samples import settle
from service.lab.labels.slots import QUESTIONS, Shown, joined, said_in
from service.store.lab_tables import Guideline, HumanLabel

MOST = 200  # disputes in one list


class NotDisputed(Exception):
    """This card waits for nobody's decision, or not for this person's; the message says which."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A card on which people differ, and what they said, without their names.

    `third`: a third person is asked about it as well; whoever may decide everything need not wait for them.
    """

    card_id: UUID
    sample: UUID
    axis: str
    question: str
    choices: Choices
    text: str
    verbatims: tuple[Shown, ...]
    answers: tuple[Opinion, ...]
    third: bool


def open_disputes(session: Session, rater: Rater, taxonomy: Taxonomy, *, most: int = MOST) -> tuple[Dispute, ...]:
    """The cards that this person may decide, oldest first.

    A reviewer decides cards that they have not labelled, once three people could not; whoever does not label blind
    also those for which a third person is still looked for: in a small house there may be none.
    """
    values = {"rater": rater.name, "blind": rater.blind, "most": most}
    return tuple(_dispute(session, row, taxonomy) for row in session.execute(_DISPUTED, values))


def axis_of(session: Session, card_id: UUID) -> str:
    """What a card asks about.

    Raises:
        UnknownCard: there is no such card.
    """
    card = card_by_id(session, card_id)
    if card is None:
        raise UnknownCard(f"There is no card {card_id}.")
    return card.axis


def adjudicate(
    session: Session,
    rater: Rater,
    card_id: UUID,
    taxonomy: Taxonomy,
    *,
    labels: tuple[str, ...],
    reason: str,
    guideline_id: UUID | None,
    at: datetime,
) -> HumanLabel:
    """Decide a dispute; everything that was said stays. The caller commits.

    Raises:
        UnknownCard: there is no such card.
        NotDisputed: it waits for nobody's decision, or this reviewer has labelled it.
        InvalidLabel: this is no answer, it gives no reason, or there is no such sentence.
    """
    card = card_by_id(session, card_id)
    if card is None:
        raise UnknownCard(f"There is no card {card_id}.")
    _may_decide(session, rater, card)
    asked = choices(card.axis, taxonomy)
    if (wrong := asked.wrong(labels)) is not None:
        raise InvalidLabel("labels", wrong)
    if not 1 <= len(reason.strip()) <= LONGEST:
        raise InvalidLabel("reason", f"Say in 1 to {LONGEST} characters why this is right.")
    if guideline_id is not None and not _in_force(session, guideline_id, card.axis):
        raise InvalidLabel("guideline", f"There is no such sentence for {card.axis}, or it has ended: choose another.")
    label = HumanLabel(
        id=uuid7(),
        card_id=card_id,
        rater=rater.name,
        labels=list(in_order(labels, asked)),
        blind=False,
        adjudicated=True,
        reason=reason.strip(),
        guideline_id=guideline_id,
        at=at,
    )
    session.add(label)
    session.flush()
    session.execute(_SETTLED, {"card": card_id})
    settle(session, card.sample_id, at)
    return label


def _may_decide(session: Session, rater: Rater, card: Card) -> None:
    said = heard(session, card.card_id)
    if any(one.adjudicated for one in said):
        raise NotDisputed("Somebody has decided this card already.")
    if card.state != "disputed" and (rater.blind or card.state != "third"):
        raise NotDisputed("Nobody has to decide this card.")
    if rater.blind and any(one.rater == rater.name for one in said):
        raise NotDisputed("You have labelled this card: somebody else decides it.")


def _in_force(session: Session, guideline_id: UUID, axis: str) -> bool:
    found = session.get(Guideline, guideline_id)
    return found is not None and found.axis == axis and found.ended_at is None


def _dispute(session: Session, row: Row[Any], taxonomy: Taxonomy) -> Dispute:
    said = said_in(row.body)
    return Dispute(
        card_id=row.id,
        sample=row.sample_id,
        axis=row.axis,
        question=QUESTIONS[row.axis],
        choices=choices(row.axis, taxonomy),
        text=joined(said),
        verbatims=said,
        answers=opinions(heard(session, row.id)),
        third=row.state == "third",
    )


_SETTLED = text("UPDATE label_card SET state = 'settled' WHERE id = :card")
_DISPUTED = text("""
    SELECT c.id, c.sample_id, c.state, s.axis, r.body
    FROM label_card c JOIN label_sample s ON s.id = c.sample_id
    JOIN feedback f ON f.id = c.feedback_id AND f.withdrawn_at IS NULL
    JOIN feedback_revision r ON r.feedback_id = c.feedback_id AND r.revision = c.revision
    WHERE (c.state = 'disputed' OR (c.state = 'third' AND NOT :blind)) AND s.state <> 'closed'
        AND (NOT :blind OR NOT EXISTS (
            SELECT 1 FROM human_label l WHERE l.card_id = c.id AND l.rater = :rater AND l.undone_at IS NULL))
    ORDER BY s.created_at, c.id LIMIT :most
""")
