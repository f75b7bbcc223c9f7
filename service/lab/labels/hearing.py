"""Hearing: a card, locked, with all that was said about it, and who is asked next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from service.lab.labels.card_state import Vote, card_state
from service.lab.labels.choices import EXCLUSIVE
from service.lab.labels.samples import settle


@dataclass(frozen=True, slots=True)
class Card:
    """A card and its sample, locked until the transaction ends."""

    card_id: UUID
    sample_id: UUID
    feedback_id: UUID
    revision: int
    places: int
    repeats: bool
    state: str
    probabilities: Mapping[str, float]
    axis: str
    pool: str
    sample_state: str
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as it stands, of a card that is locked."""

    id: UUID
    kind: str
    rater: str | None
    former: Sequence[str]
    leased_at: datetime | None
    filled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said about a card and stands by; `kind` is that of the slot, None of an adjudicator."""

    id: UUID
    slot_id: UUID | None
    kind: str | None
    rater: str
    labels: Sequence[str]
    unsure: bool
    skip: str | None
    flag: str | None
    blind: bool
    adjudicated: bool


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody said about a card, without their name."""

    who: str  # "A", "B", ... in the order in which they said it first
    labels: tuple[str, ...]
    unsure: bool
    flag: str | None


def card_of_slot(session: Session, slot: UUID) -> tuple[Card, Slot] | None:
    """A slot and its card, both locked; None where there is no such slot."""
    found = session.execute(_OF_SLOT, {"slot": slot}).first()
    return None if found is None else (Card(*found[6:]), Slot(*found[:6]))


def card_by_id(session: Session, card: UUID) -> Card | None:
    """A card, locked; None where there is none."""
    found = session.execute(_CARD, {"card": card}).first()
    return None if found is None else Card(*found)


def heard(session: Session, card: UUID) -> list[Word]:
    """What people said about a card and stand by, in order."""
    return [Word(*row) for row in session.execute(_HEARD, {"card": card})]


def judge(session: Session, card: Card, said: Sequence[Word], at: datetime) -> None:
    """Let a card stand as what was said about it demands, and ask whoever is still missing.

    Of a withdrawn record this card alone is seen to: who holds one card and waits for another may wait for ever.
    """
    if card.state == "gone":
        return
    state = _state(session, card, said)
    if state != card.state:
        session.execute(_STAND, {"card": card.card_id, "state": state})
        if state in {"settled", "gone"} or card.sample_state == "done":
            settle(session, card.sample_id, at)


def opinions(said: Sequence[Word]) -> tuple[Opinion, ...]:
    """The same without names: who said something first is A.

    Who was asked again and said the same is told once; who said something else then, with both, one after the other.
    """
    told: dict[str, dict[tuple[tuple[str, ...], bool], str | None]] = {}
    for one in said:
        if one.skip is None:
            own, answer = told.setdefault(one.rater, {}), (tuple(one.labels), one.unsure)
            own[answer] = own.get(answer) or one.flag
    return tuple(
        Opinion(chr(ord("A") + number % 26), labels, unsure, flag)
        for number, own in enumerate(told.values())
        for (labels, unsure), flag in own.items()
    )


def _state(session: Session, card: Card, said: Sequence[Word]) -> str:
    if card.withdrawn_at is not None:
        return "settled" if card.state == "settled" else "gone"
    if any(one.adjudicated for one in said):
        return "settled"
    votes = [
        Vote(one.rater, None if one.unsure else frozenset(one.labels))
        for one in said
        if one.skip is None and (one.blind or card.pool != "audit")
    ]
    state = card_state(card.places, votes, exclusive=card.axis in EXCLUSIVE)
    if state in {"open", "third"}:
        missing = max(1, card.places - len({vote.rater for vote in votes}))
        kind = "first" if state == "open" else "third"
        session.execute(_ASK, {"card": card.card_id, "sample": card.sample_id, "kind": kind, "missing": missing})
    return state


_COLUMNS = """c.id AS card_id, c.sample_id, c.feedback_id, c.revision, c.places, c.repeats, c.state, c.probabilities,
    s.axis, s.pool, s.state AS sample_state, f.withdrawn_at"""
_TABLES = """label_card c JOIN label_sample s ON s.id = c.sample_id JOIN feedback f ON f.id = c.feedback_id"""
# The card first: whoever changes its state or adds a slot holds it, and sees all that was said before.
_OF_SLOT = text(f"""
    SELECT o.id, o.kind, o.rater, o.former, o.leased_at, o.filled_at, {_COLUMNS}
    FROM {_TABLES} JOIN label_slot o ON o.card_id = c.id WHERE o.id = :slot FOR NO KEY UPDATE OF c, o
""")  # noqa: S608 (our own columns)
_CARD = text(f"SELECT {_COLUMNS} FROM {_TABLES} WHERE c.id = :card FOR NO KEY UPDATE OF c")  # noqa: S608 (as above)
_HEARD = text("""
    SELECT l.id, l.slot_id, o.kind, l.rater, l.labels, l.unsure, l.skip, l.flag, l.blind, l.adjudicated
    FROM human_label l LEFT JOIN label_slot o ON o.id = l.slot_id
    WHERE l.card_id = :card AND l.undone_at IS NULL ORDER BY l.at, l.id
""")
_STAND = text("UPDATE label_card SET state = :state WHERE id = :card")
# As many slots as answers are missing, less those that somebody holds or may take.
_ASK = text("""
    INSERT INTO label_slot (id, card_id, sample_id, number, kind, lot, former)
    SELECT gen_random_uuid(), :card, :sample, there.number + nth, :kind, there.lot, '{}'
    FROM (
        SELECT max(number) AS number, max(lot) AS lot,
            count(*) FILTER (WHERE filled_at IS NULL AND kind IN ('first', 'third')) AS free
        FROM label_slot WHERE card_id = :card
    ) AS there,
    generate_series(1, :missing - there.free) AS nth
""")
