"""The noise floor: the note's measured figures, and what it does to a verdict."""

import numpy as np
import pytest
from scipy.special import expit, logit

from calibration.metrics.calibration_error import absolute_gap, debiased_gap, expected_calibration_error
from calibration.metrics.noise_floor import measured_error, noise_floor
from calibration.metrics.smooth import smoothed_gap
from calibration.result import Degenerate, Undefined


def two_normals(n, generator, apart=1.35):
    """Calibrated scores: two normal crowds `apart` standard deviations apart, 25 % positive."""
    positive = generator.random(n) < 0.25
    place = generator.normal(size=n) + apart * positive
    return positive, 1 / (1 + 3 * np.exp(apart * apart / 2 - apart * place))


@pytest.mark.parametrize(
    ("gap", "n", "mean", "high"),  # measured for the project's notes on calibration; 4000 runs, another generator
    [
        pytest.param(absolute_gap, 100, 0.108, 0.146, id="ECE at 100"),
        pytest.param(absolute_gap, 500, 0.050, 0.067, id="ECE at 500"),
        pytest.param(lambda p: absolute_gap(p, 5), 100, 0.064, 0.102, id="ECE of 5 bins at 100"),
        pytest.param(debiased_gap, 100, 0.033, 0.123, id="debiased L2 at 100"),
        pytest.param(debiased_gap, 500, 0.017, 0.059, id="debiased L2 at 500"),
        pytest.param(smoothed_gap, 100, 0.062, 0.086, id="smooth ECE at 100"),
        pytest.param(smoothed_gap, 500, 0.036, 0.046, id="smooth ECE at 500"),
    ],
)
def test_the_floor_of_calibrated_scores_is_the_measured_one(gap, n, mean, high):
    probability = two_normals(n, np.random.default_rng(11))[1]
    floor = noise_floor(gap(probability), probability, weights=np.ones(n), draws=400)

    assert floor.mean == pytest.approx(mean, rel=0.25, abs=0.005)
    assert floor.high == pytest.approx(high, rel=0.25)


def test_calibrated_scores_exceed_their_floor_about_one_time_in_twenty():
    generator = np.random.default_rng(5)
    beyond = 0
    for _ in range(100):
        outcome, probability = two_normals(100, generator)
        error = absolute_gap(probability)
        floor = noise_floor(error, probability, weights=np.ones(100), draws=100)
        beyond += error(outcome.astype(float), np.ones(100)) > floor.high

    assert beyond <= 12  # 5 expected; more than 12 happens once in 700 worlds


def test_scores_that_are_off_exceed_it():
    outcome, probability = two_normals(500, np.random.default_rng(3))

    assert expected_calibration_error(outcome, np.minimum(probability + 0.2, 1), draws=100).exceeds_chance
    assert not expected_calibration_error(outcome, probability, draws=100).exceeds_chance


def test_the_interval_of_an_inflated_error_reaches_below_it():
    outcome, probability = two_normals(100, np.random.default_rng(8))
    found = expected_calibration_error(outcome, probability, draws=300)

    assert found.error.low < 0.05 < found.error.value  # the truth is 0; a percentile interval starts above 0.08


@pytest.mark.parametrize(
    ("stretch", "truth"), [pytest.param(1.0, 0.0, id="none"), pytest.param(1.6, 0.0644, id="some")]
)
def test_the_interval_holds_the_true_error(stretch, truth):
    # the truth of the stretched logits: the mean gap of 400 000 of these scores to their calibrated probability
    generator = np.random.default_rng(4)
    held = 0
    for _ in range(60):
        outcome, probability = two_normals(200, generator)
        found = expected_calibration_error(outcome, expit(stretch * logit(probability)), draws=60)
        held += found.error.low <= truth <= found.error.high

    assert held >= 52  # 57 expected, with a standard error of 1.7


def test_the_mean_error_of_two_fair_coins_by_hand():
    # |share - 1/2| of 2 fair coins is 1/2 half of the time and 0 otherwise: mean 1/4
    half = np.full(2, 0.5)
    floor = noise_floor(lambda y, w: abs(float(w @ (y - half)) / 2), half, weights=np.ones(2), draws=4000)

    assert floor.mean == pytest.approx(0.25, abs=0.02)
    assert floor.high == 0.5


def test_certain_probabilities_leave_nothing_to_chance():
    certain = np.array([0.0, 1.0, 1.0])
    floor = noise_floor(absolute_gap(certain), certain, weights=np.ones(3), draws=20)

    assert (floor.mean, floor.high) == (0.0, 0.0)


def test_classes_are_drawn_as_often_as_their_probabilities_say():
    table = np.tile([0.2, 0.5, 0.3], (20_000, 1))
    shares = []

    def error(classes, weights):
        shares.append(np.bincount(classes.astype(int), weights, minlength=3) / weights.sum())
        return 0.0

    noise_floor(error, table, weights=np.ones(20_000), draws=1)
    assert shares[0] == pytest.approx([0.2, 0.5, 0.3], abs=0.015)


def test_an_error_that_cannot_be_computed_is_undefined():
    def error(outcome, weights):
        raise Degenerate("nothing here")

    half = np.full(3, 0.5)
    assert noise_floor(error, half, weights=np.ones(3)).reason == "nothing here"
    assert isinstance(measured_error(error, half, half, name="x", weights=np.ones(3)), Undefined)


def test_the_same_seed_draws_the_same():
    probability = np.linspace(0.1, 0.9, 30)
    first, again, other = (
        noise_floor(absolute_gap(probability), probability, weights=np.ones(30), draws=50, seed=seed)
        for seed in (1, 1, 2)
    )

    assert first == again
    assert first.mean != other.mean


def test_bad_options_are_named():
    half = np.full(3, 0.5)
    with pytest.raises(ValueError, match="draws must be 1 or more"):
        noise_floor(absolute_gap(half), half, weights=np.ones(3), draws=0)
    with pytest.raises(ValueError, match="level must lie strictly between 0 and 1"):
        noise_floor(absolute_gap(half), half, weights=np.ones(3), level=1.0)
