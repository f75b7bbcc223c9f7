"""Both alarms together: the stated rate, and how soon a fall is found."""

import numpy as np
import pytest

from calibration.monitoring.audit_alarm import audit_alarm

WEEKS = 52


def weeks_of_alarm(error, runs, seed, before=None, good_weeks=26):
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        wrong = draw.binomial(40, error, WEEKS)
        if before is not None:
            wrong[:good_weeks] = draw.binomial(40, before, good_weeks)
        found.append(audit_alarm(wrong, [40] * WEEKS, 0.90).alarm_week or 999)
    return np.array(found)


def test_in_good_years_at_most_one_in_twenty_is_disturbed():
    assert (weeks_of_alarm(0.05, 300, 1) <= WEEKS).mean() <= 0.01  # 0.0000 of 4 000 simulated
    assert (weeks_of_alarm(0.10, 600, 2) <= WEEKS).mean() <= 0.05  # 0.015 of 10 000: exactly at the promise


def test_a_fall_from_95_to_80_is_found_within_five_weeks_in_the_median():
    week = weeks_of_alarm(0.20, 400, 3, before=0.05)

    assert np.median(week[week > 26] - 26) <= 5


def test_a_promise_broken_from_the_start_is_found_in_three_weeks():
    assert np.median(weeks_of_alarm(0.20, 200, 4)) <= 4


def test_either_alarm_counts_and_its_rate_is_stated():
    fell = audit_alarm([2] * 20 + [9, 9, 9, 9], [40] * 24, 0.90)
    never_good = audit_alarm([16, 12], [40, 40], 0.90)

    assert fell.broken.alarm_week is None
    assert fell.alarm_week == fell.change.alarm_week
    assert fell.level == never_good.level == "alarm"
    assert fell.sentence.startswith("Precision fell")
    assert never_good.sentence.startswith("The promise is broken")
    assert "5 of 100 good spells of 52 weeks" in fell.sentence
    assert fell.broken.alpha == 0.025
    assert fell.weeks_to_false_alarm == 2 * 52 / 0.05


def test_a_quiet_audit_is_quiet():
    audit = audit_alarm([2, 1, 3], [40, 40, 40], 0.90)

    assert (audit.level, audit.alarm_week) == ("quiet", None)


def test_the_guarantee_is_not_stretched_beyond_its_horizon():
    with pytest.raises(ValueError, match="beyond the horizon of 52"):
        audit_alarm([1] * 53, [40] * 53, 0.90)
    with pytest.raises(ValueError, match="horizon must be"):
        audit_alarm([], [], 0.90, horizon=0)
