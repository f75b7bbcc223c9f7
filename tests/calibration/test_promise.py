"""A promise and the labels it needs at the least."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.promise import Promise


@pytest.mark.parametrize(
    ("precision", "confidence", "labels"),
    [(0.90, 0.95, 29), (0.95, 0.95, 59), (0.99, 0.95, 299), (0.5, 0.5, 1), (0.5, 0.75, 2), (0.8, 0.9, 11)],
)
def test_labels_needed_are_the_published_figures(precision, confidence, labels):
    assert Promise(precision, confidence).labels_needed() == labels


@given(st.floats(0.5, 0.999), st.floats(0.5, 0.999))
def test_the_last_label_is_the_one_that_makes_it(precision, confidence):
    needed = Promise(precision, confidence).labels_needed()

    assert precision**needed <= 1 - confidence + 1e-9
    assert precision ** (needed - 1) > 1 - confidence - 1e-9


@pytest.mark.parametrize("figure", [0.49, 1.0, 1.5, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["precision", "confidence"])
def test_a_figure_out_of_range_is_refused_by_name(name, figure):
    with pytest.raises(ValueError, match=f"{name} must be from 0.5"):
        Promise(**({"precision": 0.9, "confidence": 0.95} | {name: figure}))
