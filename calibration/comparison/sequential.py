"""Evidence that may be looked at after every label: e-values, their path over the looks, always-valid p-values."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln

from calibration.arrays import Floats, Integers, confidence_level, counts, floats

_UNDERFLOW = 1e-300


@dataclass(frozen=True, slots=True)
class Path:
    """What each look showed, from the first to the last.

    `log_evidence` are natural logarithms of e-values; `p_values` are always valid: 1 over the largest e-value so far,
    at most 1. `first_crossing` is the first look (from 0) at which the p-value is at most `alpha`, or None.
    """

    log_evidence: tuple[float, ...]
    p_values: tuple[float, ...]
    alpha: float
    first_crossing: int | None
    n: int
    procedure: str


def evidence_of_difference(wins: ArrayLike, losses: ArrayLike) -> Floats:
    """The log e-value against 'a discordant item goes either way equally often', for running totals, shape (n,).

    E = B(1 + s, 1 + f) / 0.5^(s + f): a uniform bet over the share of wins.

    Source: J. Ville, "Etude critique de la notion de collectif" (1939); H. Robbins, "Statistical methods related to
    the law of the iterated logarithm", Annals of Mathematical Statistics 41 (1970).

    Raises:
        ValueError: totals that are negative, not whole, or differ in length.

    >>> float(np.exp(evidence_of_difference([9], [1])[0]).round(1))
    9.3
    """
    won, lost = _totals(wins, losses)
    return np.asarray(betaln(1 + won, 1 + lost) + (won + lost) * math.log(2))


def evidence_of_better(wins: ArrayLike, losses: ArrayLike) -> Floats:
    """The log e-value against 'a discordant item is a win at most half the time': the bet is on 1/2 to 1 alone.

    E = 2 B(1 + s, 1 + f) P(Beta(1 + s, 1 + f) > 1/2) / 0.5^(s + f).

    Source: as `evidence_of_difference`; one-sided mixtures: S. R. Howard, A. Ramdas, J. McAuliffe and J. Sekhon,
    "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49 (2021).

    Raises:
        ValueError: as `evidence_of_difference`.

    >>> float(np.exp(evidence_of_better([9], [1])[0]).round(1))
    18.5
    """
    won, lost = _totals(wins, losses)
    tail = betainc(1 + lost, 1 + won, 0.5)
    gone = tail < _UNDERFLOW  # far more losses than wins: E is then 1 / (1 + f - s), exactly so without a win
    above = evidence_of_difference(won, lost) + math.log(2) + np.log(np.where(gone, 1.0, tail))
    return np.asarray(np.where(gone, -np.log1p(np.maximum(lost - won, 0)), above))


def sequential_sign_test(
    wins: ArrayLike,
    losses: ArrayLike,
    *,
    evidence: Callable[[ArrayLike, ArrayLike], Floats] = evidence_of_difference,
    alpha: float = 0.05,
) -> Path:
    """The sign test with a look after every batch: what each look added, shape (looks,), may be 0.

    The chance that an equal version ever gets a p-value of `alpha` or less is at most `alpha`, however often one
    looks. `evidence` is `evidence_of_difference` or `evidence_of_better`.

    Source: as the two; p-values valid at any time: R. Johari, P. Koomen, L. Pekelis and D. Walsh, "Peeking at A/B
    tests", KDD (2017).

    Raises:
        ValueError: as `evidence_of_difference`, or an alpha outside (0, 1).

    >>> path = sequential_sign_test([4, 5], [0, 1])
    >>> [round(p, 3) for p in path.p_values]
    [0.312, 0.107]
    """
    won, lost = (np.cumsum(one) for one in _totals(wins, losses))
    total = int(won[-1] + lost[-1]) if won.size else 0
    return path_of(evidence(won, lost), alpha=alpha, n=total, procedure="sequential sign test, beta mixture")


def path_of(log_evidence: ArrayLike, *, alpha: float, n: int, procedure: str) -> Path:
    """What a series of log e-values, shape (looks,), has shown by each look.

    Source: Ville (1939): a bet that is fair under the hypothesis exceeds 1 / alpha ever with chance alpha at most.

    Raises:
        ValueError: an alpha outside (0, 1).

    >>> path_of([0.0, 4.0, 1.0], alpha=0.05, n=3, procedure="a bet").first_crossing
    1
    """
    confidence_level(alpha, "alpha")
    logs = floats(log_evidence, "log_evidence")
    p_values = np.exp(-np.maximum.accumulate(np.maximum(logs, 0.0)))
    crossed = np.flatnonzero(p_values <= alpha)
    first = int(crossed[0]) if crossed.size else None
    return Path(tuple(map(float, logs)), tuple(map(float, p_values)), alpha, first, n, procedure)


def msprt(means: ArrayLike, n: ArrayLike, *, variance: float, tau: float, null: float = 0.0) -> Floats:
    """The log mixture ratio against 'the mean is `null`', for running means and their n, shape (looks,).

    L = sqrt(V / (V + n tau^2)) exp(n^2 tau^2 (mean - null)^2 / (2 V (V + n tau^2))): exact for normal values of known
    variance V, approximate (large n) for 0/1 outcomes. Feed it to `path_of`.

    Source: Johari et al. (2017), as `sequential_sign_test`, equation for the normal mixture.

    Raises:
        ValueError: a variance or tau that is not positive, arrays of different lengths.

    >>> float(msprt([0.3], [100], variance=1.0, tau=0.2)[0].round(3))
    2.795
    """
    if not (variance > 0 and tau > 0):
        raise ValueError(f"variance and tau must be positive, not {variance} and {tau}")
    mean = floats(means, "means")
    size = counts(n, "n", shape=mean.shape)
    spread = variance + size * tau**2
    return np.asarray(
        0.5 * np.log(variance / spread) + (size * tau * (mean - null)) ** 2 / (2 * variance * spread), dtype=np.float64
    )


def _totals(wins: ArrayLike, losses: ArrayLike) -> tuple[Integers, Integers]:
    won = counts(wins, "wins")
    return won, counts(losses, "losses", shape=won.shape)
