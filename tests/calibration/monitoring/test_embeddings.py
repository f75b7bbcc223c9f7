"""Embedding drift: kernel discrepancy and domain classifier."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel

from calibration.monitoring.embeddings import _area, _delong, domain_classifier, maximum_mean_discrepancy
from calibration.result import Undefined


def cloud(seed, rows=60, shift=0.0, width=4):
    return np.random.default_rng(seed).normal(size=(rows, width)) + shift


def unbiased(before, after, bandwidth):
    """Gretton et al. (2012), equation 3, term by term."""
    k = lambda x, y: math.exp(-float(((x - y) ** 2).sum()) / (2 * bandwidth**2))  # noqa: E731 (the paper's k)
    n, m = len(before), len(after)
    within = sum(k(a, b) for i, a in enumerate(before) for j, b in enumerate(before) if i != j) / (n * (n - 1))
    others = sum(k(a, b) for i, a in enumerate(after) for j, b in enumerate(after) if i != j) / (m * (m - 1))
    return within + others - 2 * sum(k(a, b) for a in before for b in after) / (n * m)


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0])
def test_the_discrepancy_is_equation_3_of_the_paper(shift):
    before, after = cloud(1, 12), cloud(2, 9, shift)

    drift = maximum_mean_discrepancy(before, after, permutations=20)

    assert drift.value == pytest.approx(unbiased(before, after, drift.bandwidth))


def test_two_points_against_two_by_hand():
    # distances 0, 0, 1, 1, 1, 1: median 1; k = exp(-1/2) across, 1 within: MMD^2 = 1 + 1 - 2 exp(-1/2)
    drift = maximum_mean_discrepancy([[0.0], [0.0]], [[1.0], [1.0]], permutations=20)

    assert drift.bandwidth == 1
    assert drift.value == pytest.approx(2 - 2 * math.exp(-0.5))


def test_an_oracle_kernel_gives_the_same_discrepancy():
    before, after = cloud(3, 30), cloud(4, 40, 0.3)
    drift = maximum_mean_discrepancy(before, after, permutations=20)
    gamma = 1 / (2 * drift.bandwidth**2)
    xx, yy, xy = rbf_kernel(before, gamma=gamma), rbf_kernel(after, gamma=gamma), rbf_kernel(before, after, gamma=gamma)

    expected = (xx.sum() - 30) / (30 * 29) + (yy.sum() - 40) / (40 * 39) - 2 * xy.mean()
    assert drift.value == pytest.approx(expected)


def test_without_drift_it_is_about_as_often_negative_as_positive_and_rarely_significant():
    runs = [maximum_mean_discrepancy(cloud(2 * i), cloud(2 * i + 1), permutations=99) for i in range(100)]

    assert 30 < sum(run.value < 0 for run in runs) < 80
    assert sum(run.significant for run in runs) <= 12  # 5 expected


def test_a_small_shift_is_found_by_both():
    before, after = cloud(5, 300), cloud(6, 300, 0.3)

    assert maximum_mean_discrepancy(before, after, permutations=99).significant
    assert domain_classifier(before, after).significant


def test_the_newest_texts_are_the_ones_that_were_put_in():
    before, after = cloud(7, 300), cloud(8, 300)
    after[[11, 77, 200]] += 25.0

    drift = domain_classifier(before, after, examples=3)

    assert set(drift.newest) == {11, 77, 200}


def test_without_drift_the_classifier_alarms_no_more_often_than_it_says():
    runs = [domain_classifier(cloud(2 * i), cloud(2 * i + 1)) for i in range(120)]

    assert {round(run.alpha, 3) for run in runs} == {0.025}
    assert sum(run.significant for run in runs) <= 7  # 3 expected; areas averaged over 5 folds raise 8 here
    assert np.mean([run.auc.value for run in runs]) == pytest.approx(0.5, abs=0.03)


def test_rows_outside_the_held_out_half_do_not_count_for_the_interval():
    drift = domain_classifier(cloud(1, 60), cloud(2, 80))

    assert drift.auc.n == 70


@pytest.mark.parametrize("seed", range(3))
def test_delong_area_is_the_oracles_with_ties(seed):
    draw = np.random.default_rng(seed)
    score, new = draw.integers(0, 5, 40).astype(float), draw.integers(0, 2, 40)

    assert _delong(score, new)[0] == pytest.approx(roc_auc_score(new, score))


def test_delong_variance_by_hand():
    # new 3, 1 against old 2, 0: placements above 1, 1/2; below 1/2, 1; variances 1/8 each, over 2 and 2
    area, above, below = _delong(np.array([3.0, 1.0, 2.0, 0.0]), np.array([1, 1, 0, 0]))

    assert area == 0.75
    assert (above, below) == pytest.approx((1 / 16, 1 / 16))


def test_the_interval_of_the_pain_scores_is_the_published_one():
    # Brunner and Munzel (2000), pain after surgery, as corrected by Neubert and Brunner (2007): example of
    # brunner.munzel.test in the R package lawstat, 95 % interval 0.5952169 to 0.9827052, estimate 0.788961
    old, new = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4]
    area = _area(np.array(old + new, dtype=float), np.repeat([0, 1], [14, 11]), 0.95, "pain scores")

    assert (area.value, area.low, area.high) == pytest.approx((0.788961, 0.5952169, 0.9827052), abs=1e-6)


def test_a_perfect_separation_keeps_an_honest_interval():
    drift = domain_classifier(cloud(0, 20), cloud(1, 20, 50.0))

    assert drift.auc.value == 1
    assert drift.auc.low == pytest.approx(0.025 ** (1 / 10))  # 10 of each side are held out


def test_large_samples_are_thinned_and_the_indices_stay_those_of_the_whole():
    before, after = cloud(9, 5_000), cloud(10, 4_000)
    after[3_000:] += 8.0

    drift = domain_classifier(before, after, most_rows=200)
    kernel = maximum_mean_discrepancy(before, after, most_rows=200, permutations=50)

    assert drift.auc.n == 200
    assert (kernel.n_reference, kernel.n_current) == (200, 200)
    assert all(one >= 3_000 for one in drift.newest)


def test_the_same_seed_gives_the_same_answer_and_nothing_is_mutated():
    before, after = cloud(1), cloud(2)
    copy = before.copy()

    assert domain_classifier(before, after, seed=5) == domain_classifier(before, after, seed=5)
    assert maximum_mean_discrepancy(before, after, seed=5) == maximum_mean_discrepancy(before, after, seed=5)
    assert (before == copy).all()


@pytest.mark.parametrize(
    "answer",
    [
        maximum_mean_discrepancy([[1.0]], [[1.0], [2.0]]),
        maximum_mean_discrepancy([[1.0]] * 5, [[1.0]] * 5),
        domain_classifier(np.ones((19, 2)), np.ones((50, 2))),
        domain_classifier(np.ones((50, 2)), np.ones((50, 2))),
    ],
)
def test_too_little_to_judge_is_undefined(answer):
    assert isinstance(answer, Undefined)


@pytest.mark.parametrize(
    "call",
    [
        lambda: maximum_mean_discrepancy([[1.0, 2.0]], [[1.0]]),
        lambda: maximum_mean_discrepancy([1.0], [1.0]),
        lambda: maximum_mean_discrepancy([[1.0]], [[1.0]], permutations=0),
        lambda: maximum_mean_discrepancy([[1.0]], [[1.0]], most_rows=1),
        lambda: domain_classifier([[1.0]], [[1.0]], examples=-1),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match="must"):
        call()
