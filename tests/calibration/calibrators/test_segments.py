import numpy as np
import pytest
from scipy.special import expit
from statsmodels.stats.meta_analysis import combine_effects

from calibration.calibrators.platt import fit_platt
from calibration.calibrators.segments import SegmentMap, _variance_between, fit_segments
from calibration.result import Undefined

NAMES = ["chat", "mail", "phone", "survey"]


def world(n, seed, *, shifts=(0.0,) * 4, slopes=(1.0,) * 4):
    generator = np.random.default_rng(seed)
    group = generator.integers(0, 4, n)
    scores = generator.normal(-0.5, 1.5, n)
    p = expit(np.array(slopes)[group] * scores + np.array(shifts)[group])
    return scores, (generator.random(n) < p).astype(int), [NAMES[one] for one in group]


def test_segments_that_differ_get_their_shifts():
    fitted = fit_segments(*world(800, 0, shifts=(1.5, 0, 0, -1.5)))

    assert fitted.adopted
    assert fitted.gain > fitted.standard_error > 0
    assert fitted.map.shifts[0] > 0.7
    assert fitted.map.shifts[3] < -0.7


def test_segments_that_do_not_differ_share_one_map():
    adopted = [fit_segments(*world(400, seed)).adopted for seed in range(10)]

    assert sum(adopted) <= 2


def test_where_shifts_are_not_adopted_the_map_is_platts():
    scores, labels, segments = world(300, 1)
    fitted = fit_segments(scores, labels, segments)

    assert not fitted.adopted
    assert "one map for all" in fitted.reason
    assert fitted.map.apply(scores, segments) == pytest.approx(fit_platt(scores, labels).apply(scores))


def test_a_small_segment_is_shrunk_more_than_a_large_one():
    scores, labels, segments = world(1_000, 2, shifts=(1.5, -1.5, 0, 0))
    few = [place for place, name in enumerate(segments) if name == "chat"][5:]
    kept = np.setdiff1d(np.arange(1_000), few)
    large = fit_segments(scores, labels, segments)
    small = fit_segments(scores[kept], labels[kept], [segments[place] for place in kept])

    assert abs(small.map.shifts[0]) < abs(large.map.shifts[0])


def test_own_slopes_need_more_than_200_labels():
    slopes = (0.4, 2.0, 0.5, 2.0)
    many = fit_segments(*world(2_000, 3, shifts=(1, -1, 0.5, -0.5), slopes=slopes))
    few = fit_segments(*world(600, 3, shifts=(1, -1, 0.5, -0.5), slopes=slopes))

    assert many.map.slopes[0] < 0 < many.map.slopes[1]
    assert set(few.map.slopes) <= {0.0}


def test_an_unseen_segment_gets_the_map_of_all():
    stored = SegmentMap(2.0, 0.5, ("mail",), (1.0,), (0.5,))

    assert stored.apply([1.0, 1.0], ["mail", "fax"]) == pytest.approx(expit([4.0, 2.5]))


def test_the_order_of_the_items_changes_nothing():
    scores, labels, segments = world(300, 4, shifts=(1.5, 0, 0, -1.5))
    order = np.random.default_rng(0).permutation(300)

    first = fit_segments(scores, labels, segments)
    second = fit_segments(scores[order], labels[order], [segments[place] for place in order])

    assert first.map.shifts == pytest.approx(second.map.shifts, abs=1e-9)
    assert (first.gain, first.standard_error) == pytest.approx((second.gain, second.standard_error), abs=1e-9)


@pytest.mark.parametrize(
    ("estimates", "variances", "stated"),
    [
        # by hand: weights 1, 1; centre 1; Q = 2; (2 - 1) / (2 - 2 / 2) = 1, the variance 2 less the error 1
        ([0.0, 2.0], [1.0, 1.0], 1.0),
        # by hand: Q = 0.5 < 1
        ([0.0, 1.0], [1.0, 1.0], 0.0),
        # by hand: weights 1, 3; centre 3; Q = 12; (12 - 1) / (4 - 10 / 4) = 22 / 3
        ([0.0, 4.0], [1.0, 1 / 3], 22 / 3),
    ],
)
def test_the_variance_between_segments(estimates, variances, stated):
    assert _variance_between(np.array(estimates), 1 / np.array(variances)) == pytest.approx(stated, abs=1e-12)


def test_the_variance_between_segments_agrees_with_statsmodels():
    generator = np.random.default_rng(0)
    variances = generator.uniform(0.1, 0.5, 12)
    estimates = generator.normal(0, 1, 12)
    oracle = combine_effects(estimates, variances, method_re="chi2")

    assert _variance_between(estimates, 1 / variances) == pytest.approx(oracle.tau2, rel=1e-9)


def test_answers_that_one_score_separates_are_refused():
    refused = fit_segments([1, 2, 3, 4], [0, 0, 1, 1], ["a", "b", "a", "b"])

    assert "separates every yes from every no" in refused.reason


def test_a_segment_of_certain_scores_has_no_say_and_raises_no_warning():
    scores, labels, segments = world(400, 5, shifts=(1.5, 0, 0, -1.5))
    certain = fit_segments(np.append(scores, [900.0] * 5), np.append(labels, [1] * 5), [*segments, *["fax"] * 5])

    assert np.all(np.isfinite(certain.map.shifts))


def test_one_answer_only_is_refused():
    assert isinstance(fit_segments([1, 2, 3], [1, 1, 1], ["a", "b", "a"]), Undefined)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_segments([1, 2], [0, 1], ["a"]), "segments must have one name for each of 2 items, not 1"),
        (lambda: SegmentMap(1.0, 0.0, ("a", "a"), (0.0, 0.0), (0.0, 0.0)), "segments must differ"),
        (lambda: SegmentMap(1.0, 0.0, ("a",), (0.0,), (-1.0,)), "slope must be above 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
