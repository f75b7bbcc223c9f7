"""Intervals of a share and exact tails, beside the published figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from calibration.binomial import clopper_pearson, lower_bound, p_value_at_least, wilson
from calibration.result import Undefined

# R. G. Newcombe, Statistics in Medicine 17 (1998), table I: method 5 (Clopper-Pearson) and method 3 (Wilson)
NEWCOMBE = [
    (81, 263, (0.2527, 0.3676), (0.2553, 0.3662)),
    (15, 148, (0.0578, 0.1617), (0.0624, 0.1605)),
    (0, 20, (0.0, 0.1684), (0.0, 0.1611)),
    (1, 29, (0.0009, 0.1776), (0.0061, 0.1718)),
]


@pytest.mark.parametrize(("right", "n", "exact", "score"), NEWCOMBE)
def test_intervals_are_the_published_ones(right, n, exact, score):
    for found, published in ((clopper_pearson(right, n), exact), (wilson(right, n), score)):
        assert (found.low, found.high) == pytest.approx(published, abs=6e-5)
        assert (found.value, found.n, found.confidence) == (right / n, n, 0.95)


@pytest.mark.parametrize("interval", [clopper_pearson, wilson])
def test_of_no_item_there_is_no_share(interval):
    assert isinstance(interval(0, 0), Undefined)


def test_bounds_and_tails_without_an_item_prove_nothing():
    assert (lower_bound(0, 0, confidence=0.95), p_value_at_least(0, 0, 0.9)) == (0.0, 1.0)


@pytest.mark.parametrize("function", [clopper_pearson, wilson])
@pytest.mark.parametrize(("right", "n"), [(-1, 3), (4, 3), (1.5, 2)])
def test_a_part_larger_than_the_whole_is_refused(function, right, n):
    with pytest.raises(ValueError, match="a part must be a whole number from 0 to n"):
        function(right, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, float("nan")])
def test_a_confidence_out_of_range_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence must lie strictly between 0 and 1"):
        lower_bound(1, 2, confidence=confidence)


@given(st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_the_bound_and_the_tail_are_those_of_the_exact_test(part, precision):
    right, n = part
    if n:
        exact = binomtest(right, n, precision, alternative="greater")
        assert lower_bound(right, n, confidence=0.95) == pytest.approx(exact.proportion_ci(0.95).low, abs=1e-9)
        assert p_value_at_least(n - right, n, precision) == pytest.approx(exact.pvalue, abs=1e-9)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_hold_the_share_and_mirror_its_complement(part):
    right, n = part
    for interval in (clopper_pearson, wilson):
        found, other = interval(right, n), interval(n - right, n)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert (found.low, found.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-9)
