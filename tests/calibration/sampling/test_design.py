"""Designs as values, strata and Neyman's allocation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.sampling.design import Stratified, Targeted, Uniform, design_id, neyman, strata


@pytest.mark.parametrize(
    ("sizes", "spreads", "labels", "expected"),
    [
        # Japanese Statistical Society, workbook for the grade pre-1 examination (2020), chapter 21, example 2
        ([500, 500], [6, 18], 20, [5, 15]),
        # The problem of Rice, "Mathematical Statistics and Data Analysis", chapter 7; the shares 2e6 : 6e6 by hand
        ([100_000, 500_000], [20, 12], 100, [25, 75]),
        # R samplingbook, example of stratasamp (type = 'opt'); shares 48.94 : 112.22 : 194.25 : 144.60 by hand
        ([5234, 2586, 649, 157], [251, 1165, 8035, 24725], 500, [49, 112, 194, 145]),
        # by hand: 30 would go to the second, which holds 10; the other takes what is left
        ([1000, 10], [1, 300], 40, [30, 10]),
        # by hand: no spread anywhere is shared out by size
        ([30, 10], [0, 0], 4, [3, 1]),
    ],
)
def test_labels_go_where_size_times_spread_is(sizes, spreads, labels, expected):
    assert neyman(sizes, spreads, labels).tolist() == expected


def test_what_a_stratum_has_already_is_counted_and_the_floor_holds():
    assert neyman([100, 100], [1, 1], 20, already=[10, 0]).tolist() == [5, 15]
    assert neyman([100, 100], [1, 0], 20, least=5).tolist() == [15, 5]
    assert neyman([100, 3], [1, 0], 20, least=5).tolist() == [17, 3]  # never more than it holds


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_allocation_uses_every_label_within_its_limits(data):
    sizes = np.array(data.draw(st.lists(st.integers(1, 400), min_size=1, max_size=8)))
    spreads = data.draw(st.lists(st.floats(0, 1), min_size=sizes.size, max_size=sizes.size))
    least = np.minimum(data.draw(st.integers(0, 20)), sizes)
    labels = data.draw(st.integers(int(least.sum()), int(sizes.sum())))

    shared = neyman(sizes, spreads, labels, least=least)

    assert shared.sum() == labels
    assert (shared >= least).all()
    assert (shared <= sizes).all()


def test_too_few_labels_for_the_floors_say_what_to_do():
    with pytest.raises(ValueError, match="need 20 at the least and hold 200; label more, merge strata, or lower"):
        neyman([100, 100], [1, 1], 19, least=10)


def test_a_score_on_an_edge_passes_it():
    assert strata([0.49, 0.5, 0.9], (0.5, 0.9)) == ("below 0.5", "0.5 to 0.9", "from 0.9")
    assert strata([0.49, 0.5], ()) == ("any score", "any score")
    with pytest.raises(ValueError, match="one per score"):
        strata([0.5], (0.5,), ["a", "b"])


def test_a_design_is_named_by_what_it_says():
    design = Stratified(labels=400, edges=(0.5, 0.9))

    assert design_id(design) == design_id(Stratified(400, (0.5, 0.9), 0.3, 10))
    assert design_id(design) != design_id(Stratified(400, (0.5, 0.8)))
    assert design_id(Uniform(5)) != design_id(Targeted(5))
    assert Stratified(labels=10, edges=()).uniform_labels() == 3


@pytest.mark.parametrize(
    ("kind", "figures", "message"),
    [
        (Uniform, {"labels": 0}, "labels must be 1 or more"),
        (Targeted, {"labels": -1}, "labels must be 1 or more"),
        (Stratified, {"labels": 9, "edges": (0.5, 0.5)}, "edges must be finite and rise"),
        (Stratified, {"labels": 9, "edges": (float("nan"),)}, "edges must be finite and rise"),
        (Uniform, {"labels": float("nan")}, "labels must be 1 or more"),
        (Stratified, {"labels": 9, "edges": (), "uniform_share": 0.29}, "uniform_share must be from 0.3"),
        (Stratified, {"labels": 9, "edges": (), "floor": -1}, "floor must be 0 or more"),
        (Stratified, {"labels": 9, "edges": (), "least_probability": 0}, "least_probability must be above 0"),
    ],
)
def test_a_figure_out_of_range_is_refused_by_name(kind, figures, message):
    with pytest.raises(ValueError, match=message):
        kind(**figures)
