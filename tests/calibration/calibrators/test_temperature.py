import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import logit

from calibration.calibrators.temperature import Temperature, fit_temperature


# Exact: where every |logit| is a, the likelihood of a share q of right signs is greatest at T = a / logit(q).
# The closed form is the textbook one-parameter maximum; worked by hand here, no published table was found.
@pytest.mark.parametrize(
    ("a", "right", "wrong"),
    [(2.0, 3, 1), (4.0, 90, 10), (0.5, 999, 1), (10.0, 51, 49), (1.0, 2, 1)],
)
def test_the_closed_form_of_a_constant_logit(a, right, wrong):
    scores = [a] * right + [-a] * wrong
    labels = [1] * (right + wrong)
    scores += [-a] * right + [a] * wrong
    labels += [0] * (right + wrong)

    assert fit_temperature(scores, labels).temperature == pytest.approx(a / logit(right / (right + wrong)), rel=1e-12)


def test_it_is_the_greatest_likelihood_of_an_independent_search():
    generator = np.random.default_rng(3)
    labels = generator.random(400) < 0.4
    scores = generator.normal(np.where(labels, 1.0, -1.0), 1.5) * 3

    def loss(inverse):
        return float(np.sum(np.logaddexp(0, inverse * scores) - labels * inverse * scores))

    searched = minimize_scalar(loss, bounds=(1e-3, 10), method="bounded", options={"xatol": 1e-12}).x
    assert 1 / fit_temperature(scores, labels).temperature == pytest.approx(searched, rel=1e-6)


def test_a_temperature_of_1_comes_back_from_calibrated_scores():
    # as scikit-learn's test_temperature_scaling: for a logistic regression on its own data the optimum is 1
    scores = np.log([1 / 3, 3.0]).repeat(4)

    assert fit_temperature(scores, [1, 0, 0, 0, 1, 1, 1, 0]).temperature == pytest.approx(1, rel=1e-12)


def test_a_temperature_is_above_0():
    with pytest.raises(ValueError, match="above 0"):
        Temperature(0.0)
