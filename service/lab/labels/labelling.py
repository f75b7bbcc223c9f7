"""Labelling: what somebody says about a card is kept once, may be taken back, and may be compared afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, select
from uuid_utils.compat import uuid7

from models.taxonomies.taxonomy import Taxonomy
from service.lab.labels.choices import Choices, choices
from service.lab.labels.hearing import Card, Opinion, Slot, Word, card_of_slot, heard, judge, opinions
from service.lab.labels.rater import Rater
from service.lab.labels.slots import LEASE
from service.store.lab_tables import HumanLabel, Reveal

MOST_BACK = 50  # of somebody's newest labels they may take one back
LONGEST = 500  # characters of a reason or a flag


class UnknownCard(Exception):
    """There is no such card."""


class NotYours(Exception):
    """This card was shown to somebody else."""


class AlreadySaid(Exception):
    """This person has given this card another answer: take it back first."""


class LabelStays(Exception):
    """A label cannot be taken back, or a card not be revealed, as things stand; the message says why."""


class InvalidLabel(Exception):
    """This is no answer; `field` says where, the message what to do."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: the right labels (perhaps none), or `unsure`, or why the card was passed on (`skip`).

    `flag` is what somebody should look at.
    """

    labels: tuple[str, ...] = ()
    unsure: bool = False
    skip: str | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A label as it is kept. `again`: it was there already, saying the same."""

    label: HumanLabel
    again: bool


@dataclass(frozen=True, slots=True)
class Revealed:
    """What the model believed about a card, by label of the axis, and what colleagues said."""

    model: Mapping[str, float]
    colleagues: tuple[Opinion, ...]


def submit(session: Session, rater: Rater, card: UUID, said: Said, taxonomy: Taxonomy, at: datetime) -> Saved:
    """Keep what somebody says about a card, exactly once; the caller commits.

    What comes after its lease was lost is kept beside. The same again changes nothing.

    Raises:
        UnknownCard: there is no such card.
        NotYours: it was never shown to them.
        AlreadySaid: they gave it another answer.
        InvalidLabel: this is no answer.
    """
    asked, slot = _found(session, card)
    answer = _checked(said, choices(asked.axis, taxonomy))
    late = slot.rater != rater.name
    if late and rater.name not in slot.former:
        raise NotYours("This card was shown to somebody else: ask for the next one.")
    on_card = heard(session, asked.card_id)
    if (before := _before(on_card, rater, slot)) is not None:
        if _answer(before) != answer:
            raise AlreadySaid("You have given this card another answer: take that back first.")
        return Saved(session.get_one(HumanLabel, before.id), again=True)
    label = HumanLabel(
        id=uuid7(),
        card_id=asked.card_id,
        slot_id=_beside(session, asked, rater, at) if late else card,
        rater=rater.name,
        labels=list(answer.labels),
        unsure=answer.unsure,
        skip=answer.skip,
        flag=answer.flag,
        blind=rater.blind,
        seconds=None if late or slot.leased_at is None else round((at - slot.leased_at).total_seconds(), 3),
        at=at,
    )
    label.blind = session.execute(_KEEP, {**label.model_dump(), "feedback": asked.feedback_id}).scalar_one()
    if asked.repeats and slot.kind == "first" and answer.skip is None:
        session.execute(_AGAIN, {"card": asked.card_id, "rater": rater.name, "at": at})
    judge(session, asked, [*on_card, _word(label, "extra" if late else slot.kind)], at)
    return Saved(label, again=False)


def undo(session: Session, rater: Rater, at: datetime, card: UUID | None = None) -> UUID | None:
    """Take a label back (the newest, or that of `card`): its card, which they hold again; None: there is none.

    The same again, with its card, changes nothing. The caller commits.

    Raises:
        UnknownCard: there is no such card.
        LabelStays: it was revealed, or somebody has to decide about the card or has done so.
    """
    label = session.execute(_NEWEST, {"rater": rater.name, "most": MOST_BACK, "card": card}).first()
    if label is None:
        slot = None if card is None else _found(session, card)[1]
        return card if slot is not None and slot.rater == rater.name and slot.filled_at is None else None
    asked, slot = _found(session, label.slot_id)
    if session.exec(select(Reveal).where(Reveal.slot_id == slot.id)).first() is not None:
        raise LabelStays("You have seen what the model and others said about this card: your label stays as it is.")
    on_card = heard(session, asked.card_id)
    if label.skip is None and (asked.state == "disputed" or any(one.adjudicated for one in on_card)):
        raise LabelStays(
            "People differ about this card, and somebody decides by all their answers: yours stays as it is."
        )
    if session.execute(_TAKE_BACK, {"label": label.id, "at": at}).first() is None:
        return None
    session.execute(_EMPTY, {"slot": slot.id, "rater": rater.name, "at": at, "until": at + LEASE})
    judge(session, asked, [one for one in on_card if one.id != label.id], at)
    return slot.id


def reveal(session: Session, rater: Rater, card: UUID, at: datetime) -> Revealed:
    """What the model and colleagues said, after one's own label; that somebody looked is kept. The caller commits.

    Raises:
        UnknownCard: there is no such card.
        NotYours: it was shown to somebody else.
        LabelStays: they have not labelled it yet, or not the other cards of its text they hold, or it was withdrawn.
    """
    asked, slot = _found(session, card)
    on_card = heard(session, asked.card_id)
    own = _before(on_card, rater, slot)
    if own is None and slot.rater != rater.name:
        raise NotYours("This card was shown to somebody else.")
    if asked.withdrawn_at is not None:
        raise LabelStays("This feedback was withdrawn: there is nothing to compare any more.")
    if own is None or own.skip is not None:
        raise LabelStays("Label this card first: what the model and others said is shown afterwards.")
    about = {"rater": rater.name, "feedback": asked.feedback_id, "at": at}
    if session.execute(_HOLDS_ANOTHER, about).first() is not None:
        raise LabelStays("You hold another card of the same text: label that first.")
    session.execute(_LOOK, {**about, "slot": own.slot_id})
    return Revealed(dict(asked.probabilities), opinions([one for one in on_card if one.rater != rater.name]))


def _found(session: Session, card: UUID) -> tuple[Card, Slot]:
    found = card_of_slot(session, card)
    if found is None:
        raise UnknownCard(f"There is no card {card}: ask for the next one.")
    return found


def _checked(said: Said, asked: Choices) -> Said:
    """The answer as it is kept: labels in the order of the axis, each once."""
    for field, words in (("skip", said.skip), ("flag", said.flag)):
        if words is not None and not 1 <= len(words.strip()) <= LONGEST:
            raise InvalidLabel(field, f"Say it in 1 to {LONGEST} characters, or leave it out.")
    if said.labels and (said.unsure or said.skip is not None):
        raise InvalidLabel("labels", "Whoever is not sure, or passes the card on, gives no labels.")
    if said.unsure and said.skip is not None:
        raise InvalidLabel("skip", "Say that you are not sure, or pass the card on: not both.")
    if not said.unsure and said.skip is None and (wrong := asked.wrong(said.labels)) is not None:
        raise InvalidLabel("labels", wrong)
    return Said(in_order(said.labels, asked), said.unsure, _trimmed(said.skip), _trimmed(said.flag))


def in_order(labels: Sequence[str], asked: Choices) -> tuple[str, ...]:
    """Labels in the order of their axis, each once."""
    return tuple(choice.label for choice in asked.labels if choice.label in labels)


def _trimmed(words: str | None) -> str | None:
    return None if words is None else words.strip()


def _before(on_card: Sequence[Word], rater: Rater, slot: Slot) -> Word | None:
    """What this person has said here: a repeat is a question of its own, all other slots of a card are one."""
    for one in on_card:
        if one.rater != rater.name or one.adjudicated:
            continue
        if one.slot_id == slot.id or (slot.kind != "repeat" and one.kind != "repeat"):
            return one
    return None


def _answer(word: Word) -> Said:
    return Said(tuple(word.labels), word.unsure, word.skip, word.flag)


def _word(label: HumanLabel, kind: str) -> Word:
    return Word(
        label.id,
        label.slot_id,
        kind,
        label.rater,
        label.labels,
        label.unsure,
        label.skip,
        label.flag,
        label.blind,
        label.adjudicated,
    )


def _beside(session: Session, asked: Card, rater: Rater, at: datetime) -> UUID:
    """A slot for a label that came after its lease had gone to somebody else."""
    made = {"card": asked.card_id, "rater": rater.name, "at": at}
    return UUID(str(session.execute(_EXTRA, made).scalar_one()))


# Blind is what somebody says who has not looked, at this card or another of the same text.
_KEEP = text("""
    WITH filled AS (UPDATE label_slot SET filled_at = :at WHERE id = :slot_id)
    INSERT INTO human_label
        (id, card_id, slot_id, rater, labels, unsure, skip, flag, blind, adjudicated, seconds, at)
    SELECT :id, :card_id, :slot_id, CAST(:rater AS text), CAST(:labels AS text[]), :unsure,
        CAST(:skip AS text), CAST(:flag AS text),
        :blind AND NOT EXISTS (
            SELECT 1 FROM reveal v WHERE v.rater = CAST(:rater AS text) AND v.feedback_id = :feedback),
        false, CAST(:seconds AS float8), :at
    RETURNING blind
""")
_EXTRA = text("""
    INSERT INTO label_slot (id, card_id, sample_id, number, kind, lot, rater, former, filled_at)
    SELECT gen_random_uuid(), card_id, sample_id, max(number) + 1, 'extra', max(lot), CAST(:rater AS text), '{}',
        CAST(:at AS timestamptz)
    FROM label_slot WHERE card_id = :card GROUP BY card_id, sample_id RETURNING id
""")
_AGAIN = text("""
    INSERT INTO label_slot (id, card_id, sample_id, number, kind, lot, only_for, leased_at, former)
    SELECT gen_random_uuid(), card_id, sample_id, max(number) + 1, 'repeat', max(lot), CAST(:rater AS text),
        CAST(:at AS timestamptz), '{}'
    FROM label_slot WHERE card_id = :card GROUP BY card_id, sample_id HAVING NOT bool_or(kind = 'repeat')
""")
_LOOK = text("""
    INSERT INTO reveal (id, slot_id, rater, feedback_id, at)
    VALUES (gen_random_uuid(), :slot, :rater, :feedback, :at) ON CONFLICT DO NOTHING
""")
_HOLDS_ANOTHER = text("""
    SELECT 1 FROM label_slot o JOIN label_card c ON c.id = o.card_id
    WHERE o.rater = :rater AND o.filled_at IS NULL AND o.lease_until > :at AND c.feedback_id = :feedback LIMIT 1
""")
_NEWEST = text("""
    SELECT l.id, l.slot_id, l.skip FROM (
        SELECT * FROM human_label WHERE rater = :rater AND undone_at IS NULL AND slot_id IS NOT NULL
        ORDER BY at DESC, id DESC LIMIT :most
    ) AS l JOIN label_slot o ON o.id = l.slot_id
    WHERE CAST(:card AS uuid) IS NULL OR l.slot_id = :card OR (o.kind = 'extra' AND EXISTS (
        SELECT 1 FROM label_slot lost WHERE lost.id = :card AND lost.card_id = o.card_id AND :rater = ANY(lost.former)))
    ORDER BY l.at DESC, l.id DESC LIMIT 1
""")
_TAKE_BACK = text("UPDATE human_label SET undone_at = :at WHERE id = :label AND undone_at IS NULL RETURNING id")
_EMPTY = text("""
    UPDATE label_slot SET filled_at = NULL, rater = :rater, leased_at = :at, lease_until = :until WHERE id = :slot
""")
