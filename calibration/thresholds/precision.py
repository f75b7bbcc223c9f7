"""The threshold from which a precision promise is certified, or a refusal that says how many labels are missing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Booleans, Floats, booleans, floats
from calibration.binomial import lower_bound, p_value_at_least
from calibration.promise import Promise
from calibration.words import counted

GRID: Floats = np.arange(30, 100) / 100  # declared before any label is seen
GRID.setflags(write=False)
OPERATING_POINT = 0.5  # sizes the first step where no threshold is in use yet
FIRST_STEP_ERRORS = 3  # the most errors the first step is made large enough to survive

Outcome = Literal["passed", "failed", "too few", "not reached", "unseen"]
ReasonCode = Literal["too few labels", "too many errors", "capacity"]


@dataclass(frozen=True, slots=True)
class Rung:
    """One candidate threshold: the labels at or above it, how many were right, and what the walk made of it.

    `p_value` is the evidence against a broken promise and `lower_bound` the exact one-sided bound of the precision,
    each for this rung taken alone; "too few" rungs are stricter than the first step and are never tested. "unseen" ones
    would pass with the very labels of the certified rung above them: no label has a score between, so that no
    threshold may stand there.
    """

    threshold: float
    n: int
    right: int
    p_value: float
    lower_bound: float
    outcome: Outcome

    @property
    def errors(self) -> int:
        return self.n - self.right


@dataclass(frozen=True, slots=True)
class Certified:
    """The promise holds for everything scored at or above `threshold`; `ladder` runs from strict to lenient.

    `first_step` is how many labels a rung had to have to be tested at all.
    """

    threshold: float
    n: int
    right: int
    lower_bound: float
    promise: Promise
    first_step: int
    ladder: tuple[Rung, ...]
    procedure: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No threshold can be certified: `have` labels at or above the first rung worth testing, `need` to pass there.

    `threshold` is that rung. Where a rung was tested, `need` counts with the errors already made there. Where none had
    enough labels, `need` does not depend on any answer: who labels on until it is reached, and looks only then, has
    not chosen when to stop by what the labels say.
    """

    reason_code: ReasonCode
    reason: str
    threshold: float
    have: int
    need: int
    promise: Promise
    ladder: tuple[Rung, ...]
    procedure: str

    @property
    def tested(self) -> bool:
        """Whether any rung was tested; where none was, the look spent none of the error rate."""
        return any(rung.outcome != "too few" for rung in self.ladder)


def certify_precision(
    scores: ArrayLike,
    right: ArrayLike,
    promise: Promise,
    *,
    grid: ArrayLike = GRID,
    operating_point: float = OPERATING_POINT,
) -> Certified | Refused:
    """From which score on is at least `promise.precision` of what passes right, said with `promise.confidence`?

    `scores` and `right` (would passing it have been right?) hold one entry per label; only blind labels drawn
    uniformly, or thinned to uniform, and counted once each, certify. There are no weights: an exact promise cannot
    rest on them. `grid` and `operating_point` (the threshold in use) must be chosen before the labels are seen.

    The grid is walked from strict to lenient. The first rung tested is the first with enough labels to survive c
    errors, c being the largest of 0 to 3 for which half the labels at or above the operating point, and all at or
    above the most lenient rung, would do: scores decide that, never the answers. The walk stops at the first rung
    whose exact binomial p-value exceeds `1 - confidence`. The threshold is the last one passed, or a stricter one with
    the same labels, so that it never reaches down to where no score was seen. It is wrong at most that often, with no
    price for the number of rungs.

    Source: A. N. Angelopoulos, S. Bates, E. J. Candes, M. I. Jordan and L. Lei, "Learn then Test", Annals of Applied
    Statistics 19 (2025), fixed-sequence testing, with the exact p-values of Clopper and Pearson, Biometrika 26 (1934).

    Raises:
        ValueError: arrays of different lengths, a score that is no finite number, an answer that is not 0 or 1, an
            empty grid, or an operating point that is no finite number.

    >>> scores = np.repeat([0.95, 0.75, 0.55], [40, 30, 30])
    >>> right = np.repeat([True, False, True, False], [69, 1, 10, 20])
    >>> outcome = certify_precision(scores, right, Promise(precision=0.90, confidence=0.95))
    >>> outcome.threshold, outcome.n, outcome.right, round(outcome.lower_bound, 3)
    (0.75, 70, 69, 0.934)
    >>> outcome = certify_precision(scores[:18], right[:18], Promise(precision=0.90, confidence=0.95))
    >>> outcome.reason_code, outcome.have, outcome.need
    ('too few labels', 18, 29)
    """
    scored = floats(scores, "scores")
    answers = booleans(right, "right", shape=scored.shape)
    thresholds = np.unique(floats(grid, "grid"))[::-1]
    if not len(thresholds):
        raise ValueError("grid must hold at least one threshold")
    if not math.isfinite(operating_point):
        raise ValueError(f"operating_point must be a finite number, not {operating_point}")
    counts, hits = _counts(scored, answers, thresholds)
    errors = _first_step_errors(promise, int((scored >= operating_point).sum()) // 2, int(counts[-1]))
    enough = promise.labels_needed(errors)
    procedure = (
        f"fixed-sequence test of {len(thresholds)} thresholds from strict to lenient, exact binomial p-values, "
        f"first step of {enough} labels to survive {errors} errors"
    )
    ladder = _walk(thresholds, counts, hits, promise, enough)
    return _verdict(ladder, promise, enough, procedure)


def passed(ladder: Sequence[Rung]) -> tuple[Rung, ...]:
    """The rungs of a ladder that were tested and passed, from strict to lenient: the promise holds at each of them.

    Source: Angelopoulos et al., "Learn then Test" (2025): the family-wise error rate covers every rung passed.

    >>> passed([Rung(0.9, 20, 20, 0.12, 0.86, "too few"), Rung(0.8, 29, 29, 0.047, 0.902, "passed")])[0].threshold
    0.8
    """
    return tuple(rung for rung in ladder if rung.outcome == "passed")


def _counts(scores: Floats, right: Booleans, thresholds: Floats) -> tuple[list[int], list[int]]:
    def at_or_above(values: Floats) -> list[int]:
        return [int(count) for count in len(values) - np.searchsorted(np.sort(values), thresholds, side="left")]

    return at_or_above(scores), at_or_above(scores[right])


def _first_step_errors(promise: Promise, half: int, available: int) -> int:
    affordable = (
        errors for errors in range(FIRST_STEP_ERRORS, 0, -1) if promise.labels_needed(errors) <= min(half, available)
    )
    return next(affordable, 0)


def _walk(thresholds: Floats, counts: list[int], hits: list[int], promise: Promise, enough: int) -> tuple[Rung, ...]:
    ladder: list[Rung] = []
    stopped = False
    for threshold, n, right in zip(thresholds, counts, hits, strict=True):
        p_value = p_value_at_least(n - right, n, promise.precision)
        outcome: Outcome = "passed" if promise.allows(p_value) else "failed"
        if n < enough:
            outcome = "too few"
        elif stopped:
            outcome = "not reached"
        stopped = stopped or outcome == "failed"
        bound = lower_bound(right, n, confidence=promise.confidence)
        ladder.append(Rung(float(threshold), n, right, p_value, bound, outcome))
    return tuple(ladder)


def _below(rung: Rung, certified: Rung) -> bool:
    return rung.outcome == "passed" and rung.threshold < certified.threshold


def _verdict(ladder: tuple[Rung, ...], promise: Promise, enough: int, procedure: str) -> Certified | Refused:
    proved = passed(ladder)
    if proved:
        last = next(rung for rung in proved if rung.n == proved[-1].n)  # not where no score was seen
        ladder = tuple(replace(rung, outcome="unseen") if _below(rung, last) else rung for rung in ladder)
        return Certified(last.threshold, last.n, last.right, last.lower_bound, promise, enough, ladder, procedure)
    first = next((rung for rung in ladder if rung.outcome == "failed"), None)
    if first is None:
        widest = next(
            (rung for rung in ladder if rung.n == ladder[-1].n > 0), ladder[-1]
        )  # the strictest with them all
        checked = counted(widest.n, "checked answer", "checked answers")
        reason = f"{checked} at or above {widest.threshold:g}, {enough} needed even if all are right"
        return Refused("too few labels", reason, widest.threshold, widest.n, enough, promise, ladder, procedure)
    need = promise.labels_needed(first.errors)
    reason = (
        f"{first.errors} of {first.n} checked answers at or above {first.threshold:g} "
        f"{'is' if first.errors == 1 else 'are'} wrong; "
        f"{need} are needed to prove {100 * promise.precision:g} % in spite of {'it' if first.errors == 1 else 'them'}"
    )
    return Refused("too many errors", reason, first.threshold, first.n, need, promise, ladder, procedure)
