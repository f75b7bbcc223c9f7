"""Items out of labels, and gold out of answers."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.certification.gold import Gold, Standing, settle
from calibration.certification.items import Answer, Item, questions
from calibration.labels.label import InvalidLabels, Label


def item(*answers):
    return Item(("r-1",), "Late again", 0.9, "audit", None, "", "", tuple(answers))


def said(rater, right, blind=True, adjudicated=False):
    return Answer(rater, right, blind, adjudicated)


@pytest.mark.parametrize(
    ("answers", "right", "standing"),
    [
        ([said("ana", True)], True, "single"),
        ([said("ana", True), said("jan", True)], True, "agreed"),
        ([said("ana", True), said("ana", True)], True, "single"),
        ([said("ana", True), said("ana", False)], None, "disputed"),
        ([said("ana", True), said("jan", False)], None, "disputed"),
        ([said("ana", True), said("jan", True), said("eva", False)], True, "majority"),
        ([said("ana", True), said("jan", False), said("eva", False)], False, "majority"),
        ([said("ana", True), said("jan", True), said("eva", True)], True, "agreed"),
        ([said("ana", True), said("jan", True), said("eva", None)], True, "agreed"),
        ([said("ana", True), said("jan", False), said("eva", None)], None, "disputed"),
        ([said("ana", True), said("jan", False), said("eva", True, blind=False)], None, "disputed"),
        ([said("ana", True), said("jan", False), said("eva", True), said("kim", False)], None, "disputed"),
        ([said("ana", True), said("ana", False), said("jan", True)], True, "single"),
        ([said("ana", True), said("ana", False), said("jan", True), said("eva", True)], True, "agreed"),
        ([said("ana", True), said("ana", False), said("jan", True), said("eva", False)], None, "disputed"),
        ([said("ana", True), said("ana", False), said("jan", None)], None, "disputed"),
        ([said("ana", True), said("ana", None)], True, "single"),
        ([said("ana", True), said("ana", False), said("eva", True, adjudicated=True)], True, "adjudicated"),
        (
            [said("ana", True), said("jan", True), said("kim", False), said("eva", False, adjudicated=True)],
            False,
            "adjudicated",
        ),
        (
            [said("ana", True), said("jan", True), said("kim", False), said("eva", None, adjudicated=True)],
            True,
            "majority",
        ),
        (
            [
                said("ana", True),
                said("jan", False),
                said("eva", True, adjudicated=True),
                said("kim", False, adjudicated=True),
            ],
            None,
            "disputed",
        ),
        (
            [said("ana", True), said("jan", False), said("eva", False, blind=False, adjudicated=True)],
            False,
            "adjudicated",
        ),
        ([said("ana", True), said("jan", None)], True, "single"),
        ([said("ana", None), said("jan", None)], None, "unsure"),
        ([said("ana", True), said("eva", None, blind=False, adjudicated=True)], True, "single"),
        ([said("ana", None), said("eva", True, blind=False, adjudicated=True)], True, "adjudicated"),
        ([said("ana", False), said("eva", True, blind=False, adjudicated=True)], None, "disputed"),
        ([said("ana", True), said("eva", False, blind=False, adjudicated=True)], None, "disputed"),
        ([said("ana", True), said("eva", True, blind=False, adjudicated=True)], True, "single"),
        (
            [said("ana", True), said("jan", None), said("kim", None), said("eva", False, adjudicated=True)],
            False,
            "adjudicated",
        ),
        (
            [said("ana", True), said("jan", True), said("kim", None), said("eva", False, adjudicated=True)],
            None,
            "disputed",
        ),
        ([said("ana", True), said("ana", None), said("eva", False, adjudicated=True)], None, "disputed"),
        ([said("ana", True, blind=False)], None, "not blind"),
        ([said("eva", True, blind=False, adjudicated=True)], None, "not blind"),
        ([said("ana", False, blind=False), said("eva", True, blind=True, adjudicated=True)], None, "not blind"),
        ([said("ana", True), said("jan", False, blind=False)], True, "single"),
        ([], None, "not blind"),
    ],
)
def test_gold_is_what_nobody_contradicted_or_an_adjudicator_settled(answers, right, standing):
    assert settle(item(*answers)) == Gold(right, Standing(standing))


def label(identity, text="Late again", **facts):
    return replace(Label(identity, text, "topic", "delivery", 0.9, human=True, pool="audit", blind=True), **facts)


def test_equal_texts_are_one_item_with_everybodys_answers():
    (question,) = questions(
        [label("r-2", "LATE   again", rater="jan", human=False), label("r-1", rater="ana"), label("r-3", "On time")]
    )

    assert [one.ids for one in question.items] == [("r-1", "r-2"), ("r-3",)]
    assert question.duplicates == 1
    assert settle(question.items[0]).standing == "disputed"


def test_a_text_of_the_targeted_pool_is_not_mixed_into_the_audit_pool():
    (question,) = questions([label("r-1"), label("r-2", pool="targeted", human=False)])

    assert [(one.pool, one.answers[0].right) for one in question.items] == [("audit", True), ("targeted", False)]


def test_empty_texts_are_no_copies_of_each_other():
    (question,) = questions([label("r-1", ""), label("r-2", " ")])

    assert question.duplicates == 0


def test_each_axis_and_label_is_a_question_of_its_own():
    labels = [label("r-1"), label("r-1", label="price"), label("r-1", axis="sentiment", label="negative")]

    assert [(one.axis, one.label) for one in questions(labels)] == [
        ("sentiment", "negative"),
        ("topic", "delivery"),
        ("topic", "price"),
    ]


@pytest.mark.parametrize(
    ("facts", "column"),
    [({"probability": 0.8}, "probability"), ({"text": "Something else"}, "text"), ({"pool": "targeted"}, "pool")],
)
def test_two_rows_that_tell_different_things_about_one_item_are_refused(facts, column):
    with pytest.raises(InvalidLabels, match=r"id 'r-1', topic:delivery says .+ and .+: one is wrong") as refused:
        questions([label("r-1", rater="ana"), label("r-1", rater="jan", **facts)])

    assert refused.value.faults[0].column == column


def test_every_contradiction_of_a_file_is_told():
    rows = [
        label("r-1"),
        label("r-1", probability=0.1),
        label("r-1", probability=0.2),
        label("r-2"),
        label("r-2", "Fine"),
    ]

    with pytest.raises(InvalidLabels) as refused:
        questions(rows)

    assert [(one.column, one.detail.split(",")[0]) for one in refused.value.faults] == [
        ("probability", "id 'r-1'"),
        ("text", "id 'r-2'"),
    ]


def test_two_spellings_of_a_name_are_one_person():
    (question,) = questions([label("r-1", rater="Ana"), label("r-1", rater="ana")])

    assert {answer.rater for answer in question.items[0].answers} == {"Ana"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.booleans()), min_size=1), st.randoms())
def test_the_order_of_labels_changes_nothing(rows, chance: random.Random):
    labels = [label(one, f"text of {one}", rater=rater, human=human) for one, rater, human in rows]
    shuffled = chance.sample(labels, len(labels))

    assert questions(labels) == questions(shuffled)
