"""Bootstrap intervals over items against the textbook and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from calibration.bootstrap import bca_bootstrap, item_bootstrap
from calibration.result import Degenerate, Estimate, Undefined

# Efron and Tibshirani (1993), table 14.1: the spatial test, task A, of 26 children
SPATIAL = np.array(
    [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41]
)


def variance(weights):
    centre = weights @ SPATIAL / weights.sum()
    return float(weights @ (SPATIAL - centre) ** 2 / weights.sum())


def share_of(values):
    return lambda weights: float(weights @ values / weights.sum())


def test_the_spatial_test_has_the_published_bca_interval():
    # chapter 14: 171.5, BCa (115.8, 259.6), percentile (100.8, 233.9), each from 2000 draws: the ends vary by a few
    bca = bca_bootstrap(variance, np.ones(26), confidence=0.9, draws=4000)
    percentile = item_bootstrap(variance, 26, confidence=0.9, draws=4000)

    assert bca.value == percentile.value == pytest.approx(171.5, abs=0.05)
    assert (bca.low, bca.high) == pytest.approx((115.8, 259.6), abs=6)
    assert (percentile.low, percentile.high) == pytest.approx((100.8, 233.9), abs=6)


@pytest.mark.parametrize("seed", range(3))
def test_scipy_gives_nearly_the_same_bca_interval(seed):
    values = np.random.default_rng(seed).exponential(size=40)
    found = bca_bootstrap(share_of(values), np.ones(40), confidence=0.8, draws=8000)
    oracle = bootstrap((values,), np.mean, confidence_level=0.8, n_resamples=8000, method="BCa", rng=seed)

    ends = oracle.confidence_interval
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=0.03)


def test_a_kind_of_items_is_as_good_as_its_items():
    # 57 of 60: the exact interval is (0.861, 0.990)
    of_kinds = bca_bootstrap(share_of(np.array([1.0, 0.0])), [57, 3], draws=4000)
    of_items = bca_bootstrap(share_of(np.repeat([1.0, 0.0], [57, 3])), np.ones(60), draws=4000)

    assert of_kinds.n == of_items.n == 60
    assert (of_kinds.low, of_kinds.high) == pytest.approx((0.86, 0.985), abs=0.02)
    assert (of_kinds.low, of_kinds.high) == pytest.approx((of_items.low, of_items.high), abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any), st.floats(0.5, 0.9999))
def test_the_interval_holds_its_value_and_never_leaves_the_draws(times, confidence):
    found = bca_bootstrap(share_of(np.arange(len(times))), times, confidence=confidence, draws=50)

    assert isinstance(found, Estimate)
    assert 0 <= found.low <= found.value <= found.high <= len(times) - 1
    assert bca_bootstrap(share_of(np.arange(len(times))), times, confidence=confidence, draws=50) == found


@pytest.mark.parametrize("interval", [item_bootstrap, bca_bootstrap])
def test_draws_without_a_value_are_counted_and_too_many_of_them_are_refused(interval):
    items = 3 if interval is item_bootstrap else [1, 1, 1]

    def only_with(needed):
        def statistic(weights):
            if np.count_nonzero(weights) < needed:
                raise Degenerate("too few kinds")
            return float(weights[0])

        return statistic

    assert "of them undefined and left out" in interval(only_with(2), items).procedure
    lost = interval(only_with(3), items)  # by hand: 6 of 27 draws hold all three
    assert isinstance(lost, Undefined)
    assert "draws hold too little" in lost.reason
    assert interval(only_with(4), items) == Undefined("too few kinds", 3, lost.procedure)


@pytest.mark.parametrize("interval", [item_bootstrap, bca_bootstrap])
def test_no_item_has_no_interval(interval):
    found = interval(lambda _: 1.0, 0 if interval is item_bootstrap else [0, 0])

    assert isinstance(found, Undefined)
    assert found.reason == "there is no item to draw"


@pytest.mark.parametrize("interval", [item_bootstrap, bca_bootstrap])
def test_no_draw_is_refused(interval):
    with pytest.raises(ValueError, match="draws must be 1 or more"):
        interval(share_of(np.ones(3)), 3 if interval is item_bootstrap else [1, 1, 1], draws=0)
