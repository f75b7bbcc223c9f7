"""Is the promise broken? A bet against it that grows with every wrong audit label, valid at every look."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, confidence_level, counts

ALPHA = 0.05
WATCH = 5.0  # evidence at which the light turns to WATCH
_TINY = 1e-250  # below it the incomplete beta loses digits and then underflows

Level = Literal["quiet", "watch", "alarm"]


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """The evidence, week by week, that precision has been below the promise since the audit began.

    While the promise is kept, `e_values` ever reach `1 / alpha` with probability `alpha` at most, however often one
    looks. An alarm stays: `alarm_week` (from 1) is the first week that reached it. `p_value` is valid at every look.
    """

    level: Level
    e_values: tuple[float, ...]
    alarm_week: int | None
    p_value: float
    wrong: int
    n: int
    alpha: float
    procedure: str
    sentence: str


def log_e_value(
    wrong: ArrayLike, n: ArrayLike, precision: float, *, prior: tuple[float, float] | None = None
) -> Floats:
    """The natural logarithm of the e-value of `wrong` of `n` audit labels against 'precision is kept'.

    E = B(a+k, b+n-k) I(a+k, b+n-k) / (B(a, b) I(a, b) q0^k (1-q0)^(n-k)) with q0 = 1 - precision and I the upper
    incomplete beta at q0: the likelihood ratio averaged over error rates above q0, with weights of a Beta(a, b). The
    default prior is worth 1/q0 labels with mean q0. `wrong` and `n` are totals so far, of any one length; finite for
    n up to 10^6 and beyond.

    Source: J. Ville, "Etude critique de la notion de collectif" (1939); mixture: H. Robbins, "Statistical methods
    related to the law of the iterated logarithm", Annals of Mathematical Statistics 41 (1970); A. Ramdas et al.,
    "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38 (2023).

    Raises:
        ValueError: counts that are no counts, more wrong than labels, a precision outside (0, 1), or a prior not
            above 0.

    >>> bool(np.exp(log_e_value([9], [10], 0.5, prior=(1, 1)))[0].round(2) == 18.51)
    True
    """
    k = counts(wrong, "wrong").astype(np.float64)
    total = counts(n, "n", shape=k.shape).astype(np.float64)
    if (k > total).any():
        raise ValueError("wrong must not exceed n")
    q0 = 1 - confidence_level(precision, "precision")
    a, b = prior or (1.0, precision / q0)
    if a <= 0 or b <= 0:
        raise ValueError(f"prior must be above 0, not {prior}")
    log_e = _log_upper_beta(a + k, b + total - k, q0, k, total)
    log_prior = _log_upper_beta(np.array([a]), np.array([b]), q0, np.zeros(1), np.zeros(1))
    log_e[total > 0] -= log_prior
    log_e[total == 0] = 0.0
    return log_e


def promise_broken(
    wrong: ArrayLike,
    n: ArrayLike,
    precision: float,
    *,
    alpha: float = ALPHA,
    prior: tuple[float, float] | None = None,
) -> BrokenPromise:
    """Whether `wrong` of `n` audit labels, week by week (shape (weeks,)), say that the promised precision is broken.

    Labels must be a blind uniform sample of what passed the threshold. A week without labels is 0 of 0. In 52 weeks of
    40 labels at a promise of 0.90, simulated: false alarm 0.000 at a true 0.95 and 0.015 at 0.90 exactly; a true 0.80
    from the start is found in 3 weeks (median).

    Source: Ville (1939) and Robbins (1970), as above.

    Raises:
        ValueError: as `log_e_value`, or an alpha outside (0, 1).

    >>> audit = promise_broken([3, 9, 8, 9], [40, 40, 40, 40], 0.90)
    >>> audit.level, audit.alarm_week, [round(e, 1) for e in audit.e_values]
    ('alarm', 4, [0.4, 1.5, 5.6, 45.6])
    """
    confidence_level(alpha, "alpha")
    k, total = counts(wrong, "wrong"), counts(n, "n")
    path = log_e_value(k.cumsum(), total.cumsum(), precision, prior=prior)
    if (k > total).any():
        raise ValueError("wrong must not exceed n in any week")
    reached = np.flatnonzero(path >= -math.log(alpha))
    week = int(reached[0]) + 1 if reached.size else None
    e_values = tuple(float(e) for e in np.exp(np.minimum(path, 700.0)))
    level: Level = "alarm" if week else "watch" if e_values and e_values[-1] >= WATCH else "quiet"
    return BrokenPromise(
        level=level,
        e_values=e_values,
        alarm_week=week,
        p_value=min(1.0, 1 / max(e_values, default=1.0)),
        wrong=int(k.sum()),
        n=int(total.sum()),
        alpha=alpha,
        procedure=f"truncated beta e-process, alarm at {1 / alpha:g}",
        sentence=_sentence(level, int(k.sum()), int(total.sum()), precision, alpha),
    )


def _sentence(level: Level, wrong: int, n: int, precision: float, alpha: float) -> str:
    allowed = round((1 - precision) * n, 1)
    seen = f"{wrong} of {n} audit labels {'was' if wrong == 1 else 'were'} wrong, and the promise allows {allowed:g}"
    finding = {
        "alarm": "The promise is broken",
        "watch": "Evidence against the promise is building up",
        "quiet": "Nothing speaks against the promise",
    }[level]
    return f"{finding}: {seen}. While it is kept, this alarm is false 1 time in {1 / alpha:.0f} at most."


def _log_upper_beta(a: Floats, b: Floats, q0: float, k: Floats, n: Floats) -> Floats:
    """Log of B(a, b) I(a, b) / (q0^k (1-q0)^(n-k)), with I the upper incomplete beta at q0."""
    upper = scipy.special.betaincc(a, b, q0)
    likelihood = k * math.log(q0) + (n - k) * math.log1p(-q0)
    log: Floats = scipy.special.betaln(a, b) + np.log(np.maximum(upper, _TINY)) - likelihood
    far = upper < _TINY
    # there the series B(a, b) I(a, b) = q0^a (1-q0)^b / b * (1 + (a+b)/(b+1) (1-q0) + ...) needs no small number
    leading = (a - k) * math.log(q0) + (b - (n - k)) * math.log1p(-q0) - np.log(b)
    log[far] = leading[far] + np.log(_series(a[far], b[far], q0))
    return log


def _series(a: Floats, b: Floats, q0: float) -> Floats:
    term, total, m = np.ones(a.shape), np.ones(a.shape), 0
    while term.size and (term > 1e-16 * total).any():
        term = term * (a + b + m) / (b + 1 + m) * (1 - q0)
        total = total + term
        m += 1
    return total
