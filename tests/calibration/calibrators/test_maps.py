"""What every binary map keeps: the ranking, the order of the items, weights as rows, refusals instead of infinities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.calibrators.beta import fit_beta
from calibration.calibrators.isotonic import fit_isotonic
from calibration.calibrators.platt import fit_platt
from calibration.calibrators.storage import from_json, to_json
from calibration.calibrators.tally import tally
from calibration.calibrators.temperature import fit_temperature
from calibration.calibrators.venn_abers import fit_venn_abers
from calibration.result import Undefined

FITS = [fit_temperature, fit_platt, fit_beta, fit_isotonic, fit_venn_abers]
every_fit = pytest.mark.parametrize("fit", FITS)
ROWS = st.lists(
    st.tuples(st.integers(-6, 6).map(lambda halves: halves / 2), st.booleans(), st.integers(1, 3)),
    min_size=2,
    max_size=30,
)
GRID = np.linspace(-5, 5, 41)


def split(rows):
    scores, labels, weights = zip(*rows, strict=True)
    return np.array(scores), np.array(labels, dtype=float), np.array(weights)


@every_fit
@settings(max_examples=40)
@given(rows=ROWS)
def test_a_map_never_turns_the_ranking_round_and_states_no_certainty(fit, rows):
    scores, labels, _ = split(rows)

    fitted = fit(scores, labels)

    if isinstance(fitted, Undefined):
        assert fitted.reason
        assert fitted.n == len(rows)
    else:
        p = fitted.apply(GRID)
        assert np.all(np.diff(p) >= 0)
        assert np.all((p > 0) & (p < 1))


@every_fit
@settings(max_examples=25)
@given(rows=ROWS, seed=st.integers(0, 9))
def test_the_order_of_the_items_changes_no_bit(fit, rows, seed):
    scores, labels, weights = split(rows)
    order = np.random.default_rng(seed).permutation(len(rows))

    assert fit(scores, labels, weights=weights) == fit(scores[order], labels[order], weights=weights[order])


@every_fit
@settings(max_examples=25)
@given(rows=ROWS)
def test_a_weight_is_as_many_rows(fit, rows):
    scores, labels, weights = split(rows)

    assert fit(scores, labels, weights=weights) == fit(np.repeat(scores, weights), np.repeat(labels, weights))


@every_fit
@settings(max_examples=15)
@given(rows=ROWS)
def test_an_item_of_weight_0_is_not_there(fit, rows):
    scores, labels, weights = split(rows)
    weights[0] = 0

    assert fit(scores, labels, weights=weights) == fit(scores[1:], labels[1:], weights=weights[1:])


@every_fit
@settings(max_examples=15)
@given(rows=ROWS)
def test_a_stored_map_gives_the_same_bits(fit, rows):
    fitted = fit(*split(rows)[:2])

    if not isinstance(fitted, Undefined):
        assert np.array_equal(from_json(to_json(fitted)).apply(GRID), fitted.apply(GRID))


@every_fit
@pytest.mark.parametrize(
    ("scores", "labels", "word"),
    [
        ([], [], "no label"),
        ([1.0], [1], "the only label is yes"),
        ([1.0, 2.0, -1.0], [1, 1, 1], "all 3 labels are yes"),
        ([1.0, 2.0, -1.0], [0, 0, 0], "all 3 labels are no"),
        ([1.0, 2.0, -1.0, -2.0], [1, 1, 0, 0], "agrees with the sign"),  # T to 0
        ([1.0, 2.0, -1.0, -2.0], [0, 0, 1, 1], "no better than chance"),  # T to infinity
        ([1.0, 1.0, -1.0, -1.0], [0, 1, 0, 1], "no better than chance"),
        ([0.0, 0.0, 0.0], [0, 1, 0], "no better than chance"),
    ],
)
def test_what_defines_no_map_is_refused_with_a_sentence(fit, scores, labels, word):
    refused = fit(scores, labels)

    assert isinstance(refused, Undefined)
    assert word in refused.reason
    assert refused.n == len(scores)


@every_fit
def test_the_data_are_left_as_they_were(fit):
    scores, labels, weights = np.array([2.0, -1.0, 0.5, -2.0]), np.array([1.0, 1.0, 0.0, 0.0]), np.ones(4)
    before = [one.copy() for one in (scores, labels, weights)]

    fit(scores, labels, weights=weights)

    assert all(map(np.array_equal, before, (scores, labels, weights)))


@every_fit
def test_enormous_scores_raise_no_warning(fit):
    fitted = fit([800.0, -700.0, 900.0, -800.0, 750.0], [1, 1, 0, 0, 1])

    assert isinstance(fitted, Undefined) or np.all(np.isfinite(fitted.apply([-1e6, 0.0, 1e6])))


@every_fit
@pytest.mark.parametrize("weights", [[1e12, 1.0, 1.0], [1e15, 1e15, 1e15], [1e6, 1.0, 1e-6], [1e-9] * 3])
@pytest.mark.parametrize("scores", [[5.0, 5.0, 4.0], [3.6, 4.2, 7.2], [-2e-9, 0.0, 2e-9]])
def test_weights_far_apart_end_in_a_map_or_a_refusal(fit, scores, weights):
    fitted = fit(scores, [1, 0, 0], weights=weights)

    assert isinstance(fitted, Undefined) or np.all(np.isfinite(fitted.apply(GRID)))


@every_fit
@pytest.mark.parametrize(
    ("scores", "labels", "weights", "message"),
    [
        ([np.nan, 1], [0, 1], None, r"logits\[0\] must be a finite number"),
        ([0, 1], [0, 2], None, r"labels\[1\] must be 0 or 1, not 2"),
        ([0, 1], [0, 1, 1], None, "labels must have the shape"),
        ([0, 1], [0, 1], [1, -1], r"weights\[1\] must be 0 or more"),
    ],
)
def test_bad_input_is_named(fit, scores, labels, weights, message):
    with pytest.raises(ValueError, match=message):
        fit(scores, labels, weights=weights)


def test_ties_are_pooled_by_score():
    pooled = tally([1, 1, 0], [1, 0, 1], weights=[2, 1, 0])

    assert pooled.scores.tolist() == [1.0]
    assert (pooled.right.tolist(), pooled.wrong.tolist(), pooled.n) == ([2.0], [1.0], 3)
