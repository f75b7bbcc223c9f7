"""Bets on a mean: fair whatever the shape of the values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.comparison.betting import evidence_of_mean_above, growth_needed

BETS = [0.9, *(0.5**k for k in range(1, 9))]
VALUES = st.lists(st.floats(-1, 1), min_size=1, max_size=20)


@pytest.mark.parametrize("values", [[0.3], [-1.0], [0.5, -0.5, 0.25], [0.0, 0.0]])
def test_the_evidence_is_the_average_of_nine_bets_by_hand(values):
    expected = sum(math.prod(1 + bet * value for value in values) for bet in BETS) / 9

    assert evidence_of_mean_above(values, least=-1) == pytest.approx(math.log(expected))


def test_the_scale_of_the_stakes_does_not_matter():
    tenth = evidence_of_mean_above([0.05, -0.02, 0.07], least=-0.1)

    assert tenth == pytest.approx(evidence_of_mean_above([0.5, -0.2, 0.7], least=-1))
    assert tenth == pytest.approx(evidence_of_mean_above([0.55, 0.48, 0.57], threshold=0.5, least=0.4))


@given(st.floats(0.01, 0.99), st.integers(1, 6))
@settings(max_examples=40)
def test_on_average_nothing_is_won_where_the_mean_is_the_threshold(chance, n):
    # values 1 - chance with `chance` and -chance else: mean 0; every outcome of n items, weighted by its probability
    total = 0.0
    for wins in range(n + 1):
        values = [1 - chance] * wins + [-chance] * (n - wins)
        ways = math.comb(n, wins) * chance**wins * (1 - chance) ** (n - wins)
        total += ways * math.exp(evidence_of_mean_above(values, least=-1))

    assert total == pytest.approx(1)


@given(VALUES, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_order_is_nothing_and_repeats_are_rows(values, random):
    shuffled = random.sample(values, len(values))

    once = evidence_of_mean_above(values, least=-1)
    assert evidence_of_mean_above(shuffled, least=-1) == pytest.approx(once, abs=1e-9)
    twice = evidence_of_mean_above(values, least=-1, repeats=[2] * len(values))
    assert twice == pytest.approx(evidence_of_mean_above(values * 2, least=-1), abs=1e-9)


def test_a_value_below_the_worst_is_refused():
    with pytest.raises(ValueError, match="declare the worst that can happen"):
        evidence_of_mean_above([-0.6], least=-0.5)
    with pytest.raises(ValueError, match="least must be below the threshold"):
        evidence_of_mean_above([0.6], least=0.0)


def test_growth_is_the_first_factor_that_is_enough_or_none():
    assert growth_needed(lambda times: times * 1.0, alpha=0.05) == 3  # ln 20 = 2.996
    assert growth_needed(lambda _: 9.0, alpha=0.05) == 1
    assert growth_needed(lambda times: -1.0 * times, alpha=0.05) is None
    assert growth_needed(lambda _: evidence_of_mean_above(np.zeros(0), least=-1.0), alpha=0.05) is None
