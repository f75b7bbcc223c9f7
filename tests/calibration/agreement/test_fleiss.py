"""Fleiss' kappa against the literature and statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa as oracle

from calibration.agreement.fleiss import fleiss_kappa, fleiss_statistic
from calibration.agreement.ratings import label_counts
from calibration.bootstrap import item_bootstrap
from calibration.result import Estimate, Undefined

RATINGS = st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=2, max_size=15).map(np.array)


def expand(table):
    return [np.repeat(np.arange(len(row)), row) for row in table]


def test_the_psychiatric_diagnoses_give_the_published_kappa(thirty_patients):
    # Fleiss (1971): .430; R irr kappam.fleiss(diagnoses): 0.4302445, from statsmodels' test_inter_rater.py
    kappa = fleiss_kappa(thirty_patients, categories=5)

    assert kappa.value == pytest.approx(0.4302445, abs=5e-8)
    assert kappa.n == 30


def test_error_and_interval_are_those_of_irrcac(thirty_patients):
    # R irrCAC, vignette "overview", fleiss.kappa.dist(distrib.6raters), the first 15 patients
    kappa = fleiss_kappa(thirty_patients[:15], categories=5)

    assert (kappa.value, kappa.standard_error) == pytest.approx((0.4139265, 0.08119291), abs=5e-8)
    assert (kappa.low, kappa.high) == pytest.approx((0.240, 0.588), abs=5e-4)


def test_two_coders_give_the_published_pi(dialogue_acts):
    # Artstein and Poesio (2008): pi (Scott 1955), which Fleiss' kappa is for two coders: 0.7995
    assert fleiss_kappa(dialogue_acts, categories=3).value == pytest.approx(0.79953, abs=5e-6)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[7, 1], [3, 5]], 0.161905),  # J. Randolph's online kappa calculator, from statsmodels' test_inter_rater.py
        ([[6, 1, 0], [0, 7, 0]], 0.708333),  # the same
        (
            # Wikipedia, "Fleiss' kappa": 10 subjects, 14 raters, 5 categories: 0.210
            [
                [0, 0, 0, 0, 14],
                [0, 2, 6, 4, 2],
                [0, 0, 3, 5, 6],
                [0, 3, 9, 2, 0],
                [2, 2, 8, 1, 1],
                [7, 7, 0, 0, 0],
                [3, 2, 6, 3, 0],
                [2, 5, 3, 2, 2],
                [6, 5, 2, 1, 0],
                [0, 2, 2, 3, 7],
            ],
            0.210,
        ),
    ],
)
def test_tables_of_counts_give_the_published_kappa(table, kappa):
    assert fleiss_kappa(expand(table), categories=5).value == pytest.approx(kappa, abs=5e-4)


@given(RATINGS)
@settings(max_examples=60)
def test_the_value_is_that_of_statsmodels(ratings):
    kappa = fleiss_kappa(ratings, categories=3)

    if isinstance(kappa, Undefined):
        assert len(np.unique(ratings)) == 1
    else:
        assert kappa.value == pytest.approx(oracle(label_counts(ratings, categories=3)))


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        ([[1, 1], [1, 1]], "every rating names the same category: nothing could have differed"),
        ([[0, np.nan], [np.nan, 1]], "no item has two ratings"),
        ([[np.nan, np.nan]], "no item has a rating"),
        (np.empty((0, 3)), "no item has a rating"),
        ([[0, 1]], "one item has no spread: an interval needs 2"),
    ],
)
def test_degenerate_ratings_have_no_kappa(ratings, reason):
    outcome = fleiss_kappa(ratings, categories=2)

    assert isinstance(outcome, Undefined)
    assert outcome.reason == reason


def test_unequal_numbers_of_ratings_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"ratings\[1\] has 1 ratings where ratings\[0\] has 2.*krippendorff_alpha"):
        fleiss_kappa([[0, 1], [1, np.nan]], categories=2)


def test_an_item_nobody_rated_is_left_out():
    kappa = fleiss_kappa([[0, 1], [np.nan, np.nan], [1, 1], [0, 0]], categories=2)

    assert kappa == fleiss_kappa([[0, 1], [1, 1], [0, 0]], categories=2)


def test_perfect_agreement_is_1_with_an_honest_lower_end():
    kappa = fleiss_kappa([[0, 0, 0], [1, 1, 1]] * 15, categories=2)

    assert (kappa.value, kappa.high) == (1, 1)
    assert kappa.low == pytest.approx(0.769, abs=1e-3)  # by hand: 1 - 2 (1 - 0.025 ** (1 / 30))


def test_the_bootstrap_and_the_linearised_interval_agree(thirty_patients):
    drawn = item_bootstrap(fleiss_statistic(thirty_patients, categories=5), 30)
    linear = fleiss_kappa(thirty_patients, categories=5)

    assert drawn.value == pytest.approx(linear.value)
    assert (drawn.low, drawn.high) == pytest.approx((linear.low, linear.high), abs=0.04)


@given(RATINGS, st.data())
@settings(max_examples=60)
def test_it_depends_on_counts_alone(ratings, data):
    kappa = fleiss_kappa(ratings, categories=3)
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(ratings), max_size=len(ratings))))
    order = data.draw(st.permutations(range(len(ratings))))
    silent = np.column_stack([ratings, np.full(len(ratings), np.nan)])

    assert fleiss_kappa(silent, categories=3) == kappa
    again = fleiss_kappa(ratings[order][:, ::-1], categories=3)
    if isinstance(kappa, Estimate):
        assert (again.value, again.low, again.high) == pytest.approx((kappa.value, kappa.low, kappa.high))
    weighted = fleiss_kappa(ratings, categories=3, weights=weights)
    assert weighted == fleiss_kappa(np.repeat(ratings, weights, axis=0), categories=3)
    if isinstance(weighted, Estimate):
        statistic = fleiss_statistic(ratings, categories=3)
        assert statistic(weights.astype(float)) == pytest.approx(weighted.value)
