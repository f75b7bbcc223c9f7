"""Answers are checked at the door; each rater is set against the others, one person, one vote."""

import numpy as np
import pytest

from calibration.agreement.answers import Answers, LeftOut


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        (([0, 1], [0], [0, 0]), "rater"),
        (([0, -1], [0, 0], [0, 0]), r"item\[1\]"),
        (([0, 1], [0, 0.5], [0, 0]), r"rater\[1\]"),
        (([0, 1], [0, 0], [0, 3]), r"label\[1\] must be below the 3 classes"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_by_its_place(arrays, says):
    with pytest.raises(ValueError, match=says):
        Answers.of(*arrays, classes=3)


def test_an_item_without_a_label_is_refused():
    with pytest.raises(ValueError, match="model must hold a label for item 2"):
        LeftOut.of([0, 2], [0, 1], [0, 0], [0, 0])


def test_somebody_who_answers_twice_still_has_one_vote():
    left = LeftOut.of([0, 0, 0, 0], [0, 0, 1, 2], [0, 1, 1, 1], [1])

    assert left.own.tolist() == [[0.5, 0.5], [0, 1], [0, 1]]
    assert left.others.tolist() == [[0, 2], [0.5, 1.5], [0.5, 1.5]]


def test_an_item_of_one_rater_has_nobody_to_compare_with():
    left = LeftOut.of([0, 0, 1], [0, 0, 0], [0, 1, 1], [1, 1])

    assert len(left.item) == 0


def test_no_answer_gives_no_row_and_arrays_are_left_alone():
    assert len(LeftOut.of([], [], [], []).item) == 0
    label = np.array([1, 0, 1])
    LeftOut.of([0, 0, 0], [0, 1, 2], label, [0])
    assert label.tolist() == [1, 0, 1]
