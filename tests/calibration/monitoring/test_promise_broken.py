"""The bet against the promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from calibration.monitoring.promise_broken import WATCH, log_e_value, promise_broken


def e_value(wrong, n, precision, prior=None):
    return float(np.exp(log_e_value([wrong], [n], precision, prior=prior))[0])


@pytest.mark.parametrize(
    ("heads", "n", "two_sided", "digits"),
    # Bayes factors against a fair coin, uniform prior: the mean of the two one-sided e-values
    [
        (115, 200, 0.835, 3),  # pingouin.bayesfactor_binom and Wikipedia "Bayes factor" (1 / 1.197)
        (140, 250, 0.48, 2),  # D. MacKay, "Information Theory, Inference, and Learning Algorithms" (2003), Belgian euro
        (60, 100, 1 / 101 / 0.010844, 4),  # real-statistics.com, "Bayesian binomial hypothesis testing", example 1
        (9, 10, 9.309, 3),  # sign e-process, B(10, 2) / 0.5^10 = 1024 / 110
    ],
)
def test_both_sides_together_are_the_published_bayes_factor(heads, n, two_sided, digits):
    up, down = e_value(heads, n, 0.5, (1, 1)), e_value(n - heads, n, 0.5, (1, 1))

    assert (up + down) / 2 == pytest.approx(two_sided, abs=0.6 * 10**-digits)


@pytest.mark.parametrize(
    ("wrong", "n", "e"),
    # by hand, promise 0.5, uniform prior: 2 int_{1/2}^1 q^k (1-q)^(n-k) dq / 0.5^n
    [(1, 1, 2 * 3 / 8 * 2), (0, 1, 2 * 1 / 8 * 2), (2, 2, 2 * 7 / 24 * 4), (0, 0, 1.0)],
)
def test_one_and_two_labels_by_hand(wrong, n, e):
    assert e_value(wrong, n, 0.5, (1, 1)) == pytest.approx(e)


@settings(max_examples=40)
@given(st.integers(1, 150), st.floats(0, 0.6), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_the_closed_form_is_the_averaged_likelihood_ratio(n, share, precision):
    k, q0 = round(share * n), 1 - precision
    a, b = 1.0, precision / q0
    weight = beta.sf(q0, a, b)

    def integrand(q):
        return float(np.exp(k * np.log(q / q0) + (n - k) * np.log1p(-(q - q0) / (1 - q0)))) * beta.pdf(q, a, b) / weight

    peak = min(max(k / n, q0 + 1e-6), 1 - 1e-6)
    exact = sum(quad(integrand, low, high, limit=200)[0] for low, high in ((q0, peak), (peak, 1 - 1e-12)))
    assert e_value(k, n, precision) == pytest.approx(exact, rel=1e-5)


def test_its_mean_is_one_at_the_boundary_and_less_inside():
    n, q0 = 30, 0.1
    e = np.exp(log_e_value(np.arange(n + 1), np.full(n + 1, n), 1 - q0))

    def mean(q):
        return sum(math.comb(n, k) * q**k * (1 - q) ** (n - k) * e[k] for k in range(n + 1))

    assert mean(q0) == pytest.approx(1)
    assert mean(0.05) < mean(0.09) < 1


@pytest.mark.parametrize("n", [10**4, 10**6, 10**8])
def test_it_stays_finite_and_orderly_for_many_labels(n):
    wrong = np.array([0, n // 100, n // 20, n // 11, n // 10, n // 9, n // 5, n])
    log_e = log_e_value(wrong, np.full(wrong.size, n), 0.90)

    assert np.isfinite(log_e).all()
    assert (np.diff(log_e) > 0).all()
    assert log_e[0] == pytest.approx(math.log(9 / n), abs=1.2)  # int (1-q)^n / (1-q0)^n over the prior ~ c / n


def test_the_series_meets_the_incomplete_beta_where_they_change_over():
    wrong = np.arange(0, 900)
    log_e = log_e_value(wrong, np.full(900, 10_000), 0.90)

    steps = np.diff(log_e)
    assert (steps > 0).all()
    assert np.abs(np.diff(steps)).max() < 1e-3  # no kink


def test_at_most_one_good_year_in_twenty_raises_an_alarm_at_the_boundary():
    draw = np.random.default_rng(7)
    weeks = draw.binomial(40, 0.10, size=(2_000, 52)).cumsum(axis=1)
    path = log_e_value(weeks.ravel(), np.tile(40 * np.arange(1, 53), 2_000), 0.90).reshape(weeks.shape)

    assert (path.max(axis=1) >= math.log(20)).mean() < 0.03  # 0.015 over 20 000 runs; Ville promises 0.05


def test_a_true_80_percent_is_found_in_three_weeks():
    draw = np.random.default_rng(8)
    found = [promise_broken(draw.binomial(40, 0.2, 20), [40] * 20, 0.90).alarm_week for _ in range(200)]

    assert np.median([week or 99 for week in found]) == 3


def test_the_levels_are_quiet_watch_and_alarm_and_an_alarm_stays():
    quiet = promise_broken([2, 4], [40, 40], 0.90)
    watch = promise_broken([8, 8], [40, 40], 0.90)
    alarm = promise_broken([20] + [0] * 30, [40] * 31, 0.90)

    assert (quiet.level, watch.level, alarm.level) == ("quiet", "watch", "alarm")
    assert WATCH <= watch.e_values[-1] < 20
    assert alarm.alarm_week == 1
    assert alarm.e_values[-1] < 1  # good weeks later do not take the alarm back
    assert alarm.p_value == pytest.approx(1 / max(alarm.e_values))
    assert "1 time in 20" in alarm.sentence


def test_a_week_without_labels_changes_nothing():
    with_gap = promise_broken([6, 0, 8], [40, 0, 40], 0.90)

    assert with_gap.e_values[0] == with_gap.e_values[1]
    assert with_gap.e_values[2] == promise_broken([6, 8], [40, 40], 0.90).e_values[1]


def test_no_week_at_all_is_quiet():
    nothing = promise_broken([], [], 0.90)

    assert (nothing.level, nothing.p_value, nothing.n) == ("quiet", 1.0, 0)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 39), min_size=1, max_size=10), st.data())
def test_one_more_error_never_weakens_the_evidence(wrong, data):
    week = data.draw(st.integers(0, len(wrong) - 1))
    more = [k + (i == week) for i, k in enumerate(wrong)]
    n = [40] * len(wrong)

    before, after = (promise_broken(one, n, 0.9).e_values for one in (wrong, more))
    assert all(a >= b for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize(
    "call",
    [
        lambda: promise_broken([3], [2], 0.9),
        lambda: promise_broken([3, 0], [2, 9], 0.9),
        lambda: promise_broken([1, 2], [5], 0.9),
        lambda: promise_broken([0.5], [2], 0.9),
        lambda: promise_broken([1], [2], 1.0),
        lambda: promise_broken([1], [2], 0.9, alpha=0),
        lambda: log_e_value([1], [2], 0.9, prior=(0, 1)),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match="must"):
        call()
