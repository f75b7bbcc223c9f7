"""Checks of a promotion on right and wrong: is the candidate right more often, and is no segment worse for it?"""

import math

from scipy.stats import norm

from calibration.comparison.betting import growth_needed
from calibration.comparison.mcnemar import sign_test
from calibration.comparison.non_inferiority import Verdict, non_inferiority, one_sided
from calibration.comparison.paired import Pairs
from calibration.comparison.promotion import LEAST_LABELS, Check
from calibration.comparison.sequential import evidence_of_better
from calibration.result import Undefined

POWER = 0.8  # of a fresh sample: where the difference is as seen, four such samples in five would show it


def right_more_often(counted: Pairs, *, alpha: float = 0.05, least_labels: int = LEAST_LABELS) -> Check:
    """Proof for one look at one sample: candidate (first) against incumbent, by the exact one-sided sign test.

    Labels are blind and from the uniform audit pool. Adding labels after a look needs `right_more_often_so_far`; only
    after a refusal for too few may they simply be added, for nothing but their number was looked at.

    Source: W. J. Dixon and A. M. Mood, "The statistical sign test", JASA 41 (1946).

    Raises:
        ValueError: an alpha outside (0, 0.5).

    >>> right_more_often(Pairs(n=20, first_only=2, second_only=1)).reason
    '20 labels, 30 needed'
    >>> right_more_often(Pairs(n=400, first_only=24, second_only=9)).passed
    True
    """
    name = "right more often, one look"
    least = math.ceil(round(math.log(one_sided(alpha)) / math.log(0.5), 9))
    refused = _too_few(name, counted, least, least_labels, alpha)
    test = sign_test(counted)
    if refused or isinstance(test, Undefined):
        return refused or Check(name, passed=False, reason="identical on this sample", missing=None, risk=alpha)
    if test.p_value <= alpha:
        return Check(name, passed=True, reason=f"better: {_seen(counted)}", missing=0, risk=alpha)
    return Check(name, passed=False, reason=_not_shown(counted) + _fresh(counted, alpha), missing=None, risk=alpha)


def right_more_often_so_far(counted: Pairs, *, alpha: float = 0.05, least_labels: int = LEAST_LABELS) -> Check:
    """Proof that holds however often one looks while labels come in: all labels so far, by a one-sided e-value.

    Source: S. R. Howard, A. Ramdas, J. McAuliffe and J. Sekhon, "Time-uniform, nonparametric, nonasymptotic
    confidence sequences", Annals of Statistics 49 (2021), as `sequential.evidence_of_better`.

    Raises:
        ValueError: an alpha outside (0, 0.5).

    >>> right_more_often_so_far(Pairs(n=400, first_only=30, second_only=9)).passed
    True
    """
    name = "right more often, any look"
    one_sided(alpha)
    refused = _too_few(name, counted, 1, least_labels, alpha)
    if refused:
        return refused
    won, lost = counted.first_only, counted.second_only
    growth = growth_needed(lambda times: float(evidence_of_better([times * won], [times * lost])[0]), alpha=alpha)
    if growth == 1:
        return Check(name, passed=True, reason=f"better: {_seen(counted)}", missing=0, risk=alpha)
    missing = None if growth is None else (growth - 1) * counted.n
    return Check(name, passed=False, reason=_not_shown(counted), missing=missing, risk=alpha)


def segment_holds(name: str, counted: Pairs, *, margin: float, alpha: float = 0.05) -> Check:
    """Guard: in this segment or topic the candidate (first) is shown not to be worse by `margin` or more.

    Source: T. Tango, Statistics in Medicine 17 (1998), as `non_inferiority`.

    Raises:
        ValueError: a margin outside (0, 1), or an alpha outside (0, 0.5).

    >>> segment_holds("refunds", Pairs(n=40, first_only=2, second_only=3), margin=0.05).missing
    527
    """
    judged = non_inferiority(counted, margin=margin, alpha=alpha)
    if isinstance(judged, Undefined):
        return Check(name, passed=False, reason=f"{name}: {judged.reason}", missing=None)
    worse = max(-judged.difference.low, 0.0)
    if judged.verdict in {Verdict.SUPERIOR, Verdict.NON_INFERIOR}:
        return Check(name, passed=True, reason=f"{name}: worse by {worse:.3f} at most", missing=0)
    missing = judged.missing if judged.verdict is Verdict.INCONCLUSIVE else None
    return Check(name, passed=False, reason=f"{name}: may be worse by {worse:.3f}, {margin:g} allowed", missing=missing)


def _too_few(name: str, counted: Pairs, least: int, least_labels: int, alpha: float) -> Check | None:
    if counted.n < least_labels:
        reason = f"{counted.n} {_labels(counted.n)}, {least_labels} needed"
        return Check(name, passed=False, reason=reason, missing=least_labels - counted.n, risk=alpha)
    if counted.discordant >= least:
        return None
    one = _labels(counted.discordant)
    reason = f"on {counted.discordant} {one} just one of the two is right, {least} such {_labels(least)} needed"
    missing = None
    if counted.discordant:
        missing = math.ceil((least - counted.discordant) * counted.n / counted.discordant)
    return Check(name, passed=False, reason=reason, missing=missing, risk=alpha)


def _labels(n: int) -> str:
    return "label" if n == 1 else "labels"


def _seen(counted: Pairs) -> str:
    return f"the candidate alone is right on {counted.first_only}, the incumbent alone on {counted.second_only}"


def _not_shown(counted: Pairs) -> str:
    return f"not shown to be better: {_seen(counted)}"


def _fresh(counted: Pairs, alpha: float) -> str:
    lead = (counted.first_only - counted.second_only) / counted.discordant
    if lead <= 0:
        return ""
    needed = ((float(norm.isf(alpha)) + float(norm.ppf(POWER))) / lead) ** 2 * counted.n / counted.discordant
    return f"; a fresh sample of about {math.ceil(needed)} labels could show a difference like this"
