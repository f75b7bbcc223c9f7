"""The detector of a change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.monitoring.change import change, log_shiryaev_roberts


@pytest.mark.parametrize(
    ("ratios", "path"),
    # by hand from R_w = (R_{w-1} + 1) LR_w; with LR = 1 throughout R_w = w (Shiryaev 1963)
    [([1, 1, 1, 1], [1, 2, 3, 4]), ([1, 2, 3], [1, 4, 15]), ([0.5, 0.5], [0.5, 0.75]), ([], [])],
)
def test_the_recursion_by_hand(ratios, path):
    assert np.exp(log_shiryaev_roberts(np.log(ratios))) == pytest.approx(path)


@settings(max_examples=40)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=15))
def test_it_is_the_sum_over_all_start_weeks(steps):
    totals = [sum(np.exp(sum(steps[start : week + 1])) for start in range(week + 1)) for week in range(len(steps))]

    assert np.exp(log_shiryaev_roberts(steps)) == pytest.approx(totals)


def test_the_mean_time_to_false_alarm_is_the_published_one_for_normal_data():
    # shift of one standard deviation: A exp(0.5826) (overshoot constant, D. Siegmund, "Sequential Analysis", 1985)
    draw, runs = np.random.default_rng(2), []
    for _ in range(300):
        path = log_shiryaev_roberts(draw.normal(size=1_200) - 0.5)
        runs.append(int(np.argmax(path >= np.log(56))) + 1)

    expected = 56 * np.exp(0.5826)
    assert np.mean(runs) == pytest.approx(expected, abs=4 * np.std(runs) / np.sqrt(300))


@pytest.mark.parametrize("weeks", [10, 25])
def test_the_mean_time_to_false_alarm_is_at_least_the_stated_one(weeks):
    draw, runs = np.random.default_rng(3), []
    for _ in range(200):
        fell = change(draw.binomial(40, 0.10, 400), [40] * 400, 0.90, weeks_to_false_alarm=weeks)
        runs.append(fell.alarm_week or 400)

    assert np.mean(runs) >= weeks


def test_a_fall_after_26_good_weeks_is_found_in_four_weeks():
    draw, delays, false = np.random.default_rng(4), [], 0
    for _ in range(300):
        wrong = np.concatenate([draw.binomial(40, 0.05, 26), draw.binomial(40, 0.20, 26)])
        week = change(wrong, [40] * 52, 0.90).alarm_week or 99
        false += week <= 26
        delays.append(week - 26)

    assert false <= 5  # 1.5 % in the notes
    assert np.median(delays) == pytest.approx(4, abs=1)


def test_an_empty_week_adds_one_start_and_no_evidence():
    once, gap = change([9], [40], 0.9).path, change([0, 9], [0, 40], 0.9).path

    assert gap[0] == pytest.approx(1)
    assert gap[1] == pytest.approx(2 * once[0])


def test_the_alarm_states_its_mean_time_and_week():
    fell = change([2, 2, 12, 12], [40] * 4, 0.90)

    assert fell.alarm_week == 4
    assert "week 4" in fell.sentence
    assert "once in 520 weeks" in fell.sentence


@settings(max_examples=40)
@given(st.lists(st.integers(0, 39), min_size=1, max_size=10), st.data())
def test_one_more_error_never_lowers_the_path(wrong, data):
    week = data.draw(st.integers(0, len(wrong) - 1))
    more = [k + (i == week) for i, k in enumerate(wrong)]

    before, after = (change(one, [40] * len(wrong), 0.9).path for one in (wrong, more))
    assert all(a >= b for a, b in zip(after, before, strict=True))


def test_many_bad_weeks_overflow_nothing():
    fell = change([10_000] * 50, [10_000] * 50, 0.90)

    assert np.isfinite(fell.path).all()
    assert fell.alarm_week == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: change([3], [2], 0.9),
        lambda: change([3], [9, 9], 0.9),
        lambda: change([1], [2], 0.0),
        lambda: change([1], [2], 0.9, odds_ratios=(1.0,)),
        lambda: change([1], [2], 0.9, odds_ratios=()),
        lambda: change([1], [2], 0.9, weeks_to_false_alarm=0.5),
        lambda: log_shiryaev_roberts([float("nan")]),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match="must"):
        call()
