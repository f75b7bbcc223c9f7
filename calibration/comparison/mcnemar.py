"""McNemar's tests and the sign test: is one of two versions right more often on the same items?"""

from dataclasses import dataclass

from scipy.stats import binom, chi2

from calibration.comparison.paired import Pairs
from calibration.result import Undefined

LEAST_FOR_CHI_SQUARE = 25  # discordant pairs; below it the exact test is the one to read


@dataclass(frozen=True, slots=True)
class PairedTest:
    """The p-value of 'both are right equally often', with what it rests on."""

    p_value: float
    pairs: Pairs
    procedure: str


def mcnemar_exact(counted: Pairs) -> PairedTest | Undefined:
    """Are the two right equally often? Exact: 2 BinomCDF(min(b, c); b + c, 1/2), at most 1.

    Source: Q. McNemar, Psychometrika 12 (1947); the exact form: F. Mosteller, "Some statistical problems in
    measuring the subjective response to drugs", Biometrics 8 (1952).

    >>> round(mcnemar_exact(Pairs(n=10, first_only=9, second_only=1)).p_value, 4)
    0.0215
    """
    if counted.discordant == 0:
        return _no_discordant(counted, "McNemar, exact")
    return PairedTest(min(2 * _lower_tail(counted), 1.0), counted, "McNemar, exact")


def mcnemar_mid_p(counted: Pairs) -> PairedTest | Undefined:
    """The exact test less half the probability of what was seen: less cautious, right on average.

    Source: M. W. Fagerland, S. Lydersen and P. Laake, "The McNemar test for binary matched-pairs data: mid-p and
    asymptotic are better than exact conditional", BMC Medical Research Methodology 13:91 (2013).

    >>> round(mcnemar_mid_p(Pairs(n=21, first_only=1, second_only=7)).p_value, 4)
    0.0391
    """
    if counted.discordant == 0:
        return _no_discordant(counted, "McNemar, mid-p")
    seen = float(binom.pmf(min(counted.first_only, counted.second_only), counted.discordant, 0.5))
    return PairedTest(min(2 * _lower_tail(counted) - seen, 1 - seen / 2), counted, "McNemar, mid-p")


def mcnemar_chi_square(counted: Pairs) -> PairedTest | Undefined:
    """The large-sample test (b - c)^2 / (b + c), from 25 discordant pairs on; below, undefined: read the exact one.

    Source: Q. McNemar, Psychometrika 12 (1947); A. Agresti, "Categorical Data Analysis" (2002), section 10.1.

    >>> round(mcnemar_chi_square(Pairs(n=314, first_only=121, second_only=59)).p_value, 9)
    3.815e-06
    """
    procedure = "McNemar, chi-square without continuity correction"
    if counted.discordant < LEAST_FOR_CHI_SQUARE:
        reason = (
            f"items that tell the two apart: {counted.discordant}, {LEAST_FOR_CHI_SQUARE} needed: use the exact test"
        )
        return Undefined(reason, counted.n, procedure)
    statistic = (counted.first_only - counted.second_only) ** 2 / counted.discordant
    return PairedTest(float(chi2.sf(statistic, 1)), counted, procedure)


def sign_test(counted: Pairs) -> PairedTest | Undefined:
    """Is the first right more often than the second? One-sided and exact: P(Binomial(b + c, 1/2) >= b).

    Source: W. J. Dixon and A. M. Mood, "The statistical sign test", JASA 41 (1946).

    >>> round(sign_test(Pairs(n=40, first_only=7, second_only=1)).p_value, 4)
    0.0352
    """
    if counted.discordant == 0:
        return _no_discordant(counted, "sign test, exact, one-sided")
    p_value = float(binom.sf(counted.first_only - 1, counted.discordant, 0.5))
    return PairedTest(p_value, counted, "sign test, exact, one-sided")


def _lower_tail(counted: Pairs) -> float:
    return float(binom.cdf(min(counted.first_only, counted.second_only), counted.discordant, 0.5))


def _no_discordant(counted: Pairs, procedure: str) -> Undefined:
    reason = "the two are identical on this sample" if counted.n else "no item was judged"
    return Undefined(reason, counted.n, procedure)
