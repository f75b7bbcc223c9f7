"""Conformal risk control: its published special cases, MAPIE's cases, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapie.risk_control.methods import find_best_predict_param, get_r_hat_plus

from calibration.thresholds.risk_control import ControlledRisk, RefusedRisk, control_risk


@pytest.mark.parametrize(("n", "target"), [(19, 0.05), (99, 0.1), (100, 0.1), (500, 0.05), (1000, 0.1)])
def test_for_misses_it_is_split_conformal_prediction(n, target):
    # Angelopoulos et al. (2022), section 1: with the 0/1 loss of a miss, conformal risk control is split conformal
    # prediction, whose quantile is the ceil((n + 1)(1 - alpha))-th smallest score (Vovk et al. 2005).
    scores = np.random.default_rng(n).permutation(n).astype(float)
    settings = np.arange(n)[::-1].astype(float)  # from a set that holds all to one that holds least
    rank = math.ceil(round((n + 1) * (1 - target), 9))

    outcome = control_risk(scores[:, None] > settings, settings, target=target)

    assert outcome.setting == np.sort(scores)[rank - 1]


@pytest.mark.parametrize(
    ("target", "largest_loss", "need"),
    [(0.05, 1.0, 19), (0.1, 1.0, 9), (0.01, 1.0, 99), (0.5, 5.0, 9)],  # B / (n + 1) <= alpha
)
def test_the_least_number_of_labels(target, largest_loss, need):
    enough = control_risk(np.zeros((need, 2)), [0, 1], target=target, largest_loss=largest_loss)
    short = control_risk(np.zeros((need - 1, 2)), [0, 1], target=target, largest_loss=largest_loss)

    assert isinstance(enough, ControlledRisk)
    assert enough.column == 1
    assert isinstance(short, RefusedRisk)
    assert (short.have, short.need) == (need - 1, need)


def test_no_label_at_all_is_refused():
    assert control_risk(np.empty((0, 2)), [0, 1], target=0.05).need == 19


@pytest.mark.parametrize(
    ("risks", "target", "setting"),
    [
        # MAPIE 1.6, test_multi_label_classification_control.py, find_best_predict_param for increasing risks; the
        # corrected risks there are taken as given, so n is large enough here for the correction to vanish.
        ([0.05, 0.1, 0.2, 0.3, 0.4, 0.6], 0.15, 0.3),
        ([0.05, 0.1, 0.2, 0.3, 0.4, 0.6], 0.45, 0.9),
    ],
)
def test_mapies_choice(risks, target, setting):
    losses = np.tile(risks, (10_000, 1))

    assert control_risk(losses, [0.1, 0.3, 0.5, 0.7, 0.9, 1.0], target=target).setting == setting


@pytest.mark.parametrize("seed", range(10))
def test_the_corrected_risk_and_the_choice_are_mapies(seed):
    generator = np.random.default_rng(seed)
    losses = np.sort(generator.random((80, 12)), axis=1)
    settings = np.linspace(0, 1, 12)
    _, corrected = get_r_hat_plus(losses, settings, "crc", None, None, None)

    outcome = control_risk(losses, settings, target=0.4)

    assert outcome.bound == pytest.approx(corrected[outcome.column])
    assert outcome.setting == find_best_predict_param(settings, corrected, np.array([0.4]))[0]


def test_where_mapie_returns_an_extreme_setting_with_a_warning_it_refuses():
    # MAPIE 1.6, test_warning_no_valid_param: all risks are 1.
    outcome = control_risk(np.ones((100, 6)), [0.1, 0.3, 0.5, 0.7, 0.9, 1.0], target=0.15)

    assert isinstance(outcome, RefusedRisk)
    assert "costs 1 on average" in outcome.reason


@pytest.mark.parametrize(
    ("losses", "options", "message"),
    [
        ([[1, 0]], {}, "may only grow"),
        ([[0, 2]], {}, "from 0 to 1"),
        ([[-1, 0]], {}, "from 0 to 1"),
        ([[0, 1, 1]], {}, "shape"),
        ([[0, 1]], {"target": 1.0}, "target must lie"),
        ([[0, 1]], {"largest_loss": 0.0}, "largest_loss"),
    ],
)
def test_bad_input_is_refused(losses, options, message):
    with pytest.raises(ValueError, match=message):
        control_risk(losses, [0, 1], **({"target": 0.1} | options))


def test_no_setting_is_refused():
    with pytest.raises(ValueError, match="at least one column"):
        control_risk(np.empty((3, 0)), [], target=0.1)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(0, 999), st.floats(0.05, 0.6))
def test_order_changes_nothing_and_a_stricter_target_is_never_bolder(n, seed, target):
    generator = np.random.default_rng(seed)
    losses = np.sort(generator.random((n, 5)), axis=1) * generator.random((n, 1))
    outcome = control_risk(losses, np.arange(5), target=target)
    shuffled = control_risk(generator.permutation(losses), np.arange(5), target=target)
    stricter = control_risk(losses, np.arange(5), target=target / 2)

    assert column(outcome) == column(shuffled) >= column(stricter)


def column(outcome):
    return outcome.column if isinstance(outcome, ControlledRisk) else -1
