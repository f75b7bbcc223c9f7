"""The verdict on a margin said beforehand."""

import numpy as np
import pytest

from calibration.comparison.non_inferiority import Verdict, non_inferiority
from calibration.comparison.paired import Pairs, tango
from calibration.result import Undefined


@pytest.mark.parametrize(
    ("counted", "margin", "verdict"),
    [
        (Pairs(1600, 150, 86), 0.02, Verdict.SUPERIOR),  # Agresti (2002): the change is 0.04, 95 % 0.02 to 0.06
        (Pairs(1600, 86, 150), 0.02, Verdict.INFERIOR),
        (Pairs(1600, 86, 150), 0.06, Verdict.NON_INFERIOR),
        (Pairs(618, 28, 25), 0.05, Verdict.NON_INFERIOR),  # 90 % -0.0148 to 0.0247 (R PropCIs scoreci.mp)
        (Pairs(618, 28, 25), 0.0149, Verdict.NON_INFERIOR),
        (Pairs(618, 28, 25), 0.0147, Verdict.INCONCLUSIVE),
        (Pairs(21, 1, 7), 0.1, Verdict.INCONCLUSIVE),  # ratesci: 95 % -0.517 to -0.026
        (Pairs(200, 0, 0), 0.02, Verdict.NON_INFERIOR),  # 2.706 / 202.7 = 0.0133
        (Pairs(50, 0, 0), 0.02, Verdict.INCONCLUSIVE),
    ],
)
def test_the_verdict_is_read_off_the_published_interval(counted, margin, verdict):
    assert non_inferiority(counted, margin=margin).verdict is verdict


def test_the_labels_missing_for_identical_versions_are_those_of_the_closed_form():
    # z^2 / (n + z^2) < margin where n > z^2 (1 - margin) / margin = 2.7055 * 49 = 132.6
    assert non_inferiority(Pairs(50, 0, 0), margin=0.02).missing == 133 - 50


def test_so_many_more_labels_of_the_same_kind_decide_it():
    counted = Pairs(100, 6, 6)
    missing = non_inferiority(counted, margin=0.03).missing
    times = (100 + missing) / 100

    assert times > 1
    grown = Pairs(round(100 * times) + 30, round(6 * times), round(6 * times))
    assert non_inferiority(grown, margin=0.03).verdict is Verdict.NON_INFERIOR


def test_where_the_candidate_looks_worse_than_the_margin_no_number_is_promised():
    assert non_inferiority(Pairs(100, 3, 9), margin=0.05).missing is None


def test_the_interval_is_one_sided_at_alpha():
    decided = non_inferiority(Pairs(300, 9, 14), margin=0.05, alpha=0.025)

    assert decided.difference == tango(Pairs(300, 9, 14), confidence=0.95)


def test_a_candidate_worse_by_just_the_margin_passes_in_about_alpha_of_the_worlds():
    generator = np.random.default_rng(5)
    drawn = generator.multinomial(300, [0.08, 0.13, 0.79], size=1500)

    passed = [
        non_inferiority(Pairs(300, int(first), int(second)), margin=0.05).verdict is not Verdict.INCONCLUSIVE
        and first - second > -15
        for first, second, _ in drawn
    ]

    assert np.mean(passed) <= 0.05 + 3 * (0.05 * 0.95 / 1500) ** 0.5


def test_no_label_is_undefined_and_wrong_figures_are_refused():
    assert isinstance(non_inferiority(Pairs(0, 0, 0), margin=0.1), Undefined)
    with pytest.raises(ValueError, match="margin must lie strictly between 0 and 1"):
        non_inferiority(Pairs(9, 1, 1), margin=0)
    with pytest.raises(ValueError, match=r"alpha must lie strictly between 0 and 0\.5"):
        non_inferiority(Pairs(9, 1, 1), margin=0.1, alpha=0.5)


def test_one_item_that_only_the_candidate_has_right_decides_nothing():
    judged = non_inferiority(Pairs(n=1, first_only=1, second_only=0), margin=0.05)

    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.difference.low < 0
    assert judged.missing >= 1
