"""Precision, recall and F1 at one threshold against published cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.binomial import wilson
from calibration.metrics.at_threshold import at_threshold
from calibration.result import Undefined

CASES = [
    # scikit-learn 1.9 test_classification.py, test_precision_recall_f1_score_binary_averaged, counted by hand
    pytest.param(
        [0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1],
        [1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1],
        (6, 4, 1, 4),
        id="fifteen items",
    ),
    # Hanley and McNeil (1982), table I, ratings 4 and 5 pass: 44 of 51 abnormal, 13 of 58 normal
    pytest.param([1] * 51 + [0] * 58, [1] * 44 + [0] * 7 + [1] * 13 + [0] * 45, (44, 13, 7, 45), id="CT ratings"),
    # scikit-learn 1.9 test_classification.py, test_precision_recall_f_binary_single_class
    pytest.param([1, 1], [1, 1], (2, 0, 0, 0), id="one class only"),
]


@pytest.mark.parametrize(("outcome", "passes", "expected"), CASES)
def test_the_counts_and_shares_agree_with_published_cases(outcome, passes, expected):
    found = at_threshold(outcome, passes, 0.5)
    right, wrong, missed, _ = expected

    assert (found.true_positives, found.false_positives, found.false_negatives, found.true_negatives) == expected
    assert found.precision.value == pytest.approx(right / (right + wrong))
    assert found.recall.value == pytest.approx(right / (right + missed))
    assert found.f1.value == pytest.approx(2 * right / (2 * right + wrong + missed))


def test_the_interval_of_precision_is_newcombes():
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, exact and Wilson
    outcome = [1] * 81 + [0] * 182
    exact = at_threshold(outcome, [1] * 263, 0.5).precision
    score = at_threshold(outcome, [1] * 263, 0.5, interval=wilson).precision

    assert (exact.low, exact.high) == pytest.approx((0.2527, 0.3676), abs=5e-5)
    assert (score.low, score.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_the_interval_of_f1_is_that_of_the_share_it_grows_with():
    # 81 of 263 again, as the right among all that pass or are positive: J / (1 + J), twice
    outcome, passes = [1] * 81 + [0] * 100 + [1] * 82, [1] * 181 + [0] * 82
    f1 = at_threshold(outcome, passes, 0.5).f1

    assert f1.value == pytest.approx(2 * 81 / (2 * 81 + 182))
    assert (f1.low, f1.high) == pytest.approx((2 * 0.2527 / 1.2527, 2 * 0.3676 / 1.3676), abs=1e-4)
    assert f1.n == 263


def test_a_perfect_f1_of_few_items_is_not_certain():
    assert at_threshold([1] * 5, [1] * 5, 0.5).f1.low < 0.7


def test_a_score_of_the_threshold_passes():
    assert at_threshold([1], [0.5], 0.5).true_positives == 1


def test_what_nothing_defines_is_undefined():
    nothing = at_threshold([0, 0], [0.1, 0.2], 0.5)
    missed = at_threshold([1, 0], [0.1, 0.2], 0.5)
    empty = at_threshold([], [], 0.5)

    assert all(isinstance(part, Undefined) for part in (nothing.precision, nothing.recall, nothing.f1))
    assert isinstance(missed.precision, Undefined)
    assert missed.recall.value == 0.0
    assert missed.f1.value == 0.0
    assert isinstance(empty.f1, Undefined)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_stricter_threshold_never_finds_more_and_order_changes_nothing(rows, one, other):
    outcome, score = (np.array(column) for column in zip(*rows, strict=True))
    lenient, strict = (at_threshold(outcome, score, cut) for cut in sorted((one, other)))
    turned = at_threshold(outcome[::-1], score[::-1], max(one, other))

    assert strict.true_positives <= lenient.true_positives
    assert strict.false_positives <= lenient.false_positives
    assert turned.precision == strict.precision
