import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from calibration.calibrators.in_the_large import InTheLarge, calibration_in_the_large, holm
from calibration.result import Undefined


@pytest.mark.parametrize(
    ("p", "right", "n", "z"),
    [  # by hand: (sum y - n p) / sqrt(n p (1 - p))
        (0.5, 60, 100, 2.0),
        (0.9, 80, 100, -10 / 3),
        (0.2, 80, 400, 0.0),
    ],
)
def test_one_segment_by_hand(p, right, n, z):
    result = calibration_in_the_large([p] * n, [1] * right + [0] * (n - right), ["mail"] * n)["mail"]

    assert (result.observed, result.expected, result.n) == pytest.approx((right, n * p, n))
    assert result.z == pytest.approx(z, abs=1e-9)
    assert result.p_value == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), abs=1e-12)


@pytest.mark.parametrize(
    ("p_values", "stated"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # R p.adjust(method = "holm"); step by step by hand
        ([0.02, 0.02], [0.04, 0.04]),
        ([0.9, 0.8], [1.0, 1.0]),
        ([], []),
    ],
)
def test_holm(p_values, stated):
    assert holm(p_values) == pytest.approx(stated)


def test_holm_agrees_with_statsmodels():
    p_values = np.random.default_rng(0).random(30) ** 3

    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_a_calibrated_map_raises_few_alarms_and_a_biased_one_is_found():
    alarms, found = 0, 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        p = generator.uniform(0.1, 0.9, 600)
        segments = np.array(["a", "b", "c"])[generator.integers(0, 3, 600)].tolist()
        labels = generator.random(600) < p
        fair = calibration_in_the_large(p, labels, segments)
        alarms += any(one.adjusted <= 0.05 for one in fair.values())
        off = np.where(np.array(segments) == "a", p * 0.7, p)
        found += calibration_in_the_large(off, labels, segments)["a"].adjusted <= 0.05

    assert alarms <= 11  # 5 % and 3 standard errors of 100 runs
    assert found >= 80


def test_too_few_and_too_certain_segments_take_no_part():
    predicted, labels = [0.5] * 40 + [0.01, 0.99], [1] * 30 + [0] * 10 + [1, 1]
    results = calibration_in_the_large(predicted, labels, ["mail"] * 40 + ["fax", "fax"])

    assert isinstance(results["fax"], Undefined)
    assert isinstance(results["mail"], InTheLarge)
    assert results["mail"].adjusted == results["mail"].p_value


def test_a_weight_is_as_many_rows_and_order_is_nothing():
    predicted, labels, segments = [0.3, 0.6, 0.5], [1, 0, 1], ["a", "b", "a"]
    weights = [20, 30, 10]
    repeated = [np.repeat(one, weights).tolist()[::-1] for one in (predicted, labels, segments)]

    ours, theirs = (
        calibration_in_the_large(predicted, labels, segments, weights=weights),
        calibration_in_the_large(*repeated),
    )

    assert [one.z for one in ours.values()] == pytest.approx([one.z for one in theirs.values()])
    assert list(ours) == ["a", "b"]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="segments must have one name for each of 1 items"):
        calibration_in_the_large([0.5], [1], [])
    with pytest.raises(ValueError, match=r"predicted\[0\] must be from 0 to 1"):
        calibration_in_the_large([1.5], [1], ["a"])
