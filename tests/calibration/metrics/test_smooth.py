"""Smooth ECE against closed forms and the bounds its paper proves. No library's figures: relplot may not be copied."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from calibration.metrics.smooth import smooth_calibration_error, smoothed_gap
from calibration.result import Undefined


def smooth_ece(outcome, probability, weights=None):
    outcome, probability = np.asarray(outcome, float), np.asarray(probability, float)
    return smoothed_gap(probability)(outcome, np.ones(len(outcome)) if weights is None else np.asarray(weights, float))


def by_images(outcome, probability, sigma):
    """Definition 2 of the paper written out: reflected kernels as sums of images, integrated by the midpoint rule."""
    residual = np.array(outcome) - np.array(probability)
    at = (np.arange(4000) + 0.5) / 4000
    images = [sign * p + 2 * turn for turn in (-2, -1, 0, 1, 2) for sign in (1, -1) for p in probability]
    kernels = norm.pdf(at[:, None], images, sigma)
    return np.abs(kernels @ np.tile(residual, 10)).mean() / len(outcome)


@pytest.mark.parametrize(
    ("outcome", "probability"),
    [
        pytest.param([0, 1], [0.25, 0.75], id="two residuals that pull apart"),
        pytest.param([1, 0, 1, 1, 0], [0.1, 0.3, 0.35, 0.8, 0.95], id="five items"),
        pytest.param([1, 0], [0.0, 1.0], id="certain and wrong at both ends"),
        pytest.param([1, 1, 1, 0], [0.2, 0.2, 0.6, 0.6], id="ties"),
    ],
)
def test_the_grid_agrees_with_the_definition(outcome, probability):
    direct = brentq(lambda sigma: by_images(outcome, probability, sigma) - sigma, 0.01, 1.0, xtol=1e-6)

    assert smooth_ece(outcome, probability) == pytest.approx(direct, abs=1e-4)


@pytest.mark.parametrize(
    ("outcome", "probability", "expected"),
    [
        # one score: a reflected kernel holds mass 1, so the error is the mean residual at every width
        pytest.param([1, 1, 1, 0], [0.5] * 4, 0.25, id="one score"),
        pytest.param([0, 0, 0], [0.9] * 3, 0.9, id="one class only"),
        pytest.param([0, 0], [1.0, 1.0], 1.0, id="certain and wrong"),
        # residuals of one sign never cancel
        pytest.param([1, 1, 1], [0.2, 0.5, 0.8], 0.5, id="one sign"),
        pytest.param([1, 0, 1], [1.0, 0.0, 1.0], 0.0, id="certain and right"),
    ],
)
def test_closed_forms(outcome, probability, expected):
    assert smooth_ece(outcome, probability) == pytest.approx(expected, abs=1e-6)


def test_ten_thousand_calibrated_scores_have_next_to_no_error():
    generator = np.random.default_rng(0)
    probability = generator.random(10_000)

    assert smooth_ece(generator.random(10_000) < probability, probability) < 0.02
    assert smooth_ece(generator.random(10_000) < probability**2, probability) == pytest.approx(1 / 6, abs=0.02)


def test_a_hundred_thousand_scores_take_milliseconds():
    generator = np.random.default_rng(1)
    probability = generator.random(100_000)
    outcome = (generator.random(100_000) < probability).astype(float)
    error = smoothed_gap(probability)
    start = time.perf_counter()
    error(outcome, np.ones(100_000))

    assert time.perf_counter() - start < 0.5


def test_a_result_carries_value_interval_and_floor():
    found = smooth_calibration_error([1, 0] * 50, [0.8] * 100, draws=200)

    assert found.error.value == pytest.approx(0.3, abs=1e-6)
    assert found.error.low < 0.3 < found.error.high
    assert found.error.procedure.startswith("smooth ECE, ")
    assert found.exceeds_chance


@pytest.mark.parametrize(
    ("outcome", "probability", "weights"), [([], [], []), ([1], [0.5], [1]), ([1, 0], [0.5, 0.5], [0, 0])]
)
def test_too_little_is_undefined(outcome, probability, weights):
    assert isinstance(smooth_calibration_error(outcome, probability, weights=weights), Undefined)


rows = st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(1, 3)), min_size=1, max_size=15)


@settings(max_examples=40, deadline=None)
@given(rows)
def test_the_papers_bounds_weights_and_order(found):
    outcome, probability, times = (np.array(column, dtype=float) for column in zip(*found, strict=True))
    value = smooth_ece(outcome, probability, times)
    residual = times * (outcome - probability) / times.sum()

    # smoothing keeps the total residual and can only cancel
    assert abs(residual.sum()) - 1e-6 <= value <= np.abs(residual).sum() + 1e-6
    assert value == pytest.approx(smooth_ece(outcome[::-1], probability[::-1], times[::-1]), abs=1e-6)
    repeats = times.astype(int)
    assert value == pytest.approx(smooth_ece(np.repeat(outcome, repeats), np.repeat(probability, repeats)), abs=1e-6)
    assert not math.isnan(value)


@settings(max_examples=30, deadline=None)
@given(rows, st.floats(-0.01, 0.01))
def test_a_small_change_of_the_scores_changes_it_little(found, shift):
    outcome, probability, _ = (np.array(column, dtype=float) for column in zip(*found, strict=True))
    moved = np.clip(probability + shift, 0, 1)

    assert abs(smooth_ece(outcome, probability) - smooth_ece(outcome, moved)) < 0.1
