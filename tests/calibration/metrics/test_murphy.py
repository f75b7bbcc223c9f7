"""The parts of the Brier score add up and agree with published cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.metrics.murphy import murphy, murphy_binned
from calibration.result import Undefined

CASES = [
    # SolarArbiter/solarforecastarbiter-core solarforecastarbiter/metrics/tests/test_probabilistic.py: test_reliability,
    # test_resolution and test_unc on (forecast, probability, observation) turned into outcome and probability
    pytest.param([1, 1], [1.0, 1.0], (0.0, 0.0, 0.0), id="certain and right"),
    pytest.param([0, 0], [1.0, 1.0], (1.0, 0.0, 0.0), id="certain and wrong"),
    pytest.param([1, 0], [1.0, 0.5], (0.125, 0.25, 0.25), id="one of two"),
    pytest.param([1, 1], [1.0, 0.5], (0.125, 0.0, 0.0), id="one class only"),
    pytest.param([1] * 1000 + [0] * 500, [0.95] * 1000 + [1.0] * 500, (0.335, 2 / 9, 2 / 9), id="two groups"),
    # by hand: groups of 4 with shares 1/4 and 3/4, the second said 1/2: REL = (0 + 1/16)/2, RES = 1/16, UNC = 1/4
    pytest.param([1, 0, 0, 0, 1, 1, 1, 0], [0.25] * 4 + [0.5] * 4, (1 / 32, 1 / 16, 1 / 4), id="quarters"),
]


@pytest.mark.parametrize(("outcome", "probability", "expected"), CASES)
def test_the_parts_agree_with_published_cases(outcome, probability, expected):
    parts = murphy(outcome, probability)

    assert (parts.reliability, parts.resolution, parts.uncertainty) == pytest.approx(expected)
    assert parts.brier == pytest.approx(parts.reliability - parts.resolution + parts.uncertainty)


def test_ten_forecasts_of_rain_split_by_hand():
    # after Brier (1950): 0.0 four times, six single scores. As equal scores had equal outcomes, reliability is the
    # whole score and resolution all the uncertainty, .3 x .7
    parts = murphy([0, 1, 1, 1, 0, 0, 0, 0, 0, 0], [0.7, 0.9, 0.8, 0.4, 0.2, 0.0, 0.0, 0.0, 0.0, 0.1])

    assert (parts.brier, parts.reliability, parts.resolution) == pytest.approx((0.095, 0.095, 0.21))
    assert parts.groups == 7


def test_two_bins_by_hand():
    # by the formulas of Stephenson et al. (2008): means .2 and .7, shares 0 and 1, deviations .1 in each bin
    parts = murphy_binned([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2)

    assert (parts.brier, parts.within_variance, parts.within_covariance) == pytest.approx((0.075, 0.01, 0.0))
    assert (parts.reliability, parts.resolution, parts.uncertainty) == pytest.approx((0.065, 0.25, 0.25))


@pytest.mark.parametrize("answer", [murphy, murphy_binned])
def test_nothing_to_weigh_is_undefined(answer):
    assert isinstance(answer([], []), Undefined)
    assert isinstance(answer([1, 0], [0.2, 0.4], weights=[0, 0]), Undefined)


rows = st.lists(st.tuples(st.booleans(), st.integers(0, 10), st.integers(0, 3)), min_size=1, max_size=30).filter(
    lambda found: any(weight for _, _, weight in found)
)


@settings(max_examples=50, deadline=None)
@given(rows, st.integers(1, 6))
def test_the_parts_always_add_up_and_weights_are_repeated_rows(found, bins):
    outcome, tenths, weights = (np.array(column) for column in zip(*found, strict=True))
    probability = tenths / 10
    order = np.random.default_rng(0).permutation(len(outcome))
    binned = murphy_binned(outcome, probability, weights=weights, bins=bins)
    repeated = murphy_binned(np.repeat(outcome, weights), np.repeat(probability, weights), bins=bins)
    shuffled = murphy_binned(outcome[order], probability[order], weights=weights[order], bins=bins)
    exact = murphy(outcome, probability, weights=weights)

    generalized = binned.resolution - binned.within_variance + binned.within_covariance
    assert binned.brier == pytest.approx(binned.reliability - generalized + binned.uncertainty)
    assert exact.within_variance == pytest.approx(0, abs=1e-12)
    assert exact.brier == pytest.approx(binned.brier)
    for other in (repeated, shuffled):
        assert (other.reliability, other.resolution, other.within_covariance) == pytest.approx(
            (binned.reliability, binned.resolution, binned.within_covariance)
        )
