"""Ratings are checked against the declared scale and counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.agreement.ratings import checked_ratings, label_counts, label_sets, pair_disagreement, repeated
from calibration.agreement.scale import nominal


def test_the_published_table_comes_out_of_the_ratings(thirty_patients):
    # Fleiss (1971), table 1: first three rows and the column totals
    counts = label_counts(thirty_patients, categories=5)

    assert counts[:3].tolist() == [[0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1]]
    assert counts.sum(axis=0).tolist() == [26, 26, 30, 55, 43]


def test_an_item_agrees_as_much_as_fleiss_says():
    # Wikipedia, "Fleiss' kappa", worked example: 14 raters; P_2 = 0.253, P_6 = 0.462, P_1 = 1
    counts = np.array([[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [7, 7, 0, 0, 0]], dtype=float)

    assert 1 - pair_disagreement(counts, nominal(5)) == pytest.approx([1, 0.253, 0.462], abs=5e-4)


def test_an_item_without_two_ratings_has_no_pair():
    assert np.isnan(pair_disagreement(np.array([[1.0, 0.0], [0.0, 0.0]]), nominal(2))).all()


def test_none_is_a_missing_label():
    assert label_counts([[0, None], [1, 1]], categories=2).tolist() == [[1, 0], [0, 2]]


def test_ratings_are_not_changed():
    ratings = np.array([[0.0, np.nan], [1.0, 1.0]])
    before = ratings.copy()

    label_counts(ratings, categories=2)
    repeated(ratings, [2, 1])

    assert np.array_equal(ratings, before, equal_nan=True)


@given(st.permutations(range(3)), st.data())
def test_the_order_of_raters_changes_no_count(order, data):
    ratings = np.array(data.draw(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1)))

    assert (label_counts(ratings[:, order], categories=3) == label_counts(ratings, categories=3)).all()


def test_label_sets_become_codes():
    codes, sets = label_sets([[[1, 0], [1, 0]], [[0, 0], [1, 1]]], [[1, 1], [1, 0]])

    assert sets.tolist() == [[False, False], [True, False]]
    assert codes[0].tolist() == [1, 1]
    assert codes[1, 0] == 0
    assert np.isnan(codes[1, 1])


@pytest.mark.parametrize(
    ("ratings", "complaint"),
    [
        ([[0, 1], [2, 0]], r"ratings\[1, 0\] must be a code from 0 to 1 or nan for a missing label, not 2"),
        ([[0, -1]], r"ratings\[0, 1\] must be a whole number of 0 or more, not -1"),
        ([[0, 0.5]], r"ratings\[0, 1\] must be a whole number"),
        ([[0, np.inf]], r"ratings\[0, 1\] must be a finite number"),
        ([0, 1], r"ratings must have the shape \(any, any\)"),
        ([["yes", "no"]], "ratings must be whole numbers, one per category"),
        ([[0, 1], [1]], "in rows of one length"),
    ],
)
def test_what_is_no_rating_is_refused_with_its_place(ratings, complaint):
    with pytest.raises(ValueError, match=complaint):
        checked_ratings(ratings, categories=2)


def test_a_weight_is_a_number_of_items():
    with pytest.raises(ValueError, match=r"weights\[1\] must be a whole number"):
        repeated([[0, 1], [1, 1]], [1, 0.5])
    with pytest.raises(ValueError, match=r"weights must have the shape \(2\)|weights must have the shape \(2,\)"):
        repeated([[0, 1], [1, 1]], [1])
