"""Percent agreement against published tables, with an interval that keeps its width at 100 %."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.agreement.percent import percent_agreement, percent_statistic
from calibration.binomial import wilson
from calibration.bootstrap import item_bootstrap
from calibration.result import Estimate, Undefined

RATINGS = st.lists(st.lists(st.sampled_from([0, 1, 2, np.nan]), min_size=3, max_size=3), min_size=1, max_size=12).map(
    np.array
)


def test_missing_labels_give_the_published_share(twelve_units):
    # R irrCAC, vignette "overview", pa.coeff.raw(cac.raw4raters): 0.8181818
    share = percent_agreement(twelve_units, categories=5)

    assert share.value == pytest.approx(0.8181818, abs=5e-8)
    assert share.n == 11


def test_six_raters_give_the_published_share(thirty_patients):
    # R irrCAC, vignette "overview", distrib.6raters, the first 15 patients of Fleiss (1971): pa 0.5511111
    assert percent_agreement(thirty_patients[:15], categories=5).value == pytest.approx(0.5511111, abs=5e-8)


def test_two_coders_give_the_published_share(dialogue_acts):
    # Artstein and Poesio (2008): observed agreement 0.88; two ratings an item, so Wilson's own interval
    share = percent_agreement(dialogue_acts, categories=3)

    assert share.value == pytest.approx(0.88)
    expected = wilson(88, 100)
    assert (share.low, share.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("table", "share"),
    [
        ([[7, 1], [3, 5]], 0.607143),  # J. Randolph's online kappa calculator, from statsmodels' test_inter_rater.py
        ([[6, 1, 0], [0, 7, 0]], 0.857143),  # the same
        ([[3, 0], [2, 1]], 2 / 3),  # by hand: (1 + 1/3) / 2
    ],
)
def test_tables_of_counts_give_the_published_share(table, share):
    ratings = [np.repeat(np.arange(len(row)), row) for row in table]

    assert percent_agreement(ratings, categories=3).value == pytest.approx(share, abs=5e-7)


def test_agreeing_always_is_not_being_sure():
    share = percent_agreement([[0, 0], [1, 1]] * 15, categories=2)

    assert (share.value, share.high) == (1, 1)
    assert share.low == pytest.approx(wilson(30, 30).low)


@pytest.mark.parametrize("ratings", [[[0, np.nan], [np.nan, 1]], np.empty((0, 2))])
def test_without_a_pair_it_is_undefined(ratings):
    outcome = percent_agreement(ratings, categories=2)

    assert isinstance(outcome, Undefined)
    assert (outcome.reason, outcome.n) == ("no item has two ratings", 0)


def test_the_statistic_gives_the_bootstrap_its_value(twelve_units):
    drawn = item_bootstrap(percent_statistic(twelve_units, categories=5), 12, draws=200)

    assert isinstance(drawn, Estimate)
    assert drawn.value == pytest.approx(percent_agreement(twelve_units, categories=5).value)


@given(RATINGS, st.data())
@settings(max_examples=60)
def test_it_depends_on_counts_alone(ratings, data):
    share = percent_agreement(ratings, categories=3)
    order = data.draw(st.permutations(range(len(ratings))))
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(ratings), max_size=len(ratings))))
    silent = np.column_stack([ratings, np.full(len(ratings), np.nan)])

    assert percent_agreement(silent, categories=3) == share
    assert close(percent_agreement(ratings[order][:, ::-1], categories=3), share)
    weighted = percent_agreement(ratings, categories=3, weights=weights)
    assert weighted == percent_agreement(np.repeat(ratings, weights, axis=0), categories=3)
    if isinstance(weighted, Estimate):
        assert percent_statistic(ratings, categories=3)(weights.astype(float)) == pytest.approx(weighted.value)
        assert 0 <= weighted.low <= weighted.value <= weighted.high <= 1


def close(one, other):
    if isinstance(other, Undefined):
        return one == other
    return one.n == other.n and (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_a_confidence_out_of_range_is_refused():
    with pytest.raises(ValueError, match="confidence must lie strictly between 0 and 1"):
        percent_agreement([[0, 0]], categories=2, confidence=1)
