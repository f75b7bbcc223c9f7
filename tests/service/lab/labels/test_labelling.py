"""Labelling: what somebody says is kept once, may be taken back while nobody has built on it, and is compared after."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from read_records import read_records
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels.labelling import (
    AlreadySaid,
    InvalidLabel,
    LabelStays,
    NotYours,
    Said,
    UnknownCard,
    reveal,
    submit,
    undo,
)
from service.lab.labels.rater import Rater
from service.lab.labels.samples import Wanted, draw
from service.lab.labels.slots import next_showings
from service.store.lab_tables import HumanLabel, LabelCard, LabelSlot, Reveal
from service.store.tables import now

TOPICS = default_taxonomy()
NEGATIVE, NEUTRAL = Said(labels=("negative",)), Said(labels=("neutral",))
ANA, JAN, KIM = (Rater(name, blind=True) for name in ("ana", "jan", "kim"))


@pytest.fixture
def asked(database):
    """`asked(3)` draws cards of texts that are new; `places`: how many people are asked about each."""

    def ask(many=1, axis="sentiment", places=1):
        with database.session() as session:
            read_records(session, [f"The lamp {number} flickers." for number in range(many)])
            wanted = Wanted(axis, None, many, "audit", seed=7, overlap=float(places - 1))
            return draw(session, wanted, TOPICS, by="ada", at=now())

    return ask


@pytest.fixture
def shown(database):
    def ask(rater):
        with database.session() as session:
            found = next_showings(session, rater, TOPICS, now())
            return found[0].card if found else None

    return ask


@pytest.fixture
def say(database):
    def answer(rater, card, said=NEGATIVE, at=None):
        with database.session() as session:
            return submit(session, rater, card, said, TOPICS, at or now())

    return answer


@pytest.fixture
def back(database):
    def take(rater, card=None):
        with database.session() as session:
            return undo(session, rater, now(), card)

    return take


def labels(database, **where):
    with database.session() as session:
        return list(session.exec(select(HumanLabel).filter_by(**where).order_by(HumanLabel.at)))


def state(database):
    with database.session() as session:
        return session.exec(select(LabelCard.state)).one()


WRONG = [
    (Said(labels=("angry",)), "labels", "There is no sentiment 'angry'"),
    (Said(labels=()), "labels", "Exactly one sentiment is right"),
    (Said(labels=("negative", "neutral")), "labels", "Exactly one sentiment is right"),
    (Said(labels=("negative",), unsure=True), "labels", "gives no labels"),
    (Said(labels=("negative",), skip="my shop"), "labels", "gives no labels"),
    (Said(unsure=True, skip="my shop"), "skip", "not both"),
    (Said(skip=" "), "skip", "Say it in 1 to 500"),
    (Said(labels=("negative",), flag="x" * 501), "flag", "Say it in 1 to 500"),
]


@pytest.mark.parametrize(("said", "field", "words"), WRONG)
def test_what_is_no_answer_is_refused_and_says_where(database, asked, shown, say, said, field, words):
    asked()
    with pytest.raises(InvalidLabel, match=words) as refused:
        say(ANA, shown(ANA), said)
    assert refused.value.field == field
    assert labels(database) == []


def test_labels_are_kept_in_the_order_of_the_axis_each_once(database, asked, shown, say):
    asked(axis="type")
    card = shown(ANA)
    say(ANA, card, Said(labels=("complaint", "suggestion", "complaint"), flag=" names a person "))
    (label,) = labels(database)
    assert (label.labels, label.flag) == (["suggestion", "complaint"], "names a person")
    assert say(ANA, card, Said(labels=("complaint", "suggestion"), flag="names a person")).again


def test_none_is_an_answer_where_several_may_be_right(database, asked, shown, say):
    asked(axis="type")
    say(ANA, shown(ANA), Said())
    assert (labels(database)[0].labels, state(database)) == ([], "settled")


def test_the_same_again_is_kept_once_and_another_answer_refused(database, asked, shown, say):
    asked()
    card = shown(ANA)
    first = say(ANA, card, at=now() + timedelta(seconds=3))
    assert (first.again, say(ANA, card).again, say(ANA, card).label.id) == (False, True, first.label.id)
    with pytest.raises(AlreadySaid):
        say(ANA, card, NEUTRAL)
    (label,) = labels(database)
    assert (label.blind, round(label.seconds)) == (True, 3)


def test_the_same_said_many_times_in_one_moment_is_kept_once(database, asked, shown, say):
    asked()
    card = shown(ANA)
    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(lambda _: say(ANA, card), range(8)))
    assert sorted(one.again for one in saved) == [False] + [True] * 7
    assert len(labels(database)) == 1


def test_a_card_of_somebody_else_and_none_at_all(asked, shown, say):
    asked()
    card = shown(ANA)
    with pytest.raises(NotYours):
        say(JAN, card)
    with pytest.raises(UnknownCard):
        say(ANA, uuid4())


def test_a_skipped_card_goes_to_somebody_else_and_never_back(database, asked, shown, say):
    asked()
    card = shown(ANA)
    say(ANA, card, Said(skip="I wrote this one"))
    assert say(ANA, card, Said(skip="I wrote this one")).again
    assert shown(ANA) is None
    say(JAN, shown(JAN))
    assert state(database) == "settled"
    assert [(label.rater, label.skip) for label in labels(database)] == [("ana", "I wrote this one"), ("jan", None)]


def test_a_label_that_was_taken_back_stays_on_record_and_its_card_is_held_again(database, asked, shown, say, back):
    asked(2)
    first = shown(ANA)
    say(ANA, first)
    second = shown(ANA)
    say(ANA, second)
    assert back(ANA, first) == first
    assert back(ANA, first) == first, "the same again changes nothing"
    assert shown(ANA) == first
    say(ANA, first, NEUTRAL)
    assert back(ANA) == first
    assert back(ANA) == second
    assert back(ANA) is None
    assert [label.undone_at is None for label in labels(database)] == [False, False, False]
    assert back(JAN) is None


def test_a_card_that_was_taken_back_comes_before_the_one_that_was_shown_meanwhile(asked, shown, say, back):
    asked(9)
    for _ in range(8):
        card = shown(ANA)
        say(ANA, card)
        assert shown(ANA) != card
        assert back(ANA, card) == card
        assert shown(ANA) == card
        say(ANA, card)


def test_a_skip_may_be_taken_back_though_somebody_else_was_asked(database, asked, shown, say, back):
    asked()
    card = shown(ANA)
    say(ANA, card, Said(skip="in a hurry"))
    other = shown(JAN)
    assert back(ANA) == card
    say(ANA, card)
    say(JAN, other)
    assert state(database) == "settled"
    assert len([label for label in labels(database) if label.undone_at is None]) == 2


def test_what_was_revealed_is_not_taken_back_and_what_follows_is_not_blind(database, asked, shown, say, back):
    asked(places=2)
    card = shown(ANA)
    with database.session() as session, pytest.raises(LabelStays, match="Label this card first"):
        reveal(session, ANA, card, now())
    say(ANA, card)
    say(JAN, shown(JAN), NEUTRAL)
    with database.session() as session, pytest.raises(NotYours):
        reveal(session, KIM, card, now())
    with database.session() as session:
        seen = reveal(session, ANA, card, now())
    assert seen.model == {"negative": 0.5, "neutral": 0.25, "positive": 0.25}
    assert [(one.who, one.labels) for one in seen.colleagues] == [("A", ("neutral",))]
    with database.session() as session:
        assert session.exec(select(Reveal.rater)).all() == ["ana"]
    with pytest.raises(LabelStays, match="stays as it is"):
        back(ANA)
    with database.session() as session:
        urgent = Wanted("urgency", None, 1, "audit", seed=7, overlap=0.0)
        later = draw(session, urgent, TOPICS, by="ada", at=now())
        slot = session.exec(select(LabelSlot).where(LabelSlot.sample_id == later.id)).one()
        slot.rater, slot.leased_at, slot.lease_until = "ana", now(), now()
        card = slot.id
    say(ANA, card, Said(labels=("low",)))
    assert [label.blind for label in labels(database, rater="ana")] == [True, False]


def test_nobody_compares_one_card_of_a_text_while_they_hold_another(database, asked, shown, say):
    asked()
    with database.session() as session:
        draw(session, Wanted("urgency", None, 1, "audit", seed=7), TOPICS, by="ada", at=now())
    with database.session() as session:
        first, second = next_showings(session, ANA, TOPICS, now())
    say(ANA, first.card)
    with database.session() as session, pytest.raises(LabelStays, match="another card of the same text"):
        reveal(session, ANA, first.card, now())
    say(ANA, second.card, Said(labels=("low",)))
    with database.session() as session:
        assert reveal(session, ANA, first.card, now()).colleagues == ()


def test_the_database_itself_keeps_every_label(database, asked, shown, say):
    asked()
    say(ANA, shown(ANA))
    for statement in ("DELETE FROM human_label", "UPDATE human_label SET rater = 'jan'"):
        with pytest.raises(DBAPIError, match="a label is kept"), database.session() as session:
            session.execute(text(statement))
