"""Which thresholds a certificate proved, and where a new one goes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.promise import Promise
from calibration.thresholds.positions import proved, where
from calibration.thresholds.precision import Certified, certify_precision, passed

NINETY = Promise(precision=0.90, confidence=0.95)


@pytest.mark.parametrize(
    ("in_use", "expected"),
    [(None, 0.62), (0.0, 0.62), (0.62, 0.62), (0.63, 0.7), (0.7, 0.7), (0.85, 0.85), (0.86, 0.85), (1.0, 0.85)],
)
def test_a_threshold_goes_where_nothing_loosens_or_loosens_least(in_use, expected):
    assert where((0.62, 0.7, 0.85), in_use) == expected
    assert where((0.85, 0.62, 0.7), in_use) == expected


def test_no_position_is_nowhere():
    with pytest.raises(ValueError, match="without a proved position"):
        where((), 0.5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(30, 300))
def test_every_proved_position_is_a_rung_that_passed_and_has_scores_of_its_own(seed, n):
    generator = np.random.default_rng(seed)
    scores = generator.beta(3, 1, n).round(2)
    outcome = certify_precision(scores, generator.random(n) < 0.7 + 0.3 * scores, NINETY)
    if not isinstance(outcome, Certified):
        return
    positions = proved(outcome)
    rungs = {rung.threshold: rung for rung in passed(outcome.ladder)}

    assert positions[0] == outcome.threshold == where(positions, None)
    assert list(positions) == sorted(set(positions))
    for position in positions:
        assert NINETY.allows(rungs[position].p_value)
        assert rungs[position].n == (scores >= position).sum()


def test_the_ladder_calls_passed_just_where_a_threshold_may_stand():
    found = certify_precision(np.repeat([0.95, 0.92, 0.2], [40, 20, 40]), np.ones(100), Promise(0.9, 0.95))

    assert proved(found) == (0.92, 0.93, 0.94, 0.95)
    assert {rung.threshold for rung in passed(found.ladder)} == set(proved(found))
    assert {rung.outcome for rung in found.ladder if rung.threshold < 0.92} == {"unseen"}
