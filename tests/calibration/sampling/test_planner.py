"""How many labels: margins, promises, and the plan that a sentence states."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.binomial import p_value_at_least
from calibration.promise import Promise
from calibration.sampling.planner import margin_labels, plan


@pytest.mark.parametrize(
    ("margin", "options", "labels"),
    [
        (0.05, {}, 385),  # the textbook figure: 1.96^2 / 4 / 0.0025 = 384.2
        (0.05, {"population": 1000}, 278),  # as in the table of Krejcie and Morgan (1970)
        (0.05, {"population": 100}, 80),  # as in the table of Krejcie and Morgan (1970)
        (0.05, {"population": 10_000}, 370),  # as in the table of Krejcie and Morgan (1970)
        (0.03, {}, 1068),  # the usual opinion poll
        (0.05, {"share": 0.1}, 139),  # by hand: 3.8415 * 0.09 / 0.0025 = 138.3
        (0.5, {"population": 1}, 1),
    ],
)
def test_a_margin_needs_the_published_number_of_labels(margin, options, labels):
    assert margin_labels(margin, **options) == labels


def test_the_plan_of_the_help_text():
    answer = plan(12, 0, Promise(0.90, 0.95), threshold=0.82)

    assert answer.sentence == "Label 34 more above 0.82 and, if at most 1 is wrong, the 90 % promise holds."
    assert answer.chance == pytest.approx(0.622, abs=1e-4)  # by hand: q = 0.5 / 13, (1 - q)^34 + 34 q (1 - q)^33


@pytest.mark.parametrize(
    ("labels", "wrong", "may_be_wrong", "more", "words"),
    [
        (0, 0, 0, 29, "Label 29 more above 0.5 and, if none is wrong, the 90 % promise holds."),
        (20, 1, 0, 26, "Label 26 more above 0.5 and, if none is wrong, the 90 % promise holds."),
        (20, 1, 2, 56, "Label 56 more above 0.5 and, if at most 2 are wrong, the 90 % promise holds."),
        (46, 1, 3, 0, "The labels above 0.5 are enough: the 90 % promise holds."),
    ],
)
def test_a_plan_counts_what_is_there(labels, wrong, may_be_wrong, more, words):
    answer = plan(labels, wrong, Promise(0.90, 0.95), threshold=0.5, may_be_wrong=may_be_wrong)

    assert (answer.more, answer.sentence) == (more, words)
    assert (answer.chance is None) == (labels == 0 or more == 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.integers(0, 10), st.integers(0, 4))
def test_what_a_plan_says_comes_true(labels, wrong, may_be_wrong):
    wrong = min(wrong, labels)
    promise = Promise(0.90, 0.95)
    answer = plan(labels, wrong, promise, threshold=0.5, may_be_wrong=may_be_wrong)

    assert p_value_at_least(wrong + answer.may_be_wrong, labels + answer.more, 0.90) <= 0.05 + 1e-9
    if answer.more:
        assert p_value_at_least(wrong + answer.may_be_wrong + 1, labels + answer.more, 0.90) > 0.05
        assert plan(labels, wrong, promise, threshold=0.5, may_be_wrong=may_be_wrong + 1).more > answer.more


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: margin_labels(0), "margin must lie strictly"),
        (lambda: margin_labels(0.1, share=1), "share must lie strictly"),
        (lambda: margin_labels(0.1, population=0), "population must be 1 or more"),
        (lambda: plan(3, 4, Promise(0.9, 0.9), threshold=0.5), "not 4 of 3"),
        (lambda: plan(3, 1, Promise(0.9, 0.9), threshold=0.5, may_be_wrong=-1), "may_be_wrong must be 0 or more"),
    ],
)
def test_a_figure_out_of_range_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
