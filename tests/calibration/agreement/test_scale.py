"""The distances are the published ones, and come from the declared scale alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.agreement.scale import (
    Ordinal,
    disagreements,
    interval,
    jaccard,
    linear,
    masi,
    nominal,
    quadratic,
    ratio,
    symmetric,
)

VALUES = st.lists(st.integers(0, 20), min_size=2, max_size=6, unique=True)
SETS = st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("matrix", "row"),
    [
        # R vcd, Kappa: agreement weights 1 - |i - j| / (k - 1) and 1 - |i - j|^2 / (k - 1)^2
        (linear([1, 2, 3]), [0, 0.5, 1]),
        (quadratic([1, 2, 3]), [0, 0.25, 1]),
        # Fleiss and Cohen (1973): (i - j)^2 / (k - 1)^2
        (quadratic(range(6)), [0, 1 / 25, 4 / 25, 9 / 25, 16 / 25, 1]),
        (nominal(3), [0, 1, 1]),
        # by hand from the formulas of Krippendorff (2011), for the values 1 to 5 of his example
        (interval([1, 2, 3, 4, 5]), [0, 1, 4, 9, 16]),
        (ratio([1, 2, 3, 4, 5]), [0, (1 / 3) ** 2, (2 / 4) ** 2, (3 / 5) ** 2, (4 / 6) ** 2]),
    ],
)
def test_a_distance_is_the_published_one(matrix, row):
    assert matrix[0] == pytest.approx(row)


def test_the_ordinal_metric_counts_the_ratings_between():
    # by hand from the formula of Krippendorff (2011), on the marginals of his example: (9 + 13) / 2 to the next level
    marginals = [9, 13, 10, 5, 3]

    row = Ordinal(5).between(marginals)[0]

    assert row == pytest.approx([0, 11**2, 22.5**2, 30**2, 34**2])


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        # NLTK's doctest, masi_distance({1, 2}, {1, 2, 3, 4}): 0.665 with 0.67 for two thirds
        ([1, 1, 0, 0], [1, 1, 1, 1], 1 - 1 / 2 * 2 / 3),
        # Passonneau (2006): the four levels of monotonicity, worked by hand
        ([1, 1, 0, 0], [1, 1, 0, 0], 0),
        ([1, 1, 0, 0], [0, 1, 1, 0], 1 - 1 / 3 * 1 / 3),
        ([1, 1, 0, 0], [0, 0, 1, 1], 1),
        ([0, 0, 0, 0], [1, 0, 0, 0], 1),
        ([0, 0, 0, 0], [0, 0, 0, 0], 0),
    ],
)
def test_masi_weighs_the_overlap_in_exact_thirds(one, other, distance):
    assert masi([one, other])[0, 1] == pytest.approx(distance)


@given(VALUES)
def test_steps_of_equal_size_need_no_unit(values):
    moved = [3 * value + 7 for value in values]

    assert linear(moved) == pytest.approx(linear(values))
    assert quadratic(moved) == pytest.approx(quadratic(values))


@given(SETS)
@settings(max_examples=50)
def test_a_set_distance_is_symmetric_and_masi_is_the_stricter(sets):
    near, strict = jaccard(sets), masi(sets)

    assert near == pytest.approx(near.T)
    assert strict == pytest.approx(strict.T)
    assert (strict >= near - 1e-12).all()
    assert not strict.diagonal().any()
    assert strict.max() <= 1


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: nominal(1), "2 or more categories, not 1"),
        (lambda: Ordinal(1), "2 or more categories, not 1"),
        (lambda: linear([3]), "2 or more different levels"),
        (lambda: quadratic([1, 1, 2]), "2 or more different levels"),
        (lambda: ratio([-1, 1]), "0 or more, not -1: use interval"),
        (lambda: Ordinal(3).between([1, 2]), r"marginals must have the shape \(3,\)"),
        (lambda: Ordinal(2).between([1, -2]), "marginals must be 0 or more"),
        (lambda: masi([[0, 2]]), r"sets\[0, 1\] must be 0 or 1"),
        (lambda: disagreements([[0, 1, 2], [1, 0, 1]]), "must be a square"),
        (lambda: disagreements([[1, 0], [0, 1]]), "must be 0 for a category with itself"),
        (lambda: disagreements([[0, -1], [1, 0]]), "0 or more with others"),
        (lambda: symmetric([[0, 1], [2, 0]]), "the same both ways"),
    ],
)
def test_what_is_no_scale_is_refused(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()
