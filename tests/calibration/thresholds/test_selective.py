"""Selection with guaranteed risk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from calibration.result import Undefined
from calibration.thresholds.selective import Selection, select_with_guaranteed_risk


@pytest.mark.parametrize(("wrong", "n"), [(0, 59), (0, 299), (5, 100)])
def test_the_bound_is_the_inverse_of_the_binomial_tail(wrong, n):
    # Geifman and El-Yaniv (2017), lemma 3.1: B* solves sum_j<=wrong C(n, j) b^j (1 - b)^(n - j) = delta.
    answer = select_with_guaranteed_risk(np.zeros(n), np.arange(n) >= wrong, risk=0.5, confidence=0.95)

    assert answer.risk == wrong / n
    steps = np.ceil(np.log2(n))
    assert binom.cdf(wrong, n, answer.highest_risk) == pytest.approx(0.05 / steps)


def test_a_faultless_model_answers_all_once_the_first_step_of_the_search_suffices():
    # By hand: 100 labels are 7 tests; the first is on the upper 51, whose bound is 1 - (0.05 / 7) ** (1 / 51) = 0.0924.
    scores = np.arange(100)

    assert select_with_guaranteed_risk(scores, np.ones(100), risk=0.0925, confidence=0.95).coverage == 1.0
    assert isinstance(select_with_guaranteed_risk(scores, np.ones(100), risk=0.0923, confidence=0.95), Undefined)


def test_the_error_rate_is_shared_among_the_steps_of_the_search():
    outcome = select_with_guaranteed_risk(np.arange(1024), np.ones(1024), risk=0.1, confidence=0.95)

    assert (outcome.coverage, outcome.procedure) == (1.0, "selection with guaranteed risk, 10 thresholds tested")
    assert outcome.highest_risk == pytest.approx(1 - 0.005 ** (1 / 1024))


@pytest.mark.parametrize("right", [[], [0], [1], np.zeros(50)])
def test_nothing_to_answer_on_is_undefined(right):
    outcome = select_with_guaranteed_risk(np.arange(len(right)), right, risk=0.1, confidence=0.95)

    assert isinstance(outcome, Undefined)
    assert outcome.n == len(right)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 300), st.integers(0, 99), st.sampled_from([0.1, 0.3]))
def test_what_is_selected_keeps_its_bound_and_order_changes_nothing(n, seed, risk):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 50, n) / 50
    right = generator.random(n) < scores
    order = generator.permutation(n)
    outcome = select_with_guaranteed_risk(scores, right, risk=risk, confidence=0.9)

    assert outcome == select_with_guaranteed_risk(scores[order], right[order], risk=risk, confidence=0.9)
    if isinstance(outcome, Selection):
        assert outcome.risk <= outcome.highest_risk <= risk
