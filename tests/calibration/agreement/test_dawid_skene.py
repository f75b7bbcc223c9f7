"""Dawid and Skene's model on published tables, on exact cases, and on answers that cannot define it."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.agreement.dawid_skene import dawid_skene
from calibration.result import Undefined

# Dawid and Skene (1979), table 1: 45 patients, five anaesthetists, the first of whom saw every form three times
# (as reprinted with D. Card's implementation, MIT).
ANAESTHETISTS = """
111 1 1 1 1; 333 4 3 3 4; 112 2 1 2 2; 222 3 1 2 1; 222 3 2 2 2; 222 3 3 2 2; 122 2 1 1 1; 333 3 4 3 3; 222 2 2 2 3;
232 2 2 2 3; 444 4 4 4 4; 222 3 3 4 3; 111 1 1 1 1; 222 3 2 1 2; 121 1 1 1 1; 111 2 1 1 1; 111 1 1 1 1; 111 1 1 1 1;
222 2 2 2 1; 222 1 3 2 2; 222 2 2 2 2; 222 2 2 2 1; 222 3 2 2 2; 221 2 2 2 2; 111 1 1 1 1; 111 1 1 1 1; 232 2 2 2 2;
111 1 1 1 1; 111 1 1 1 1; 112 1 1 2 1; 111 1 1 1 1; 333 3 2 3 3; 111 1 1 1 1; 222 2 2 2 2; 222 3 2 3 2; 433 4 3 4 3;
221 2 2 3 2; 232 3 2 3 3; 333 3 4 3 2; 111 1 1 1 1; 111 1 1 1 1; 121 2 1 1 1; 232 2 2 2 2; 121 1 1 1 1; 222 2 2 2 2
"""


def answers(table):
    """Turn 'a rater per word, a repeated answer per letter, an item per semicolon' into three arrays, labels from 1."""
    rows = [
        (item, rater, int(label) - 1)
        for item, line in enumerate(table.split(";"))
        for rater, word in enumerate(line.split())
        for label in word
        if label != "-"
    ]
    return np.array(rows).T


@pytest.mark.parametrize("smoothing", [0, 0.01])
def test_the_anaesthetists_have_the_shares_of_the_paper(smoothing):
    found = dawid_skene(*answers(ANAESTHETISTS), classes=4, smoothing=smoothing)

    assert found.converged
    assert np.round(found.shares, 2).tolist() == [0.40, 0.42, 0.11, 0.07]  # published with the model
    assert found.answers.tolist() == [135, 45, 45, 45, 45]


def test_an_xray_study_has_the_published_latent_classes():
    # C. M. Dayton, "Latent class scaling analysis" (1998), table 3.2, pleural thickening: 3 readers, 1,692 films;
    # LEM's output (UCLA, LEM textbook examples): shares .9455 .0545, log-likelihood -891.14280 and the readers' rates.
    patterns = {"000": 1513, "001": 23, "010": 59, "011": 12, "100": 21, "101": 19, "110": 11, "111": 34}
    films = np.repeat([[int(label) for label in pattern] for pattern in patterns], list(patterns.values()), axis=0)
    item, rater = np.indices(films.shape)

    found = dawid_skene(item.ravel(), rater.ravel(), films.ravel(), classes=2, smoothing=0, tolerance=1e-9)

    assert found.shares == pytest.approx([0.9455, 0.0545], abs=1e-4)
    assert found.log_likelihood == pytest.approx(-891.14280, abs=1e-4)
    assert found.confusion[:, 0, 0] == pytest.approx([0.9900, 0.9646, 0.9891], abs=2e-4)
    assert found.confusion[:, 1, 1] == pytest.approx([0.7490, 0.6434, 0.7650], abs=2e-4)


def test_one_step_is_the_published_one_with_a_missing_answer():
    # crowd-kit, tests/aggregation/test_ds_aggregation.py, test_dawid_skene_step_by_step: iterations 0 and 1.
    found = dawid_skene(
        *answers("1 2 - 2 1; 2 2 2 1 1; 2 1 1 2 1; 2 2 2 2 2; 2 1 1 1 1"), classes=2, smoothing=0, most_iterations=1
    )

    assert not found.converged
    assert found.shares == pytest.approx([0.46, 0.54], abs=0.005)
    assert found.confusion[:, 0, 0] == pytest.approx([0.22, 0.61, 0.78, 0.52, 1.00], abs=0.006)
    assert found.confusion[:, 1, 1] == pytest.approx([0.81, 0.78, 0.73, 0.70, 0.37], abs=0.006)
    assert found.posteriors[:, 0] == pytest.approx([0.35, 0.26, 0.87, 0.00, 0.95], abs=0.006)


@pytest.mark.parametrize("overlap", [3, 300])
def test_raters_who_cancel_out_leave_a_third_and_two_thirds(overlap):
    # crowd-kit, test_dawid_skene_overlap: 300 likelihoods multiplied must not underflow.
    item, rater = np.tile(np.arange(3), overlap), np.repeat(np.arange(overlap), 3)

    found = dawid_skene(item, rater, ((rater - item) % 3 > 0).astype(int), classes=2, smoothing=0)

    assert found.posteriors == pytest.approx(np.tile([1 / 3, 2 / 3], (3, 1)))


def test_a_rater_who_always_says_the_opposite_is_believed_the_other_way_round():
    # Exact: raters 0 to 2 are always right, rater 3 always wrong; the maximum likelihood is 1/2 per item, 0 errors.
    item, rater = np.repeat(np.arange(6), 4), np.tile(np.arange(4), 6)
    label = np.where(rater == 3, 1 - item % 2, item % 2)

    found = dawid_skene(item, rater, label, classes=2, smoothing=0, tolerance=1e-12)

    assert found.confusion[3] == pytest.approx(np.array([[0, 1], [1, 0]]))
    assert found.log_likelihood == pytest.approx(6 * np.log(0.5))


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        (([], [], []), "3 raters are needed .* not 0"),
        (([0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]), "3 raters are needed .* not 2: use adjudication"),
        (([0, 0, 0], [0, 1, 2], [1, 1, 1]), "the same class"),
    ],
)
def test_too_few_raters_or_one_class_are_undefined(arrays, reason):
    found = dawid_skene(*arrays, classes=2)

    assert isinstance(found, Undefined)
    assert re.search(reason, found.reason)


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="smoothing must be 0 or more"):
        dawid_skene([0], [0], [0], classes=2, smoothing=-1)


def test_a_rater_and_an_item_without_answers_change_nothing():
    item, rater, label = answers(ANAESTHETISTS)
    plain = dawid_skene(item, rater, label, classes=4)
    spaced = dawid_skene(item * 2, rater * 2, label, classes=4)

    assert spaced.shares == pytest.approx(plain.shares)
    assert spaced.posteriors[::2] == pytest.approx(plain.posteriors)
    assert spaced.posteriors[1] == pytest.approx(plain.shares)  # an item nobody answered
    assert spaced.confusion[1] == pytest.approx(1 / 4)  # a rater who never answered
    assert spaced.answers.tolist()[1] == 0


sets = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3), st.integers(0, 2)), min_size=12, max_size=40)


@settings(max_examples=40)
@given(sets, st.randoms(use_true_random=False))
def test_the_order_and_the_numbers_of_items_raters_and_labels_do_not_matter(rows, random):
    item, rater, label = np.array(rows).T
    options = {"classes": 3, "smoothing": 0.1, "most_iterations": 20}
    plain = dawid_skene(item, rater, label, **options)
    order = np.array(random.sample(range(len(item)), len(item)))
    items, raters, labels = (np.array(random.sample(range(size), size)) for size in (8, 4, 3))

    moved = dawid_skene(items[item[order]], raters[rater[order]], labels[label[order]], **options)

    if isinstance(plain, Undefined):
        assert moved == plain
    else:
        assert moved.posteriors[items[item]][:, labels] == pytest.approx(plain.posteriors[item], abs=1e-6)
        assert moved.shares[labels] == pytest.approx(plain.shares, abs=1e-6)
        assert moved.confusion.sum(axis=2) == pytest.approx(1)


@settings(max_examples=40)
@given(sets)
def test_without_smoothing_the_likelihood_never_falls(rows):
    item, rater, label = np.array(rows).T
    options = {"classes": 3, "smoothing": 0, "tolerance": 0}
    steps = [dawid_skene(item, rater, label, most_iterations=most, **options) for most in (1, 2, 5, 9)]

    if not isinstance(steps[0], Undefined):
        assert np.all(np.diff([step.log_likelihood for step in steps]) >= -1e-9)


def test_raters_of_unequal_quality_are_weighed_better_than_by_majority():
    generator = np.random.default_rng(1)
    truth = generator.integers(3, size=600)
    right = generator.random((600, 5)) < [0.95, 0.9, 0.45, 0.45, 0.45]
    label = np.where(right, truth[:, None], (truth[:, None] + generator.integers(1, 3, size=(600, 5))) % 3)
    item, rater = np.indices(label.shape)

    found = dawid_skene(item.ravel(), rater.ravel(), label.ravel(), classes=3)

    majority = np.array([np.bincount(row, minlength=3) for row in label]).argmax(axis=1)
    assert np.mean(found.posteriors.argmax(axis=1) == truth) > np.mean(majority == truth) + 0.05
    assert np.diagonal(found.confusion, axis1=1, axis2=2).mean(axis=1) == pytest.approx(right.mean(axis=0), abs=0.06)
