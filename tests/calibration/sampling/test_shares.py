"""Precision, recall and F1 from weighted samples, and the measured claim that weights are needed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, recall_score

from calibration.binomial import clopper_pearson
from calibration.result import Undefined
from calibration.sampling.design import Stratified
from calibration.sampling.draw import draw_stratified
from calibration.sampling.estimators import hajek_mean
from calibration.sampling.shares import f1, precision, recall


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 5)), min_size=4, max_size=30))
def test_scikit_learn_gives_the_same_with_sample_weights(items):
    passed, right, times = (np.array(column) for column in zip(*items, strict=True))
    for ours, theirs in ((precision, precision_score), (recall, recall_score), (f1, f1_score)):
        answer = ours(passed, right, 1 / times, fpc=0)
        if isinstance(answer, Undefined):
            assert "denominator" in answer.reason
            continue
        assert answer.value == pytest.approx(theirs(right, passed, sample_weight=times, zero_division=0))
        assert 0 <= answer.low <= answer.value <= answer.high <= 1


def test_a_simple_random_sample_has_the_textbook_error():
    # by hand: 8 of 10 passed are right, so the error is sqrt(p (1 - p) / 10) up to n / (n - 1)
    answer = precision([1] * 10 + [0] * 10, [1] * 8 + [0] * 12, [0.5] * 20, fpc=0)

    assert answer.value == 0.8
    assert answer.standard_error == pytest.approx(np.sqrt(0.16 / 10 * 20 / 19))
    assert answer.n == 10


def test_no_error_in_the_sample_does_not_prove_there_is_none():
    answer = precision([1] * 29, [1] * 29, [0.1] * 29)
    exact = clopper_pearson(29, 29)

    assert (answer.low, answer.high) == pytest.approx((exact.low, exact.high))
    assert "effective sample of 29" in answer.procedure
    none = recall([0] * 12, [1] * 12, [0.1] * 12)
    assert (none.value, none.low, none.high) == pytest.approx((0, 0, clopper_pearson(0, 12).high))
    assert precision([1, 1], [1, 1], [1, 1]).low == 1  # the whole pool was labelled


def test_nothing_passed_is_undefined():
    assert isinstance(precision([0, 0], [1, 0], [0.5, 0.5]), Undefined)
    assert isinstance(recall([1, 0], [0, 0], [0.5, 0.5]), Undefined)
    assert isinstance(f1([0, 0], [0, 0], [0.5, 0.5]), Undefined)
    with pytest.raises(ValueError, match=r"right\[1\] must be 0 or 1"):
        precision([1, 0], [1, 2], [0.5, 0.5])


def test_weights_make_recall_unbiased_and_without_them_it_is_too_high():
    # in small, what was measured at full size: unweighted too high, weighted unbiased, the 95 % interval covers ~93 %
    generator = np.random.default_rng(1)
    truth = generator.random(3000) < 0.25
    logit = generator.normal(np.where(truth, 1.125, -1.125) - np.log(3), 1.5)  # calibrated: the scores are the chances
    scores = 1 / (1 + np.exp(-logit))
    ids = [f"item {i}" for i in range(3000)]
    passed = scores >= 3 / 7
    true_recall = passed[truth].mean()
    place = {one: i for i, one in enumerate(ids)}
    design = Stratified(labels=300, edges=tuple(i / 7 for i in range(1, 7)))
    weighted, plain, covered, worlds = [], [], 0, 120
    for seed in range(worlds):
        draw = draw_stratified(ids, scores, design, seed=seed)
        rows = [place[one] for one in draw.ids]
        answer = recall(
            passed[rows],
            truth[rows],
            draw.inclusion_probability,
            strata=draw.stratum,
            sampled_share=draw.sampled_share,
        )
        weighted.append(answer.value)
        plain.append(passed[rows][truth[rows]].mean())
        covered += answer.low <= true_recall <= answer.high

    assert abs(np.mean(weighted) - true_recall) < 0.015
    assert np.mean(plain) - true_recall > 0.03
    assert 0.88 <= covered / worlds <= 0.99


def test_a_stratified_draw_given_by_its_names_has_intervals_that_are_wide_enough():
    # strata as they were drawn, weighted by chances before the draw, covered only 90 %: the weights are the shares
    generator = np.random.default_rng(0)
    scores = generator.beta(0.6, 1, size=2000)
    right = generator.random(2000) < scores
    ids = [f"item {i}" for i in range(2000)]
    place = {one: i for i, one in enumerate(ids)}
    passed, design, worlds = scores >= 0.6, Stratified(200, edges=(0.3, 0.6, 0.8)), 200
    answers = {"recall": [], "mean": []}
    for seed in range(worlds):
        draw = draw_stratified(ids, scores, design, seed=seed)
        rows = [place[one] for one in draw.ids]
        drawn = {"strata": draw.stratum, "sampled_share": draw.sampled_share}
        answers["recall"].append(recall(passed[rows], right[rows], draw.inclusion_probability, **drawn))
        answers["mean"].append(hajek_mean(right[rows], draw.inclusion_probability, **drawn))

    for name, true in (("recall", passed[right].mean()), ("mean", right.mean())):
        covered = np.mean([one.low <= true <= one.high for one in answers[name]])
        spread = np.std([one.value for one in answers[name]])
        assert 0.92 <= covered <= 0.99, name
        assert 0.92 < np.mean([one.standard_error for one in answers[name]]) / spread < 1.15, name
