"""Kolmogorov-Smirnov with ties, and whole days permuted."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ecdf, ks_2samp

from calibration.monitoring.drift import psi_distance
from calibration.monitoring.permutation import grouped_drift, kolmogorov_smirnov, ks_distance
from calibration.result import Undefined

VALUES = st.lists(st.integers(0, 6), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("before", "after", "distance", "p_value"),
    [
        # exact, from the number of lattice paths: 2 of 10, 2 of 20 and 2 of 70 orders are as extreme
        ([1.0, 2.0], [3.0, 4.0, 5.0], 1.0, 2 / 10),
        ([1, 2, 3], [4, 5, 6], 1.0, 2 / 20),
        ([1, 2, 3, 4], [5, 6, 7, 8], 1.0, 2 / 70),
        # scipy's test suite (test_stats.py, TestKSTwoSamples, testTwoVsThree and testTwoVsFour)
        ([1.01, 2.01], [1.0, 2.0, 3.0], 1 / 3, 1.0),
        ([0.99, 1.99], [1.0, 2.0, 3.0], 2 / 3, 0.6),
        ([1.01, 2.01], [1.0, 2.0, 3.0, 4.0], 2 / 4, 14 / 15),
    ],
)
def test_without_ties_distance_and_p_value_are_the_exact_ones(before, after, distance, p_value):
    drift = kolmogorov_smirnov(before, after)

    assert drift.value == pytest.approx(distance)
    assert drift.p_value == pytest.approx(p_value)


def test_every_order_of_small_samples_has_a_p_value_without_a_warning():
    for chosen in itertools.combinations(range(10), 5):
        rest = [i for i in range(10) if i not in chosen]
        drift = kolmogorov_smirnov(chosen, rest)
        assert 0 < drift.p_value <= 1


@settings(max_examples=60)
@given(VALUES, VALUES)
def test_the_distance_with_ties_is_that_of_scipys_distribution_functions(before, after):
    here, there = (ecdf(one).cdf.evaluate(np.arange(7.0)) for one in (before, after))

    assert ks_distance(before, after) == pytest.approx(np.abs(here - there).max())


def test_the_p_value_with_ties_is_that_of_all_rearrangements():
    before, after = [1, 1, 2, 2], [2, 2, 3, 3]
    pooled = np.array(before + after)
    chance = []
    for chosen in itertools.combinations(range(8), 4):
        rest = [i for i in range(8) if i not in chosen]
        chance.append(ks_distance(pooled[list(chosen)], pooled[rest]))
    exact = np.mean(np.array(chance) >= ks_distance(before, after) - 1e-12)

    drift = kolmogorov_smirnov(before, after, permutations=20_000)

    assert drift.p_value == pytest.approx(exact, abs=0.01)
    assert ks_2samp(before, after, method="exact").pvalue > exact  # what ties cost the classical test


def test_a_day_that_moves_together_is_one_piece_of_evidence():
    draw = np.random.default_rng(3)
    false, naive = 0, 0
    for seed in range(60):
        days = [draw.normal(draw.normal(), 0.5, size=40) for _ in range(14)]
        whole = grouped_drift(days[:7], days[7:], permutations=200, seed=seed)
        false += whole.significant
        naive += kolmogorov_smirnov(np.concatenate(days[:7]), np.concatenate(days[7:])).significant

    assert false <= 8  # 3 expected
    assert naive > 40  # rows taken as independent raise an alarm most weeks


def test_whole_days_take_any_distance():
    days = [np.arange(20.0) + day for day in range(5)]

    drift = grouped_drift(days, [one + 30 for one in days], psi_distance)

    assert drift.schedules_labelling
    assert (drift.n_reference, drift.n_current) == (100, 100)


@pytest.mark.parametrize(
    "answer",
    [
        kolmogorov_smirnov([], [1.0]),
        kolmogorov_smirnov([2.0, 2.0], [2.0]),
        grouped_drift([[1.0], [2.0]], [[3.0], [4.0]]),  # 6 rearrangements can never be 1 in 20
    ],
)
def test_too_little_to_judge_is_undefined(answer):
    assert isinstance(answer, Undefined)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ks_distance([], [1.0]),
        lambda: kolmogorov_smirnov([1, 1], [1, 2], permutations=0),
        lambda: grouped_drift([[1.0], []], [[2.0]]),
        lambda: grouped_drift([], [[2.0]]),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match="must"):
        call()


@settings(max_examples=20)
@given(VALUES, VALUES, st.randoms())
def test_the_order_of_rows_changes_nothing(before, after, random):
    mixed = before.copy()
    random.shuffle(mixed)

    assert kolmogorov_smirnov(before, after, permutations=50) == kolmogorov_smirnov(mixed, after[::-1], permutations=50)


@pytest.mark.parametrize("rows", [997, 1_003, 20_011])
def test_sizes_without_a_common_divisor_raise_no_warning(rows):
    draw = np.random.default_rng(1)

    assert not kolmogorov_smirnov(draw.random(rows), draw.random(1_000)).schedules_labelling


def test_a_hundred_thousand_tied_scores_are_tested_in_bounded_memory():
    draw = np.random.default_rng(0)

    drift = kolmogorov_smirnov(draw.integers(0, 100, 100_000), draw.integers(0, 100, 100_000))

    assert not drift.schedules_labelling
