"""The risk-coverage curve and its exact bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from calibration.metrics.selective import risk_coverage_curve


@pytest.mark.parametrize(
    ("answered", "wrong", "bound"),
    [
        # by hand: the exact bound behind the rule of three, 1 - .05 ** (1 / n)
        pytest.param(14, 0, 0.1927, id="0 of 14"),
        # the least labels of a 90 % promise at 95 %, Promise.labels_needed: 29 without an error, 46 with one
        pytest.param(29, 0, 0.0981, id="0 of 29"),
        pytest.param(46, 1, 0.0991, id="1 of 46"),
        pytest.param(3, 3, 1.0, id="all wrong"),
    ],
)
def test_the_bound_of_few_errors_is_exact(answered, wrong, bound):
    (point,) = risk_coverage_curve([0] * wrong + [1] * (answered - wrong), [0.9] * answered)

    assert point.risk_bound == pytest.approx(bound, abs=5e-4)
    assert point.accuracy_bound == pytest.approx(1 - point.risk_bound)


def test_the_bound_solves_the_papers_equation():
    # Geifman and El-Yaniv (2017), lemma 3.1: sum of Binom(j; m, b) for j up to the errors equals delta
    for point in risk_coverage_curve([1, 1, 0, 1, 1, 0], [6, 5, 4, 3, 2, 1], confidence=0.9):
        assert binom.cdf(point.wrong, point.answered, point.risk_bound) == pytest.approx(0.1)


def test_the_curve_of_three_items_by_hand():
    points = risk_coverage_curve([0, 1, 1], [0.7, 0.8, 0.9])

    assert [(p.threshold, p.answered, p.wrong) for p in points] == [(0.9, 1, 0), (0.8, 2, 0), (0.7, 3, 1)]
    assert [p.coverage for p in points] == pytest.approx([1 / 3, 2 / 3, 1])
    assert points[-1].risk == pytest.approx(1 / 3)


def test_equal_scores_are_answered_together_and_no_items_give_no_points():
    assert len(risk_coverage_curve([1, 0, 1], [0.5, 0.5, 0.9])) == 2
    assert risk_coverage_curve([], []) == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=30))
def test_bounds_hold_the_risk_and_order_changes_nothing(rows):
    right, score = (np.array(column) for column in zip(*rows, strict=True))
    points = risk_coverage_curve(right, score)

    assert risk_coverage_curve(right[::-1], score[::-1]) == points
    assert points[-1].coverage == 1.0
    for point in points:
        assert point.risk <= point.risk_bound <= 1


def test_one_more_error_never_lowers_a_bound():
    right = np.ones(30)
    before = risk_coverage_curve(right, np.arange(30))
    right[15] = 0
    after = risk_coverage_curve(right, np.arange(30))

    assert all(new.risk_bound >= old.risk_bound for old, new in zip(before, after, strict=True))
