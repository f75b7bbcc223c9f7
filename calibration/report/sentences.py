"""The report's sentences, for somebody who has never heard of a p-value: whole numbers out of a hundred."""

import math

from calibration.agreement.against_people import AgainstPeople
from calibration.binomial import lower_bound
from calibration.metrics.noise_floor import MeasuredError, NoiseFloor
from calibration.promise import ROUNDING, Promise
from calibration.report.report import QuestionReport, Report
from calibration.result import Estimate, Undefined
from calibration.sampling.planner import Plan
from calibration.thresholds.precision import Refused, Rung
from calibration.words import counted

# labels drawn only above a threshold would make every lower threshold look better than it is, and could certify it
_DRAWN = "Draw at random from all texts, not only from those above"
UNLIKELY = 0.05  # a plan that works out less often than this is not worth anybody's week
LEAST_TO_FORETELL = 10  # labels from which the chance of a plan says more than that they are few


def headline(report: Report) -> str:
    """What became of the file, in one sentence.

    >>> headline(Report(Promise(precision=0.90, confidence=0.95), 0.667, 30, 0, 0, (), ()))
    'Of 0 labels, 0 keep the promise; every other one belongs to a person.'
    """
    of = counted(len(report.questions), "label", "labels")
    return f"Of {of}, {counted(report.certified, 'keeps', 'keep')} the promise; every other one belongs to a person."


def promised(question: QuestionReport) -> str:
    """The promise kept or refused, as natural frequencies.

    >>> from calibration.labels.label import Label
    >>> from calibration.report.report import report
    >>> late = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9, True) for n in range(18)]
    >>> promised(report(late, Promise(precision=0.90, confidence=0.95)).questions[0])
    'No promise possible yet: 18 checked answers at or above 0.9, 29 needed even if all are right.'
    """
    verdict = question.verdict
    outcome = verdict.outcome
    if isinstance(outcome, Refused):
        found = next(check.finding for check in verdict.checks if check.name == "labels suffice")
        return f"No promise possible yet: {found}"
    right, every = _natural(outcome.promise.precision)
    kept = f"of every {every} texts that the model gives {outcome.threshold:.2f} or more, at least {right} are right"
    if verdict.certified:
        return f"Promised: {kept}. {doubt(outcome.promise)}"
    missing = ", ".join(f"'{check.name}'" for check in verdict.checks if not check.holds)
    return f"No promise possible yet: {missing} does not hold. If it did, the promise would be: {kept}."


def next_step(question: QuestionReport) -> str:
    """What to label next, with its chance of success, or that labelling will not help; empty for a kept promise.

    >>> from calibration.labels.label import Label
    >>> from calibration.report.report import report
    >>> late = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9, n > 40) for n in range(60)]
    >>> next_step(report(late, Promise(precision=0.90, confidence=0.95)).questions[0])
    'More labels will not help: at 0.9 and above the model is right in 19 of 60. It has to get better first.'
    >>> few = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9, True) for n in range(18)]
    >>> next_step(report(few, Promise(precision=0.90, confidence=0.95)).questions[0])
    'Label 11 more above 0.9 and, if none is wrong, the 90 % promise holds. Draw at random from all texts, not only \
from those above: about 11 in all. Nobody looks in between; then judge it with --threshold 0.9. If labels go on as \
they did, that works out in about 75 of 100 cases.'
    """
    plan, verdict = question.plan, question.verdict
    if plan is None:
        return ""
    if question.settling_would_do:
        open_texts = counted(verdict.evidence.unsettled, "disputed or unsure text", "disputed or unsure texts")
        return f"Settle the {open_texts} first: the promise can hold once somebody has decided."
    rung = next(one for one in verdict.outcome.ladder if one.threshold == plan.threshold)
    if _too_seldom(rung, plan.promise):
        return f"More labels will not help: {_right_in(rung)}. It has to get better first."
    if rung.errors and (plan.chance or 0) < UNLIKELY:
        return f"More labels will hardly help: {_right_in(rung)}. It has to get better, or the promise to be lower."
    if not rung.n:
        return f"{plan.sentence} {_DRAWN}. {_judge_with(plan)}"
    texts = math.ceil(plan.more * len(verdict.evidence.sample) / rung.n)
    step = f"{plan.sentence} {_DRAWN}: about {texts} in all. {_judge_with(plan)}"
    if plan.chance is None or rung.n < LEAST_TO_FORETELL:
        return step
    return f"{step} If labels go on as they did, that works out in about {100 * plan.chance:.0f} of 100 cases."


def _too_seldom(rung: Rung, promise: Promise) -> bool:
    """Whether the labels at hand already show, at 95 %, that the precision there is below the promise."""
    return rung.n > 0 and 1 - lower_bound(rung.errors, rung.n, confidence=0.95) < promise.precision


def _right_in(rung: Rung) -> str:
    return f"at {rung.threshold:g} and above the model is right in {rung.right} of {rung.n}"


def _judge_with(plan: Plan) -> str:
    # the plan's threshold is fixed before its labels exist; the whole ladder would begin at a stricter rung
    return f"Nobody looks in between; then judge it with --threshold {plan.threshold:g}."


def asked(promise: Promise) -> str:
    """The promise before any threshold is found, as natural frequencies.

    >>> asked(Promise(precision=0.90, confidence=0.95))
    'of every 100 texts that pass a threshold, at least 90 are right.'
    >>> asked(Promise(precision=0.995, confidence=0.95))
    'of every 1000 texts that pass a threshold, at least 995 are right.'
    """
    right, every = _natural(promise.precision)
    return f"of every {every} texts that pass a threshold, at least {right} are right."


def _natural(share: float) -> tuple[int, int]:
    """The share as so many of so many, out of 100 where that is exact."""
    bases = (100, 1_000, 10_000)
    every = next((base for base in bases if math.isclose(share * base, round(share * base))), bases[-1])
    return math.floor(share * every + ROUNDING), every


def doubt(promise: Promise) -> str:
    """How often a promise of this confidence is wrong.

    >>> doubt(Promise(precision=0.90, confidence=0.95))
    'We can be wrong about this statement 1 time in 20: of 20 files judged like this, at most 1 gets a false promise.'
    """
    files = f"{1 / (1 - promise.confidence):.0f}"
    return (
        f"We can be wrong about this statement 1 time in {files}: of {files} files judged like this, at most 1 gets a "
        "false promise."
    )


def reach(question: QuestionReport) -> str:
    """How much of what it looks for the threshold catches; empty where there is no threshold or nothing to catch.

    >>> from calibration.labels.label import Label
    >>> from calibration.report.report import report
    >>> late = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9 if n < 40 else 0.1, n < 50) for n in range(99)]
    >>> reach(report(late, Promise(precision=0.90, confidence=0.95)).questions[0])
    'It catches about 80 of 100 texts that people call so (66 to 90 is what 50 of them can tell).'
    """
    if question.at is None or isinstance(question.at.recall, Undefined):
        return ""
    recall = question.at.recall
    return (
        f"It catches about {100 * recall.value:.0f} of 100 texts that people call so ({100 * recall.low:.0f} to "
        f"{100 * recall.high:.0f} is what {recall.n} of them can tell)."
    )


def figure(found: Estimate | Undefined | None) -> str:
    """A figure with its interval and n, or why there is none.

    >>> figure(Estimate(0.81, 0.72, 0.88, 0.95, 100, "exact"))
    '0.81 (0.72 to 0.88, n = 100)'
    >>> figure(Undefined("only one answer ever occurs", 12, "alpha"))
    'undefined: only one answer ever occurs (n = 12)'
    """
    if found is None:
        return "not computed"
    if isinstance(found, Undefined):
        return f"undefined: {found.reason} (n = {found.n})"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f}, n = {found.n})"


def beside_chance(found: MeasuredError | Undefined) -> str:
    """A calibration error beside what chance alone would show with perfect probabilities.

    >>> beside_chance(Undefined("no label", 0, "ECE"))
    'undefined: no label (n = 0)'
    """
    if isinstance(found, Undefined):
        return figure(found)
    return f"{found.error.value:.3f}, of which chance alone explains up to {found.floor.high:.3f} (n = {found.error.n})"


def honest(floor: NoiseFloor | Undefined) -> str:
    """What probabilities that mean what they say would score.

    >>> honest(NoiseFloor(0.16, 0.2, 0.95, 100, "resampling"))
    'honest ones would score about 0.16, by chance up to 0.20'
    """
    if isinstance(floor, Undefined):
        return f"no floor: {floor.reason}"
    return f"honest ones would score about {floor.mean:.2f}, by chance up to {floor.high:.2f}"


def among_people(found: AgainstPeople | Undefined) -> str:
    """Where the model stands among the people.

    >>> among_people(Undefined("no item was answered by two raters", 0, "leave one out"))
    'The model cannot be compared with your people: no item was answered by two raters.'
    """
    if isinstance(found, Undefined):
        return f"The model cannot be compared with your people: {found.reason}."
    return found.sentence
