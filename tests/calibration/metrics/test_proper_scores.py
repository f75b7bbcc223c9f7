"""Log loss and Brier score against published cases."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from calibration.metrics.proper_scores import brier_losses, brier_score, log_loss, log_losses, score_difference
from calibration.result import Estimate, Undefined

THREE = [[0.2, 0.7, 0.1], [0.6, 0.2, 0.2], [0.6, 0.1, 0.3]]

LOG_LOSS_CASES = [
    # scikit-learn 1.9 sklearn/metrics/tests/test_classification.py, test_log_loss
    pytest.param([1, 0, 2], THREE, 0.6904911, id="three classes"),
    pytest.param([0, 1, 1, 0], [[0.3, 0.7], [0.6, 0.4], [0.4, 0.6], [0.7, 0.3]], 0.7469410, id="ham and spam"),
    pytest.param([1, 1], [[0.1, 0.9], [0.1, 0.9]], -math.log(0.9), id="one class only"),
    pytest.param([0, 1, 1], [[0.7, 0.1, 0.2], [0.2, 0.7, 0.1], [0.1, 0.7, 0.2]], -math.log(0.7), id="a class unseen"),
    # the same, test_log_loss_perfect_predictions
    pytest.param([0, 1, 0], [0, 1, 0], 0.0, id="perfect"),
]

BRIER_CASES = [
    # ten forecasts of rain in two columns, after Brier, Monthly Weather Review 78 (1950); by hand 2 x .95 / 10
    pytest.param(
        [0, 1, 1, 1, 0, 0, 0, 0, 0, 0],
        [[1 - p, p] for p in (0.7, 0.9, 0.8, 0.4, 0.2, 0.0, 0.0, 0.0, 0.0, 0.1)],
        0.19,
        id="rain",
    ),
    # scikit-learn 1.9 test_classification.py, test_brier_score_loss_multiclass
    pytest.param([1, 0, 2], THREE, 0.41333333, id="three classes"),
    pytest.param([0, 2, 1], [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]], 2 / 3, id="four classes"),
    pytest.param([0, 1, 2], [[0, 1, 0], [1, 0, 0], [1, 0, 0]], 2.0, id="perfectly wrong"),
    # IBM UQ360 tests/test_classification_metrics.py, test_multiclass_brier_score
    pytest.param([0, 1], [[0.4, 0.6], [0.2, 0.8]], 0.4, id="two classes"),
    # SolarArbiter/solarforecastarbiter-core test_probabilistic.py, test_brier_score (vector inputs)
    pytest.param([1, 0], [1.0, 1.0], 0.5, id="certain and half wrong"),
]


@pytest.mark.parametrize(("outcome", "probability", "expected"), LOG_LOSS_CASES)
def test_log_loss_agrees_with_published_cases(outcome, probability, expected):
    assert log_loss(outcome, probability, draws=20).value == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(("outcome", "probability", "expected"), BRIER_CASES)
def test_brier_score_agrees_with_published_cases(outcome, probability, expected):
    assert brier_score(outcome, probability, draws=20).value == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("outcome", "probability", "expected"),  # scikit-learn 1.9, test_brier_score_loss_binary: one item, one class
    [(0, 0.4, 0.16), (1, 0.4, 0.36)],
)
def test_the_brier_score_of_one_item(outcome, probability, expected):
    assert brier_losses([outcome], [probability])[0] == pytest.approx(expected)


def test_two_columns_give_twice_the_brier_score_of_one_and_the_same_log_loss():
    outcome, yes = [0, 1, 1, 0, 1, 1], np.array([0.1, 0.8, 0.9, 0.3, 1.0, 0.95])
    both = np.column_stack([1 - yes, yes])

    assert brier_losses(outcome, both) == pytest.approx(2 * brier_losses(outcome, yes))
    assert log_losses(outcome, both) == pytest.approx(log_losses(outcome, yes))


def test_a_certain_mistake_costs_the_clip_and_is_counted():
    loss = log_loss([1, 1], [0.0, 1.0], clip=1e-6, draws=20)

    assert loss.value == pytest.approx(-math.log(1e-6) / 2)
    assert "clipped at 1e-06 (1 items)" in loss.procedure


def test_the_interval_of_a_mean_loss_is_close_to_the_normal_one():
    generator = np.random.default_rng(3)
    probability = generator.random(500)
    outcome = generator.random(500) < probability
    score = brier_score(outcome, probability)
    error = brier_losses(outcome, probability).std(ddof=1) / math.sqrt(500)

    assert score.low == pytest.approx(score.value - 1.96 * error, abs=0.15 * error)
    assert score.high == pytest.approx(score.value + 1.96 * error, abs=0.15 * error)


def test_pairing_makes_a_difference_sharper_than_its_two_scores():
    generator = np.random.default_rng(4)
    truth = generator.random(400)
    outcome = generator.random(400) < truth
    worse = np.clip(truth + generator.normal(0, 0.2, 400), 0.01, 0.99)
    gain = score_difference(brier_losses, outcome, worse, truth)
    first, second = brier_score(outcome, worse), brier_score(outcome, truth)

    assert gain.value == pytest.approx(first.value - second.value)
    assert gain.low > 0  # the two intervals overlap all the same
    assert first.low < second.high
    assert "paired difference of brier losses" in gain.procedure


def test_swapping_the_two_turns_the_difference_round():
    outcome, first, second = [1, 0, 1, 1], [0.6, 0.4, 0.7, 0.2], [0.9, 0.2, 0.4, 0.5]
    there = score_difference(log_losses, outcome, first, second)
    back = score_difference(log_losses, outcome, second, first)

    assert (back.value, back.low, back.high) == pytest.approx((-there.value, -there.high, -there.low))


@pytest.mark.parametrize("weights", [[0, 0, 0], [1, 0, 0]])
def test_too_little_weight_is_undefined(weights):
    for answer in (log_loss, brier_score):
        assert isinstance(answer([1, 0, 1], [0.5, 0.5, 0.5], weights=weights), Undefined)


def test_no_items_are_undefined():
    assert isinstance(brier_score([], []), Undefined)


@pytest.mark.parametrize(
    ("outcome", "probability", "message"),
    [
        ([1, 0], [0.5], "outcome must have the shape"),
        ([1], [1.5], r"probability\[0\] must be from 0 to 1"),
        ([2], [0.5], r"outcome\[0\] must be 0 or 1"),
        ([3], [[0.5, 0.5]], r"outcome\[0\] must be a class from 0 to 1, not 3"),
        ([0], [[0.5, 0.6]], r"probability\[0\] must add up to 1"),
    ],
)
def test_bad_input_is_named(outcome, probability, message):
    with pytest.raises(ValueError, match=message):
        log_losses(outcome, probability)


def test_two_shapes_cannot_be_compared():
    with pytest.raises(ValueError, match="second must have the shape of first"):
        score_difference(brier_losses, [1, 0], [0.5, 0.5], [[0.5, 0.5], [0.5, 0.5]])


items = st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.99), st.integers(1, 4)), min_size=2, max_size=20)


@settings(max_examples=30, deadline=None)
@given(items)
def test_integer_weights_equal_repeated_rows_and_order_changes_nothing(rows):
    outcome, probability, weights = (np.array(column) for column in zip(*rows, strict=True))
    turned = brier_score(outcome[::-1], probability[::-1], weights=weights[::-1], draws=5)
    repeated = brier_score(np.repeat(outcome, weights), np.repeat(probability, weights), draws=5)
    weighted = brier_score(outcome, probability, weights=weights, draws=5)

    assert isinstance(weighted, Estimate)
    assert weighted.value == pytest.approx(repeated.value)
    assert weighted.value == pytest.approx(turned.value)
    assert weighted.value == pytest.approx(
        sklearn_metrics.brier_score_loss(outcome, probability, sample_weight=weights, pos_label=True)
    )
