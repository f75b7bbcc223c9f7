"""The calibration error of several classes against published cases."""

import numpy as np
import pytest

from calibration.metrics.calibration_error import expected_calibration_error
from calibration.metrics.class_errors import classwise_calibration_error, top_label_calibration_error
from calibration.result import Undefined

FIRST, SECOND, THIRD = [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.1, 0.0, 0.9]
FOURTEEN = ([0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2], [FIRST] * 6 + [SECOND] * 4 + [THIRD] * 4)
NINE = ([0, 1, 0, 1, 0, 1, 1, 1, 0], [[0.5, 0.5]] * 3 + [[0.4, 0.6]] + [[0.5, 0.5]] + [[0.4, 0.6]] * 4)

CLASSWISE = [
    # uncertainty-calibration util_test.py, test_get_three_label_ce and test_get_two_label_ce, p = 1
    pytest.param(
        *FOURTEEN,
        (4 * 0.1 + 6 * (5 / 6 - 0.6) + 8 * 0.1 + 4 * 0.05 + 6 * (0.3 - 1 / 6)) / 42,
        id="fourteen items, three classes",
    ),
    pytest.param(*NINE, 4 / 9 * 0.25 + 5 / 9 * 0.2, id="nine items, two classes"),
    # by hand: the class that never comes (.25 said, 0 of 4) and the one that always does, both off by .25
    pytest.param([1] * 4, [[0.25, 0.75]] * 4, 0.25, id="one class only"),
]

TOP_LABEL = [
    # uncertainty-calibration util_test.py: test_get_three_label_ce, test_get_two_label_ce, test_missing_classes_ece
    pytest.param(*FOURTEEN, 15, 6 / 14 * (5 / 6 - 0.6) + 4 / 14 * 0.05 + 4 / 14 * 0.1, id="fourteen items"),
    pytest.param([0, 0], [[0.9, 0.1], [0.8, 0.2]], 15, 0.15, id="a class never seen"),
    # IBM UQ360 tests/test_classification_metrics.py
    pytest.param([0, 0, 1, 1], [[0.25, 0.75], [0.75, 0.25], [0.25, 0.75], [0.25, 0.75]], 10, 0.0, id="calibrated"),
    pytest.param([0, 0, 1, 1], [[0.25, 0.75]] * 4, 10, 0.25, id="miscalibrated"),
    pytest.param([0, 0, 1, 1], [[0, 1], [0, 1], [1, 0], [1, 0]], 10, 1.0, id="certain and wrong"),
]


@pytest.mark.parametrize(("outcome", "probability", "expected"), CLASSWISE)
def test_classwise_agrees_with_published_cases(outcome, probability, expected):
    assert classwise_calibration_error(outcome, probability, draws=5).error.value == pytest.approx(expected)


@pytest.mark.parametrize(("outcome", "probability", "bins", "expected"), TOP_LABEL)
def test_top_label_agrees_with_published_cases(outcome, probability, bins, expected):
    found = top_label_calibration_error(outcome, probability, bins=bins, draws=5)

    assert found.error.value == pytest.approx(expected)


def test_two_columns_say_what_one_column_says():
    generator = np.random.default_rng(0)
    yes = generator.random(60).round(1)
    outcome = generator.random(60) < yes
    both = classwise_calibration_error(outcome, np.column_stack([1 - yes, yes]), bins=4, draws=5)

    # the cuts of the two columns may fall on either side of a tie, hence one bin per score
    fine = classwise_calibration_error(outcome, np.column_stack([1 - yes, yes]), bins=60, draws=5)
    assert fine.error.value == pytest.approx(
        expected_calibration_error(outcome, yes, bins=60, draws=5).error.value, abs=1e-9
    )
    assert both.error.value <= fine.error.value + 1e-9


def test_calibrated_classes_stay_under_their_floor():
    generator = np.random.default_rng(2)
    probability = generator.dirichlet([1, 1, 1], size=400)
    outcome = (generator.random(400)[:, None] > np.cumsum(probability, axis=1)).sum(axis=1)

    for answer in (classwise_calibration_error, top_label_calibration_error):
        assert not answer(outcome, probability, draws=100).exceeds_chance
        assert answer((outcome + 1) % 3, probability, draws=100).exceeds_chance


def test_no_items_are_undefined():
    assert isinstance(classwise_calibration_error([], np.empty((0, 3))), Undefined)
    assert isinstance(top_label_calibration_error([], np.empty((0, 3))), Undefined)


def test_weights_are_repeated_rows():
    outcome, probability = np.array([0, 1, 2, 1]), np.array([FIRST, SECOND, THIRD, FIRST])
    times = np.array([2, 1, 3, 2])
    for answer in (classwise_calibration_error, top_label_calibration_error):
        weighted = answer(outcome, probability, weights=times, draws=5)
        repeated = answer(np.repeat(outcome, times), np.repeat(probability, times, axis=0), draws=5)
        assert weighted.error.value == pytest.approx(repeated.error.value)
