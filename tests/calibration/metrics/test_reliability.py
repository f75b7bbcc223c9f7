"""The rows of the reliability plot."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.binomial import clopper_pearson
from calibration.metrics.calibration_error import absolute_gap
from calibration.metrics.reliability import reliability_bins

# uncertainty-calibration util_test.py, test_get_binary_ce
NINE = ([0, 1, 0, 1, 0, 1, 1, 1, 0], [0.5, 0.5, 0.5, 0.6, 0.5, 0.6, 0.6, 0.6, 0.6])


def test_the_rows_of_a_published_example():
    rows = reliability_bins(*NINE)

    assert [(row.count, row.low, row.high) for row in rows] == [(4, 0.5, 0.5), (5, 0.6, 0.6)]
    assert [row.share.value for row in rows] == pytest.approx([0.25, 0.8])
    assert [row.mean_probability for row in rows] == pytest.approx([0.5, 0.6])


def test_the_halves_of_metricsreloadeds_ten_items():
    probability = [0.22, 0.48, 0.49, 0.96, 0.55, 0.64, 0.78, 0.82, 0.34, 0.87]
    rows = reliability_bins([0, 1, 0, 0, 1, 1, 1, 1, 1, 0], probability, bins=2)

    assert [row.mean_probability for row in rows] == pytest.approx([0.416, 0.814])
    assert [(row.low, row.high) for row in rows] == [(0.22, 0.55), (0.64, 0.96)]


def test_the_interval_is_newcombes_and_may_be_the_exact_one():
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, score and exact
    outcome = [1] * 81 + [0] * 182
    (score,), (exact,) = (
        reliability_bins(outcome, [0.3] * 263),
        reliability_bins(outcome, [0.3] * 263, interval=clopper_pearson),
    )

    assert (score.share.low, score.share.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert (exact.share.low, exact.share.high) == pytest.approx((0.2527, 0.3676), abs=5e-5)


def test_the_band_of_chance_is_the_binomial_one():
    # binomial tables: of 20 fair coins between 6 and 14 heads in 95.9 %
    (row,) = reliability_bins([1] * 10 + [0] * 10, [0.5] * 20)

    assert (row.chance_low, row.chance_high) == (6 / 20, 14 / 20)


def test_no_items_give_no_rows_and_one_class_gives_rows():
    assert reliability_bins([], []) == ()
    assert [row.share.value for row in reliability_bins([0, 0], [0.2, 0.9])] == [0.0, 0.0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=30), st.integers(1, 8))
def test_the_rows_hold_every_item_once_and_give_back_the_ece(found, bins):
    outcome, tenths = (np.array(column) for column in zip(*found, strict=True))
    probability = tenths / 10
    rows = reliability_bins(outcome, probability, bins=bins)
    ece = sum(row.count * abs(row.mean_probability - row.share.value) for row in rows) / len(outcome)

    assert sum(row.count for row in rows) == len(outcome)
    assert all(before.high < after.low for before, after in pairwise(rows))
    assert ece == pytest.approx(absolute_gap(probability, bins)(outcome.astype(float), np.ones(len(outcome))))
    turned = reliability_bins(outcome[::-1], probability[::-1], bins=bins)
    assert [(row.low, row.count, row.share) for row in turned] == [(row.low, row.count, row.share) for row in rows]
