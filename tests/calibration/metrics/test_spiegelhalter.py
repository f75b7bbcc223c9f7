"""The z test of calibration. The paper prints no data to recompute: exact cases by hand, and simulated worlds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.metrics.spiegelhalter import CalibrationTest, spiegelhalter
from calibration.result import Undefined

CASES = [
    # by hand: terms .2 x -.6 twice; variance 2 x .36 x .16
    pytest.param([1, 0], [0.8, 0.2], -0.24 / math.sqrt(0.1152), id="right twice"),
    pytest.param([0, 1], [0.8, 0.2], 0.96 / math.sqrt(0.1152), id="wrong twice"),
    # a tenth came true where 1/10 was said: exactly as good as promised
    pytest.param([1] + [0] * 9, [0.1] * 10, 0.0, id="as promised"),
    # one class only, and 10 of .1 never come: sum -.1 x .8 x 10 over sqrt(10 x .64 x .09)
    pytest.param([0] * 10, [0.1] * 10, -0.8 / math.sqrt(0.576), id="one class only"),
    # .5 and certain items carry nothing
    pytest.param([1, 0, 1, 0, 1], [0.8, 0.2, 0.5, 0.5, 1.0], -0.24 / math.sqrt(0.1152), id="items without a say"),
]


@pytest.mark.parametrize(("outcome", "probability", "expected"), CASES)
def test_spiegelhalters_z_by_hand(outcome, probability, expected):
    found = spiegelhalter(outcome, probability)

    assert found.z == pytest.approx(expected)
    assert found.p_value == pytest.approx(math.erfc(abs(expected) / math.sqrt(2)))
    assert found.n == len(outcome)


def test_it_is_the_brier_score_against_its_expectation():
    # the definition of Spiegelhalter (1986): (B - E B) / sd(B) with E B = mean p (1 - p)
    outcome, p = np.array([1, 0, 0, 1]), np.array([0.9, 0.3, 0.6, 0.2])
    brier, expected = np.mean((p - outcome) ** 2), np.mean(p * (1 - p))
    spread = math.sqrt(np.sum((1 - 2 * p) ** 2 * p * (1 - p))) / 4

    assert spiegelhalter(outcome, p).z == pytest.approx((brier - expected) / spread)


def test_what_leaves_nothing_to_chance_is_undefined():
    assert isinstance(spiegelhalter([], []), Undefined)
    assert isinstance(spiegelhalter([1, 0], [1.0, 0.0]), Undefined)


def test_scores_of_one_half_tell_spiegelhalter_nothing():
    assert isinstance(spiegelhalter([1, 0, 1], [0.5] * 3), Undefined)


def test_calibrated_worlds_are_rejected_about_one_time_in_twenty():
    generator = np.random.default_rng(7)
    rejected = 0
    for _ in range(400):
        p = generator.random(200)
        rejected += spiegelhalter(generator.random(200) < p, p).p_value < 0.05

    assert 7 <= rejected <= 33  # 20 expected, 3 standard errors are 13


def test_overconfidence_is_above_0_and_modesty_below():
    generator = np.random.default_rng(8)
    p = generator.random(1000)
    outcome = generator.random(1000) < 0.5 + (p - 0.5) / 2

    assert spiegelhalter(outcome, p).z > 5
    assert spiegelhalter(p > 0.5, p).z < -5


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 99)), min_size=1, max_size=20))
def test_order_changes_nothing_and_yes_and_no_may_be_swapped(rows):
    outcome, hundredths = (np.array(column) for column in zip(*rows, strict=True))
    p = hundredths / 100
    there, turned, swapped = (
        spiegelhalter(outcome, p),
        spiegelhalter(outcome[::-1], p[::-1]),
        spiegelhalter(~outcome, 1 - p),
    )

    if isinstance(there, CalibrationTest) and isinstance(swapped, CalibrationTest):
        assert turned.z == pytest.approx(there.z)
        assert swapped.z == pytest.approx(there.z)
