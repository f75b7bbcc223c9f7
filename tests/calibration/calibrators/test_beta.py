import numpy as np
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from calibration.calibrators.beta import Beta, fit_beta
from calibration.calibrators.logits import to_logits
from calibration.calibrators.newton import fit_logistic
from calibration.result import Undefined

# betacal 1.x (M. Kull, T. Silva Filho, P. Flach; MIT), tests/test_beta_calibration.py: 40 scores and labels with the
# probabilities of its three- and two-parameter maps, here the first eight of each
SCORES = """
.43155171 .81164906 .66544901 .53177918 .15549116 .16259166 .36480309 .81877874 .94360637 .73610746 .55979712
.85662239 .38039252 .7806386 .38548359 .7468978 .26136641 .21377051 .01270956 .05394571 .51571459 .31820521
.65717799 .25428535 .45378324 .62464611 .20519146 .87777557 .11439908 .53848995 .64487573 .08061064 .46484883
.40406019 .81670188 .9357303 .40183604 .09328503 .9462795 .26967112
"""
LABELS = "0110000111011000000010000100001001110010"
THREE = [0.218699178, 0.740477707, 0.551170734, 0.356427311, 0.0129492454, 0.0147126247, 0.141868465, 0.748794431]
TWO = [0.20860378, 0.74055384, 0.49703972, 0.31416944, 0.03636798, 0.03900904, 0.15235749, 0.75283543]


def betacal():
    return np.array(SCORES.split(), dtype=float), np.array(list(LABELS), dtype=int)


def test_the_published_example_of_betacal():
    scores, labels = betacal()

    fitted = fit_beta(logit(scores), labels)

    assert fitted.apply(logit(scores[:8])) == pytest.approx(THREE, rel=2e-4)  # its optimiser stops earlier than ours


def test_the_published_two_parameter_example_of_betacal_is_a_logistic_fit():
    scores, labels = betacal()
    design = np.column_stack([logit(scores), np.ones(40)])

    slope, shift = fit_logistic(design, labels.astype(float), np.ones(40), np.zeros(2))

    assert 1 / (1 + np.exp(-slope * logit(scores[:8]) - shift)) == pytest.approx(TWO, rel=2e-4)


@pytest.mark.parametrize(
    ("score", "stated"),
    [  # betacal-rs (F. Nonato), example_model.json: a map and its values, extremes among them
        (0.01, 0.01210163034601511),
        (0.37105263157894736, 0.3833439824588306),
        (0.99, 0.9854597398264322),
        (1e-10, 1.9820038024049492e-10),
        (0.999999, 0.9999964026303759),
    ],
)
def test_a_stored_map_gives_the_published_probabilities(score, stated):
    fitted = Beta(0.9733861642778302, 0.9021746118465019, 0.07130214047002471)

    assert fitted.apply(logit([score])) == pytest.approx([stated], rel=1e-9)


@pytest.mark.parametrize("failing", ["a", "b"])
def test_an_exponent_under_0_is_held_at_0(failing):
    # Kull et al. (2017), section 4: if one coefficient is negative, the other is fitted alone
    generator = np.random.default_rng(1)
    p = generator.uniform(0.02, 0.98, 3_000)
    truth = 1 / (1 + np.exp(-2 * np.log(p) - 0.8 * np.log(1 - p) - 1.0))  # falls near 1: b = -0.8
    labels = (generator.random(3_000) < truth).astype(int)
    if failing == "a":
        p, labels = 1 - p, 1 - labels
    kept = np.log(p) if failing == "b" else -np.log(1 - p)
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(kept[:, np.newaxis], labels)

    fitted = fit_beta(logit(p), labels)

    assert getattr(fitted, failing) == 0
    assert fitted.a + fitted.b == pytest.approx(float(oracle.coef_[0, 0]), rel=1e-4)
    assert fitted.c == pytest.approx(float(oracle.intercept_[0]), rel=1e-4)


def test_scores_that_one_step_separates_are_refused():
    refused = fit_beta([1, 2, 3, 4], [0, 0, 1, 1])

    assert isinstance(refused, Undefined)
    assert "step" in refused.reason


def test_the_shuttle_example_of_logistic_regression():
    # S. Dalal, E. Fowlkes and B. Hoadley, JASA 84 (1989), 23 flights, any O-ring distressed; R's glm gives
    # 15.0429 and -0.2322 (in many courses, e.g. byui MATH 325)
    temperature = [66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58]
    distressed = [0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1]
    design = np.column_stack([np.ones(23), temperature])

    fitted = fit_logistic(design, np.array(distressed, dtype=float), np.ones(23), np.zeros(2))

    assert fitted == pytest.approx([15.0429, -0.2322], abs=5e-5)


def test_logits_of_certain_probabilities_are_finite():
    assert np.all(np.isfinite(to_logits([0.0, 1.0])))
