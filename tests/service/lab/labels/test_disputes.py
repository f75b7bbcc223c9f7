"""Disputes: what becomes of a card on which people differ, and who decides it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from read_records import read_records
from sqlmodel import select

from calibration.certification.gold import settle as gold
from calibration.certification.items import Answer, Item
from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels import guidelines
from service.lab.labels.disputes import NotDisputed, adjudicate, open_disputes
from service.lab.labels.labelling import InvalidLabel, NotNow, Said, submit, undo
from service.lab.labels.rater import Rater
from service.lab.labels.samples import Wanted, draw
from service.lab.labels.slots import next_showings
from service.lab.labels.standing import Voice, standing
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample
from service.store.tables import now

TOPICS = default_taxonomy()
ANA, JAN, KIM, LEO = (Rater(name, blind=True) for name in ("ana", "jan", "kim", "leo"))
EVA = Rater("eva", blind=False)
N, O, P = (frozenset({label}) for label in ("negative", "neutral", "positive"))  # noqa: E741 (short in a table)

CASES = [  # places, who said what, what becomes of the card
    (1, [], "open"),
    (1, [("a", N)], "settled"),
    (1, [("a", None)], "disputed"),
    (1, [("a", N), ("a", N)], "settled"),
    (1, [("a", N), ("a", O)], "disputed"),
    (2, [("a", N)], "open"),
    (2, [("a", N), ("a", N)], "open"),
    (2, [("a", N), ("b", N)], "settled"),
    (2, [("a", N), ("b", O)], "third"),
    (2, [("a", N), ("b", None)], "third"),
    (2, [("a", None), ("b", None)], "third"),
    (2, [("a", N), ("b", O), ("c", O)], "settled"),
    (2, [("a", N), ("b", None), ("c", N)], "settled"),
    (2, [("a", N), ("b", O), ("c", P)], "disputed"),
    (2, [("a", N), ("b", O), ("c", None)], "disputed"),
    (2, [("a", N), ("b", None), ("c", None)], "disputed"),
    (2, [("a", N), ("b", O), ("c", O), ("d", N)], "disputed"),
    (2, [("a", N), ("b", N), ("b", O), ("c", N)], "settled"),
]


@pytest.mark.parametrize(("places", "said", "state"), CASES)
def test_how_a_card_stands(places, said, state):
    assert standing(places, [Voice(*one) for one in said], exclusive=True) == state


def test_where_several_labels_may_be_right_each_has_its_majority():
    said = [frozenset({"complaint"}), frozenset({"question"}), frozenset({"complaint", "praise"})]
    voices = [Voice(str(number), labels) for number, labels in enumerate(said)]
    assert standing(2, voices, exclusive=False) == "settled"
    assert standing(2, [*voices, Voice("d", frozenset({"question"}))], exclusive=False) == "disputed"


VOICES = st.lists(
    st.builds(Voice, st.sampled_from("abcd"), st.one_of(st.none(), st.frozensets(st.sampled_from("xy")))), max_size=6
)


@given(VOICES)
def test_what_is_settled_has_one_truth_for_every_label(voices):
    if standing(2, voices, exclusive=False) == "settled":
        for label in "xy":
            answers = tuple(
                Answer(voice.rater, None if voice.labels is None else label in voice.labels, True, False)
                for voice in voices
            )
            assert gold(Item(("r-1",), "Late", 0.9, "audit", None, "", "", answers)).right is not None


@pytest.fixture
def card(database):
    """A card that two people are asked about; `says` answers it in another's name."""
    with database.session() as session:
        read_records(session, ["The lamp flickers."])
        draw(session, Wanted("sentiment", None, 1, "audit", seed=7, overlap=1.0), TOPICS, by="ada", at=now())
        return session.exec(select(LabelCard.id)).one()


@pytest.fixture
def says(database):
    def say(rater, label):
        with database.session() as session:
            (shown,) = next_showings(session, rater, TOPICS, now())
            said = Said(unsure=True) if label is None else Said(labels=(label,))
            submit(session, rater, shown.card, said, TOPICS, now())

    return say


@pytest.fixture
def decide(database, card):
    def decided(rater, label="neutral", reason="Calm words.", guideline=None):
        with database.session() as session:
            chosen = guideline or guidelines.sentences(session, "sentiment")[0].id
            answer = {"labels": (label,), "reason": reason, "guideline_id": chosen, "at": now()}
            return adjudicate(session, rater, card, TOPICS, **answer)

    return decided


def state(database):
    with database.session() as session:
        return session.exec(select(LabelCard.state)).one()


def disputed(database, rater):
    with database.session() as session:
        return open_disputes(session, rater, TOPICS)


def shown(database, rater):
    with database.session() as session:
        return next_showings(session, rater, TOPICS, now())


def test_two_who_differ_call_for_a_third_and_the_majority_stands(database, card, says):
    says(ANA, "negative")
    says(JAN, "neutral")
    assert (state(database), shown(database, ANA), disputed(database, KIM)) == ("third", (), ())
    says(KIM, "neutral")
    assert (state(database), disputed(database, LEO)) == ("settled", ())


def test_three_who_differ_are_decided_by_somebody_who_said_nothing(database, card, says, decide):
    for rater, label in ((ANA, "negative"), (JAN, "neutral"), (KIM, "positive")):
        says(rater, label)
    assert (state(database), shown(database, LEO)) == ("disputed", ())
    assert [disputed(database, rater) for rater in (ANA, JAN, KIM)] == [(), (), ()]
    (dispute,) = disputed(database, LEO)
    answers = [(one.who, one.labels, one.unsure) for one in dispute.answers]
    assert answers == [("A", ("negative",), False), ("B", ("neutral",), False), ("C", ("positive",), False)]
    assert (dispute.card_id, dispute.text, dispute.third) == (card, "The lamp flickers.", False)
    with pytest.raises(NotDisputed, match="You have labelled this card"):
        decide(ANA)
    with database.session() as session, pytest.raises(NotNow, match="yours stays as it is"):
        undo(session, KIM, now())
    decide(LEO)
    assert (state(database), disputed(database, LEO)) == ("settled", ())
    with database.session() as session:
        said = session.exec(select(HumanLabel).order_by(HumanLabel.at)).all()
        assert [(one.rater, one.adjudicated, one.blind, one.undone_at) for one in said] == [
            ("ana", False, True, None),
            ("jan", False, True, None),
            ("kim", False, True, None),
            ("leo", True, False, None),
        ]
        assert (said[3].reason, said[3].slot_id) == ("Calm words.", None)
        assert session.exec(select(LabelSample.state)).one() == "done"
    with pytest.raises(NotDisputed, match="decided this card already"):
        decide(EVA)


def test_an_admin_need_not_wait_for_a_third_person(database, card, says, decide):
    says(ANA, "negative")
    says(JAN, "neutral")
    assert disputed(database, KIM) == ()
    with pytest.raises(NotDisputed):
        decide(KIM)
    (dispute,) = disputed(database, EVA)
    assert dispute.third
    decide(EVA)
    assert (state(database), shown(database, KIM)) == ("settled", ())


def test_a_decision_needs_an_answer_a_reason_and_a_sentence_in_force(database, card, says, decide):
    for rater in (ANA, JAN, KIM):
        says(rater, None)
    with database.session() as session:
        other = guidelines.sentences(session, "urgency")[0].id
    for field, wrong in (
        ("labels", {"label": "angry"}),
        ("reason", {"reason": " "}),
        ("guideline", {"guideline": other}),
    ):
        with pytest.raises(InvalidLabel) as refused:
            decide(LEO, **wrong)
        assert refused.value.field == field
    assert state(database) == "disputed"
