"""Checks of a promotion on losses per item: log loss of calibrators, cost of policies."""

import math

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, floats, probabilities
from calibration.comparison.betting import evidence_of_mean_above, growth_needed
from calibration.comparison.non_inferiority import one_sided
from calibration.comparison.promotion import LEAST_LABELS, Check
from calibration.words import counted


def loses_less(
    candidate: ArrayLike,
    incumbent: ArrayLike,
    *,
    worst: float,
    alpha: float = 0.05,
    least_labels: int = LEAST_LABELS,
) -> Check:
    """Proof for two losses per item of the same blind, uniform labels, shape (n,); holds however often one looks.

    `worst` is the most by which the candidate can lose more than the incumbent on one item, said before the labels
    (`worst_log_loss` for calibrators; the dearest mistake for policies). Differences in loss are small and skewed: a
    candidate a little better nearly always and terribly wrong once in a while fools the t-test and the bootstrap. It
    cannot fool this bet, at the price of two to three times their labels.

    Source: I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86
    (2024), as `betting.evidence_of_mean_above`.

    Raises:
        ValueError: arrays of different lengths, a `worst` that is not positive or that an item exceeds, an alpha
            outside (0, 0.5).

    >>> loses_less([0.1] * 90 + [0.9] * 10, [0.4] * 90 + [0.8] * 10, worst=0.5).passed
    True
    """
    name, gain = "loses less, any look", _gain(candidate, incumbent, worst)
    growth = _growth(gain, 0.0, worst, one_sided(alpha))
    if gain.size < least_labels:
        reason = f"{counted(gain.size, 'label', 'labels')}, {least_labels} needed"
        return Check(name, passed=False, reason=reason, missing=least_labels - gain.size, risk=alpha)
    if not gain.any():
        return Check(name, passed=False, reason="identical on this sample", missing=None, risk=alpha)
    seen = f"mean loss {'lower' if gain.mean() > 0 else 'higher'} by {abs(gain.mean()):.3g} on {gain.size} labels"
    if growth == 1:
        return Check(name, passed=True, reason=f"better: {seen}", missing=0, risk=alpha)
    missing = None if growth is None else (growth - 1) * gain.size
    return Check(name, passed=False, reason=f"not shown to be better: {seen}", missing=missing, risk=alpha)


def segment_loses_no_more(
    name: str, candidate: ArrayLike, incumbent: ArrayLike, *, margin: float, worst: float, alpha: float = 0.05
) -> Check:
    """Guard: in this segment the candidate's mean loss is shown not to be higher by `margin` or more.

    `worst` is as for `loses_less`.

    Source: Waudby-Smith and Ramdas (2024), as `loses_less`.

    Raises:
        ValueError: as `loses_less`, or a margin that is not between 0 and `worst`.

    >>> segment_loses_no_more("refunds", [0.2] * 60, [0.2] * 60, margin=0.1, worst=0.5).passed
    True
    """
    if not 0 < margin < worst:
        raise ValueError(f"margin must lie between 0 and worst ({worst}), not {margin}")
    gain = _gain(candidate, incumbent, worst)
    growth = _growth(gain, -margin, worst, one_sided(alpha))
    if growth == 1:
        return Check(name, passed=True, reason=f"{name}: mean loss not higher by {margin:g}", missing=0)
    missing = None if growth is None else (growth - 1) * gain.size
    return Check(name, passed=False, reason=f"{name}: may lose {margin:g} more on the mean", missing=missing)


def worst_log_loss(candidate: ArrayLike, incumbent: ArrayLike) -> float:
    """The most by which the candidate's log loss can exceed the incumbent's on one item, whatever the label.

    Take the two probabilities, shape (n,), over all the traffic from which the labelled items were drawn, not over
    the labelled items alone.

    Source: the range of a log-likelihood ratio, I. J. Good, "Rational decisions", Journal of the Royal Statistical
    Society B 14 (1952).

    Raises:
        ValueError: arrays of different lengths, or a probability of 0 or 1.

    >>> round(worst_log_loss([0.9, 0.2], [0.8, 0.3]), 3)
    0.693
    """
    new = probabilities(candidate, "candidate")
    old = probabilities(incumbent, "incumbent", shape=new.shape)
    if not ((new > 0) & (new < 1) & (old > 0) & (old < 1)).all():
        raise ValueError("probabilities must lie strictly between 0 and 1: clip both maps alike first")
    return float(np.max(np.log([old / new, (1 - old) / (1 - new)]), initial=0.0))


def _gain(candidate: ArrayLike, incumbent: ArrayLike, worst: float) -> Floats:
    if not 0 < worst < math.inf:
        raise ValueError(f"worst must be a finite loss above 0, not {worst}")
    new = floats(candidate, "candidate")
    gain = floats(incumbent, "incumbent", shape=new.shape) - new
    if (gain < -worst - 1e-9).any():
        raise ValueError(f"candidate loses {-gain.min():g} more on an item, worst is {worst:g}: declare the worst case")
    return gain


def _growth(gain: Floats, threshold: float, worst: float, alpha: float) -> int | None:
    def evidence(times: int) -> float:
        return evidence_of_mean_above(gain, threshold=threshold, least=-worst, repeats=np.full(gain.size, times))

    return growth_needed(evidence, alpha=alpha)
