"""A promise and the labels it needs at the least."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.binomial import p_value_at_least
from calibration.promise import Promise


@pytest.mark.parametrize(
    ("precision", "confidence", "labels"),
    [(0.90, 0.95, 29), (0.95, 0.95, 59), (0.99, 0.95, 299), (0.5, 0.5, 1), (0.5, 0.75, 2), (0.8, 0.9, 11)],
)
def test_labels_needed_are_the_published_figures(precision, confidence, labels):
    assert Promise(precision, confidence).labels_needed() == labels


@given(st.floats(0.5, 0.999), st.floats(0.5, 0.999))
def test_the_last_label_is_the_one_that_makes_it(precision, confidence):
    needed = Promise(precision, confidence).labels_needed()

    assert precision**needed <= 1 - confidence + 1e-9
    assert precision ** (needed - 1) > 1 - confidence - 1e-9


@pytest.mark.parametrize(
    ("precision", "confidence", "labels"),
    [
        # the usual sample sizes of a reliability demonstration with 0 to 3 failures, by the exact binomial
        (0.95, 0.95, [59, 93, 124, 153]),
        (0.90, 0.95, [29, 46, 61, 76]),
        (0.80, 0.95, [14, 22, 30, 37]),
        (0.95, 0.90, [45, 77, 105, 132]),
    ],
)
def test_a_promise_needs_the_tabulated_number_of_labels(precision, confidence, labels):
    assert [Promise(precision, confidence).labels_needed(errors) for errors in range(4)] == labels


@settings(max_examples=60, deadline=None)
@given(st.floats(0.5, 0.995), st.floats(0.5, 0.99), st.integers(0, 12))
def test_the_last_label_is_the_one_that_makes_it_in_spite_of_errors(precision, confidence, wrong):
    promise = Promise(precision, confidence)
    needed = promise.labels_needed(wrong)

    assert p_value_at_least(wrong, needed, precision) <= (1 - confidence) * (1 + 1e-9)
    assert p_value_at_least(wrong, needed - 1, precision) > 1 - confidence - 1e-9
    assert promise.labels_needed(wrong + 1) > needed


@given(st.floats(0.5, 0.999), st.floats(0.5, 0.999))
def test_all_attempts_together_err_at_most_twice_as_often_as_one(precision, confidence):
    promise = Promise(precision, confidence)
    errors = [1 - promise.at_attempt(attempt).confidence for attempt in range(1, 41)]

    assert errors[0] == 1 - confidence
    assert all(later < earlier for earlier, later in itertools.pairwise(errors))
    assert sum(errors) <= 2 * (1 - confidence) + 1e-12
    assert promise.at_attempt(3).precision == precision


@pytest.mark.parametrize("attempt", [0, -1, 1.5, 41])
def test_an_attempt_without_a_number_is_refused(attempt):
    with pytest.raises(ValueError, match="attempt must be a whole number from 1 to 40"):
        Promise(0.9, 0.95).at_attempt(attempt)


@pytest.mark.parametrize("figure", [0.49, 1.0, 1.5, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["precision", "confidence"])
def test_a_figure_out_of_range_is_refused_by_name(name, figure):
    with pytest.raises(ValueError, match=f"{name} must be from 0.5"):
        Promise(**({"precision": 0.9, "confidence": 0.95} | {name: figure}))
