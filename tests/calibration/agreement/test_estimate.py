"""An interval is never surer than the number of items allows."""

import numpy as np
import pytest

from calibration.agreement.estimate import alike, chance_corrected
from calibration.result import Estimate, Undefined


@pytest.mark.parametrize(("n", "low"), [(29, 0.762), (59, 0.879), (300, 0.9756)])
def test_perfect_agreement_is_bounded_by_the_exact_bound_on_other_items(n, low):
    # by hand: two categories used equally, so 1 - 2 (1 - 0.025 ** (1 / n))
    perfect = alike(1.0, 2.0, n, confidence=0.95, procedure="kappa")

    assert (perfect.value, perfect.high) == (1, 1)
    assert perfect.low == pytest.approx(low, abs=1e-3)
    assert perfect.procedure == "kappa; all items alike, so the exact bound on others"


def test_few_items_alike_say_next_to_nothing():
    assert alike(1.0, 2.0, 1, confidence=0.95, procedure="kappa").low == pytest.approx(-0.95)


def test_items_that_all_disagree_are_alike_too():
    outcome = chance_corrected(np.ones(5), np.full(5, 0.5), worst=1, confidence=0.95, procedure="kappa")

    assert isinstance(outcome, Estimate)
    assert (outcome.value, outcome.low) == (-1, -1)
    assert outcome.high > -1


def test_one_item_has_no_spread():
    outcome = chance_corrected(np.array([0.5]), np.array([0.5]), worst=1, confidence=0.95, procedure="kappa")

    assert outcome == Undefined("one item has no spread: an interval needs 2", 1, "kappa")
