"""Weighted estimates against published survey figures."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from calibration.result import Estimate, Undefined
from calibration.sampling.estimators import (
    effective_sample_size,
    hajek_mean,
    horvitz_thompson_total,
    ratio,
    stratified_mean,
)

# Cochran, "Sampling Techniques" (1977), table 2.3: size, weekly income and food cost of 33 families
SIZE = [2, 3, 3, 5, 4, 7, 2, 4, 2, 5, 3, 6, 4, 4, 2, 5, 3, 4, 2, 4, 2, 5, 3, 4, 7, 3, 3, 6, 2, 2, 6, 4, 2]
INCOME = [62, 62, 87, 65, 58, 92, 88, 79, 83, 62, 63, 62, 60, 75, 90, 75, 69, 83, 85, 73, 66, 58, 77, 69, 65, 77, 69]
INCOME += [95, 77, 69, 69, 67, 63]
FOOD = [14.3, 20.8, 22.7, 30.5, 41.2, 28.2, 24.2, 30, 24.2, 44.4, 13.4, 19.8, 29.4, 27.1, 22.2, 37.7, 22.6, 36, 20.6]
FOOD += [27.7, 25.9, 23.5, 39.8, 16.8, 37.8, 34.8, 28.7, 63, 19.5, 21.6, 18.2, 20.1, 20.7]

# samplics (MIT), tests/estimation/one_stage_fpc.csv and test_expansion_fpc.py; the figures are Stata's
Y = [5.54, 7.7, 11.48, 12.2, 16.7, 7.16, 2.66, 9.5, 9.5, 7.7, 13.1]
Y += [6.26, 16.7, 5.54, 8.42, 8.6, 11.3, 11.12, 12.74, 11.48, 16.52]
X = [2.8, 4, 6.1, 6.5, 9, 3.7, 1.2, 5, 5, 4, 7, 3.2, 9, 2.8, 4.4, 4.5, 6, 5.9, 6.8, 6.1, 8.9]
STRATUM = ["1"] * 5 + ["2"] * 6 + ["3"] * 10
CHANCE = np.array([1 / 3] * 11 + [1 / 5] * 10)
SHARE = np.array([5 / 15] * 5 + [6 / 9] * 6 + [10 / 20] * 10)
FIRST = np.array([1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1.0])  # its domain 1
STRATA = {"strata": STRATUM, "sampled_share": CHANCE, "fpc": SHARE}  # its weights are not those of its correction
WHOLE = {"fpc": 21 / 44}

# SAS/STAT, PROC SURVEYMEANS, "Getting started": grade and weekly spending on ice cream of 40 students
ICE = "7 7 7 7 8 12 9 10 7 1 7 10 7 3 8 20 8 19 7 2 7 2 9 15 8 16 7 6 7 6 7 6 9 15 8 17 8 14 9 8 9 8 9 7 7 3 7 12 7 4 "
ICE += "9 14 8 18 9 9 7 2 7 1 7 4 7 11 9 8 8 10 8 13 7 2 9 6 9 11 7 2 7 9"
GRADE, SPENDING = ICE.split()[::2], np.array(ICE.split()[1::2], dtype=float)


@pytest.mark.parametrize(
    ("answer", "value", "error"),
    [
        (horvitz_thompson_total(Y, CHANCE, **STRATA), 853.12, 50.8888),
        (horvitz_thompson_total(Y, CHANCE, **WHOLE), 853.12, 67.14785),
        (horvitz_thompson_total(Y * FIRST, CHANCE, **STRATA), 528.52, 80.33344),
        (hajek_mean(Y, CHANCE, **STRATA), 10.27855, 0.6131181),
        (hajek_mean(Y, CHANCE, **WHOLE), 10.27855, 0.6177327),
        (ratio(Y * FIRST, FIRST, CHANCE, **STRATA), 9.972075, 0.8437669),  # the mean of a domain
        (ratio(Y * (1 - FIRST), 1 - FIRST, CHANCE, **STRATA), 10.82, 0.6267699),
        (ratio(Y, X, CHANCE, **STRATA), 1.892038, 0.0057708),
        (ratio(Y, X, CHANCE, **WHOLE), 1.892038, 0.0058142),
        (ratio(Y * FIRST, X * FIRST, CHANCE, **STRATA), 1.895016, 0.008464),
    ],
)
def test_stata_and_samplics_give_the_same(answer, value, error):
    assert answer.value == pytest.approx(value, rel=1e-6)
    assert answer.standard_error == pytest.approx(error, rel=1e-4)
    assert (answer.low + answer.high) / 2 == pytest.approx(answer.value)


def test_food_cost_a_head_is_that_of_cochran():
    # 7.38 a head, as the sums of the table give; the error by the formula without fpc, section 2.11
    answer = ratio(FOOD, SIZE, [0.5] * 33, fpc=0)
    residual = np.array(FOOD) - answer.value * np.array(SIZE)

    assert round(answer.value, 2) == 7.38
    assert answer.standard_error == pytest.approx(np.sqrt(33 * (residual @ residual) / 32) / 123)
    assert answer.n == 33
    assert ratio(FOOD, INCOME, [0.5] * 33).value == pytest.approx(sum(FOOD) / sum(INCOME))


def test_ice_cream_a_week_is_the_plain_mean_with_the_correction():
    # SAS gives 8.75 for the simple random sample of 40 from 4000; the errors by the formulas of Cochran, 2.6 and 5.3
    simple = hajek_mean(SPENDING, [0.01] * 40)
    assert simple.value == 8.75
    assert simple.standard_error == pytest.approx(np.sqrt(0.99 * SPENDING.var(ddof=1) / 40))

    sizes = {"7": 1824, "8": 1025, "9": 1151}
    groups = {grade: SPENDING[np.array(GRADE) == grade] for grade in sizes}
    answer = stratified_mean(SPENDING, GRADE, sizes)
    assert answer.value == pytest.approx(sum(sizes[g] * one.mean() for g, one in groups.items()) / 4000)
    variance = sum(
        (sizes[g] / 4000) ** 2 * (1 - one.size / sizes[g]) * one.var(ddof=1) / one.size for g, one in groups.items()
    )
    assert answer.standard_error == pytest.approx(np.sqrt(variance))
    assert answer.n == 40


def test_the_agricultural_census_of_lohr():
    # Lohr, "Sampling: Design and Analysis", example 3.2; here each region is any sample with its published moments
    regions = {"NE": (220, 21, 97_629.8, 87_450.4), "NC": (1054, 103, 300_504.2, 172_099.3)}
    regions |= {"S": (1382, 135, 211_315.0, 231_489.7), "W": (422, 41, 662_295.5, 629_433.0)}
    values, strata = [], []
    for name, (_, n, mean, spread) in regions.items():
        shape = np.linspace(-1, 1, n)
        values += list(mean + spread * shape / shape.std(ddof=1))
        strata += [name] * n

    answer = stratified_mean(values, strata, {name: region[0] for name, region in regions.items()})

    assert answer.value == pytest.approx(295_560.8, abs=0.2)
    assert answer.standard_error == pytest.approx(16_379.87, rel=2e-5)


@pytest.mark.parametrize(
    ("weights", "worth"),
    [
        ([1] * 100, 100),  # R autumn, test-design_effect.R
        ([1, 1, 2], 8 / 3),  # by hand: 16 / 6
        ([1, 0, 0], 1),
        ([3e-200, 3e-200], 2),
        ([], 0),
        ([0, 0], 0),
    ],
)
def test_labels_are_worth_the_square_of_the_sum_over_the_sum_of_squares(weights, worth):
    assert effective_sample_size(weights) == pytest.approx(worth)


def test_thompson_chapter_6_exercise_2():
    chance = 1 - (1 - np.array([0.06, 0.20, 0.10])) ** 3

    assert chance.round(4).tolist() == [0.1694, 0.488, 0.271]
    assert horvitz_thompson_total([3, 10, 7], chance).value == pytest.approx(64.03, abs=0.005)


ITEMS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 4), st.sampled_from([0.05, 0.1, 0.5]), st.sampled_from("ab")),
    min_size=6,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(ITEMS, st.randoms(use_true_random=False))
def test_the_order_of_the_items_changes_nothing(items, random):
    def answers(rows):
        y, x, chance, strata = (list(column) for column in zip(*rows, strict=True))
        return [
            horvitz_thompson_total(y, chance, strata=strata, sampled_share=chance),
            hajek_mean(y, chance),
            ratio(y, x, chance, strata=strata, sampled_share=chance),
            stratified_mean(y, strata, {"a": 90, "b": 100}),
        ]

    mixed = random.sample(items, len(items))
    for one, other in zip(answers(items), answers(mixed), strict=True):
        assert type(one) is type(other)
        if isinstance(one, Estimate):
            assert astuple(one)[:3] == pytest.approx(astuple(other)[:3], rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(ITEMS)
def test_an_item_that_stands_for_two_counts_like_two(items):
    y, times, *_ = (np.array(column) for column in zip(*items, strict=True))
    weighted = hajek_mean(y, 1 / times, fpc=0)
    if isinstance(weighted, Undefined):
        assert np.ptp(y) == 0
        return
    assert weighted.value == pytest.approx(np.repeat(y, times).mean())
    assert weighted.value == pytest.approx(DescrStatsW(y, weights=times).mean)
    assert y.min() <= weighted.value <= y.max()
    shifted = hajek_mean(y + 7, 1 / times, fpc=0)
    assert shifted.value == pytest.approx(weighted.value + 7)
    assert shifted.standard_error == pytest.approx(weighted.standard_error)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (hajek_mean([], []), "no labelled item counts for the denominator"),
        (horvitz_thompson_total([], []), "no item was labelled"),
        (hajek_mean([1], [0.5]), "1 labelled item shows no spread"),
        (
            hajek_mean([1, 2, 3], [0.5] * 3, strata=["a", "a", "b"], sampled_share=[0.5] * 3),
            "of the stratum 'b' shows no spread",
        ),
        (horvitz_thompson_total([0, 0, 0], [0.5] * 3), "the labelled items are all alike"),
        (hajek_mean([4, 4, 4], [0.5] * 3), "the labelled items are all alike"),
        (ratio([1, 2], [0, 0], [0.5, 0.5]), "no labelled item counts for the denominator"),
        (stratified_mean([1, 2], ["a", "a"], {"a": 9, "b": 9}), "no item of the stratum 'b' was labelled"),
    ],
)
def test_what_cannot_be_estimated_is_undefined_with_the_reason(answer, reason):
    assert isinstance(answer, Undefined)
    assert reason in answer.reason


def test_a_whole_pool_has_no_error():
    assert hajek_mean([4, 4], [1, 1]).standard_error == 0
    assert horvitz_thompson_total([4, 4], [1, 1]).standard_error == 0
    assert stratified_mean([1, 2, 5], ["a", "a", "b"], {"a": 2, "b": 1}).standard_error == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hajek_mean([1, 2], [0.5, 0]), r"inclusion_probability\[1\] must be above 0"),
        (lambda: hajek_mean([1, np.nan], [0.5, 0.5]), r"values\[1\] must be a finite number"),
        (lambda: hajek_mean([1, 2], [0.5]), r"inclusion_probability must have the shape"),
        (
            lambda: hajek_mean([1, 2], [0.5, 0.5], strata=["a"], sampled_share=[0.5, 0.5]),
            "strata must be one per value",
        ),
        (lambda: hajek_mean([1, 2], [0.5, 0.5], strata=["a", "b"]), "strata and sampled_share go together"),
        (lambda: ratio([1, 2], [1, 1], [0.5, 0.5], sampled_share=[0.5, 0.5]), "strata and sampled_share go together"),
        (lambda: hajek_mean([1], [0.5], strata=["a"], sampled_share=[0]), r"sampled_share\[0\] must be above 0"),
        (lambda: hajek_mean([1, 2], [0.5, 0.5], confidence=1), "confidence must lie"),
        (lambda: stratified_mean([1, 2], ["a", "b"], {"a": 3}), "how many items the stratum 'b' holds"),
        (lambda: stratified_mean([1, 2], ["a", "a"], {"a": 1}), "fewer than were drawn"),
        (lambda: stratified_mean([1, 2], ["a"], {"a": 9}), "strata must be one per value"),
        (lambda: effective_sample_size([-1]), r"weights\[0\] must be 0 or more"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
