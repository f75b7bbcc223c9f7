"""Slots: each goes to one person, for a while; nobody sees a card twice, and exactly as many people as were wanted."""

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from read_records import read_records
from sqlalchemy import text
from sqlmodel import select

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels.labelling import Said, reveal, submit, undo
from service.lab.labels.order import APART
from service.lab.labels.rater import Rater
from service.lab.labels.samples import Wanted, close, draw
from service.lab.labels.slots import LEASE, UnknownSample, held, next_showings, waiting
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample, LabelSlot
from service.store.tables import now

TOPICS = default_taxonomy()
NEGATIVE = Said(labels=("negative",))
ANA, JAN, KIM = (Rater(name, blind=True) for name in ("ana", "jan", "kim"))
EVA = Rater("eva", blind=False)


def texts(many, words="The kettle"):
    return [f"{words} {number} leaks." for number in range(many)]


def sample_of(database, many, *, axis="sentiment", pool="audit", overlap=0.0, words="The kettle") -> LabelSample:
    with database.session() as session:
        if words:
            read_records(session, texts(many, words))
        wanted = Wanted(axis, None, many, pool, seed=7, overlap=overlap)
        return draw(session, wanted, TOPICS, by="ada", at=now())


def following(database, rater, at=None, sample=None):
    with database.session() as session:
        return next_showings(session, rater, TOPICS, at or now(), sample)


def say(database, rater, card, said=NEGATIVE, at=None):
    with database.session() as session:
        return submit(session, rater, card, said, TOPICS, at or now())


def label_all(database, rater, said=NEGATIVE, most=1000):
    """The cards this person labelled, in order, until there are no more."""
    seen = []
    while len(seen) < most and (shown := following(database, rater)):
        for one in shown:
            say(database, rater, one.card, said)
            seen.append(one)
    return seen


def rows(database, kind, **where):
    with database.session() as session:
        return list(session.exec(select(kind).filter_by(**where)))


def test_the_held_card_comes_again_until_it_is_answered(database):
    sample_of(database, 3)
    (first,) = following(database, ANA)
    (again,) = following(database, ANA)
    assert (again.card, again.done, again.total) == (first.card, 0, 3)
    with database.session() as session:
        assert held(session, ANA, TOPICS, first.card, now()).text == first.text
        assert held(session, JAN, TOPICS, first.card, now()) is None
        assert waiting(session, ANA) == 3
    say(database, ANA, first.card)
    (second,) = following(database, ANA)
    assert second.card != first.card
    assert (second.done, second.total) == (1, 3)


def test_a_showing_says_what_is_asked_and_how_long_the_rest_takes(database):
    sample_of(database, 8)
    began = now()
    for number in range(5):
        (shown,) = following(database, ANA, began + timedelta(minutes=number))
        assert shown.seconds_left is None
        say(database, ANA, shown.card, at=began + timedelta(minutes=number, seconds=4))
    (shown,) = following(database, ANA, began + timedelta(minutes=5))
    assert shown.seconds_left == 12.0
    assert [choice.label for choice in shown.choices.labels] == ["negative", "neutral", "positive"]
    assert (shown.verbatims[0].question, shown.verbatims[0].text) == ("Why?", shown.text)


def test_everybody_has_an_order_of_their_own_that_says_nothing_of_the_score(database):
    with database.session() as session:
        read_records(session, texts(40), negative=[number / 40 for number in range(40)])
        draw(session, Wanted("sentiment", "negative", 40, "audit", seed=7, overlap=1.0), TOPICS, by="ada", at=now())
    orders = [list(dict.fromkeys(one.text for one in label_all(database, rater))) for rater in (ANA, JAN)]
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    for order in orders:
        scores = [int(words.split()[2]) for words in order]
        ranked = sum((place - 19.5) * (score - 19.5) for place, score in enumerate(scores)) / (40 * (40**2 - 1) / 12)
        assert abs(ranked) < 0.75, "the order of the cards tells their scores"  # chance: one in millions


def test_eight_people_at_once_share_the_slots_and_nobody_sees_a_card_twice(database):
    sample = sample_of(database, 24, overlap=0.5)
    people = [Rater(f"rater-{number}", blind=True) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda rater: label_all(database, rater), people))
    slots = [one.card for shown in seen for one in shown]
    assert len(slots) == len(set(slots)), "two people held one slot"
    cards = {slot.id: slot.card_id for slot in rows(database, LabelSlot)}
    for shown in seen:
        assert len({cards[one.card] for one in shown}) == len(
            [one for one in shown if not is_repeat(database, one.card)]
        )
    asked = defaultdict(set)
    for label in rows(database, HumanLabel):
        asked[label.card_id].add(label.rater)
    drawn = rows(database, LabelCard, sample_id=sample.id)
    assert {card.id: card.places for card in drawn} == {card: len(people) for card, people in asked.items()}
    assert Counter(card.places for card in drawn) == {1: 12, 2: 12}
    assert {card.state for card in drawn} == {"settled"}
    assert rows(database, LabelSample, id=sample.id)[0].state == "done"


def is_repeat(database, slot):
    return rows(database, LabelSlot, id=slot)[0].kind == "repeat"


def test_two_requests_of_one_person_at_once_show_one_card(database):
    sample_of(database, 20, overlap=1.0)
    with ThreadPoolExecutor(8) as pool:
        shown = list(pool.map(lambda _: following(database, ANA), range(8)))
    assert len({one.card for (one,) in shown}) == 1
    assert len(rows(database, LabelSlot, rater="ana")) == 1


def test_a_lease_that_ran_out_goes_to_another_and_the_late_label_is_kept_beside_once(database):
    sample_of(database, 1)
    began = now()
    (lost,) = following(database, ANA, began)
    assert following(database, JAN, began + LEASE - timedelta(seconds=1)) == ()
    (taken,) = following(database, JAN, began + LEASE)
    assert taken.card == lost.card
    for again in (False, True, True):
        assert say(database, ANA, lost.card).again is again
    say(database, JAN, taken.card)
    labels = rows(database, HumanLabel)
    assert sorted((label.rater, label.labels[0], label.blind) for label in labels) == [
        ("ana", "negative", True),
        ("jan", "negative", True),
    ]
    kinds = {slot.id: slot.kind for slot in rows(database, LabelSlot)}
    assert {label.rater: kinds[label.slot_id] for label in labels} == {"ana": "extra", "jan": "first"}


def test_a_late_label_whose_slot_nobody_took_is_an_ordinary_one(database):
    sample_of(database, 1)
    (shown,) = following(database, ANA)
    say(database, ANA, shown.card, at=now() + 5 * LEASE)
    (label,) = rows(database, HumanLabel)
    assert (label.slot_id, rows(database, LabelCard)[0].state) == (shown.card, "settled")


def test_some_cards_come_back_to_the_same_person_later(database):
    sample_of(database, 40)
    seen = label_all(database, ANA)
    assert [(one.done, one.total) for one in seen] == [(done, 42) for done in range(42)], "the count tells a repeat"
    assert {one.id.version for one in rows(database, LabelSlot)} == {4}, "the id tells a repeat, or when it was made"
    places = defaultdict(list)
    for place, one in enumerate(seen):
        places[one.text].append(place)
    twice = [found for found in places.values() if len(found) > 1]
    assert [len(found) for found in twice] == [2, 2], "5 % of 40 cards"
    assert all(second - first > APART for first, second in twice[:1]), "a repeat came at once"
    assert len(seen) == 42


def test_cards_of_one_text_are_held_together(database):
    sample_of(database, 4)
    sample_of(database, 4, axis="topic", words="")
    shown = following(database, ANA)
    assert [one.choices.axis for one in shown] == ["sentiment", "topic"]
    assert len({one.text for one in shown}) == 1
    say(database, ANA, shown[0].card)
    (rest,) = following(database, ANA)
    assert (rest.card, rest.text) == (shown[1].card, shown[1].text)


def test_one_sample_alone_may_be_asked_for(database):
    first = sample_of(database, 2)
    second = sample_of(database, 2, axis="urgency", words="")
    assert {one.sample for one in following(database, ANA, sample=second.id)} == {second.id}
    assert {one.sample for one in following(database, JAN, sample=first.id)} == {first.id}
    with pytest.raises(UnknownSample):
        following(database, KIM, sample=uuid4())


def test_a_closed_sample_shows_nothing_more_and_still_takes_what_was_under_way(database):
    sample = sample_of(database, 2)
    (shown,) = following(database, ANA)
    with database.session() as session:
        close(session, session.merge(sample), now(), by="ada")
    assert following(database, ANA) == ()
    say(database, ANA, shown.card)
    assert len(rows(database, HumanLabel)) == 1


def test_withdrawn_feedback_is_shown_no_more(database):
    sample = sample_of(database, 3)
    (shown,) = following(database, ANA)
    with database.session() as session:
        session.execute(text("UPDATE feedback SET withdrawn_at = now() WHERE id <> :id"), {"id": shown.feedback})
    say(database, ANA, shown.card)
    assert following(database, ANA) == ()
    assert Counter(card.state for card in rows(database, LabelCard)) == {"gone": 2, "settled": 1}
    assert rows(database, LabelSample, id=sample.id)[0].state == "done"


def test_what_is_said_about_withdrawn_feedback_is_kept_and_its_card_gone(database):
    sample_of(database, 1)
    (shown,) = following(database, ANA)
    with database.session() as session:
        session.execute(text("UPDATE feedback SET withdrawn_at = now()"))
    say(database, ANA, shown.card)
    assert len(rows(database, HumanLabel)) == 1
    assert rows(database, LabelCard)[0].state == "gone"


def test_two_who_answer_two_axes_of_a_withdrawn_record_do_not_wait_for_each_other(database):
    for axis in ("type", "topic"):
        sample_of(database, 2, axis=axis, words="The kettle" if axis == "type" else "")
    cards = following(database, ANA)
    assert len(cards) == 2
    with database.session() as session:
        session.execute(text("UPDATE feedback SET withdrawn_at = now() WHERE id = :id"), {"id": cards[0].feedback})
    with database.session() as one, database.session() as other:
        submit(one, ANA, cards[0].card, Said(), TOPICS, now())
        submit(other, ANA, cards[1].card, Said(), TOPICS, now())
    assert Counter(card.state for card in rows(database, LabelCard)) == {"gone": 2, "open": 2}


def test_who_does_not_label_blind_takes_nobody_s_place_in_an_audit_sample(database):
    sample = sample_of(database, 2)
    seen = label_all(database, EVA)
    assert len(seen) == 2
    assert {label.blind for label in rows(database, HumanLabel)} == {False}
    assert rows(database, LabelSample, id=sample.id)[0].state == "open"
    assert len(label_all(database, ANA)) == 2
    assert rows(database, LabelSample, id=sample.id)[0].state == "done"


def test_everybody_s_answer_counts_in_a_targeted_sample(database):
    sample = sample_of(database, 2, pool="targeted")
    assert len(label_all(database, EVA)) == 2
    assert rows(database, LabelSample, id=sample.id)[0].state == "done"
    assert following(database, ANA) == ()


def test_who_saw_the_model_s_answer_to_a_text_labels_it_no_more(database):
    sample_of(database, 1)
    (shown,) = label_all(database, ANA)
    with database.session() as session:
        reveal(session, ANA, shown.card, now())
    sample_of(database, 1, axis="urgency", words="")
    assert following(database, ANA) == ()
    assert len(following(database, JAN)) == 1


def test_a_done_sample_is_open_again_when_a_label_is_taken_back(database):
    sample = sample_of(database, 1)
    (shown,) = label_all(database, ANA)
    assert rows(database, LabelSample, id=sample.id)[0].state == "done"
    with database.session() as session:
        assert undo(session, ANA, now()) == shown.card
    assert rows(database, LabelSample, id=sample.id)[0].state == "open"
    (again,) = following(database, ANA)
    assert again.card == shown.card


def test_a_sample_that_is_done_is_computed_once(database):
    sample_of(database, 2)
    label_all(database, ANA)
    with database.session() as session:
        jobs = session.execute(text("SELECT task_name, args FROM procrastinate_jobs")).all()
    assert [(name, args) for name, args in jobs] == [("watch", {})]
