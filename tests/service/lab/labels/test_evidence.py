"""What people said becomes labels: one for each card, label and person, and nothing that does not count."""

import pytest
from judged import answered, arrive, drawn
from sqlmodel import Session, col, select, update

from service.lab.labels.evidence import answers_of, labels_of, newest_binding
from service.store.lab_tables import HumanLabel, LabelCard, LabelSlot
from service.store.tables import Classification, Feedback, now


@pytest.fixture
def session(database):
    with Session(database.engine, expire_on_commit=False) as opened:
        arrive(opened, 20, 20)
        yield opened


def heard(session, **asked):
    return labels_of(session, "sentiment", binding=newest_binding(session), **asked)


def test_each_answer_is_a_label_with_what_the_model_believed(session):
    sample = drawn(session, 10)
    cards = answered(session, sample)
    found = heard(session)
    assert (len(found.cards), found.samples, len(found.labels)) == (10, (sample,), 20)
    first = [one for one in found.labels if one.id == str(cards[0].feedback_id)]
    assert [(one.rater, one.human, one.blind, one.pool) for one in first] == [
        ("rea", cards[0].probabilities["negative"] >= 0.5, True, "audit"),
        ("rob", cards[0].probabilities["negative"] >= 0.5, True, "audit"),
    ]
    assert first[0].probability == cards[0].probabilities["negative"]
    assert first[0].text.startswith("The kettle whistles")
    assert max(one.inclusion_probability for one in found.labels) == 1.0


def test_a_sample_for_one_label_says_nothing_of_another_and_one_for_the_axis_of_all(session):
    answered(session, drawn(session, 5))
    assert {one.label for one in heard(session).labels} == {"negative"}
    assert heard(session, label="positive").labels == ()
    answered(session, drawn(session, 5, label=None))
    assert {one.label for one in heard(session).labels} == {"negative", "neutral", "positive"}
    assert len(heard(session, label="negative").labels) == 20


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({"skip": "Not in a language I read."}, []),
        ({"undone_at": now()}, []),
        ({"unsure": True, "labels": []}, [None]),
        ({"adjudicated": True, "blind": False}, [True]),
    ],
)
def test_what_was_passed_on_or_taken_back_is_no_answer_and_doubt_is_one(session, changes, counted):
    card = session.exec(select(LabelCard).where(LabelCard.sample_id == drawn(session, 1).id)).one()
    card.state = "settled"
    said = {"labels": ["negative"], "blind": True, **changes}
    session.add(HumanLabel(card_id=card.id, rater="rea", **said))
    session.flush()
    found = heard(session).labels
    assert [one.human for one in found] == counted
    assert [one.adjudicated for one in found] == [changes.get("adjudicated", False)] * len(counted)


def test_what_is_open_withdrawn_or_of_another_source_is_not_heard(session):
    cards = answered(session, drawn(session, 10), leave=3)
    session.execute(update(Feedback).where(col(Feedback.id) == cards[0].feedback_id).values(withdrawn_at=now()))
    found = heard(session)
    assert (len(found.cards), len(found.open), len(found.disputed)) == (6, 3, 0)
    assert heard(session, source="app").cards == ()
    assert heard(session, since=now()).cards == ()


def test_who_passes_a_card_on_leaves_a_doubt_until_somebody_answers(session):
    cards = answered(session, drawn(session, 10), leave=2)
    session.add(HumanLabel(card_id=cards[-1].id, rater="rea", skip="Hard to say.", blind=True))
    session.flush()
    found = heard(session)
    assert (len(found.cards), len(found.open), found.passed_on) == (9, 1, frozenset({cards[-1].id}))
    assert [one.human for one in found.labels if one.id == str(cards[-1].feedback_id)] == [None]
    cards[-1].state = "settled"
    session.flush()
    assert (len(heard(session).cards), heard(session).passed_on) == (9, frozenset())


def test_a_third_person_decides_and_measures_nobodys_agreement(session):
    cards = answered(session, drawn(session, 3), differ=(0,))
    slot = LabelSlot(card_id=cards[0].id, sample_id=cards[0].sample_id, number=9, kind="third", rater="roz")
    session.add(slot)
    session.flush()
    session.add(HumanLabel(card_id=cards[0].id, slot_id=slot.id, rater="roz", labels=["negative"], blind=True))
    session.flush()
    assert [(one.rater, one.tiebreak) for one in heard(session).labels if one.tiebreak] == [("roz", True)]
    together = answers_of(session, [card.id for card in cards])
    assert sorted(len(set(answers)) for answers in together) == [1, 1, 2]


def test_a_model_that_stands_in_binds_nothing(session):
    before = newest_binding(session)
    arrive(session, 1, classifier="keywords@1", degraded=True)
    assert newest_binding(session) == before
    session.execute(update(Classification).values(degraded=True))
    assert newest_binding(session) is None
