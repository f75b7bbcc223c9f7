import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from calibration.calibrators.isotonic import Isotonic, fit_isotonic, pool_adjacent_violators


@pytest.mark.parametrize(
    ("values", "weights", "stated"),
    [  # scikit-learn, sklearn/tests/test_isotonic.py
        ([3, 7, 5, 9, 8, 7, 10], None, [3, 6, 6, 8, 8, 8, 10]),  # test_isotonic_regression
        ([10, 0, 2], None, [4, 4, 4]),  # the same
        ([1, 41, 51, 1, 2, 5, 24], [1, 2, 3, 4, 5, 6, 7], [1, *[13.95] * 5, 24]),  # test_isotonic_sample_weight
        # R isotone's pituitary data, ties pooled: J. de Leeuw, K. Hornik and P. Mair, J. Stat. Software 32(5) (2009)
        ([67.5 / 3, 70 / 3, 62.5 / 3, 24.25], [3, 3, 3, 2], [22.22222, 22.22222, 22.22222, 24.25]),
    ],
)
def test_published_fits(values, weights, stated):
    fitted = pool_adjacent_violators(values, np.ones(len(values)) if weights is None else weights)

    assert fitted == pytest.approx(stated, abs=1e-5)


def test_ties_of_groups_of_other_sizes_are_pooled_first():
    # scikit-learn issue 9432, with R isotone 1.1-0: gpava(x, y, ties="secondary") gives 0 .25 .25 .25 .25 1;
    # 0 and 1 are clipped to 1 / (6 + 2) and 1 - 1 / (6 + 2)
    scores, labels = [0, 1, 1, 2, 3, 4], [0, 0, 1, 0, 0, 1]

    fitted = fit_isotonic(scores, labels)

    assert fitted.apply(scores) == pytest.approx([1 / 8, 0.25, 0.25, 0.25, 0.25, 7 / 8], abs=1e-12)


def test_it_agrees_with_scikit_learn_between_the_scores_too():
    generator = np.random.default_rng(0)
    labels = (generator.random(300) < 0.4).astype(int)
    scores = np.round(generator.normal(2 * labels - 1, 1.5), 1)
    weights = generator.integers(1, 4, 300)
    grid = np.linspace(-8, 8, 333)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(scores, labels, sample_weight=weights)
    least = 1 / (weights.sum() + 2)

    steps = oracle.X_thresholds_[(oracle.y_thresholds_ > least) & (oracle.y_thresholds_ < 1 - least)]
    inside = (grid >= steps.min()) & (grid <= steps.max())  # beside the end knots, clipping them moves the lines too

    assert fit_isotonic(scores, labels, weights=weights).apply(grid)[inside] == pytest.approx(
        np.clip(oracle.predict(grid), least, 1 - least)[inside], abs=1e-9
    )


def test_a_weight_of_0_has_no_place_in_a_fit():
    with pytest.raises(ValueError, match="above 0"):
        pool_adjacent_violators([1, 2], [1, 0])


def test_a_falling_map_is_no_map():
    with pytest.raises(ValueError, match="must not fall"):
        Isotonic((0.0, 1.0), (0.6, 0.4))
