"""Prediction-powered means against the formulas and the tests of other libraries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.result import Undefined
from calibration.sampling.prediction_powered import power, prediction_powered_mean


def test_the_figures_of_glide():
    # EmertonData/glide, tests/unit/estimators/test_ppi_core.py
    y, f, others = [5.0, 6.0, 7.0], [4.5, 5.5, 6.5], [6.0, 7.0, 8.0]
    answer = prediction_powered_mean(y, f, others, lam=0.5)

    assert power(y, f, others) == pytest.approx(0.34, abs=0.01)
    assert answer.value == pytest.approx(6.75)
    assert answer.standard_error == pytest.approx(0.41, abs=0.01)


def test_the_figures_of_the_engine_of_glide():
    # EmertonData/glide, tests/unit/engines/test_ppi.py: two labels, lambda given
    answer = prediction_powered_mean([1.0, 2.0], [1.0, 2.0], [3.0, 4.0], lam=0.15)

    assert answer.value == pytest.approx(1.8)
    assert answer.standard_error == pytest.approx(0.4316, abs=1e-4)


def test_a_model_that_is_always_off_by_two_costs_nothing():
    # ppi_py, tests/test_mean.py, test_ppi_mean_pointestimate: exactly 0
    y = np.random.default_rng(0).normal(size=100)

    assert prediction_powered_mean(y, y + 2, np.full(10_000, 2.0), lam=1).value == pytest.approx(0, abs=1e-12)


def test_predictions_that_say_nothing_are_left_alone():
    y, f = [0, 1, 0, 1, 1, 0], [0.5, 0.4, 0.6, 0.5, 0.6, 0.4]
    answer = prediction_powered_mean(y, f, [0.5, 0.9, 0.8])

    assert power(y, f, [0.5, 0.9, 0.8]) == 0
    assert (answer.value, answer.standard_error) == pytest.approx((0.5, np.std(y, ddof=1) / np.sqrt(6)))
    assert "labels alone" in answer.procedure
    assert power(y, [1 - one for one in y], [0.1, 0.9]) == 0  # a model that is always wrong is no help


def test_the_interval_covers_and_is_shorter_than_that_of_the_labels():
    generator = np.random.default_rng(3)
    covered, width, alone = 0, [], []
    for _ in range(300):
        p = generator.beta(0.5, 1.5, size=2100)
        y = generator.random(2100) < p
        biased = p[:100] * 0.8 + 0.1
        answer = prediction_powered_mean(y[:100], biased, p[100:] * 0.8 + 0.1)
        covered += answer.low <= 0.25 <= answer.high
        width.append(answer.high - answer.low)
        alone.append(3.92 * y[:100].std(ddof=1) / 10)

    assert 0.91 <= covered / 300 <= 0.98
    assert np.mean(width) < 0.88 * np.mean(alone)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=3, max_size=20), st.randoms(use_true_random=False))
def test_the_order_changes_nothing_and_lambda_stays_in_bounds(items, random):
    others = [0.1, 0.5, 0.9, 0.3]
    answers = [
        prediction_powered_mean(*zip(*rows, strict=True), others) for rows in (items, random.sample(items, len(items)))
    ]

    assert 0 <= power(*zip(*items, strict=True), others) <= 1
    if isinstance(answers[0], Undefined):
        assert len({label for label, _ in items}) == 1
    else:
        assert answers[0].value == pytest.approx(answers[1].value, abs=1e-9)


def test_what_cannot_be_estimated_is_undefined():
    assert "2 labels or more" in prediction_powered_mean([1], [1], [1, 0]).reason
    assert "all 3 labels are alike" in prediction_powered_mean([1, 1, 1], [0.2, 0.9, 1], [1, 0]).reason
    assert "unlabelled predictions" in prediction_powered_mean([1, 0, 1], [0.2, 0.9, 1], [], lam=1).reason
    assert prediction_powered_mean([1, 0, 1], [0.9, 0.2, 1], []).value == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="lam must be a finite number"):
        prediction_powered_mean([1, 0], [1, 0], [1, 0], lam=float("nan"))
    with pytest.raises(ValueError, match="predictions must have the shape"):
        prediction_powered_mean([1, 0], [1], [1])
