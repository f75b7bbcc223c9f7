"""The threshold that is proved to keep enough of what it is there to catch."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import booleans, confidence_level, floats
from calibration.binomial import lower_bound
from calibration.words import counted

PROCEDURE = "order statistic of the positives, exact one-sided binomial bound"


@dataclass(frozen=True, slots=True)
class CertifiedRecall:
    """At least `recall` of the positives score `threshold` or more, said with `confidence`: `kept` of `n` did."""

    threshold: float
    n: int
    kept: int
    lower_bound: float
    recall: float
    confidence: float
    procedure: str


@dataclass(frozen=True, slots=True)
class RefusedRecall:
    """No threshold can be proved to keep that share: `have` labelled positives, `need` of them."""

    reason: str
    have: int
    need: int
    recall: float
    confidence: float
    procedure: str


def certify_recall(
    scores: ArrayLike, positive: ArrayLike, *, recall: float, confidence: float
) -> CertifiedRecall | RefusedRecall:
    """From which score on is at least `recall` of all positives kept, said with `confidence`?

    `scores` and `positive` (is it in truth what is looked for?) hold one entry per label, drawn uniformly or thinned
    to uniform; negatives play no part. The threshold is the largest score whose exact lower bound for the kept share
    of positives reaches `recall`. Recall only falls as the threshold rises, so looking at every score costs nothing.

    Source: S. S. Wilks, "Determination of sample sizes for setting tolerance limits", Annals of Mathematical
    Statistics 12 (1941); the bound is that of Clopper and Pearson, Biometrika 26 (1934).

    Raises:
        ValueError: arrays of different lengths, a score that is no finite number, an answer that is not 0 or 1, or
            a recall or confidence outside (0, 1).

    >>> outcome = certify_recall(np.arange(59) / 59, np.ones(59), recall=0.95, confidence=0.95)
    >>> outcome.threshold, outcome.kept, outcome.n
    (0.0, 59, 59)
    >>> outcome = certify_recall(np.arange(20) / 20, np.ones(20), recall=0.90, confidence=0.95)
    >>> outcome.have, outcome.need
    (20, 29)
    """
    scored = floats(scores, "scores")
    truth = booleans(positive, "positive", shape=scored.shape)
    confidence_level(recall, "recall")
    confidence_level(confidence)
    descending = np.sort(scored[truth])[::-1]
    n = len(descending)
    need = math.ceil(round(math.log1p(-confidence) / math.log(recall), 9))
    if n < need:
        reason = f"{counted(n, 'checked positive', 'checked positives')}, {need} needed even if every one is kept"
        return RefusedRecall(reason, n, need, recall, confidence, PROCEDURE)
    threshold = float(descending[_least_kept(n, recall, confidence) - 1])
    kept = int((descending >= threshold).sum())
    bound = lower_bound(kept, n, confidence=confidence)
    return CertifiedRecall(threshold, n, kept, bound, recall, confidence, PROCEDURE)


def _least_kept(n: int, recall: float, confidence: float) -> int:
    too_few, enough = 0, n
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if lower_bound(middle, n, confidence=confidence) >= recall:
            enough = middle
        else:
            too_few = middle
    return enough
