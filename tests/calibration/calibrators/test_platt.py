import numpy as np
import pytest
from sklearn.calibration import _SigmoidCalibration

from calibration.calibrators.platt import fit_platt


def test_the_example_of_libsvm():
    # scikit-learn, sklearn/tests/test_calibration.py, test_sigmoid_calibration: A and B by the port of LibSVM's C++
    # code, which stops early: agreement to 3 decimals there, to 5 here; probabilities to 6
    fitted = fit_platt([5, -4, 1.0], [1, 0, 0])

    assert (-fitted.slope, -fitted.intercept) == pytest.approx((-0.20261354391187855, 0.65236314980010512), abs=1e-5)
    stated = 1 / (1 + np.exp(-0.20261354391187855 * np.array([5, -4, 1.0]) + 0.65236314980010512))
    assert fitted.apply([5, -4, 1.0]) == pytest.approx(stated, abs=1.5e-6)


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    labels = (generator.random(150) < 0.3).astype(int)
    scores = generator.normal(2 * labels - 1, 1.5)
    weights = generator.integers(1, 4, 150)
    oracle = _SigmoidCalibration().fit(scores, labels, sample_weight=weights.astype(float))

    fitted = fit_platt(scores, labels, weights=weights)

    assert (-fitted.slope, -fitted.intercept) == pytest.approx((oracle.a_, oracle.b_), abs=1e-3)


def test_one_score_for_each_answer_is_fitted_exactly():
    # by hand: two distinct scores can meet both smoothed targets, (n+ + 1) / (n+ + 2) = 3/4 and 1 / (n- + 2) = 1/5
    fitted = fit_platt([2, 2, 1, 1, 1], [1, 1, 0, 0, 0])

    assert fitted.apply([2, 1]) == pytest.approx([3 / 4, 1 / 5], rel=1e-12)


def test_it_mends_a_shifted_base_rate_that_temperature_cannot():
    # by hand: the logit says 3/4 and 1/4, the truth is 1/2 and 1/10; 20 000 labels make the smoothing vanish
    scores = np.log([3.0, 1 / 3])

    fitted = fit_platt(scores.repeat(2), [1, 0, 1, 0], weights=[5_000, 5_000, 1_000, 9_000])

    assert fitted.apply(scores) == pytest.approx([0.5, 0.1], abs=1e-3)
