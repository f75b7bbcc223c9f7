"""Tasks: labels asked together become one, and a person who is asked twice answers two."""

from calibration.labels.label import Label
from calibration.labels.task import Answer, grouped


def label(name, human, *, rater="ana", text="r-1", probability=0.5):
    return Label(text, text, "topic", name, probability, human, rater=rater)


def test_a_task_holds_what_was_asked_together():
    (only,) = grouped([label("price", True), label("delivery", False), label("price", False, rater="bo")][:2])

    assert only.asked == {"delivery": 0.5, "price": 0.5}
    assert only.answers == (Answer("ana", frozenset({"price"})),)


def test_a_rater_who_was_asked_less_has_a_task_of_his_own():
    labels = [label("price", True), label("delivery", False), label("price", False, rater="bo")]

    assert [sorted(one.asked) for one in grouped(labels)] == [["delivery", "price"], ["price"]]


def test_a_hidden_repeat_is_a_second_task():
    assert [len(one.answers) for one in grouped([label("price", True), label("price", False)])] == [1, 1]


def test_labels_to_be_answered_are_asked_once_however_many_say_so():
    (only,) = grouped([label("price", None, rater=rater) for rater in ("", "ana", "bo")])

    assert only.answers == ()


def test_nothing_to_write_is_no_task():
    assert grouped([]) == []
