"""LURE: unbiased whatever chose the items, by full enumeration of tiny pools."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.result import Undefined
from calibration.sampling.active_testing import active_risk, lure_weights


def expected(losses, scores, chosen):
    """The mean of the naive and of the LURE estimate over every order in which items can be acquired."""
    naive = weighted = 0.0
    for order in itertools.permutations(range(len(losses)), chosen):
        q, left = [], sum(scores)
        for item in order:
            q.append(scores[item] / left)
            left -= scores[item]
        loss = np.array([losses[item] for item in order])
        naive += np.prod(q) * loss.mean()
        weighted += np.prod(q) * (lure_weights(np.minimum(q, 1), len(losses)) @ loss) / chosen
    return naive, weighted


def test_the_worked_example_naive_44_truth_25():
    # one item of four is wrong and is 4.6 times as likely to be looked at; derived by hand, all 12 orders enumerated
    naive, weighted = expected([1, 0, 0, 0], [4.6, 1, 1, 1], 2)

    assert naive == pytest.approx(0.44, abs=0.001)
    assert weighted == pytest.approx(0.25)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.05, 5)), min_size=2, max_size=5),
    st.integers(min_value=1, max_value=5),
)
def test_it_is_unbiased_whatever_chose_the_items(pool, chosen):
    losses, scores = zip(*pool, strict=True)

    assert expected(losses, scores, min(chosen, len(pool)))[1] == pytest.approx(np.mean(losses), abs=1e-7)


def test_the_weights_by_hand():
    # N = 4, M = 2: v_1 = 1 + 2/3 (1 / (4 * 0.5) - 1), v_2 = 1 + 2/2 (1 / (3 * 0.5) - 1)
    assert lure_weights([0.5, 0.5], 4) == pytest.approx([2 / 3, 2 / 3])
    assert lure_weights([1 / 4, 1 / 3], 4) == pytest.approx([1, 1])  # a uniform choice needs no weights
    assert lure_weights([0.1, 0.2], 2).tolist() == [1, 1]  # the whole pool was labelled
    assert lure_weights([0.01], 5) == pytest.approx([20])  # M = 1: plain importance weight 1 / (N q)


def test_a_uniform_choice_gives_the_plain_mean_with_the_correction():
    losses = [0, 1, 1, 0, 1]
    answer = active_risk(losses, [1 / (20 - m) for m in range(5)], 20)

    assert answer.value == pytest.approx(0.6)
    assert answer.standard_error == pytest.approx(np.sqrt((1 - 5 / 20) * np.var(losses, ddof=1) / 5))
    whole = active_risk([0, 1], [0.5, 1.0], 2)
    assert (whole.low, whole.value, whole.high) == (0.5, 0.5, 0.5)


def test_what_cannot_be_estimated_is_undefined_or_refused():
    assert isinstance(active_risk([1], [0.5], 4), Undefined)
    assert isinstance(active_risk([0, 0, 0], [0.1, 0.1, 0.1], 10), Undefined)
    assert isinstance(active_risk([], [], 0), Undefined)
    with pytest.raises(ValueError, match=r"acquisition\[1\] must be above 0"):
        lure_weights([0.5, 0.0], 4)
    with pytest.raises(ValueError, match="the pool held 1 items"):
        lure_weights([0.5, 0.5], 1)
