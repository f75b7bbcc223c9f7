"""Disputes: what becomes of a card on which people differ, and who decides it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from read_records import read_records
from sqlalchemy import text
from sqlmodel import select

from calibration.certification.gold import settle as gold
from calibration.certification.items import Answer, Item
from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels import guidelines
from service.lab.labels.card_state import Vote, card_state
from service.lab.labels.disputes import NotDisputed, adjudicate, note_shown, open_disputes
from service.lab.labels.guidelines import InvalidGuideline
from service.lab.labels.labelling import InvalidLabel, LabelStays, Said, submit, undo
from service.lab.labels.rater import Rater
from service.lab.labels.samples import Wanted, draw
from service.lab.labels.slots import next_showings
from service.store.lab_tables import Guideline, HumanLabel, LabelCard, LabelSample
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
    assert card_state(places, [Vote(*one) for one in said], exclusive=True) == state


def test_where_several_labels_may_be_right_each_has_its_majority():
    said = [frozenset({"complaint"}), frozenset({"question"}), frozenset({"complaint", "praise"})]
    votes = [Vote(str(number), labels) for number, labels in enumerate(said)]
    assert card_state(2, votes, exclusive=False) == "settled"
    assert card_state(2, [*votes, Vote("d", frozenset({"question"}))], exclusive=False) == "disputed"


VOTES = st.lists(
    st.builds(Vote, st.sampled_from("abcd"), st.one_of(st.none(), st.frozensets(st.sampled_from("xy")))), max_size=6
)


@given(VOTES)
@example([Vote("a", None), Vote("a", O), Vote("b", N), Vote("c", N), Vote("d", O)])
def test_what_is_settled_has_one_truth_for_every_label(votes):
    if card_state(2, votes, exclusive=False) == "settled":
        for label in ("x", "y", "negative", "neutral"):
            answers = tuple(
                Answer(vote.rater, None if vote.labels is None else label in vote.labels, True, False) for vote in votes
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
            answer = {"labels": (label,), "reason": reason, "guideline": chosen, "at": now()}
            return adjudicate(session, rater, card, TOPICS, **answer)

    return decided


def state(database):
    with database.session() as session:
        return session.exec(select(LabelCard.state)).one()


def state_of(database, card):
    with database.session() as session:
        return session.get_one(LabelCard, card).state


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
    with database.session() as session, pytest.raises(LabelStays, match="yours stays as it is"):
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


def test_who_saw_what_others_said_in_a_dispute_labels_that_text_no_more(database, card):
    with database.session() as session:
        drawn = draw(session, Wanted("type", None, 1, "audit", seed=7, overlap=1.0), TOPICS, by="ada", at=now())
        (of_type,) = next_showings(session, LEO, TOPICS, now(), drawn.id)
        sentiment = session.exec(select(LabelCard.sample_id).where(LabelCard.id == card)).one()
    for rater in (ANA, JAN, KIM):
        with database.session() as session:
            (one,) = next_showings(session, rater, TOPICS, now(), sentiment)
            submit(session, rater, one.card, Said(unsure=True), TOPICS, now())
    assert (state_of(database, card), disputed(database, LEO)) == ("disputed", ()), "he holds a card of that text"
    with database.session() as session:
        submit(session, LEO, of_type.card, Said(), TOPICS, now())
        for rater in (LEO, EVA):
            note_shown(session, rater, open_disputes(session, rater, TOPICS), now())
        undo(session, LEO, now())
        label = submit(session, LEO, of_type.card, Said(labels=("praise",)), TOPICS, now()).label
    assert not label.blind
    assert len(shown(database, LEO)) == 0


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


def test_a_withdrawn_card_is_decided_by_nobody_and_a_new_sentence_is_kept_with_the_decision(
    database, card, says, decide
):
    for rater in (ANA, JAN, KIM):
        says(rater, None)
    with pytest.raises(InvalidGuideline, match="400 characters"):
        decide(LEO, guideline=" ")
    withdrawn = text("UPDATE feedback SET withdrawn_at = CAST(:at AS timestamptz)")
    with database.session() as session:
        session.execute(withdrawn, {"at": now()})
    with pytest.raises(NotDisputed, match="was withdrawn: nobody has to decide"):
        decide(LEO, guideline="A lamp feels nothing.")
    with database.session() as session:
        session.execute(withdrawn, {"at": None})
    decided = decide(LEO, guideline="A lamp feels nothing.")
    with database.session() as session:
        assert session.get_one(Guideline, decided.guideline_id).sentence == "A lamp feels nothing."
