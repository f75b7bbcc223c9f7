"""Class shares without labels."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from calibration.monitoring.label_shift import black_box_shift, expectation_maximisation, rogan_gladen
from calibration.result import Undefined

CERTAIN = 10**9  # labels: sensitivity and specificity known


def known(flagged, n, sensitivity, specificity):
    rates = {"true_positives": round(sensitivity * CERTAIN), "true_negatives": round(specificity * CERTAIN)}
    return rogan_gladen(flagged, n, positives=CERTAIN, negatives=CERTAIN, **rates)


@pytest.mark.parametrize(
    ("flagged", "n", "sensitivity", "specificity", "prevalence"),
    [
        (20, 120, 0.90, 0.99, 0.17603),  # R RSurveillance, tp(20, 120, 0.9, 0.99), printed output
        (23, 150, 0.96, 0.89, 0.051),  # R epiR, epi.prev: brucellosis, "5.1 cases per 100 cows"
        (6, 151, 0.964, 0.927, 0.0),  # R epiR, epi.prev: H. pylori (Moujaber 2008), "0 cases per 100"
        (50, 100, 1.0, 1.0, 0.5),
    ],
)
def test_published_prevalences(flagged, n, sensitivity, specificity, prevalence):
    share = known(flagged, n, sensitivity, specificity)

    assert share.value == pytest.approx(prevalence, abs=6e-4)
    assert share.low <= share.value <= share.high


def test_the_standard_error_is_rogan_and_gladens():
    share = known(20, 120, 0.90, 0.99)  # RSurveillance's "normal" limits: 0.1011094 to 0.2509506

    assert share.value - 1.959964 * share.standard_error == pytest.approx(0.1011094, abs=1e-6)
    assert share.value + 1.959964 * share.standard_error == pytest.approx(0.2509506, abs=1e-6)


def test_with_known_rates_the_interval_is_close_to_the_published_score_interval():
    share = known(20, 120, 0.90, 0.99)  # RSurveillance's Wilson limits: 0.1129887 to 0.2623065

    assert (share.low, share.high) == pytest.approx((0.113, 0.262), abs=0.003)


def test_a_share_outside_0_to_1_is_clipped_and_says_so():
    assert "clipped" in known(6, 151, 0.964, 0.927).procedure
    assert "clipped" not in known(20, 120, 0.90, 0.99).procedure


def test_the_interval_covers_also_when_the_rates_are_estimated():
    draw, inside = np.random.default_rng(5), 0
    for _ in range(600):
        flagged = int(draw.binomial(300, 0.2 * 0.85 + 0.8 * 0.10))
        share = rogan_gladen(
            flagged,
            300,
            true_positives=int(draw.binomial(60, 0.85)),
            positives=60,
            true_negatives=int(draw.binomial(100, 0.90)),
            negatives=100,
        )
        inside += share.low <= 0.2 <= share.high

    assert inside / 600 > 0.925


@pytest.mark.parametrize(
    ("true_positives", "true_negatives"),
    [(50, 50), (10, 10), (55, 52)],  # no better than chance, worse than chance, not to be told from chance
)
def test_a_classifier_that_cannot_tell_is_refused(true_positives, true_negatives):
    refusal = rogan_gladen(
        30, 100, true_positives=true_positives, positives=100, true_negatives=true_negatives, negatives=100
    )

    assert isinstance(refusal, Undefined)
    assert "alike" in refusal.reason


def test_black_box_shift_of_two_classes_is_rogan_gladen():
    shift = black_box_shift([[95, 5], [20, 80]], [700, 300])  # class 1 is the positive one

    share = rogan_gladen(300, 1000, true_positives=80, positives=100, true_negatives=95, negatives=100)
    assert shift.shares[1].value == pytest.approx(share.value)
    assert shift.shares[1].standard_error == pytest.approx(share.standard_error)


def test_three_classes_come_back_as_they_were_put_in():
    confusion = np.array([[80, 10, 10], [20, 70, 10], [0, 30, 70]])
    truth = np.array([0.5, 0.3, 0.2])

    shift = black_box_shift(confusion, np.round(10_000 * truth @ (confusion / 100)))

    assert [one.value for one in shift.shares] == pytest.approx(truth)
    assert shift.ratios == pytest.approx(truth * 3)
    assert not shift.clipped
    assert all(one.low < one.value < one.high for one in shift.shares)


def test_a_solution_outside_0_to_1_is_clipped_flagged_and_adds_to_1():
    shift = black_box_shift([[90, 10], [10, 90]], [990, 10])

    assert shift.clipped
    assert [one.value for one in shift.shares] == [1, 0]
    assert "rough guide" in shift.sentence


@pytest.mark.parametrize(
    "answer",
    [
        black_box_shift([[50, 50], [48, 52]], [60, 40]),  # condition about 50
        black_box_shift([[50, 50], [50, 50]], [60, 40]),  # singular
        black_box_shift([[90, 10], [0, 0]], [60, 40]),  # a class without labels
        black_box_shift([[90, 10], [10, 90]], [0, 0]),
        expectation_maximisation([[0.5, 0.5]] * 50, [0.5, 0.5]),
        expectation_maximisation([[0.51, 0.49], [0.49, 0.51]] * 50, [0.5, 0.5]),
        expectation_maximisation(np.ones((0, 2)), [0.5, 0.5]),
        rogan_gladen(0, 0, true_positives=1, positives=1, true_negatives=1, negatives=1),
    ],
)
def test_what_cannot_be_known_is_undefined(answer):
    assert isinstance(answer, Undefined)


def test_one_step_of_saerens_by_hand():
    # prior 1/2: likelihood ratios 3 and 1/3. The log likelihood a ln(1+2q) + b ln(3-2q) of a = 60, b = 40 rows
    # has its top where 2a / (1+2q) = 2b / (3-2q): q = (3a - b) / (2 (a + b)) = 0.7
    shift = expectation_maximisation([[0.25, 0.75]] * 60 + [[0.75, 0.25]] * 40, [0.5, 0.5])

    assert shift.shares[1].value == pytest.approx(0.7, abs=1e-6)
    # observed information: a 4/(1+2q)^2 + b 4/(3-2q)^2
    assert shift.shares[1].standard_error == pytest.approx((240 / 2.4**2 + 160 / 1.6**2) ** -0.5, rel=1e-5)


def test_on_hard_predictions_it_agrees_with_black_box_shift():
    # P(class | prediction) from [[80, 20], [10, 90]]: 8/9, 1/9 and 2/11, 9/11
    rows = [[8 / 9, 1 / 9]] * 380 + [[2 / 11, 9 / 11]] * 620

    shift = expectation_maximisation(rows, [0.5, 0.5])

    expected = black_box_shift([[80, 20], [10, 90]], [380, 620])
    assert [one.value for one in shift.shares] == pytest.approx([one.value for one in expected.shares], abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_maximum_of_the_likelihood(seed):
    p = np.random.default_rng(seed).beta(0.6, 1.2, 200)
    top = minimize_scalar(
        lambda q: -np.log(p * q / 0.3 + (1 - p) * (1 - q) / 0.7).sum(), bounds=(0, 1), method="bounded"
    )

    shift = expectation_maximisation(np.column_stack([p, 1 - p]), [0.3, 0.7])

    assert shift.shares[0].value == pytest.approx(top.x, abs=1e-4)


def test_its_interval_covers_a_shifted_share():
    draw, inside = np.random.default_rng(6), 0
    for _ in range(200):
        score = np.where(draw.random(300) < 0.25, 1.0, -1.0) + draw.normal(size=300)
        p = 1 / (1 + np.exp(-2 * score))  # calibrated where both classes are equally common
        share = expectation_maximisation(np.column_stack([p, 1 - p]), [0.5, 0.5]).shares[0]
        inside += share.low <= 0.25 <= share.high

    assert inside / 200 > 0.90


def test_a_class_that_vanished_keeps_an_upper_limit():
    # the log likelihood falls like n ln(1 - q) from q = 0: 95 % of it lies below about 3 / n (normal limit: 1.96 / n)
    shift = expectation_maximisation([[0.9, 0.1]] * 50 + [[1.0, 0.0]] * 50, [0.5, 0.5])

    gone, left = shift.shares[1], shift.shares[0]
    assert gone.value == pytest.approx(0, abs=1e-6)
    assert 0.015 < gone.high < 0.04
    assert left.low == pytest.approx(1 - gone.high, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(0, 4)), min_size=3, max_size=12))
def test_integer_weights_are_repeated_rows_in_any_order(rows):
    p = np.array([[one, 1 - one] for one, _ in rows] + [[0.9, 0.1], [0.2, 0.8]])
    times = np.array([w for _, w in rows] + [3, 3])

    weighted = expectation_maximisation(p[::-1], [0.4, 0.6], weights=times[::-1])
    repeated = expectation_maximisation(np.repeat(p, times, axis=0), [0.4, 0.6])

    if isinstance(repeated, Undefined):
        assert isinstance(weighted, Undefined)
    else:
        assert weighted.n == repeated.n
        assert weighted.shares[0].value == pytest.approx(repeated.shares[0].value, abs=1e-6)
        assert math.isclose(weighted.shares[0].high, repeated.shares[0].high, abs_tol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: rogan_gladen(5, 4, true_positives=1, positives=1, true_negatives=1, negatives=1),
        lambda: black_box_shift([[1, 2, 3], [1, 2, 3]], [1, 2]),
        lambda: black_box_shift([[1]], [1]),
        lambda: black_box_shift([[1, 0], [0, 1]], [1, 2, 3]),
        lambda: expectation_maximisation([[0.6, 0.6]], [0.5, 0.5]),
        lambda: expectation_maximisation([[0.5, 0.5]], [1.0, 0.0]),
        lambda: expectation_maximisation([[0.5, 0.5]], [0.5, 0.5], weights=[-1]),
        lambda: expectation_maximisation([[0.5, 0.5]], [0.5, 0.5, 0.0]),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match="must"):
        call()
