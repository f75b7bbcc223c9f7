"""What people can keep up with: counts, quantiles, and a certificate that only tightens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.promise import Promise
from calibration.result import Undefined
from calibration.thresholds.capacity import Capacity, capacity_threshold, fitted_quantile, tighten
from calibration.thresholds.precision import Certified, Refused, certify_precision, passed


def steady(days, daily_scores):
    return np.tile(daily_scores, days), np.repeat(np.arange(days), len(daily_scores))


@pytest.mark.parametrize(
    ("limit", "threshold", "busy"),
    [(4, 0.3, 4), (3, 0.31, 3), (2, 0.51, 2), (1, 0.71, 1), (0, 0.91, 0)],  # by hand: .3 .5 .7 .9 on every day
)
def test_the_threshold_is_the_least_that_keeps_to_the_limit(limit, threshold, busy):
    scores, day = steady(56, [0.3, 0.5, 0.7, 0.9])

    capacity = capacity_threshold(scores, day, days=56, limit=limit)

    assert (capacity.threshold, capacity.busy_day, capacity.days_over) == (threshold, busy, 0)


def test_the_busiest_weekday_has_to_fit():
    day = np.concatenate([np.arange(56), np.repeat(np.arange(0, 56, 7), 9)])  # ten on Mondays, one otherwise

    assert capacity_threshold(np.full(len(day), 0.5), day, days=56, limit=9).threshold == 0.51
    assert capacity_threshold(np.full(len(day), 0.5), day, days=56, limit=10).threshold == 0.3


def test_one_outlier_in_forty_weeks_may_go_over_and_is_counted():
    day = np.concatenate([np.arange(280), np.zeros(20, dtype=int)])

    capacity = capacity_threshold(np.full(len(day), 0.5), day, days=280, limit=1)

    assert (capacity.threshold, capacity.busy_day, capacity.days_over) == (0.3, 1, 1)


@pytest.mark.parametrize(
    ("counts", "quantile"),
    [
        # By hand: mean 2 and variance 4 are a negative binomial with r = 2, p = 1/2, whose distribution function
        # is .9375 at 5 and .9648 at 6; mean 1 and variance 2 are a geometric one, .9375 at 3 and .96875 at 4.
        ([0, 1, 1, 3, 5], 6),
        ([0, 0, 0, 2, 3], 4),
        ([2] * 10, 5),  # no spread: a Poisson; tables give .947 at 4 and .983 at 5 for a mean of 2
        ([0] * 10, 0),
    ],
)
def test_few_days_are_fitted_by_their_moments(counts, quantile):
    assert fitted_quantile(np.asarray(counts), 0.95) == quantile


def test_under_a_month_a_fitted_quantile_leaves_room():
    scores, day = steady(14, [0.6, 0.6])

    assert capacity_threshold(scores, day, days=14, limit=4).threshold == 0.61
    assert capacity_threshold(scores, day, days=14, limit=5).threshold == 0.3


def test_days_without_an_item_count():
    assert capacity_threshold([], [], days=60, limit=0).busy_day == 0


@pytest.mark.parametrize(("days", "limit"), [(6, 5), (60, 0)])
def test_too_few_days_or_too_small_a_limit_is_undefined(days, limit):
    scores, day = steady(days, [1.0])

    assert isinstance(capacity_threshold(scores, day, days=days, limit=limit), Undefined)


@pytest.mark.parametrize(
    ("day", "options", "message"),
    [
        ([7], {}, "day must be from 0 to 6"),
        ([-1], {}, r"day\[0\]"),
        ([0], {"limit": -1}, "limit"),
        ([0], {"grid": []}, "grid"),
        ([0, 1], {}, "shape"),
    ],
)
def test_bad_input_is_refused(day, options, message):
    with pytest.raises(ValueError, match=message):
        capacity_threshold([0.5], day, **({"days": 7, "limit": 1} | options))


@settings(max_examples=40, deadline=None)
@given(st.integers(7, 70), st.integers(0, 200), st.integers(0, 99), st.integers(0, 8))
def test_order_changes_nothing_and_a_smaller_limit_never_loosens(days, n, seed, limit):
    generator = np.random.default_rng(seed)
    scores, day = generator.random(n) * 0.98, generator.integers(0, days, n)
    order = generator.permutation(n)
    capacity = capacity_threshold(scores, day, days=days, limit=limit)

    assert capacity == capacity_threshold(scores[order], day[order], days=days, limit=limit)
    assert capacity.threshold <= capacity_threshold(scores, day, days=days, limit=limit // 2).threshold
    if days >= 30:
        daily = np.bincount(day[scores >= capacity.threshold], minlength=days)
        assert capacity.days_over == (daily > limit).sum()


def certificate(seed=0):
    generator = np.random.default_rng(seed)
    scores = generator.uniform(0.3, 1, 800)
    return certify_precision(scores, generator.random(800) < 0.7 + 0.35 * scores, Promise(0.90, 0.95))


def capacity_of(threshold):
    return Capacity(threshold, 10, 10, 56, 0, "by hand")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 20), st.floats(0, 1.2))
def test_capacity_tightens_to_a_passed_rung_or_refuses_and_never_loosens(seed, wanted):
    certified = certificate(seed)
    assert isinstance(certified, Certified)

    outcome = tighten(certified, capacity_of(wanted))

    tested = {rung.threshold: rung for rung in passed(certified.ladder)}
    if isinstance(outcome, Refused):
        assert wanted > max(tested)
        assert outcome.have < outcome.need
    else:
        rung = tested[outcome.threshold]
        assert outcome.threshold >= max(certified.threshold, wanted)
        assert not any(max(certified.threshold, wanted) <= other < outcome.threshold for other in tested)
        assert (outcome.n, outcome.right, outcome.lower_bound) == (rung.n, rung.right, rung.lower_bound)


def test_a_capacity_below_the_certificate_changes_nothing():
    certified = certificate()

    assert tighten(certified, capacity_of(0.0)) is certified


def test_a_threshold_nobody_tested_is_refused_with_the_labels_it_lacks():
    outcome = tighten(certificate(), capacity_of(0.98))

    assert (outcome.reason_code, outcome.threshold, outcome.need) == ("capacity", 0.98, 76)
    assert "was not tested" in outcome.reason
