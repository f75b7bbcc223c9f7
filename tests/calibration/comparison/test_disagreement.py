"""Labels on the disagreements alone say as much as labels on everything."""

import numpy as np
import pytest

from calibration.comparison.disagreement import Shadow, difference_from_disagreements
from calibration.comparison.paired import Pairs, wald
from calibration.result import Undefined


@pytest.mark.parametrize(
    ("items", "first", "second"),
    [(1600, 86, 150), (50, 12, 2), (21, 1, 7)],  # Agresti (2002); Armitage and Berry (1994); Fagerland et al. (2013)
)
def test_with_every_disagreement_labelled_it_is_the_paired_difference_without_a_label_on_agreements(
    items, first, second
):
    full = wald(Pairs(items, first, second))

    shadow = difference_from_disagreements(Shadow(items, first + second, Pairs(first + second, first, second)))

    assert (shadow.value, shadow.low, shadow.high) == pytest.approx((full.value, full.low, full.high))
    assert shadow.standard_error == pytest.approx(full.standard_error)


def test_disagreements_on_which_both_are_wrong_count_for_neither():
    change = difference_from_disagreements(Shadow(100, 20, Pairs(20, 8, 2)))

    assert change.value == pytest.approx(0.06)


def test_a_labelled_part_is_weighted_and_covers():
    generator = np.random.default_rng(3)
    true, covered, worlds = 0.06, 0, 400
    for _ in range(worlds):  # 20 % disagreements: 50 % first alone, 20 % second alone, 30 % neither
        disagreements = generator.binomial(2000, 0.2)
        kinds = generator.choice(3, p=[0.5, 0.2, 0.3], size=disagreements)[:100]
        labelled = Pairs(kinds.size, int((kinds == 0).sum()), int((kinds == 1).sum()))
        change = difference_from_disagreements(Shadow(2000, disagreements, labelled))
        covered += change.low <= true <= change.high

    assert 0.92 <= covered / worlds <= 0.98


def test_fewer_labels_widen_the_interval():
    half = difference_from_disagreements(Shadow(1000, 80, Pairs(40, 20, 10)))
    full = difference_from_disagreements(Shadow(1000, 80, Pairs(80, 40, 20)))

    assert half.value == full.value
    assert half.standard_error > full.standard_error


@pytest.mark.parametrize("labelled", [Pairs(0, 0, 0), Pairs(10, 0, 0), Pairs(1, 1, 0)])
def test_too_little_to_tell_is_undefined(labelled):
    assert isinstance(difference_from_disagreements(Shadow(100, 20, labelled)), Undefined)


def test_more_labels_than_disagreements_are_refused():
    with pytest.raises(ValueError, match="labelled <= disagreements <= items"):
        Shadow(100, 10, Pairs(11, 3, 3))


def test_where_every_item_favours_one_there_is_no_interval_of_width_0():
    shadow = Shadow(items=3, disagreements=3, labelled=Pairs(n=3, first_only=3, second_only=0))

    assert isinstance(difference_from_disagreements(shadow), Undefined)
