"""Disputes: cards on which people differ, and who decides them, with a reason and by which sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session
from uuid_utils.compat import uuid7

from models.taxonomies.taxonomy import Taxonomy
from service.classify import words
from service.lab.labels.choices import Choices, choices
from service.lab.labels.guidelines import add
from service.lab.labels.hearing import Card, Opinion, card_by_id, heard, opinions
from service.lab.labels.labelling import LONGEST, InvalidLabel, UnknownCard, in_order
from service.lab.labels.rater import Rater
from service.lab.labels.samples import settle
from service.lab.labels.slots import QUESTIONS, Shown, said_in
from service.store.lab_tables import Guideline, HumanLabel
from service.store.tables import now

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

    A reviewer decides cards that they have not labelled, once three people could not, unless they hold one of the same
    text; whoever does not label blind also those for which a third person is still looked for: in a small house there
    may be none.
    """
    values = {"rater": rater.name, "blind": rater.blind, "at": now(), "most": most}
    return tuple(_dispute(session, row, taxonomy) for row in session.execute(_DISPUTED, values))


def note_shown(session: Session, rater: Rater, found: Sequence[Dispute], at: datetime) -> None:
    """Keep that a reviewer saw what colleagues said about these texts: they label them no more. The caller commits."""
    if rater.blind and found:
        session.execute(_SEEN, {"rater": rater.name, "cards": [one.card_id for one in found], "at": at})


def adjudicate(
    session: Session,
    rater: Rater,
    card_id: UUID,
    taxonomy: Taxonomy,
    *,
    labels: tuple[str, ...],
    reason: str,
    guideline: UUID | str,
    at: datetime,
) -> HumanLabel:
    """Decide a dispute; everything that was said stays. The caller commits.

    `guideline` is the id of the sentence by which it is decided, or a new sentence, which is kept first.

    Raises:
        UnknownCard: there is no such card.
        NotDisputed: it waits for nobody's decision, its record was withdrawn, or this reviewer has labelled it.
        InvalidLabel: this is no answer, it gives no reason, or there is no such sentence.
        InvalidGuideline: the new sentence cannot be kept as it is.
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
    label = HumanLabel(
        id=uuid7(),
        card_id=card_id,
        rater=rater.name,
        labels=list(in_order(labels, asked)),
        blind=False,
        adjudicated=True,
        reason=reason.strip(),
        guideline_id=_sentence(session, guideline, card.axis, rater.name),
        at=at,
    )
    session.add(label)
    session.flush()
    session.execute(_SETTLED, {"card": card_id})
    settle(session, card.sample_id, at)
    return label


def _may_decide(session: Session, rater: Rater, card: Card) -> None:
    if card.withdrawn_at is not None:
        raise NotDisputed("Its record was withdrawn: nobody has to decide this card.")
    said = heard(session, card.card_id)
    if any(one.adjudicated for one in said):
        raise NotDisputed("Somebody has decided this card already.")
    if card.state != "disputed" and (rater.blind or card.state != "third"):
        raise NotDisputed("Nobody has to decide this card.")
    if rater.blind and any(one.rater == rater.name for one in said):
        raise NotDisputed("You have labelled this card: somebody else decides it.")


def _sentence(session: Session, guideline: UUID | str, axis: str, by: str) -> UUID:
    if isinstance(guideline, str):
        return add(session, axis, guideline, None, by).id
    found = session.get(Guideline, guideline)
    if found is None or found.axis != axis or found.ended_at is not None:
        raise InvalidLabel("guideline", f"There is no such sentence for {axis}, or it has ended: choose another.")
    return guideline


def _dispute(session: Session, row: Row[Any], taxonomy: Taxonomy) -> Dispute:
    said = said_in(row.body)
    return Dispute(
        card_id=row.id,
        sample=row.sample_id,
        axis=row.axis,
        question=QUESTIONS[row.axis],
        choices=choices(row.axis, taxonomy),
        text=words(row.body),
        verbatims=said,
        answers=opinions(heard(session, row.id)),
        third=row.state == "third",
    )


_SEEN = text("""
    INSERT INTO reveal (id, rater, feedback_id, at)
    SELECT gen_random_uuid(), CAST(:rater AS text), seen.feedback_id, CAST(:at AS timestamptz)
    FROM (SELECT DISTINCT feedback_id FROM label_card WHERE id = ANY(CAST(:cards AS uuid[]))) AS seen
    WHERE NOT EXISTS (SELECT 1 FROM reveal r WHERE r.rater = :rater AND r.feedback_id = seen.feedback_id)
""")
_SETTLED = text("UPDATE label_card SET state = 'settled' WHERE id = :card")
_DISPUTED = text("""
    SELECT c.id, c.sample_id, c.state, s.axis, r.body
    FROM label_card c JOIN label_sample s ON s.id = c.sample_id
    JOIN feedback f ON f.id = c.feedback_id AND f.withdrawn_at IS NULL
    JOIN feedback_revision r ON r.feedback_id = c.feedback_id AND r.revision = c.revision
    WHERE (c.state = 'disputed' OR (c.state = 'third' AND NOT :blind)) AND s.state <> 'closed'
        AND (NOT :blind OR NOT EXISTS (
            SELECT 1 FROM human_label l WHERE l.card_id = c.id AND l.rater = :rater AND l.undone_at IS NULL))
        AND (NOT :blind OR NOT EXISTS (
            SELECT 1 FROM label_slot o JOIN label_card h ON h.id = o.card_id
            WHERE o.rater = :rater AND o.filled_at IS NULL AND o.lease_until > :at AND h.feedback_id = c.feedback_id))
    ORDER BY s.created_at, c.id LIMIT :most
""")
