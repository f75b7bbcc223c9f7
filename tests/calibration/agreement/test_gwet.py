"""Gwet's AC1 and AC2 against the figures of his package's documentation and hand-worked tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.agreement.gwet import gwet_ac1, gwet_ac2, gwet_statistic
from calibration.agreement.scale import interval, linear, nominal, quadratic
from calibration.bootstrap import item_bootstrap
from calibration.result import Estimate, Undefined

RATINGS = st.lists(st.lists(st.sampled_from([0, 1, 2, np.nan]), min_size=3, max_size=3), min_size=2, max_size=15).map(
    np.array
)


def test_missing_labels_give_the_published_figures(twelve_units):
    # R irrCAC, vignette "overview", gwet.ac1.raw(cac.raw4raters): 0.77544, error 0.14295, interval (0.461, 1)
    ac1 = gwet_ac1(twelve_units, categories=5)

    assert (ac1.value, ac1.standard_error) == pytest.approx((0.77544, 0.14295), abs=5e-6)
    assert ac1.low == pytest.approx(0.461, abs=5e-4)
    assert (ac1.high, ac1.n) == (1, 11)


@pytest.mark.parametrize(
    ("scale", "value", "error", "low"),
    # the same data with weights, from the tests of the Python irrCAC (raw/test_gwet.py)
    [(linear(range(1, 6)), 0.859, 0.117, 0.600), (quadratic(range(1, 6)), 0.914, 0.104, 0.685)],
)
def test_weights_give_the_published_figures(twelve_units, scale, value, error, low):
    ac2 = gwet_ac2(twelve_units, disagreement=scale)

    assert (ac2.value, ac2.standard_error, ac2.low) == pytest.approx((value, error, low), abs=6e-4)


def test_six_raters_give_the_published_figures(thirty_patients):
    # R irrCAC, vignette "overview", gwet.ac1.dist(distrib.6raters), the first 15 patients of Fleiss (1971)
    ac1 = gwet_ac1(thirty_patients[:15], categories=5)

    assert (ac1.value, ac1.standard_error) == pytest.approx((0.4448007, 0.08418757), abs=5e-8)
    assert (ac1.low, ac1.high) == pytest.approx((0.264, 0.625), abs=5e-4)


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ([[118, 5], [2, 0]], 0.941),  # by hand: chance 2 x 0.972 x 0.028; kappa is -0.023
        ([[40, 10], [5, 45]], (0.85 - 0.49875) / 0.50125),  # by hand: pi = 0.475, chance 2 x 0.475 x 0.525
        ([[5, 0], [0, 5]], 1.0),  # by hand: no disagreement
        ([[0, 5], [5, 0]], -1.0),  # by hand: chance 0.5
    ],
)
def test_two_raters_give_the_known_value(table, value):
    ratings = [[i, j] for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]

    assert gwet_ac1(ratings, categories=2).value == pytest.approx(value, abs=5e-4)


def test_categories_that_never_occur_count_as_declared():
    ratings = [[0, 0], [1, 1], [0, 1], [0, 0]]

    # by hand: pi = 5/8, 3/8, so chance is 2 x 15/64 / (Q - 1) with Q declared categories
    for categories in (2, 3, 6):
        chance = 2 * 15 / 64 / (categories - 1)
        assert gwet_ac1(ratings, categories=categories).value == pytest.approx((0.75 - chance) / (1 - chance))


def test_equal_disagreements_make_ac2_ac1(twelve_units):
    assert gwet_ac2(twelve_units, disagreement=nominal(5)).value == gwet_ac1(twelve_units, categories=5).value


@pytest.mark.parametrize(
    ("ratings", "reason", "n"),
    [
        # R irrCAC answers 1 with the interval (nan, 1)
        ([[0, 0], [0, 0], [0, 0]], "every rating names the same category: nothing could have differed", 3),
        ([[0, np.nan], [np.nan, 1]], "no item has two ratings", 0),
        (np.empty((0, 2)), "no item has two ratings", 0),
        ([[0, 1]], "one item has no spread: an interval needs 2", 1),
    ],
)
def test_degenerate_ratings_have_no_coefficient(ratings, reason, n):
    outcome = gwet_ac1(ratings, categories=2)

    assert isinstance(outcome, Undefined)
    assert (outcome.reason, outcome.n) == (reason, n)


@pytest.mark.parametrize(("scale", "worst"), [(interval(range(5)), 16), (np.zeros((2, 2)), 0), ([[0]], 0)])
def test_disagreements_beyond_1_are_refused_with_the_remedy(scale, worst):
    with pytest.raises(ValueError, match=f"at most 1, not {worst}: use linear or quadratic"):
        gwet_ac2([[0, 0]], disagreement=scale)


def test_the_bootstrap_and_the_linearised_interval_agree(thirty_patients):
    drawn = item_bootstrap(gwet_statistic(thirty_patients, disagreement=nominal(5)), 30)
    linearised = gwet_ac1(thirty_patients, categories=5)

    assert drawn.value == pytest.approx(linearised.value)
    assert (drawn.low, drawn.high) == pytest.approx((linearised.low, linearised.high), abs=0.03)


@given(RATINGS, st.data())
@settings(max_examples=60)
def test_it_depends_on_counts_alone(ratings, data):
    scale = quadratic(range(3))
    ac2 = gwet_ac2(ratings, disagreement=scale)
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(ratings), max_size=len(ratings))))
    order = data.draw(st.permutations(range(len(ratings))))
    silent = np.column_stack([ratings, np.full(len(ratings), np.nan)])

    assert gwet_ac2(silent, disagreement=scale) == ac2
    again = gwet_ac2(ratings[order][:, ::-1], disagreement=scale)
    if isinstance(ac2, Estimate):
        assert (again.value, again.low, again.high) == pytest.approx((ac2.value, ac2.low, ac2.high))
    weighted = gwet_ac2(ratings, disagreement=scale, weights=weights)
    assert weighted == gwet_ac2(np.repeat(ratings, weights, axis=0), disagreement=scale)
    if isinstance(weighted, Estimate):
        assert gwet_statistic(ratings, disagreement=scale)(weights.astype(float)) == pytest.approx(weighted.value)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    # three raters right with 0.85 each, wrong at random; the truth from a large sample of the same world
    generator = np.random.default_rng(4)

    def world(items):
        truth = generator.choice(3, size=(items, 1), p=[0.7, 0.2, 0.1])
        return np.where(generator.random((items, 3)) < 0.85, truth, generator.integers(3, size=(items, 3)))

    truth = gwet_ac1(world(100_000), categories=3).value
    intervals = [gwet_ac1(world(100), categories=3) for _ in range(300)]

    assert np.mean([one.low <= truth <= one.high for one in intervals]) == pytest.approx(0.95, abs=0.035)
