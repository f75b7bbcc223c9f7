"""The estimate without labels (CBPE)."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from calibration.monitoring.estimated_performance import LEAST_ROWS, estimated_performance
from calibration.result import Undefined


@pytest.mark.parametrize(
    ("probability", "threshold", "precision", "recall", "accuracy", "f1"),
    [
        # NannyML docs, "The Intuition": positives at 0.9 are right 90 % of the time; the rest by the page's formulas
        ([0.9] * 500, 0.5, 0.9, 1.0, 0.9, 2 * 450 / 950),
        # by the same formulas, by hand: TP 400*.9, FP 40, FN 600*.1, TN 540
        ([0.9] * 400 + [0.1] * 600, 0.5, 0.9, 360 / 420, 0.9, 720 / 820),
        # ties at the threshold count as positive
        ([0.5] * 300 + [0.2] * 300, 0.5, 0.5, 150 / 210, (150 + 240) / 600, 300 / 510),
        ([1.0] * 300 + [0.0] * 300, 0.5, 1.0, 1.0, 1.0, 1.0),
    ],
)
def test_worked_examples(probability, threshold, precision, recall, accuracy, f1):
    estimate = estimated_performance(probability, threshold)

    figures = [estimate.precision, estimate.recall, estimate.accuracy, estimate.f1]
    assert [one.value for one in figures] == pytest.approx([precision, recall, accuracy, f1])
    assert sum(
        [estimate.true_positives, estimate.false_positives, estimate.false_negatives, estimate.true_negatives]
    ) == pytest.approx(len(probability))
    assert any("concept drift" in one for one in estimate.assumptions)


def test_the_accuracy_band_is_the_variance_of_the_mean():
    chance = np.linspace(0.01, 0.99, 800)

    estimate = estimated_performance(chance, 0.5)

    assert estimate.accuracy.standard_error == pytest.approx(math.sqrt((chance * (1 - chance)).sum()) / 800)


def test_realised_figures_fall_into_the_bands_as_often_as_stated():
    draw = np.random.default_rng(1)
    chance = draw.beta(0.5, 1.0, size=1_000)
    estimate, flagged = estimated_performance(chance, 0.6), chance >= 0.6
    inside = np.zeros(4)
    for _ in range(150):
        label = draw.random(1_000) < chance
        for i, (score, band) in enumerate(
            [
                (precision_score, estimate.precision),
                (recall_score, estimate.recall),
                (accuracy_score, estimate.accuracy),
                (f1_score, estimate.f1),
            ]
        ):
            inside[i] += band.low <= score(label, flagged) <= band.high

    assert (inside / 150 > 0.88).all()
    assert (inside[:3] / 150 < 1).all()


def test_concept_drift_is_not_seen():
    chance = np.random.default_rng(0).random(600)

    assert estimated_performance(chance, 0.5) == estimated_performance(chance.copy(), 0.5)  # whatever the labels do


def test_nothing_flagged_leaves_precision_undefined():
    estimate = estimated_performance([0.2] * 600, 0.9)

    assert isinstance(estimate.precision, Undefined)
    assert estimate.recall.value == 0
    assert estimate.f1.value == 0


def test_no_positive_expected_leaves_recall_and_f1_undefined():
    estimate = estimated_performance([0.0] * 600, 0.9)

    assert isinstance(estimate.recall, Undefined)
    assert isinstance(estimate.f1, Undefined)
    assert estimate.accuracy.value == 1


def test_fewer_than_500_rows_are_refused():
    refusal = estimated_performance([0.5] * (LEAST_ROWS - 1), 0.5)

    assert isinstance(refusal, Undefined)
    assert "500 needed" in refusal.reason


@pytest.mark.parametrize(("chance", "threshold"), [([1.2] * 600, 0.5), ([0.5] * 600, 1.5), ([[0.5]] * 600, 0.5)])
def test_bad_input_is_refused(chance, threshold):
    with pytest.raises(ValueError, match="must"):
        estimated_performance(chance, threshold)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), min_size=5, max_size=12))
def test_integer_weights_are_repeated_rows_in_any_order(rows):
    chance, times = np.array([one for one, _ in rows] + [0.3]), np.array([w for _, w in rows] + [500])

    weighted = estimated_performance(chance[::-1], 0.4, weights=times[::-1])
    repeated = estimated_performance(np.repeat(chance, times), 0.4)

    assert weighted.n == repeated.n
    for name in ("precision", "recall", "accuracy", "f1"):
        one, other = getattr(weighted, name), getattr(repeated, name)
        if isinstance(other, Undefined):
            assert isinstance(one, Undefined)
        else:
            assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))
