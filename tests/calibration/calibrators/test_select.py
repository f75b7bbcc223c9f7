import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from calibration.calibrators.beta import fit_beta
from calibration.calibrators.folds import paired_gain, stratified_folds
from calibration.calibrators.isotonic import fit_isotonic
from calibration.calibrators.platt import Platt, fit_platt
from calibration.calibrators.select import select_class_map, select_map
from calibration.calibrators.temperature import fit_temperature
from calibration.calibrators.venn_abers import fit_venn_abers
from calibration.result import Undefined

DISTORTIONS = {
    "calibrated": lambda true: true,
    "overconfident": lambda true: 2 * true,
    "shifted": lambda true: true + 1,
    "curved": lambda true: np.where(true > 0, 2.5 * true, 0.8 * true) + 0.3,
}


def world(n, seed):
    """Two-normal logits and 25 % positives, as the note's table: the true logits and the labels."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(n) < 0.25).astype(int)
    return 2 * generator.normal(2 * labels - 1, 1.0) + math.log(1 / 3), labels


def excess(fit, distort, n, runs=12):
    """Mean log loss above that of the truth on far more items."""
    true, _ = world(20_000, 999)
    losses = []
    for seed in range(runs):
        scores, labels = world(n, seed)
        fitted = fit(distort(scores), labels)
        if isinstance(fitted, Undefined):
            continue
        p, truth = np.clip(fitted.apply(distort(true)), 1e-6, 1 - 1e-6), expit(true)
        losses.append(np.mean(truth * np.log(truth / p) + (1 - truth) * np.log((1 - truth) / (1 - p))))
    return float(np.mean(losses))


def test_the_order_of_the_maps_at_200_labels_is_that_of_the_measured_table():
    shifted = {fit: excess(fit, DISTORTIONS["shifted"], 200) for fit in (fit_temperature, fit_platt, fit_beta)}
    over = {
        fit: excess(fit, DISTORTIONS["overconfident"], 200)
        for fit in (fit_temperature, fit_platt, fit_beta, fit_venn_abers, fit_isotonic)
    }

    assert shifted[fit_platt] < shifted[fit_temperature] / 3
    assert shifted[fit_platt] < shifted[fit_beta]
    assert list(over) == sorted(over, key=over.__getitem__)  # temperature, Platt, beta, Venn-Abers, isotonic last


@pytest.mark.parametrize(
    ("n", "distortion", "names"),
    [
        (200, "shifted", {"Platt on logits"}),
        (1_500, "overconfident", {"temperature", "Platt on logits"}),
        (1_500, "curved", {"beta", "Venn-Abers"}),
        (4_000, "shifted", {"Platt on logits"}),
        (4_000, "calibrated", {"identity", "temperature", "Platt on logits"}),
    ],
)
def test_it_chooses_a_richer_map_only_where_it_is_needed(n, distortion, names):
    scores, labels = world(n, 1)

    chosen = select_map(DISTORTIONS[distortion](scores), labels)

    assert chosen.name in names


@pytest.mark.parametrize(
    ("n", "allowed"),
    [
        (49, {"identity"}),
        (400, {"Platt on logits", "identity", "temperature"}),
        (1_000, {"Platt on logits", "identity", "temperature"}),
        (1_200, {"Platt on logits", "identity", "temperature", "beta", "Venn-Abers"}),
        (3_000, {"Platt on logits", "identity", "temperature", "beta", "Venn-Abers", "isotonic"}),
    ],
)
def test_the_number_of_labels_opens_the_rungs(n, allowed):
    scores, labels = world(n, 2)

    chosen = select_map(scores, labels)

    assert {one.name for one in chosen.candidates if one.refused is None} == allowed
    assert len(chosen.candidates) == 6
    assert all(one.log_loss is not None for one in chosen.candidates if one.refused is None)


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        ([1] * 10 + [0] * 39, "only 49 labels"),
        ([1] * 9 + [0] * 91, "only 9 labels of the rarer"),
        ([], "only 0"),
    ],
)
def test_too_few_labels_leave_the_score_as_it_is_and_say_so(labels, word):
    chosen = select_map(np.linspace(1, -1, len(labels)), labels)

    assert chosen.name == "identity"
    assert word in chosen.reason
    assert len(chosen.probabilities) == len(labels)


def test_perfect_separation_leaves_identity_and_the_reasons():
    chosen = select_map([1.0] * 50 + [-1.0] * 50, [1] * 50 + [0] * 50)

    assert chosen.name == "identity"
    assert "separates every yes from every no" in chosen.reason
    assert chosen.candidates[0].refused == chosen.reason


def test_a_separating_score_other_than_0_is_refused_too():
    # every map but beta has a finite fit here; none of them rests on a single error
    chosen = select_map(np.r_[np.linspace(0.5, 1, 60), np.linspace(1.5, 4, 40)], [0] * 60 + [1] * 40)

    assert chosen.name == "identity"
    assert "separates every yes from every no" in chosen.reason


def test_a_class_without_a_label_gets_no_bias():
    scores, labels = class_world(80, 0, (0, 0, 0))
    chosen = select_class_map(scores, np.minimum(labels, 1))

    assert chosen.candidates[0].refused == "class 2 has no label: its bias cannot be learnt"
    assert chosen.name in {"identity", "temperature"}


def test_the_probabilities_come_from_maps_that_did_not_see_the_item():
    scores, labels = world(300, 3)
    chosen = select_map(scores + 1, labels)
    fold = stratified_folds(labels, np.column_stack([np.ones(300), scores + 1]), folds=10, seed=0)

    assert isinstance(chosen.map, Platt)
    ours = fold == fold[0]
    without = fit_platt((scores + 1)[~ours], labels[~ours])
    assert np.array(chosen.probabilities)[ours] == pytest.approx(without.apply((scores + 1)[ours]), abs=1e-12)
    p = np.array(chosen.probabilities)
    stated = next(one.log_loss for one in chosen.candidates if one.name == chosen.name)
    assert stated == pytest.approx(-np.mean(np.log(np.where(labels == 1, p, 1 - p))), rel=1e-12)


@settings(max_examples=5)
@given(seed=st.integers(0, 99))
def test_the_order_of_the_items_changes_neither_choice_nor_losses(seed):
    scores, labels = world(120, seed)
    order = np.random.default_rng(seed).permutation(120)

    first, second = select_map(scores, labels), select_map(scores[order], labels[order])

    assert first.map == second.map
    assert first.reason == second.reason  # the losses of all that were tried, to four decimals
    assert np.array(first.probabilities)[order] == pytest.approx(np.array(second.probabilities), abs=1e-9)


def test_folds_are_even_seeded_and_follow_the_items():
    keys = np.random.default_rng(0).normal(size=(103, 1))
    strata = np.arange(103) % 3
    order = np.random.default_rng(1).permutation(103)

    fold = stratified_folds(strata, keys, folds=5, seed=7)

    assert np.array_equal(fold[order], stratified_folds(strata[order], keys[order], folds=5, seed=7))
    assert not np.array_equal(fold, stratified_folds(strata, keys, folds=5, seed=8))
    for stratum in range(3):
        sizes = np.bincount(fold[strata == stratum], minlength=5)
        assert sizes.max() - sizes.min() <= 1


def test_the_paired_gain_by_hand():
    # differences 1, 0, 2 with weights 1, 1, 2: mean 5/4, squares w^2 (d - 5/4)^2 = 1/16 + 25/16 + 4 * 9/16 = 62/16
    gain, error = paired_gain(np.array([2.0, 1.0, 3.0]), np.ones(3), np.array([1.0, 1.0, 2.0]))

    assert (gain, error) == pytest.approx((5 / 4, math.sqrt(62 / 16) / 4))


def class_world(n, seed, shift):
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, n, p=[0.5, 0.3, 0.2])
    scores = generator.normal(0, 1, (n, 3))
    scores[np.arange(n), labels] += 1.5
    return 1.5 * scores + np.log([0.5, 0.3, 0.2]) - np.array(shift), labels


def test_classes_get_biases_from_50_labels_and_own_scales_above_100_a_class():
    at_50 = select_class_map(*class_world(50, 0, (1.2, -0.4, -0.8)))
    at_900 = select_class_map(*class_world(900, 0, (1.2, -0.4, -0.8)))

    assert at_50.name == "temperature and class biases"
    assert [one.name for one in at_50.candidates] == ["temperature and class biases", "identity", "temperature"]
    assert [one.name for one in at_900.candidates][-1] == "vector scaling"
    assert np.array(at_900.probabilities).sum(axis=1) == pytest.approx(np.ones(900))


def test_too_few_labels_of_classes_leave_the_score_as_it_is():
    chosen = select_class_map(*class_world(49, 0, (0, 0, 0)))

    assert chosen.name == "identity"
    assert chosen.reason == "only 49 labels: at least 50 are needed"


def test_a_weight_of_0_is_no_label():
    scores, labels = world(60, 1)
    weights = np.ones(60)
    weights[:11] = 0

    assert "only 49 labels" in select_map(scores, labels, weights=weights).reason


def test_fewer_than_2_folds_are_refused():
    with pytest.raises(ValueError, match="folds must be 2 or more"):
        select_map(*world(60, 1), folds=1)
