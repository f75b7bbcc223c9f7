"""Differences in F1, precision, recall, log loss and Brier score with their paired bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from calibration.comparison.difference import brier, f1, log_loss, paired_difference, precision, recall
from calibration.result import Degenerate, Undefined

ITEMS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(1, 4), st.floats(0.01, 0.99)), min_size=3, max_size=30
)
# by hand: 2 hits, 1 false alarm, 1 miss
TRUTH, DECIDED = np.array([0, 1, 0, 0, 1, 1.0]), np.array([0, 1, 0, 1, 0, 1.0])


def test_the_figures_are_those_worked_by_hand():
    ones = np.ones(6)

    assert precision(TRUTH, DECIDED, ones) == pytest.approx(2 / 3)
    assert recall(TRUTH, DECIDED, ones) == pytest.approx(2 / 3)
    assert f1(TRUTH, DECIDED, ones) == pytest.approx(2 / 3)
    # scikit-learn's documentation of log_loss (0.21616...) and brier_score_loss (0.0375)
    assert log_loss(np.array([1, 0, 0, 1.0]), np.array([0.9, 0.1, 0.2, 0.65]), np.ones(4)) == pytest.approx(
        0.21616, abs=1e-5
    )
    assert brier(np.array([0, 1, 1, 0.0]), np.array([0.1, 0.9, 0.8, 0.3]), np.ones(4)) == pytest.approx(0.0375)


@given(ITEMS)
@settings(max_examples=60)
def test_scikit_learn_says_the_same_with_weights_and_repeated_rows(items):
    truth, decided, weights, probability = (np.array(column, dtype=float) for column in zip(*items, strict=True))
    repeated = weights.astype(int)

    for figure, oracle, value in (
        (precision, metrics.precision_score, decided),
        (recall, metrics.recall_score, decided),
        (f1, metrics.f1_score, decided),
        (brier, metrics.brier_score_loss, probability),
        (log_loss, lambda *seen, **known: metrics.log_loss(*seen, labels=[0, 1], **known), probability),
    ):
        try:
            ours = figure(truth, value, weights)
        except Degenerate:
            assert truth.sum() == 0 or (figure is precision and decided.sum() == 0)
            continue
        assert ours == pytest.approx(oracle(truth, value, sample_weight=weights))
        rows = np.repeat(truth, repeated), np.repeat(value, repeated)
        assert ours == pytest.approx(figure(*rows, np.ones(repeated.sum())))


def test_a_version_against_itself_is_no_comparison():
    same = paired_difference(f1, TRUTH, DECIDED, DECIDED, draws=50)

    assert same == Undefined("identical on this sample", len(TRUTH), "paired bootstrap")


@pytest.mark.parametrize("figure", [f1, brier])
def test_the_order_of_items_changes_nothing(figure):
    generator = np.random.default_rng(3)
    truth, first, second = generator.integers(0, 2, (3, 60))
    order = generator.permutation(60)

    assert paired_difference(figure, truth, first, second, draws=50) == paired_difference(
        figure, truth[order], first[order], second[order], draws=50
    )


def test_pairing_narrows_the_interval():
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 2, 300)
    first = np.where(generator.random(300) < 0.2, 1 - truth, truth)
    second = first.copy()
    second[:12] = 1 - second[:12]

    gain = paired_difference(f1, truth, first, second, draws=200)

    assert gain.high - gain.low < 0.08  # unpaired, each F1 alone is uncertain by about +-0.045
    assert gain == paired_difference(f1, truth, first, second, draws=200)


def test_weights_are_kept():
    truth, first, second = [1, 1, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]

    gain = paired_difference(recall, truth, first, second, weights=[3, 1, 0, 5], draws=50)

    assert gain.value == pytest.approx(0.75 - 0.25)


@pytest.mark.parametrize("figure", [recall, f1])
def test_no_positive_item_is_undefined(figure):
    assert paired_difference(figure, [0, 0, 0], [1, 0, 0], [0, 0, 0]).reason == "no positive item"


def test_nothing_decided_and_certain_mistakes_are_undefined():
    assert paired_difference(precision, [1, 0], [0, 0], [1, 0]).reason == "nothing was decided positive"
    assert "infinite" in paired_difference(log_loss, [1, 0], [0.0, 0.1], [0.5, 0.5]).reason
    assert isinstance(paired_difference(brier, [1, 0], [0.1, 0.1], [0.5, 0.5], weights=[0, 0]), Undefined)


def test_probabilities_are_no_decisions():
    with pytest.raises(ValueError, match="apply the threshold first"):
        paired_difference(f1, [1, 0], [0.4, 0.1], [1, 0])
