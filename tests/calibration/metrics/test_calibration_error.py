"""Binned calibration errors against published cases, ties and weights."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.metrics.calibration_error import (
    absolute_gap,
    debiased_calibration_error,
    debiased_gap,
    expected_calibration_error,
)
from calibration.metrics.equal_mass import bin_numbers
from calibration.result import Degenerate, Undefined

# uncertainty-calibration (p-lambda/verified_calibration) calibration/util_test.py, test_get_binary_ce: many ties
NINE = ([0, 1, 0, 1, 0, 1, 1, 1, 0], [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6])
# MetricsReloaded test_calibration_measures.py, test_expected_calibration_error
TEN = ([0, 1, 0, 0, 1, 1, 1, 1, 1, 0], [0.22, 0.48, 0.49, 0.96, 0.55, 0.64, 0.78, 0.82, 0.34, 0.87])

CASES = [
    pytest.param(*NINE, 15, 4 / 9 * 0.25 + 5 / 9 * 0.2, id="nine items, two scores"),
    # the same, test_plugin_ce: one item of .3 with outcome 1; .3 with 1 and .6 with 0 each in its bin
    pytest.param([1], [0.3], 1, 0.7, id="one item"),
    pytest.param([1, 0], [0.3, 0.6], 2, 0.65, id="two bins of one"),
    pytest.param([1, 0, 1], [0.3, 0.6, 0.6], 3, 0.3, id="a tie in a bin"),
    # IBM UQ360 tests/test_classification_metrics.py, the confidence and whether the label was right
    pytest.param([1, 1, 0, 1], [0.75] * 4, 10, 0.0, id="calibrated"),
    pytest.param([1, 0, 1, 0], [0.75] * 4, 10, 0.25, id="one score, half right"),
    pytest.param([0, 0, 0, 0], [1.0] * 4, 10, 1.0, id="one class only, certain and wrong"),
    # by hand from MetricsReloaded's data: sorted halves of five say .416 and .814, both hold 3 of 5
    pytest.param(*TEN, 2, (0.184 + 0.214) / 2, id="ten items, equal mass"),
    # CalibrationErrors.jl test/ece.jl, trivial tests
    pytest.param([0, 0, 1, 1], [0, 0.5, 0.5, 1], 10, 0.0, id="certain and right"),
]


@pytest.mark.parametrize(("outcome", "probability", "bins", "expected"), CASES)
def test_the_ece_agrees_with_published_cases(outcome, probability, bins, expected):
    error = absolute_gap(np.array(probability, dtype=float), bins)

    assert error(np.array(outcome, dtype=float), np.ones(len(outcome))) == pytest.approx(expected)


def test_the_plug_in_example_of_the_debiased_paper_loses_all_its_bias():
    outcome, probability = (np.array(values, dtype=float) for values in NINE)
    plug_in = math.sqrt(4 / 9 * 0.25**2 + 5 / 9 * 0.2**2)  # util_test.py, test_get_binary_ce with p = 2

    assert plug_in == pytest.approx(0.2236, abs=5e-5)
    assert debiased_gap(probability)(outcome, np.ones(9)) == 0.0


@pytest.mark.parametrize(
    ("outcome", "probability", "expected"),
    [
        # by hand from Kumar, Liang and Ma (2019): (.9 - .5)^2 - .25 / 3
        pytest.param([1, 0, 1, 0], [0.9] * 4, math.sqrt(0.16 - 0.25 / 3), id="one bin"),
        # no variance among equal outcomes: nothing to take away
        pytest.param([0, 0, 0, 0], [0.9] * 4, 0.9, id="one class only"),
        # (.2 - .5)^2 - .25 = -.16 in one bin and (.9 - .5)^2 - .25 = -.09 in the other
        pytest.param([0, 1, 0, 1], [0.2, 0.2, 0.9, 0.9], 0.0, id="cut at 0"),
        # the single item of .1 adds 0 to the 3 of .8 that never come true: 3/4 of .64
        pytest.param([1, 0, 0, 0], [0.1, 0.8, 0.8, 0.8], math.sqrt(0.48), id="a bin of one item"),
    ],
)
def test_the_debiased_error_by_hand(outcome, probability, expected):
    assert debiased_gap(np.array(probability))(np.array(outcome, float), np.ones(4)) == pytest.approx(expected)


def test_equal_width_and_equal_mass_disagree_on_the_same_data():
    # the figures of the project's notes on calibration, on data found for them: .8 | .2 and 1.3 | .3, over 4 items
    outcome, probability = np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.2, 0.5, 0.6, 0.7])
    gap = outcome - probability
    equal_width = (abs(gap[0]) + abs(gap[1:].sum())) / 4  # below and from .5

    assert equal_width == pytest.approx(0.25)
    assert absolute_gap(probability, 2)(outcome, np.ones(4)) == pytest.approx(0.40)


def test_a_tie_is_never_split():
    # scikit-style quantile edges would cut the six scores of .5 in two; their order would then change the error
    assert bin_numbers(np.array([1.0, 6.0, 1.0]), 2).tolist() == [0, 1, 1]
    assert bin_numbers(np.ones(6), 3).tolist() == [0, 0, 1, 1, 2, 2]
    assert len(set(bin_numbers(np.ones(100), 15).tolist())) == 15


def test_a_tie_over_the_cuts_of_several_bins_leaves_them_empty():
    # by hand: mass 1 4 4 1 in five bins of 2; the middles .5, 3, 7, 9.5 fall into bins 0, 1, 3 and 4
    assert bin_numbers(np.array([1.0, 4.0, 4.0, 1.0]), 5).tolist() == [0, 1, 3, 4]
    # a middle on a cut, here 2 of 4, opens the next bin
    assert bin_numbers(np.array([4.0]), 2).tolist() == [1]


def test_a_result_carries_value_interval_floor_and_procedure():
    found = expected_calibration_error(*NINE, draws=200, seed=5)

    assert found.error.low <= found.error.value <= found.error.high
    assert found.error.n == found.floor.n == 9
    assert found.error.procedure == (
        "ECE, 15 equal-mass bins, percentile bootstrap over items, 200 draws, seed 5, "
        "with the basic one and 0 if not above the floor"
    )
    assert found.floor.procedure == "parametric bootstrap of the outcomes, 200 draws, seed 5"
    assert 0 < found.floor.mean < found.floor.high
    assert str(found).startswith("0.22, of which chance alone explains up to 0.")


@pytest.mark.parametrize("answer", [expected_calibration_error, debiased_calibration_error])
@pytest.mark.parametrize(
    ("outcome", "probability", "weights"), [([], [], []), ([1], [0.5], [1]), ([1, 0], [0.5, 0.5], [0, 0])]
)
def test_too_little_is_undefined(answer, outcome, probability, weights):
    assert isinstance(answer(outcome, probability, weights=weights), Undefined)


def test_bins_of_single_items_leave_nothing_to_debias():
    found = debiased_calibration_error([0, 1, 1], [0.1, 0.5, 0.9])

    assert isinstance(found, Undefined)
    assert "too few items or too many bins" in found.reason


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="bins must be 1 or more"):
        expected_calibration_error([1, 0], [0.5, 0.4], bins=0)
    with pytest.raises(ValueError, match="weights must have the shape"):
        expected_calibration_error([1, 0], [0.5, 0.4], weights=[1])
    with pytest.raises(ValueError, match="draws must be 1 or more"):
        expected_calibration_error([1, 0], [0.5, 0.4], draws=0)


def test_input_is_left_alone():
    outcome, probability, weights = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.1, 0.9]), np.array([1.0, 2.0, 3.0])
    before = [array.copy() for array in (outcome, probability, weights)]
    expected_calibration_error(outcome, probability, weights=weights, draws=5)

    for array, was in zip((outcome, probability, weights), before, strict=True):
        assert (array == was).all()


rows = st.lists(st.tuples(st.booleans(), st.integers(0, 10), st.integers(0, 3)), min_size=1, max_size=30).filter(
    lambda found: sum(weight for _, _, weight in found) > 2
)


@pytest.mark.parametrize("gap", [absolute_gap, debiased_gap])
@settings(max_examples=40, deadline=None)
@given(found=rows, bins=st.integers(1, 3))
def test_weights_are_repeated_rows_and_order_changes_nothing(gap, found, bins):
    outcome, tenths, weights = (np.array(column, dtype=float) for column in zip(*found, strict=True))
    probability, times = tenths / 10, weights.astype(int)
    order = np.random.default_rng(0).permutation(len(outcome))
    try:
        value = gap(probability, bins)(outcome, weights)
    except Degenerate:
        with pytest.raises(Degenerate):
            gap(np.repeat(probability, times), bins)(np.repeat(outcome, times), np.ones(times.sum()))
        return

    assert 0 <= value <= 1
    assert value == pytest.approx(gap(probability[order], bins)(outcome[order], weights[order]), abs=1e-7)
    repeated = gap(np.repeat(probability, times), bins)(np.repeat(outcome, times), np.ones(times.sum()))
    assert value == pytest.approx(repeated, abs=1e-7)
