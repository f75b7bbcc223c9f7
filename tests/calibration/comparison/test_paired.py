"""What only one of two versions gets right, and the intervals of the difference."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from calibration.comparison.mcnemar import mcnemar_chi_square
from calibration.comparison.paired import Pairs, newcombe, pairs, score_limits, tango, wald
from calibration.result import Undefined

COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60)).map(
    lambda parts: Pairs(sum(parts) + 1, parts[0], parts[1])
)


@pytest.mark.parametrize(
    ("counted", "value", "error"),
    [
        # Agresti, Categorical Data Analysis (2002), section 10.1: approval of the prime minister in two surveys
        (Pairs(1600, 86, 150), -0.04, 0.0095),
        # Armitage and Berry (1994), p. 127: two media for cultures; sqrt(14 - 10^2 / 50) / 50 by hand
        (Pairs(50, 12, 2), 0.2, math.sqrt(12) / 50),
        (Pairs(4, 1, 0), 0.25, math.sqrt(0.75) / 4),  # by hand
    ],
)
def test_the_difference_and_its_standard_error_are_the_published_figures(counted, value, error):
    change = wald(counted)

    assert change.value == pytest.approx(value, abs=1e-9)
    assert change.standard_error == pytest.approx(error, abs=5e-5)


def test_agrestis_interval_of_the_approval_is_a_drop_of_2_to_6_points():
    change = wald(Pairs(1600, 86, 150))

    assert (round(change.low, 2), round(change.high, 2)) == (-0.06, -0.02)


@pytest.mark.parametrize(
    ("counted", "confidence", "low", "high"),
    [
        # the notes in the sources of the R package ratesci, after Fagerland, Lydersen and Laake (2014), table II
        (Pairs(21, 1, 7), 0.95, -0.517, -0.026),
        # R PropCIs scoreci.mp(25, 28, 618) at 90 %, as pinned by two public test suites
        (Pairs(618, 28, 25), 0.90, -0.0148, 0.0247),
        # no discordant pair: (x^2 n = z^2 x (1 - x) by hand) 1.96^2 / (44 + 1.96^2)
        (Pairs(44, 0, 0), 0.95, -0.0803, 0.0803),
        (Pairs(5, 5, 0), 0.95, None, 1.0),  # all one way
    ],
)
def test_the_score_interval_is_the_published_one(counted, confidence, low, high):
    change = tango(counted, confidence=confidence)

    assert low is None or change.low == pytest.approx(low, abs=6e-4 if counted.n == 21 else 6e-5)
    assert change.high == pytest.approx(high, abs=6e-4 if counted.n == 21 else 6e-5)


@given(st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=40)
def test_the_score_interval_touches_0_exactly_where_mcnemar_does(first, second):
    if first == second or first + second < 25:
        return
    counted = Pairs(200, first, second)

    p_value = mcnemar_chi_square(counted).p_value
    if p_value < 1e-9:
        return  # 1 - p has lost its digits

    change = tango(counted, confidence=1 - p_value)

    assert min(abs(change.low), abs(change.high)) == pytest.approx(0, abs=1e-5)


@given(COUNTS)
@settings(max_examples=60)
def test_swapping_the_versions_mirrors_every_interval(counted):
    swapped = Pairs(counted.n, counted.second_only, counted.first_only)

    for interval in (tango, lambda one: newcombe(1, one), wald):
        there, back = interval(counted), interval(swapped)
        if isinstance(there, Undefined):
            assert isinstance(back, Undefined)
            continue
        assert (there.low, there.value, there.high) == pytest.approx((-back.high, -back.value, -back.low), abs=1e-7)
        assert -1 <= there.low <= there.value <= there.high <= 1


def test_newcombes_interval_is_that_of_the_r_package_contingencytables():
    # test-ch8.R: complete response before and after therapy, Cavo et al. (2012), 59 / 6 / 16 / 80
    change = newcombe(59, Pairs(161, 6, 16))

    assert (round(change.value, 4), round(change.low, 4), round(change.high, 4)) == (-0.0621, -0.1186, -0.0046)


@pytest.mark.parametrize(("both", "counted"), [(1, Pairs(21, 1, 7)), (5, Pairs(40, 8, 9)), (0, Pairs(10, 0, 4))])
def test_without_correlation_newcombes_interval_is_the_one_for_two_samples(both, counted):
    # phi, corrected by n / 2, is 0 for these tables (airway data of Fagerland et al. 2013 first)
    first, second = both + counted.first_only, both + counted.second_only

    change = newcombe(both, counted)

    expected = confint_proportions_2indep(first, counted.n, second, counted.n, method="newcomb")
    assert (change.low, change.high) == pytest.approx(expected)


def test_items_are_counted_whatever_their_order():
    first, second = np.array([1, 1, 0, 0, 1]), np.array([1, 0, 1, 0, 0])
    order = np.array([4, 2, 0, 3, 1])

    assert pairs(first, second) == pairs(first[order], second[order]) == Pairs(5, 2, 1)
    assert pairs(np.repeat(first, 3), np.repeat(second, 3)) == Pairs(15, 6, 3)


def test_no_item_and_no_discordant_pair_are_undefined_not_0():
    assert wald(Pairs(0, 0, 0)).reason == "no item was judged"
    assert wald(Pairs(9, 0, 0)).reason == "the two are identical on this sample"
    assert tango(Pairs(0, 0, 0)) == Undefined("no item was judged", 0, "Tango score, paired")
    assert isinstance(newcombe(0, Pairs(0, 0, 0)), Undefined)


def test_one_more_win_never_lowers_the_limits():
    limits = [score_limits(first, 5, 60, 1.96) for first in range(30)]

    assert limits == sorted(limits)


@pytest.mark.parametrize("numbers", [(3, 2, 2), (3, -1, 2)])
def test_counts_that_do_not_fit_are_refused(numbers):
    with pytest.raises(ValueError, match="counts must be 0 or more and fit in n"):
        Pairs(*numbers)
    with pytest.raises(ValueError, match="both_right must be from 0 to 7"):
        newcombe(8, Pairs(10, 2, 1))
    with pytest.raises(ValueError, match="second_right"):
        pairs([1, 0], [1])


@pytest.mark.parametrize("n", [1, 7, 20, 1000])
def test_where_every_item_favours_one_the_score_interval_keeps_its_width_and_walds_is_undefined(n):
    # By hand: with b = n and c = 0 Tango's variance is n (1 - d^2), so n (1 - d) = z^2 (1 + d) at the lower limit.
    z = norm.isf(0.025)
    change, mirrored = tango(Pairs(n, n, 0)), tango(Pairs(n, 0, n))

    assert (change.value, change.high) == (1.0, 1.0)
    assert change.low == pytest.approx((n - z**2) / (n + z**2))
    assert (mirrored.low, mirrored.high) == (-1.0, pytest.approx(-change.low))
    assert tango(Pairs(2 * n, 2 * n - 1, 0)).low < tango(Pairs(2 * n, 2 * n, 0)).low
    assert isinstance(wald(Pairs(n, n, 0)), Undefined)
