"""Thresholds that cost least: published cases and the brute force they must equal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.result import Undefined
from calibration.thresholds.cost import Action, Costs, ReviewBand, act_threshold, cheapest_actions, review_band


@pytest.mark.parametrize(
    ("costs", "threshold"),
    [
        # Elkan (2001), equation 2 with c00 = c11 = 0: 1/2 for equal costs.
        ({"false_alarm": 1, "miss": 1}, 1 / 2),
        # Statlog German credit, as in scikit-learn's example "Post-tuning the decision threshold for cost-sensitive
        # learning": a bad credit called good costs 5, the other mistake 1.
        ({"false_alarm": 1, "miss": 5}, 1 / 6),
        # A wrong yes at four times a wrong no: 4 / 5 (wiki of feder-cr/jev, from Elkan 2001).
        ({"false_alarm": 4, "miss": 1}, 4 / 5),
        # By hand, with a gain of 2 for a right alarm and a cost of 1 for looking away rightly: (5-1)/((5-1)+(2+2)).
        ({"false_alarm": 5, "miss": 2, "right_alarm": -2, "right_silence": 1}, 1 / 2),
        ({"false_alarm": 0, "miss": 1}, 0.0),
        ({"false_alarm": 1, "miss": 0}, 1.0),
    ],
)
def test_elkans_threshold(costs, threshold):
    assert act_threshold(**costs) == pytest.approx(threshold)


@pytest.mark.parametrize(
    "costs",
    [
        {"false_alarm": 0, "miss": 0},
        {"false_alarm": 1, "miss": 1, "right_alarm": 3},
        {"false_alarm": 1, "miss": 5, "right_silence": 2},  # Elkan, section 1.1: an unreasonable cost matrix
        {"false_alarm": 5, "miss": 1, "right_alarm": 2},
    ],
)
def test_costs_that_set_no_threshold_are_undefined(costs):
    assert isinstance(act_threshold(**costs), Undefined)


@pytest.mark.parametrize(
    ("costs", "band"),
    [
        # Chow (1970): an error costs 1, a rejection t; reject where max(p, 1 - p) < 1 - t.
        (Costs(1, 1, 0.1), ReviewBand(0.1, 0.9)),
        (Costs(1, 1, 0.25), ReviewBand(0.25, 0.75)),
        # Chow (1970): at t = 1/2 and above nothing is rejected.
        (Costs(1, 1, 0.5), ReviewBand(0.5, 0.5)),
        (Costs(1, 1, 0.7), ReviewBand(0.5, 0.5)),
        # Yao (2010), equations for alpha and beta with l_PP = l_NN = 0 and l_BP = l_BN = 1, l_PN = 5, l_NP = 4:
        # alpha = (5 - 1) / ((5 - 1) + 1) = 0.8, beta = 1 / (1 + (4 - 1)) = 0.25.
        (Costs(5, 4, 1), ReviewBand(0.25, 0.8)),
        (Costs(1, 3, 5), ReviewBand(0.25, 0.25)),  # asking never pays: Elkan's threshold
        (Costs(2, 2, 0), ReviewBand(0.0, 1.0)),  # asking is free
    ],
)
def test_the_review_band(costs, band):
    found = review_band(costs)

    assert (found.ignore_up_to, found.act_from) == pytest.approx((band.ignore_up_to, band.act_from))
    assert found.is_empty == (costs.review * (1 / costs.false_alarm + 1 / costs.miss) >= 1)


@pytest.mark.parametrize("costs", [(0, 1, 1), (1, 0, 1), (1, 1, -1), (np.inf, 1, 1), (1, 1, np.nan)])
def test_costs_that_make_no_sense_are_refused(costs):
    with pytest.raises(ValueError, match="must be a finite cost"):
        Costs(*costs)


def test_an_infinite_cost_is_refused():
    with pytest.raises(ValueError, match="finite"):
        act_threshold(false_alarm=np.inf, miss=1)


def test_a_probability_must_be_one():
    with pytest.raises(ValueError, match=r"probabilities\[1\]"):
        cheapest_actions([0.5, 1.5], Costs(1, 1, 1))


cost = st.integers(1, 20)


@settings(max_examples=100, deadline=None)
@given(cost, cost, st.integers(0, 20), st.lists(st.floats(0, 1), max_size=30))
def test_no_other_action_costs_less(false_alarm, miss, review, probabilities):
    p = np.array(probabilities)
    expected = {Action.ACT: (1 - p) * false_alarm, Action.IGNORE: p * miss, Action.REVIEW: np.full(len(p), review)}

    chosen = cheapest_actions(p, Costs(false_alarm, miss, review))

    paid = np.select([chosen == action for action in expected], list(expected.values()), default=np.nan)
    assert np.all(paid <= np.min(list(expected.values()), axis=0) + 1e-9)
