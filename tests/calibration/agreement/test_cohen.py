"""Cohen's kappa against the literature, statsmodels and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from calibration.agreement.cohen import cohen_kappa, cohen_statistic
from calibration.agreement.scale import linear, nominal, quadratic
from calibration.bootstrap import item_bootstrap
from calibration.result import Estimate, Undefined

COHEN_1968 = [[88, 10, 2], [14, 40, 6], [18, 10, 12]]  # his table 1 for 200 cases, as printed by R psych::cohen.kappa
SAS = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]  # the table of statsmodels' test_inter_rater.py, printed by SAS
DIALOGUE = [[46, 6, 0], [0, 32, 0], [0, 6, 10]]  # Artstein and Poesio (2008); Stat, IReq, Chck


def raters(table):
    cells = np.array([(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)])
    return cells[:, 0], cells[:, 1]


@pytest.mark.parametrize(
    ("table", "disagreement", "kappa", "digits"),
    [
        (COHEN_1968, nominal(3), 0.492, 3),  # Cohen (1960), quoted by R psych::cohen.kappa's examples
        (COHEN_1968, [[0, 1, 3], [1, 0, 6], [3, 6, 0]], 0.348, 3),  # Cohen (1968), quoted there
        # Cohen (1968), quoted there: weights that ask which judge it was; that page has his judges the other way round
        (np.transpose(COHEN_1968).tolist(), [[0, 1, 4], [1, 0, 6], [2, 2, 0]], 0.353, 3),
        (SAS, nominal(3), 0.4842, 4),
        (SAS, linear(range(3)), 0.4701, 4),
        (DIALOGUE, nominal(3), 0.8013, 4),
        (DIALOGUE, [[0, 1, 0.5], [1, 0, 0.5], [0.5, 0.5, 0]], 0.8163, 4),  # their beta, for two coders
        # Wikipedia, "Cohen's kappa": the simple example, and the two tables with the same agreement of 60 %
        ([[20, 5], [10, 15]], nominal(2), 0.4, 4),
        ([[45, 15], [25, 15]], nominal(2), 0.1304, 4),
        ([[25, 35], [5, 35]], nominal(2), 0.2593, 4),
        ([[118, 5], [2, 0]], nominal(2), -0.023, 3),  # by hand: po 0.944, pe 0.9453: the paradox of high agreement
    ],
)
def test_kappa_is_the_published_one(table, disagreement, kappa, digits):
    assert cohen_kappa(*raters(table), disagreement=disagreement).value == pytest.approx(kappa, abs=0.51 * 10**-digits)


@pytest.mark.parametrize(
    ("disagreement", "error", "low", "high"),
    [(nominal(3), 0.1380, 0.2137, 0.7547), (linear(range(3)), 0.1457, 0.1845, 0.7558)],
)
def test_error_and_interval_are_those_that_sas_prints(disagreement, error, low, high):
    kappa = cohen_kappa(*raters(SAS), disagreement=disagreement)

    assert (kappa.standard_error, kappa.low, kappa.high) == pytest.approx((error, low, high), abs=6e-5)
    assert kappa.n == 19


@pytest.mark.parametrize(
    ("table", "disagreement", "kappa", "error"),
    [
        # R vcd, Kappa(SexualFun): Agresti's 91 couples, plain and with equally spaced weights
        ([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]], nominal(4), 0.1293, 0.0686),
        ([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]], linear(range(4)), 0.2374, 0.0783),
        # Fleiss, Levin and Paik (2003), table 18.1, 100 diagnoses: .68; the error is that of statsmodels
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], nominal(3), 0.6765, 0.0877),
    ],
)
def test_value_and_error_are_the_published_ones(table, disagreement, kappa, error):
    answer = cohen_kappa(*raters(table), disagreement=disagreement)

    assert (answer.value, answer.standard_error) == pytest.approx((kappa, error), abs=6e-5)


def test_the_weights_come_from_the_declared_scale():
    # `anxiety` of R irr, raters 2 and 3 (the table of statsmodels' test_inter_rater.py): level 5 never occurs. R irr
    # and scikit-learn without labels give .252 as if there were five levels
    second = np.array([3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4])
    third = np.array([2, 1, 4, 4, 3, 2, 1, 6, 1, 1, 1, 2, 3, 3, 1, 1, 3, 3, 2, 2])

    declared = cohen_kappa(second - 1, third - 1, disagreement=quadratic(range(1, 7)))

    assert declared.value == pytest.approx(0.230, abs=5e-4)
    assert cohen_kappa_score(second, third, weights="quadratic") == pytest.approx(0.252, abs=5e-4)
    oracle = cohen_kappa_score(second, third, weights="quadratic", labels=range(1, 7))
    assert declared.value == pytest.approx(oracle)


@pytest.mark.parametrize("weighting", [None, "linear", "quadratic"])
@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=4, max_size=4))
@settings(max_examples=40)
def test_value_and_error_are_those_of_statsmodels(weighting, table):
    table = np.array(table) + np.eye(4, dtype=int) + 1
    matrix = {None: nominal(4), "linear": linear(range(4)), "quadratic": quadratic(range(4))}[weighting]

    ours = cohen_kappa(*raters(table), disagreement=matrix)
    oracle = cohens_kappa(table, wt=weighting)

    assert (ours.value, ours.standard_error) == pytest.approx((oracle.kappa, oracle.std_kappa))


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ([0, 0, 0], [0, 0, 0], "the first rater gave every item the same category"),
        ([1, 1, 1], [0, 0, 0], "the first rater gave every item the same category"),
        ([0, 1, 0], [1, 1, 1], "the second rater gave every item the same category"),
        ([0, np.nan], [np.nan, 1], "no item has a rating by both"),
        ([], [], "no item has a rating by both"),
    ],
)
def test_degenerate_raters_have_no_kappa(a, b, reason):
    outcome = cohen_kappa(a, b, disagreement=nominal(2))

    assert isinstance(outcome, Undefined)
    assert outcome.reason.startswith(reason)


def test_categories_that_do_not_disagree_have_no_kappa():
    outcome = cohen_kappa([0, 1, 0], [1, 0, 1], disagreement=[[0, 0, 1], [0, 0, 1], [1, 1, 0]])

    assert outcome.reason == "no disagreement is possible between the categories in use"


def test_perfect_agreement_is_1_with_an_honest_lower_end():
    kappa = cohen_kappa([0, 1] * 15, [0, 1] * 15, disagreement=nominal(2))

    assert (kappa.value, kappa.high) == (1, 1)
    assert kappa.low == pytest.approx(0.769, abs=1e-3)  # by hand: 1 - 2 (1 - 0.025 ** (1 / 30))


def test_the_bootstrap_and_the_large_sample_interval_agree():
    a, b = raters(COHEN_1968)

    drawn = item_bootstrap(cohen_statistic(a, b, disagreement=nominal(3)), 200)
    large = cohen_kappa(a, b, disagreement=nominal(3))

    assert drawn.value == pytest.approx(large.value)
    assert (drawn.low, drawn.high) == pytest.approx((large.low, large.high), abs=0.02)


@given(st.lists(st.tuples(*[st.sampled_from([0, 1, 2, np.nan])] * 2), min_size=1, max_size=20), st.data())
@settings(max_examples=60)
def test_it_depends_on_the_table_alone(items, data):
    a, b = np.array(items).T
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(items), max_size=len(items))))
    order = data.draw(st.permutations(range(len(items))))
    scale = linear(range(3))
    kappa = cohen_kappa(a, b, disagreement=scale)

    assert cohen_kappa(a[order], b[order], disagreement=scale) == kappa
    swapped = cohen_kappa(b, a, disagreement=scale)
    assert type(swapped) is type(kappa)
    if isinstance(kappa, Estimate):
        assert swapped.value == pytest.approx(kappa.value)
        assert -1 <= kappa.low <= kappa.value + 1e-12
        assert kappa.value - 1e-12 <= kappa.high <= 1
    weighted = cohen_kappa(a, b, disagreement=scale, weights=weights)
    assert weighted == cohen_kappa(np.repeat(a, weights), np.repeat(b, weights), disagreement=scale)
    if isinstance(weighted, Estimate):
        statistic = cohen_statistic(a, b, disagreement=scale)
        assert statistic(weights.astype(float)) == pytest.approx(weighted.value)


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="two lists of the same items"):
        cohen_kappa([0, 1], [0], disagreement=nominal(2))
