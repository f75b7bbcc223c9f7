"""The population stability index and the level that knows n."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from calibration.monitoring.drift import per_test, psi, psi_distance, psi_level, psi_of_shares, verdict
from calibration.result import Undefined

COUNTS = st.lists(st.integers(0, 60), min_size=2, max_size=6)


@pytest.mark.parametrize(
    ("n", "level"),
    # measured without drift, deciles, 1000s of runs (the project's own simulation); Yurdakul (2018) proves the law
    [(100, 0.338), (200, 0.160), (500, 0.069), (1000, 0.033), (5000, 0.007)],
)
def test_the_level_is_what_chance_reaches_at_that_n(n, level):
    assert psi_level(n, n, 10) == pytest.approx(level, rel=0.06)


@pytest.mark.parametrize(
    ("n", "m", "bins", "alpha", "quantile"),
    # chi-squared quantiles from any printed table: 16.919 (9 df, 5 %), 5.991 (2 df, 5 %), 21.666 (9 df, 1 %)
    [(400, 400, 10, 0.05, 16.919), (1000, 250, 3, 0.05, 5.991), (100, 300, 10, 0.01, 21.666)],
)
def test_the_level_is_the_chi_squared_quantile_times_the_two_sizes(n, m, bins, alpha, quantile):
    assert psi_level(n, m, bins, alpha=alpha) == pytest.approx(quantile * (1 / n + 1 / m), rel=1e-4)


@pytest.mark.parametrize(
    ("expected", "actual", "index"),
    [
        # the shares of a three-band income example (GeeksforGeeks, "Population Stability Index", 2025), worked by hand
        ([0.40, 0.30, 0.30], [0.35, 0.25, 0.40], 0.00668 + 0.00912 + 0.02877),
        # the shares of the example of R's KAscore::psi (development and monitoring), worked by hand
        ([0.25, 0.25, 0.25, 0.25], [0.10, 0.20, 0.30, 0.40], 0.13744 + 0.01116 + 0.00912 + 0.07050),
        # one half against three quarters, by hand: 0.25 ln 1.5 + 0.25 ln 2 = 0.25 ln 3
        ([0.5, 0.5], [0.75, 0.25], 0.25 * math.log(3)),
        ([0.2, 0.8], [0.2, 0.8], 0.0),
    ],
)
def test_psi_of_known_shares(expected, actual, index):
    many = 10_000_000  # the half row per category no longer shows

    drift = psi_of_shares(np.round(np.array(expected) * many), np.round(np.array(actual) * many))

    assert drift.value == pytest.approx(index, abs=2e-5)


def test_half_a_row_keeps_an_empty_category_finite():
    drift = psi_of_shares([10, 0], [5, 5])  # by hand: shares 10.5/11, 0.5/11 against 1/2, 1/2

    shift = 10.5 / 11 - 0.5
    assert drift.value == pytest.approx(shift * math.log(10.5 / 5.5) + shift * math.log(5.5 / 0.5))


def test_no_drift_raises_the_folklore_alarm_four_times_in_five_and_ours_once_in_twenty():
    draw = np.random.default_rng(4)
    runs = [psi(draw.random(100), draw.random(100)) for _ in range(400)]

    assert np.mean([run.value > 0.1 for run in runs]) > 0.7  # 0.81 measured over many runs
    assert np.mean([run.schedules_labelling for run in runs]) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_a_certain_but_small_shift_does_not_ask_for_labels():
    drift = psi_of_shares([50_000, 50_000], [52_000, 48_000])

    assert drift.significant
    assert not drift.large
    assert not drift.schedules_labelling
    assert "too small to matter" in drift.sentence


def test_ties_share_a_bin_and_a_shift_between_two_values_is_seen():
    drift = psi([0] * 50 + [1] * 50, [0] * 20 + [1] * 80)

    assert drift.value == pytest.approx(psi_of_shares([50, 50], [20, 80]).value)
    assert drift.schedules_labelling


@pytest.mark.parametrize("other", [0, 2])
def test_values_beside_a_constant_reference_are_seen(other):
    assert psi([1] * 50, [1] * 20 + [other] * 30).schedules_labelling


def test_a_tie_over_most_quantiles_hides_nothing():
    assert psi([0] * 5 + [1] * 95, [0] * 50 + [1] * 50).schedules_labelling
    many = [*np.linspace(0, 0.5, 20), *[1.0] * 180]
    assert psi(many, [*np.linspace(0, 0.5, 100), *[1.0] * 100]).schedules_labelling


@pytest.mark.parametrize("answer", [psi([], [1.0]), psi([1.0], []), psi([3, 3], [3]), psi_of_shares([0, 4], [0, 3])])
def test_what_cannot_move_or_has_no_rows_is_undefined(answer):
    assert isinstance(answer, Undefined)
    assert answer.reason


@pytest.mark.parametrize(
    "call",
    [
        lambda: psi([1.0, float("nan")], [1.0]),
        lambda: psi([1.0], [1.0], bins=1),
        lambda: psi_of_shares([1, 2], [1, 2, 3]),
        lambda: psi_of_shares([1.5, 2], [1, 2]),
        lambda: psi_of_shares([1, 2], [1, 2], tests=0),
        lambda: psi_of_shares([1, 2], [1, 2], alpha=1.0),
        lambda: psi_distance([], [1.0]),
        lambda: psi_level(0, 5, 10),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match=r"must|needs"):
        call()


def test_many_tests_share_alpha_and_so_raise_the_level():
    alone, among = psi_of_shares([60, 40], [50, 50]), psi_of_shares([60, 40], [50, 50], tests=20)

    assert among.alpha == per_test(0.05, 20) == 0.0025
    assert among.level > alone.level
    assert among.level == pytest.approx(chi2.isf(0.0025, 1) * 0.02)


@settings(max_examples=50)
@given(COUNTS, st.data())
def test_psi_is_never_negative_and_does_not_depend_on_the_order_or_side(before, data):
    after = data.draw(st.lists(st.integers(0, 60), min_size=len(before), max_size=len(before)))
    drift, back = psi_of_shares(before, after), psi_of_shares(after[::-1], before[::-1])

    if isinstance(drift, Undefined):
        assert isinstance(back, Undefined)
    else:
        assert drift.value >= 0
        assert back.value == pytest.approx(drift.value)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=30), st.lists(st.integers(0, 9), min_size=2, max_size=30))
def test_permuting_rows_changes_nothing_and_nothing_is_mutated(before, after):
    rows = np.array(before, dtype=float)

    first, second = psi(rows, after), psi(rows[::-1], after[::-1])

    assert first == second
    assert rows.tolist() == before


def test_a_verdict_by_p_value_needs_no_level():
    assert verdict(0.3, 0.9, 5, 5, alpha=0.05, procedure="x", p_value=0.01).schedules_labelling
