"""The certificate of precision: published cases, the walk, its refusals and its properties."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from mapie.risk_control import BinaryClassificationController, FWERBonferroniHolm, FWERFixedSequenceTesting
from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

from calibration.binomial import p_value_at_least
from calibration.promise import Promise
from calibration.thresholds.precision import GRID, Certified, Refused, Rung, certify_precision, passed

NINETY = Promise(precision=0.90, confidence=0.95)
COARSE = np.array([0.3, 0.5, 0.7, 0.9])


def two_normals(seed, n):
    """The score model of the notes: two normal logits, a quarter positive."""
    generator = np.random.default_rng(seed)
    right = generator.random(n) < 0.25
    logits = np.where(right, 1.5, -1.5) + generator.standard_normal(n)
    return 1 / (1 + np.exp(-logits)), right


def threshold(outcome):
    """What passes: a refusal lets nothing pass."""
    return outcome.threshold if isinstance(outcome, Certified) else np.inf


def first_tested(outcome):
    return next((rung.threshold for rung in outcome.ladder if rung.outcome != "too few"), None)


@pytest.mark.parametrize(
    ("precision", "confidence", "errors", "labels"),
    [
        # Glaeser, "GRS method for uncertainty and sensitivity evaluation", NURETH-14, slide 8, as in Dakota's
        # test suite (wilks, firstorder): no error, then (its two-sided column) one.
        (0.95, 0.50, 0, 14),
        (0.95, 0.80, 0, 32),
        (0.95, 0.90, 0, 45),
        (0.95, 0.95, 0, 59),
        (0.95, 0.99, 0, 90),
        (0.95, 0.50, 1, 34),
        (0.95, 0.80, 1, 59),
        (0.95, 0.90, 1, 77),
        (0.95, 0.95, 1, 93),
        (0.95, 0.99, 1, 130),
        # The arithmetic minima of this project: BinomCDF(c; n, 1 - p) <= 0.05.
        (0.95, 0.95, 2, 124),
        (0.95, 0.95, 3, 153),
        (0.90, 0.95, 0, 29),
        (0.90, 0.95, 1, 46),
        (0.90, 0.95, 2, 61),
        (0.90, 0.95, 3, 76),
        (0.80, 0.95, 3, 37),
        (0.99, 0.95, 0, 299),
    ],
)
def test_the_least_number_of_labels_certifies_and_one_less_does_not(precision, confidence, errors, labels):
    promise = Promise(precision, confidence)

    def certify(n):
        # All labels at the only rung; the operating point above them makes the rung itself the first step.
        return certify_precision(np.ones(n), np.arange(n) >= errors, promise, grid=[0.5], operating_point=2.0)

    assert isinstance(certify(labels), Certified)
    short = certify(labels - 1)
    assert isinstance(short, Refused)
    assert (short.have, short.need) == (labels - 1, labels)
    assert short.reason_code == ("too many errors" if errors else "too few labels")


@pytest.mark.parametrize(
    ("wrong", "n", "precision", "p_value"),
    [
        # Angelopoulos et al., "Learn then Test", section 3.2: the binomial tail replaces e times it for 0/1 losses;
        # the three figures are the tail itself: 0.9^29, 0.95^59, and the 5 of 100 of the notes' comparison (.058).
        (0, 29, 0.90, 0.0471),
        (0, 59, 0.95, 0.0485),
        (5, 100, 0.90, 0.0576),
    ],
)
def test_a_rung_carries_the_exact_binomial_p_value(wrong, n, precision, p_value):
    outcome = certify_precision(np.full(n, 0.9), np.arange(n) >= wrong, Promise(precision, 0.95), grid=[0.5])

    assert outcome.ladder[0].p_value == pytest.approx(p_value, abs=5e-5)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("precision", [0.7, 0.8, 0.9])
def test_the_p_values_are_those_of_mapies_learn_then_test(seed, precision):
    ladder = certify_precision(*two_normals(seed, 500), Promise(precision, 0.95)).ladder
    rungs = [rung for rung in ladder if rung.n and rung.errors / rung.n < 1 - precision]
    risks = np.array([rung.errors / rung.n for rung in rungs]) * (1 - 1e-12)  # it rounds n * risk up

    oracle = compute_hoeffding_bentkus_p_value(risks, np.array([rung.n for rung in rungs]), 1 - precision, binary=True)

    assert [rung.p_value for rung in rungs] == pytest.approx(oracle[:, 0], rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_mapies_controller_certifies_by_holm_is_certified(seed):
    scores, right = two_normals(seed, 1500)
    grid = np.arange(30, 95, 5) / 100
    controller = BinaryClassificationController(
        lambda rows: np.column_stack([1 - rows[:, 0], rows[:, 0]]),
        risk="precision",
        target_level=0.9,
        confidence_level=0.95,
        list_predict_params=grid,
        fwer_method="bonferroni_holm",
    )
    controller.calibrate(scores[:, None], right.astype(int))

    outcome = certify_precision(scores, right, NINETY, grid=grid)

    assert len(controller.valid_predict_params)
    assert outcome.threshold <= min(controller.valid_predict_params)
    for rung, oracle in zip(outcome.ladder[::-1], controller.p_values[:, 0], strict=True):
        one_more = p_value_at_least(rung.errors + 1, rung.n, 0.9)  # what its rounding up can make of n * risk
        assert rung.p_value * (1 - 1e-9) <= oracle <= max(one_more, 0.5) * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_walk_is_mapies_fixed_sequence_from_the_first_step_on(seed):
    scores, right = two_normals(seed, 600)
    ladder = certify_precision(scores, right, NINETY).ladder
    tested = [rung for rung in ladder if rung.outcome != "too few"]

    rejected = FWERFixedSequenceTesting(n_starts=1).run(np.array([rung.p_value for rung in tested]), 0.05)

    passes = [rung.outcome in {"passed", "unseen"} for rung in tested]
    assert passes == [index in rejected for index in range(len(tested))]


@pytest.mark.parametrize("seed", range(5))
def test_it_certifies_at_least_what_holm_does_from_the_same_rungs(seed):
    scores, right = two_normals(seed, 2000)
    outcome = certify_precision(scores, right, NINETY)

    holm = FWERBonferroniHolm().run(np.array([rung.p_value for rung in outcome.ladder]), 0.05)

    assert threshold(outcome) <= min((outcome.ladder[index].threshold for index in holm), default=np.inf)


def test_the_walk_stops_at_the_first_failure_though_a_later_rung_would_pass():
    scores = np.repeat([0.95, 0.75, 0.55, 0.35], [40, 40, 40, 400])
    right = np.concatenate([np.ones(40), np.ones(30), np.zeros(10), np.ones(440)])

    outcome = certify_precision(scores, right, NINETY, grid=[0.3, 0.5, 0.7, 0.9], operating_point=0.9)

    assert [rung.outcome for rung in outcome.ladder] == ["passed", "failed", "not reached", "not reached"]
    assert (outcome.threshold, outcome.n, outcome.right) == (0.9, 40, 40)
    assert outcome.ladder[-1].p_value < 0.05


@pytest.mark.parametrize(
    ("above", "first_step"),
    [(57, 29), (58, 29), (91, 29), (92, 46), (121, 46), (122, 61), (152, 76), (1000, 76)],  # n_min(c) <= half of them
)
def test_the_first_step_survives_as_many_errors_as_half_the_labels_in_use_allow(above, first_step):
    scores = np.concatenate([np.full(above, 0.6), np.full(200, 0.4)])

    outcome = certify_precision(scores, np.ones(len(scores)), NINETY)

    assert outcome.first_step == first_step


def test_the_first_step_is_never_more_than_there_is_on_the_most_lenient_rung():
    outcome = certify_precision(
        np.repeat([0.9, 0.1], [40, 400]), np.repeat([1, 0], [40, 400]), NINETY, operating_point=0
    )

    assert (outcome.threshold, outcome.first_step) == (0.9, 29)


def test_a_first_step_that_fails_is_refused_with_what_its_errors_cost():
    outcome = certify_precision(np.full(50, 0.9), np.arange(50) >= 4, NINETY)

    assert outcome.reason_code == "too many errors"
    assert (outcome.have, outcome.need) == (50, NINETY.labels_needed(errors=4))
    assert outcome.reason.startswith("4 of 50 checked answers at or above 0.9 are wrong; 89 are needed")


@pytest.mark.parametrize("precision", [0.90, 0.95, 0.99])
def test_no_label_at_all_is_refused_with_the_arithmetic_minimum(precision):
    outcome = certify_precision([], [], Promise(precision, 0.95))

    assert (outcome.reason_code, outcome.have) == ("too few labels", 0)
    assert outcome.need == {0.90: 29, 0.95: 59, 0.99: 299}[precision]


def test_a_score_on_the_threshold_passes():
    grid = np.arange(30, 100) / 100

    assert np.array_equal(grid, GRID)
    assert certify_precision(np.full(40, 0.3), np.ones(40), NINETY).threshold == 0.3
    assert certify_precision(np.full(40, 0.57), np.ones(40), NINETY).ladder[99 - 57].n == 40


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(30, 99), max_size=40), st.data())
def test_a_look_that_tested_nothing_says_the_same_whatever_the_answers(hundredths, data):
    scores = np.array(hundredths) / 100
    answers = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))

    found = certify_precision(scores, answers, NINETY)
    other = certify_precision(scores, np.ones(len(scores)), NINETY)

    untested = [isinstance(one, Refused) and not one.tested for one in (found, other)]
    assert untested == [len(scores) < 29] * 2
    if untested[0]:
        said = [(one.reason_code, one.reason, one.threshold, one.have, one.need) for one in (found, other)]
        assert said[0] == said[1]
        assert found.reason_code == "too few labels"


def test_scores_need_not_be_probabilities():
    scores = np.linspace(-5, 5, 200)

    outcome = certify_precision(scores, scores > -1, NINETY, grid=[-2, 0, 2], operating_point=0)

    assert (outcome.threshold, outcome.n, outcome.right) == (0, 100, 100)


def test_the_inputs_stay_as_they_were():
    scores, right = two_normals(1, 100)
    before = scores.copy(), right.copy()

    certify_precision(scores, right, NINETY)

    assert np.array_equal(scores, before[0])
    assert np.array_equal(right, before[1])


@pytest.mark.parametrize(
    ("scores", "right", "grid", "message"),
    [
        ([0.5, np.nan], [1, 1], GRID, r"scores\[1\]"),
        ([0.5], [1, 1], GRID, "right must have the shape"),
        ([0.5], [2], GRID, r"right\[0\] must be 0 or 1"),
        ([0.5], [1], [], "grid must hold"),
        ([0.5], [1], [np.inf], r"grid\[0\]"),
    ],
)
def test_bad_input_is_refused_by_name(scores, right, grid, message):
    with pytest.raises(ValueError, match=message):
        certify_precision(scores, right, NINETY, grid=grid)


def test_passed_rungs_run_from_strict_to_lenient():
    outcome = certify_precision(np.linspace(0.3, 1, 300), np.ones(300), NINETY)
    thresholds = [rung.threshold for rung in passed(outcome.ladder)]

    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[-1] == outcome.threshold
    assert passed([Rung(0.5, 1, 1, 0.9, 0.05, "failed")]) == ()


worlds = st.integers(0, 300).flatmap(
    lambda n: st.tuples(
        npst.arrays(np.float64, n, elements=st.integers(0, 20).map(lambda tick: tick / 20)),
        npst.arrays(np.bool_, n, elements=st.sampled_from([True] * 19 + [False])),
    )
)
promises = st.builds(Promise, st.sampled_from([0.6, 0.8, 0.9]), st.sampled_from([0.8, 0.9, 0.95]))


@settings(max_examples=60, deadline=None)
@given(worlds, promises, st.data())
def test_one_more_error_never_loosens(world, promise, data):
    scores, right = world
    assume(right.any())
    worse = right.copy()
    worse[data.draw(st.sampled_from(list(np.flatnonzero(right))))] = False

    before = certify_precision(scores, right, promise, grid=COARSE)
    after = certify_precision(scores, worse, promise, grid=COARSE)

    assert threshold(after) >= threshold(before)


@settings(max_examples=60, deadline=None)
@given(worlds, promises)
def test_more_confidence_from_the_same_first_rung_never_loosens(world, promise):
    scores, right = world
    surer = Promise(promise.precision, (1 + promise.confidence) / 2)
    before = certify_precision(scores, right, promise, grid=COARSE)
    after = certify_precision(scores, right, surer, grid=COARSE)
    assume(first_tested(before) == first_tested(after))

    assert threshold(after) >= threshold(before)


@settings(max_examples=40, deadline=None)
@given(worlds, promises, st.integers(0, 99))
def test_neither_the_order_of_items_nor_of_the_grid_matters(world, promise, seed):
    scores, right = world
    order = np.random.default_rng(seed).permutation(len(scores))
    grid = np.random.default_rng(seed).permutation(np.repeat(COARSE, 2))

    assert certify_precision(scores[order], right[order], promise, grid=grid) == certify_precision(
        scores, right, promise, grid=COARSE
    )


@settings(max_examples=40, deadline=None)
@given(worlds, promises)
def test_answers_below_the_last_rung_looked_at_do_not_matter(world, promise):
    scores, right = world
    before = certify_precision(scores, right, promise, grid=COARSE)
    looked_at = [rung.threshold for rung in before.ladder if rung.outcome in {"passed", "failed"}]
    assume(looked_at)
    other = np.where(scores < looked_at[-1], ~right, right)

    assert threshold(certify_precision(scores, other, promise, grid=COARSE)) == threshold(before)


@settings(max_examples=40, deadline=None)
@given(worlds, promises)
def test_what_is_certified_is_certified_by_its_own_bound(world, promise):
    outcome = certify_precision(*world, promise, grid=COARSE)

    if isinstance(outcome, Certified):
        assert outcome.lower_bound >= promise.precision - 1e-9
        assert outcome.n >= promise.labels_needed()
    elif outcome.reason_code == "too few labels":
        assert outcome.have < outcome.need


@pytest.mark.parametrize("point", [float("nan"), float("inf")])
def test_an_operating_point_that_is_no_number_is_refused(point):
    with pytest.raises(ValueError, match="operating_point must be a finite number"):
        certify_precision([0.9] * 40, [1] * 40, Promise(0.9, 0.95), operating_point=point)


@pytest.mark.parametrize(
    ("n", "wrong", "reason"),
    [
        (0, 0, "0 checked answers at or above 0.3, 29 needed even if all are right"),
        (20, 3, "20 checked answers at or above 0.9, 29 needed even if all are right"),
        (1, 0, "1 checked answer at or above 0.9, 29 needed even if all are right"),
        (29, 1, "1 of 29 checked answers at or above 0.9 is wrong; 46 are needed to prove 90 % in spite of it"),
        (29, 2, "2 of 29 checked answers at or above 0.9 are wrong; 61 are needed to prove 90 % in spite of them"),
    ],
)
def test_a_refusal_is_a_sentence_for_0_for_1_and_for_many(n, wrong, reason):
    outcome = certify_precision([0.9] * n, [0] * wrong + [1] * (n - wrong), Promise(0.9, 0.95))

    assert outcome.reason == reason
