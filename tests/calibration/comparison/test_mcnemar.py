"""McNemar's tests and the sign test against textbooks, tables and other libraries."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from calibration.comparison.mcnemar import mcnemar_chi_square, mcnemar_exact, mcnemar_mid_p, sign_test
from calibration.comparison.paired import Pairs
from calibration.result import Undefined


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [
        (12, 2, 0.0129),  # Armitage and Berry (1994) p. 127, as worked on StatsDirect's page on matched pairs
        (35, 28, 0.45),  # Aoki (Gunma University), approval of the cabinet: R's binom.test
        (11, 3, 0.05737),  # Calcugator's tutorial on McNemar: views on a penalty before and after
        (9, 1, 0.0215),  # 22 / 1024 by hand
        (1, 7, 0.0703),  # airway data of Fagerland et al. (2013), 2 * 9 / 256 by their formula
        (6, 6, 1.0),  # capped at 1
    ],
)
def test_the_exact_p_value_is_the_published_one(first, second, p_value):
    assert mcnemar_exact(Pairs(100, first, second)).p_value == pytest.approx(p_value, abs=6e-5)


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [
        (1, 7, (2 * 9 - 8) / 256),  # the three by formula (2) of the supplement to Fagerland et al. (2013)
        (9, 1, (2 * 11 - 10) / 1024),
        (2, 2, 1 - 0.5 * 6 / 16),  # equal counts
    ],
)
def test_the_mid_p_value_follows_the_formula_of_its_authors(first, second, p_value):
    assert mcnemar_mid_p(Pairs(100, first, second)).p_value == pytest.approx(p_value)


@pytest.mark.parametrize(
    ("first", "second", "p_value"),
    [
        (121, 59, 3.815136e-06),  # the three of statsmodels' test_mcnemar_chisquare, from R, without correction
        (70, 59, 0.3327967),
        (80, 59, 0.07488031),
        (28, 35, 0.3778),  # Aoki: R's mcnemar.test(correct=FALSE)
    ],
)
def test_the_chi_square_p_value_is_that_of_r(first, second, p_value):
    assert mcnemar_chi_square(Pairs(500, first, second)).p_value == pytest.approx(p_value, rel=2e-4)


# Triola, Elementary Statistics, table A-7: the largest count of the less frequent sign that rejects
@pytest.mark.parametrize(
    ("n", "alpha", "critical"),
    [(8, 0.05, 1), (8, 0.025, 0), (10, 0.05, 1), (15, 0.025, 3), (20, 0.005, 3), (20, 0.05, 5), (25, 0.01, 6)],
)
def test_the_sign_test_rejects_where_the_printed_table_does(n, alpha, critical):
    assert sign_test(Pairs(n, n - critical, critical)).p_value <= alpha
    assert sign_test(Pairs(n, n - critical - 1, critical + 1)).p_value > alpha


@pytest.mark.parametrize(
    ("wins", "losses", "p_value"),
    [(7, 1, 0.0352), (11, 3, 0.0286865), (5, 0, 0.03125)],  # Lane's HyperStat; Calcugator's tutorial; by hand
)
def test_the_one_sided_p_value_is_the_published_one(wins, losses, p_value):
    assert sign_test(Pairs(50, wins, losses)).p_value == pytest.approx(p_value, abs=5e-5)


@given(st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=50)
def test_statsmodels_says_the_same(first, second):
    counted = Pairs(200, first, second)
    table = [[40, first], [second, 40]]

    if counted.discordant == 0:
        assert isinstance(mcnemar_exact(counted), Undefined)
        return
    assert mcnemar_exact(counted).p_value == pytest.approx(mcnemar(table, exact=True).pvalue)
    large = mcnemar_chi_square(counted)
    if isinstance(large, Undefined):
        assert counted.discordant < 25
    else:
        assert large.p_value == pytest.approx(mcnemar(table, exact=False, correction=False).pvalue)


@pytest.mark.parametrize("test", [mcnemar_exact, mcnemar_mid_p, sign_test])
def test_identical_versions_are_undefined(test):
    assert test(Pairs(30, 0, 0)).reason == "the two are identical on this sample"
    assert test(Pairs(0, 0, 0)).reason == "no item was judged"


def test_few_discordant_pairs_are_sent_to_the_exact_test():
    assert "use the exact test" in mcnemar_chi_square(Pairs(68, 3, 13)).reason
