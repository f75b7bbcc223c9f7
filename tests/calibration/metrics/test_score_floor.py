"""The floor of proper scores: exact expectations, and its place beside a measured score."""

import math

import numpy as np
import pytest

from calibration.metrics.proper_scores import brier_losses, brier_score, log_loss, log_losses
from calibration.metrics.score_floor import score_floor
from calibration.result import Undefined


@pytest.mark.parametrize(
    ("losses", "probability", "mean"),
    [
        # by hand: the variance and the entropy of the outcome
        pytest.param(brier_losses, [0.5] * 400, 0.25, id="Brier, a coin never varies"),
        pytest.param(brier_losses, [0.9] * 400, 0.09, id="Brier"),
        pytest.param(log_losses, [0.5] * 400, math.log(2), id="log loss of a coin"),
        pytest.param(log_losses, [0.9] * 400, 0.9 * -math.log(0.9) + 0.1 * -math.log(0.1), id="log loss"),
        pytest.param(brier_losses, [[0.5, 0.3, 0.2]] * 400, 1 - 0.25 - 0.09 - 0.04, id="three classes"),
        pytest.param(log_losses, [0.0, 1.0], 0.0, id="certain"),
    ],
)
def test_the_mean_is_the_expected_score_of_honest_probabilities(losses, probability, mean):
    floor = score_floor(losses, probability, draws=500)

    assert floor.mean == pytest.approx(mean, abs=0.004)
    assert floor.high >= floor.mean - 1e-12


def test_honest_scores_stay_under_it_and_boastful_ones_do_not():
    generator = np.random.default_rng(1)
    truth = generator.random(500)
    outcome = generator.random(500) < truth
    boastful = np.where(truth > 0.5, 0.98, 0.02)

    for losses, score in ((log_losses, log_loss), (brier_losses, brier_score)):
        assert score(outcome, truth, draws=5).value <= score_floor(losses, truth, draws=200).high
        assert score(outcome, boastful, draws=5).value > score_floor(losses, boastful, draws=200).high


def test_weights_are_repeated_rows_in_the_mean_and_nothing_is_undefined():
    weighted = score_floor(brier_losses, [0.2, 0.6], weights=[3, 1], draws=4000)

    assert weighted.mean == pytest.approx((3 * 0.16 + 0.24) / 4, abs=0.01)
    assert isinstance(score_floor(brier_losses, [0.5], weights=[0]), Undefined)
    assert isinstance(score_floor(log_losses, []), Undefined)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"probability\[0\] must be from 0 to 1"):
        score_floor(log_losses, [1.5])
