"""ROC AUC and average precision against published cases."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from calibration.metrics.ranking import average_precision, roc_auc
from calibration.result import Estimate, Undefined

# J. A. Hanley and B. J. McNeil, Radiology 143 (1982), table I: CT ratings 1 to 5 of 58 normal and 51 abnormal
NORMAL, ABNORMAL = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
RATINGS = np.concatenate([np.repeat(np.arange(1, 6), NORMAL), np.repeat(np.arange(1, 6), ABNORMAL)])
SICK = np.repeat([0, 1], [58, 51])

AUC_CASES = [
    pytest.param(SICK, RATINGS, 0.893, id="Hanley and McNeil (1982), heavy ties"),
    # scikit-learn, documentation of roc_auc_score and average_precision_score
    pytest.param([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75, id="scikit-learn documentation"),
    # scikit-learn 1.9 test_ranking.py, test_roc_curve_toydata, each row twice as an error needs 2 of a class
    pytest.param([0, 1, 0, 1], [0, 1, 0, 1], 1.0, id="in order"),
    pytest.param([0, 1, 0, 1], [1, 0, 1, 0], 0.0, id="the wrong way round"),
]

AVERAGE_PRECISION_CASES = [
    pytest.param([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 5 / 6, id="scikit-learn documentation"),
    # scikit-learn 1.9 test_ranking.py, test_precision_recall_curve_toydata, thrice
    pytest.param([0, 1] * 3, [0, 1] * 3, 1.0, id="in order"),
    pytest.param([0, 1] * 3, [1, 0] * 3, 0.5, id="the wrong way round"),
    pytest.param([1, 0] * 3, [0.5, 0.5] * 3, 0.5, id="a tie"),
    # by hand: 33 of 35, then 11 more of 57, 2 of 65, 2 of 73 and 3 of 109
    pytest.param(
        SICK,
        RATINGS,
        (33 * 33 / 35 + 11 * 44 / 57 + 2 * 46 / 65 + 2 * 48 / 73 + 3 * 51 / 109) / 51,
        id="ratings, heavy ties",
    ),
]


@pytest.mark.parametrize(("outcome", "score", "expected"), AUC_CASES)
def test_the_auc_agrees_with_published_cases(outcome, score, expected):
    assert roc_auc(outcome, score).value == pytest.approx(expected, abs=5e-4)


def test_delongs_error_and_interval_agree_with_statas_manual():
    auc = roc_auc(SICK, RATINGS)  # Stata manual [R] roctab, hanley.dta: 0.8932, 0.0307, 0.83295 to 0.95339

    assert auc.standard_error == pytest.approx(0.0307, abs=5e-5)
    assert (auc.low, auc.high) == pytest.approx((0.83295, 0.95339), abs=6e-6)
    assert (auc.n, auc.procedure) == (109, "DeLong")


def test_delongs_error_of_four_items_by_hand():
    # placements .5 and 1 among the positives, 1 and .5 among the negatives: variance 1/8, twice over 2
    assert roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).standard_error == pytest.approx(math.sqrt(1 / 8))


def test_perfect_separation_has_an_exact_bound_and_no_width_of_zero():
    apart = roc_auc([0] * 40 + [1] * 10, np.arange(50))

    assert (apart.value, apart.high) == (1.0, 1.0)
    assert apart.low == pytest.approx(0.025 ** (1 / 10))  # Clopper-Pearson for 10 of 10 pairs
    assert roc_auc([1] * 40 + [0] * 10, np.arange(50)).high == pytest.approx(1 - 0.025 ** (1 / 10))


@pytest.mark.parametrize(("outcome", "score", "expected"), AVERAGE_PRECISION_CASES)
def test_average_precision_agrees_with_published_cases(outcome, score, expected):
    assert average_precision(outcome, score, draws=200).value == pytest.approx(expected)


@pytest.mark.parametrize(
    "outcome", [pytest.param([1, 1, 1, 1], id="one class"), pytest.param([0, 0, 0, 0], id="the other"), []]
)
def test_one_class_is_undefined(outcome):
    score = [0.1, 0.4, 0.35, 0.8][: len(outcome)]

    assert isinstance(roc_auc(outcome, score), Undefined)
    assert isinstance(average_precision(outcome, score), Undefined)


def test_constant_scores_rank_nothing():
    assert isinstance(roc_auc([0, 1, 0, 1], [0.5] * 4), Undefined)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"score\[1\] must be a finite number, not nan"):
        roc_auc([0, 1], [0.5, math.nan])


rows = st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(1, 3)), min_size=4, max_size=25).filter(
    lambda found: min(sum(y for y, _, _ in found), sum(not y for y, _, _ in found)) >= 2
)


@settings(max_examples=40, deadline=None)
@given(rows)
def test_weights_are_repeated_rows_and_scikit_learn_agrees(found):
    outcome, score, times = (np.array(column) for column in zip(*found, strict=True))
    order = np.random.default_rng(0).permutation(len(outcome))
    weighted = roc_auc(outcome, score, weights=times)
    repeated = roc_auc(np.repeat(outcome, times), np.repeat(score, times))
    shuffled = roc_auc(outcome[order], score[order], weights=times[order])
    precision = average_precision(outcome, score, weights=times, draws=20)

    assert type(weighted) is type(repeated) is type(shuffled)
    if isinstance(weighted, Estimate):
        assert weighted.value == pytest.approx(sklearn_metrics.roc_auc_score(outcome, score, sample_weight=times))
        for other in (repeated, shuffled):
            assert (other.value, other.low, other.high) == pytest.approx((weighted.value, weighted.low, weighted.high))
    if isinstance(precision, Estimate):
        assert precision.value == pytest.approx(
            sklearn_metrics.average_precision_score(outcome, score, sample_weight=times)
        )


@settings(max_examples=20, deadline=None)
@given(rows)
def test_turning_the_scores_round_turns_the_auc_round(found):
    outcome, score, _ = (np.array(column) for column in zip(*found, strict=True))
    there, back = roc_auc(outcome, score), roc_auc(outcome, -score)

    if isinstance(there, Estimate):
        assert (back.value, back.low) == pytest.approx((1 - there.value, 1 - there.high))
