"""Evidence that may be looked at after every label."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from calibration.comparison.sequential import (
    evidence_of_better,
    evidence_of_difference,
    msprt,
    path_of,
    sequential_sign_test,
)


@pytest.mark.parametrize(
    ("wins", "losses", "e_value"),
    [
        (9, 1, 1024 / 110),  # B(10, 2) = 1 / 110: 9.3, by hand, as are the other three
        (1, 0, 1.0),
        (5, 0, 32 / 6),
        (0, 0, 1.0),
        (3, 3, 64 / 140),
    ],
)
def test_the_e_value_is_the_one_by_hand(wins, losses, e_value):
    assert math.exp(evidence_of_difference([wins], [losses])[0]) == pytest.approx(e_value)


@pytest.mark.parametrize(("wins", "losses"), [(1, 0), (9, 1), (3, 7), (20, 12), (0, 6)])
def test_the_one_sided_e_value_is_the_integral_it_stands_for(wins, losses):
    expected, _ = quad(lambda share: 2 * share**wins * (1 - share) ** losses * 2.0 ** (wins + losses), 0.5, 1)

    assert math.exp(evidence_of_better([wins], [losses])[0]) == pytest.approx(expected)


@given(st.integers(0, 200), st.integers(0, 200))
@settings(max_examples=60)
def test_the_bet_is_fair_for_equal_versions(wins, losses):
    for evidence in (evidence_of_difference, evidence_of_better):
        now = evidence([wins], [losses])[0]
        won, lost = evidence([wins + 1, wins], [losses, losses + 1])

        assert math.log((math.exp(won - now) + math.exp(lost - now)) / 2) == pytest.approx(0, abs=1e-6)


def test_nine_of_ten_give_an_always_valid_p_of_0_107_at_the_last_look():
    path = sequential_sign_test([1] * 9 + [0], [0] * 9 + [1])

    assert path.p_values[-2] == pytest.approx(10 / 512)  # 9 of 9: the best look stays
    assert path.p_values[-1] == path.p_values[-2]
    assert sequential_sign_test([9], [1]).p_values == pytest.approx((110 / 1024,))
    assert path.first_crossing == 7  # 8 of 8: 9 / 256 = 0.035; 7 of 7: 8 / 128 = 0.0625


def test_an_equal_version_is_called_better_in_at_most_5_percent_of_worlds_however_often_one_looks():
    generator = np.random.default_rng(2)
    wins = np.cumsum(generator.integers(0, 2, size=(800, 400)), axis=1)
    losses = np.arange(1, 401) - wins

    for evidence in (evidence_of_difference, evidence_of_better):
        logs = evidence(wins.ravel(), losses.ravel()).reshape(wins.shape)
        assert (logs.max(axis=1) >= math.log(20)).mean() <= 0.05 + 3 * (0.05 * 0.95 / 800) ** 0.5


def test_large_counts_stay_finite():
    logs = evidence_of_better([0, 100_000, 500_000], [100_000, 0, 500_000])

    assert np.isfinite(logs).all()
    assert logs[0] == pytest.approx(-math.log(100_001))
    assert logs[1] > 60_000


def test_where_the_tail_underflows_the_evidence_goes_on_smoothly():
    logs = evidence_of_better([0] * 400, np.arange(800, 1200))

    assert (np.diff(logs) < 0).all()
    assert np.abs(np.diff(logs)).max() < 0.01


@pytest.mark.parametrize(
    ("mean", "n", "null", "log_ratio"),
    [
        (0.0, 100, 0.0, 0.5 * math.log(1 / 5)),  # V = 1, tau = 0.2, by hand: V + n tau^2 = 5
        (0.3, 100, 0.0, 0.5 * math.log(1 / 5) + (100 * 0.2 * 0.3) ** 2 / 10),
        (0.5, 25, 0.1, 0.5 * math.log(1 / 2) + (25 * 0.2 * 0.4) ** 2 / 4),
        (0.7, 0, 0.0, 0.0),
    ],
)
def test_the_normal_mixture_is_the_one_by_hand(mean, n, null, log_ratio):
    assert msprt([mean], [n], variance=1.0, tau=0.2, null=null)[0] == pytest.approx(log_ratio)


def test_no_look_shows_nothing():
    path = sequential_sign_test([], [])

    assert (path.p_values, path.first_crossing, path.n) == ((), None, 0)


def test_wrong_figures_are_refused():
    with pytest.raises(ValueError, match="losses must have the shape"):
        evidence_of_better([1, 2], [1])
    with pytest.raises(ValueError, match="alpha"):
        path_of([0.0], alpha=1.0, n=1, procedure="a bet")
    with pytest.raises(ValueError, match="variance and tau must be positive"):
        msprt([0.1], [3], variance=0.0, tau=1.0)


@pytest.mark.parametrize(("wins", "losses"), [([1], []), ([], [1]), ([1, 2], [1])])
def test_looks_of_unequal_number_are_refused_by_name(wins, losses):
    with pytest.raises(ValueError, match="losses must have the shape"):
        sequential_sign_test(wins, losses)
