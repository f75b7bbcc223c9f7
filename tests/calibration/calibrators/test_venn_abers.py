from fractions import Fraction

import numpy as np
import pytest
import venn_abers
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from calibration.calibrators.venn_abers import fit_venn_abers
from calibration.result import Undefined


@pytest.mark.parametrize(
    ("score", "p0", "p1"),
    [  # by hand from the definition (Vovk and Petej 2014): labels 0 1 0 1 at -1 0 1 2, the score added as 0 and as 1;
        # no table of numbers is published there
        (-2.0, Fraction(0), Fraction(1, 2)),  # below all: 0 alone; 1 0 | 1 0 | 1 pools to 1/2
        (0.0, Fraction(1, 3), Fraction(2, 3)),  # a tie: (1, 0) and the 0 above pool to 1/3; (1, 1, 0) to 2/3
        (0.5, Fraction(1, 3), Fraction(2, 3)),
        (1.0, Fraction(1, 3), Fraction(2, 3)),
        (3.0, Fraction(1, 2), Fraction(1)),  # above all: 1 0 and then 1 0 pool to 1/2; 1 alone
    ],
)
def test_the_definition_by_hand(score, p0, p1):
    low, high = fit_venn_abers([-1, 0, 1, 2], [0, 1, 0, 1]).interval([score])

    assert (low[0], high[0]) == pytest.approx((float(p0), float(p1)), abs=1e-12)


@settings(max_examples=40)
@given(
    rows=st.lists(st.tuples(st.integers(-4, 4), st.integers(0, 1), st.integers(1, 3)), min_size=3, max_size=25),
)
def test_it_is_isotonic_regression_with_the_score_added(rows):
    scores, labels, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    fitted = fit_venn_abers(scores, labels, weights=weights)
    if isinstance(fitted, Undefined):
        return
    grid = np.arange(-5, 5.5, 0.5)
    for added, ours in enumerate(fitted.interval(grid)):
        by_definition = [
            IsotonicRegression()
            .fit(np.append(scores, score), np.append(labels, added), sample_weight=np.append(weights, 1))
            .predict([score])[0]
            for score in grid
        ]
        assert ours == pytest.approx(by_definition, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_the_venn_abers_package(seed):
    generator = np.random.default_rng(seed)
    labels = (generator.random(200) < 0.4).astype(int)
    p = np.round(1 / (1 + np.exp(-generator.normal(2 * labels - 1, 1.5))), 2)
    test = np.round(generator.random(300), 2)
    oracle = venn_abers.VennAbers()
    with np.errstate(all="ignore"):
        oracle.fit(np.column_stack([1 - p, p]), labels)
        theirs, pair = oracle.predict_proba(np.column_stack([1 - test, test]))

    fitted = fit_venn_abers(p, labels)  # any rising score will do

    assert np.column_stack(fitted.interval(test)) == pytest.approx(pair, abs=1e-9)
    assert fitted.apply(test) == pytest.approx(theirs[:, 1], abs=1e-9)


def test_the_interval_narrows_with_labels_and_never_closes():
    widths = []
    for n in (50, 500, 5_000):
        generator = np.random.default_rng(n)
        labels = (generator.random(n) < 0.5).astype(int)
        low, high = fit_venn_abers(generator.normal(2 * labels - 1, 1.5), labels).interval(np.linspace(-1, 1, 21))
        assert np.all(low < high)
        widths.append(float(np.mean(high - low)))

    assert widths[0] > widths[1] > widths[2] > 0
