"""Selection with guaranteed risk (SGR): answer only where the share of wrong answers is bounded."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Booleans, Floats, booleans, confidence_level, floats
from calibration.binomial import lower_bound
from calibration.result import Undefined


@dataclass(frozen=True, slots=True)
class Selection:
    """Answering at or above `threshold` covers `coverage` of the labels; the risk there is at most `highest_risk`."""

    threshold: float
    coverage: float
    risk: float
    highest_risk: float
    n: int
    confidence: float
    procedure: str


def select_with_guaranteed_risk(
    scores: ArrayLike, right: ArrayLike, *, risk: float, confidence: float
) -> Selection | Undefined:
    """On how much may the model answer so that at most `risk` of its answers are wrong, said with `confidence`?

    A binary search over the sorted scores tests `ceil(log2(labels))` thresholds, each at an equal share of the error
    rate, and keeps the most lenient one whose bound holds. Undefined where none does. With a grid declared in advance,
    `certify_precision` needs fewer labels.

    Source: Y. Geifman and R. El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017, algorithm 1.

    Raises:
        ValueError: arrays of different lengths, a score that is no finite number, an answer that is not 0 or 1, or a
            risk or a confidence outside (0, 1).

    >>> import numpy as np
    >>> scores = np.arange(200) / 200
    >>> selection = select_with_guaranteed_risk(scores, scores >= 0.4, risk=0.10, confidence=0.95)
    >>> selection.threshold, selection.coverage, round(selection.highest_risk, 3)
    (0.38, 0.62, 0.096)
    """
    scored, answers = _checked(scores, right, confidence)
    confidence_level(risk, "risk")
    steps = max(math.ceil(math.log2(max(len(scored), 1))), 1)
    procedure = f"selection with guaranteed risk, {steps} thresholds tested"
    each = 1 - (1 - confidence) / steps
    ascending = np.sort(scored)
    kept: Selection | None = None
    failed, held = 0, len(ascending)
    for _ in range(steps if held else 0):
        middle = (failed + held + 1) // 2
        tried = _selection(scored, answers, float(ascending[middle - 1]), each, procedure)
        if tried.highest_risk <= risk:
            held, kept = middle, tried
        else:
            failed = middle
    if kept is None:
        return Undefined(f"no threshold tested keeps the risk to {risk:g}", len(scored), procedure)
    return replace(kept, confidence=confidence)


def _checked(scores: ArrayLike, right: ArrayLike, confidence: float) -> tuple[Floats, Booleans]:
    confidence_level(confidence)
    scored = floats(scores, "scores")
    return scored, booleans(right, "right", shape=scored.shape)


def _selection(scores: Floats, right: Booleans, threshold: float, confidence: float, procedure: str) -> Selection:
    answered = scores >= threshold
    n, hits = int(answered.sum()), int(right[answered].sum())
    highest = 1 - lower_bound(hits, n, confidence=confidence)
    return Selection(threshold, n / len(scores), (n - hits) / n, highest, n, confidence, procedure)
