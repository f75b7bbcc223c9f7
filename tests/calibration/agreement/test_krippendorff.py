"""Krippendorff's alpha against his own examples, NLTK's tests and the krippendorff package."""

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calibration.agreement.krippendorff import alpha_statistic, krippendorff_alpha
from calibration.agreement.ratings import label_sets
from calibration.agreement.scale import Ordinal, interval, jaccard, linear, masi, nominal, quadratic, ratio
from calibration.bootstrap import item_bootstrap
from calibration.result import Degenerate, Estimate, Undefined

NONE = np.nan
RATINGS = st.lists(st.lists(st.sampled_from([0, 1, 2, 3, NONE]), min_size=3, max_size=3), min_size=1, max_size=12).map(
    np.array
)


def point(ratings, distance):
    return alpha_statistic(ratings, distance=distance)(np.ones(len(ratings)))


@pytest.mark.parametrize(
    ("distance", "alpha"),
    # Krippendorff (2011), examples C and D
    [(nominal(5), 0.743), (Ordinal(5), 0.815), (interval(range(1, 6)), 0.849), (ratio(range(1, 6)), 0.797)],
)
def test_twelve_units_give_the_published_alphas(twelve_units, distance, alpha):
    outcome = krippendorff_alpha(twelve_units, distance=distance, draws=100)

    assert outcome.value == pytest.approx(alpha, abs=5e-4)
    assert outcome.n == 11


def test_two_observers_of_ten_units_give_the_published_alpha():
    # Krippendorff (2011), example A: 0.095
    ratings = np.column_stack([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]])

    assert point(ratings, nominal(2)) == pytest.approx(0.095, abs=5e-4)


def test_two_observers_of_twelve_articles_give_the_published_alpha():
    # Krippendorff (2011), example B: nominal data of two observers, five values: 0.692
    ratings = [["abcde".index(one) for one in pair] for pair in zip("aabbdcccedda", "babbbccceddd", strict=True)]

    assert point(ratings, nominal(5)) == pytest.approx(0.692, abs=5e-4)


def test_three_coders_with_gaps_give_the_published_alpha():
    # Wikipedia, "Krippendorff's alpha", a computational example: nominal 0.691
    coders = ["*****34121133*3", "1*213343*******", "**21344*21133*4"]
    ratings = np.array([[NONE if one == "*" else int(one) - 1 for one in coder] for coder in coders]).T

    assert point(ratings, nominal(4)) == pytest.approx(0.691, abs=5e-4)


@pytest.mark.parametrize(
    ("ratings", "alpha"),
    [
        ([[1, 0, 0], [1, 0, NONE], [NONE, NONE, 0]], -1 / 3),  # NLTK test_disagreement.py, test_easy
        ([[1, 0, 0], [1, 0, NONE]], -1 / 3),  # test_easy2: an item with one rating changes nothing
        ([[0, 0], [1, 1]], 1),  # test_easy3
        ([[0, 0, 0], [0, 0, 1]], 0),  # by hand: two thirds of the pairs agree, and as many would by chance
    ],
)
def test_small_tables_give_the_published_alpha(ratings, alpha):
    assert point(ratings, nominal(2)) == pytest.approx(alpha)


def test_six_raters_and_weights_give_the_published_alphas(thirty_patients, dialogue_acts):
    # R irrCAC, vignette "overview", krippen.alpha.dist(distrib.6raters): 0.4204384
    assert point(thirty_patients[:15], nominal(5)) == pytest.approx(0.4204384, abs=5e-8)
    # Artstein and Poesio (2008): Stat and IReq at distance 1, Chck at 0.5 of both: 0.8156
    weights = [[0, 1, 0.5], [1, 0, 0.5], [0.5, 0.5, 0]]
    assert point(dialogue_acts, weights) == pytest.approx(0.8156, abs=5e-5)


@pytest.mark.parametrize(
    ("metric", "distance"),
    [
        ("nominal", nominal(4)),
        ("ordinal", Ordinal(4)),
        ("interval", interval(range(1, 5))),
        ("ratio", ratio(range(1, 5))),
    ],
)
@given(RATINGS)
@settings(max_examples=30)
def test_the_value_is_that_of_the_krippendorff_package(metric, distance, ratings):
    paired = ratings[(~np.isnan(ratings)).sum(axis=1) > 1]
    assume(len(np.unique(paired[~np.isnan(paired)])) > 1)

    oracle = krippendorff.alpha(ratings.T + 1, level_of_measurement=metric, value_domain=[1, 2, 3, 4])

    assert point(ratings, distance) == pytest.approx(oracle)


def test_label_sets_have_an_alpha():
    # by hand: {a}, {a}; {a, b}, {a}; {b}, {b}; codes by set: {b} 2, {a} 3, {a, b} 1 ratings; n = 6
    answers = [[[1, 0], [1, 0]], [[1, 1], [1, 0]], [[0, 1], [0, 1]]]
    codes, sets = label_sets(answers, np.ones((3, 2)))

    for distance, part in ((jaccard(sets), 1 / 2), (masi(sets), 2 / 3)):
        expected = 2 * (2 * 3 * 1 + 2 * 1 * part + 3 * 1 * part) / 30
        assert point(codes, distance) == pytest.approx(1 - 2 * part / 6 / expected)


def test_labels_of_which_none_was_given_are_an_answer():
    # NLTK test_disagreement.py, test_masi_multilabel_with_missing: 1 where everybody who answered agrees
    answers = [[[1, 0], [1, 0], [0, 0]], [[1, 1], [0, 0], [1, 1]]]
    codes, sets = label_sets(answers, [[1, 1, 0], [1, 0, 1]])

    assert point(codes, masi(sets)) == 1


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        ([[1, 1], [1, 1], [1, NONE]], "every rating names the same category: nothing could have differed"),
        ([[1, 1], [0, NONE]], "every rating names the same category: nothing could have differed"),
        ([[0, NONE], [NONE, 1]], "no item has two ratings"),
        (np.empty((0, 3)), "no item has two ratings"),
    ],
)
@pytest.mark.parametrize("distance", [nominal(2), Ordinal(2)])
def test_degenerate_ratings_have_no_alpha(ratings, reason, distance):
    outcome = krippendorff_alpha(ratings, distance=distance)

    assert isinstance(outcome, Undefined)
    assert outcome.reason == reason


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([[1, 1], [1, 1]], "every rating names the same category: nothing could have differed"),
        ([[0, 0], [0, 0]], "no item has two ratings"),
    ],
)
def test_one_label_set_or_none_has_no_alpha(given, reason):
    codes, sets = label_sets([[[1, 0], [1, 0]], [[1, 0], [1, 0]]], given)

    assert krippendorff_alpha(codes, distance=masi(sets)).reason == reason


def test_categories_at_distance_0_have_no_alpha():
    with pytest.raises(Degenerate, match="at distance 0"):
        point([[0, 1], [1, 0]], [[0, 0, 1], [0, 0, 1], [1, 1, 0]])


def test_perfect_agreement_is_1_with_an_honest_lower_end():
    alpha = krippendorff_alpha([[0, 0, 0], [1, 1, 1]] * 15, distance=nominal(2))

    assert (alpha.value, alpha.high) == (1, 1)
    assert alpha.low == pytest.approx(0.771, abs=1e-3)  # by hand: expected 90/178; 1 - (1 - 0.025 ** (1/30)) 178/90


def test_too_few_items_of_the_rare_category_leave_no_interval():
    outcome = krippendorff_alpha([[0, 0]] * 100 + [[0, 1]], distance=nominal(2), draws=300, seed=3)

    assert isinstance(outcome, Estimate)
    assert "of them undefined and left out" in outcome.procedure


def test_the_seed_makes_the_interval(twelve_units):
    first, again, other = (
        krippendorff_alpha(twelve_units, distance=nominal(5), draws=50, seed=seed) for seed in (1, 1, 2)
    )

    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


def test_a_linear_map_of_the_distance_changes_nothing(twelve_units):
    assert point(twelve_units, interval(range(5))) == pytest.approx(point(twelve_units, quadratic([2, 4, 6, 8, 10])))


@given(RATINGS, st.data())
@settings(max_examples=40)
def test_it_depends_on_counts_alone(ratings, data):
    distance = data.draw(st.sampled_from([nominal(4), Ordinal(4), linear(range(4))]))
    order = data.draw(st.permutations(range(len(ratings))))
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(ratings), max_size=len(ratings))))
    silent = np.column_stack([ratings, np.full(len(ratings), NONE)])
    copies = np.repeat(ratings, weights, axis=0)
    assert krippendorff_alpha(ratings[order][:, ::-1], distance=distance, draws=20) == krippendorff_alpha(
        ratings, distance=distance, draws=20
    )
    alpha = krippendorff_alpha(ratings, distance=distance, draws=20)

    assert krippendorff_alpha(silent, distance=distance, draws=20) == alpha
    if isinstance(alpha, Estimate):
        assert point(ratings[order][:, ::-1], distance) == pytest.approx(alpha.value)
    weighted = krippendorff_alpha(ratings, distance=distance, weights=weights, draws=20)
    assert weighted == krippendorff_alpha(copies, distance=distance, draws=20)
    if isinstance(weighted, Estimate):
        statistic = alpha_statistic(ratings, distance=distance)
        assert statistic(weights.astype(float)) == pytest.approx(weighted.value)


@pytest.mark.parametrize(("items", "positives"), [(30, 15), (60, 6), (60, 30), (100, 10)])
def test_more_disagreement_never_makes_surer_than_none(items, positives):
    def low(disputed):
        ratings = [[1, 1]] * (positives - disputed) + [[0, 1]] * (2 * disputed)
        ratings += [[0, 0]] * (items - len(ratings))
        return krippendorff_alpha(ratings, distance=nominal(2), confidence=0.9).low

    assert low(2) < low(1) < low(0)


@pytest.mark.parametrize(("items", "share"), [(30, 0.5), (60, 0.2), (60, 0.1)])
def test_a_floor_of_agreement_is_passed_by_chance_as_rarely_as_it_says(items, share):
    # two raters whose true alpha is just below the floor of .667, in tables of (both yes, one, both no); 5 % + 3 SE.
    # The percentile interval passes 5 to 9 % of such worlds
    disputed = (1 - 0.66) * 2 * share * (1 - share)
    shares = [share - disputed / 2, disputed, 1 - share - disputed / 2]
    tables = np.random.default_rng(5).multinomial(items, shares, size=300)
    lows = [
        krippendorff_alpha([[1, 1], [0, 1], [0, 0]], distance=nominal(2), weights=row, confidence=0.9, draws=400)
        for row in tables
    ]
    passed = np.mean([isinstance(one, Estimate) and one.low >= 0.667 for one in lows])

    assert passed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(7)

    def world(items):
        truth = generator.integers(3, size=(items, 1))
        return np.where(generator.random((items, 2)) < 0.8, truth, generator.integers(3, size=(items, 2)))

    truth = point(world(100_000), nominal(3))
    intervals = [krippendorff_alpha(world(100), distance=nominal(3), draws=200, seed=i) for i in range(150)]

    assert np.mean([one.low <= truth <= one.high for one in intervals]) == pytest.approx(0.94, abs=0.06)


def test_the_statistic_is_one_for_the_bootstrap(twelve_units):
    drawn = item_bootstrap(alpha_statistic(twelve_units, distance=Ordinal(5)), 12, draws=100)

    assert drawn.value == pytest.approx(0.815, abs=5e-4)
