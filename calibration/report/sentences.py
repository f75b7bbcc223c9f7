"""The report's sentences, for somebody who has never heard of a p-value: whole numbers out of a hundred."""

import math
import shlex

from calibration.agreement.against_people import AgainstPeople
from calibration.binomial import lower_bound
from calibration.metrics.noise_floor import MeasuredError, NoiseFloor
from calibration.promise import ROUNDING, Promise
from calibration.report.inert import inert_line
from calibration.report.report import QuestionReport, Report
from calibration.result import Estimate, Undefined
from calibration.sampling.planner import FirstTest, Plan
from calibration.thresholds.precision import Refused, Rung
from calibration.words import counted

UNLIKELY = 0.05  # a plan that works out less often than this is not worth anybody's week
LEAST_TO_FORETELL = 10  # labels from which the chance of a plan says more than that they are few


def headline(report: Report) -> str:
    """What became of the file, in one sentence.

    >>> headline(Report(Promise(precision=0.90, confidence=0.95), 0.667, 30, 0, 0, (), ()))
    'Of 0 labels, 0 keep the promise.'
    """
    others = len(report.questions) - report.certified
    of = counted(len(report.questions), "label", "labels")
    rest = f"; {counted(others, 'belongs', 'belong')} to a person" if others else ""
    return f"Of {of}, {counted(report.certified, 'keeps', 'keep')} the promise{rest}."


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
    kept = f"of every {every} texts that the model gives {outcome.threshold:g} or more, at least {right} are right"
    if len(outcome.ladder) == 1:
        kept += ", provided that this threshold was fixed before the labels were made"
    if verdict.certified:
        return f"Promised: {kept}. {doubt(outcome.promise)}"
    return f"No promise possible yet. Mend first: {_missing(question)}. Then the promise could be: {kept}."


def next_step(question: QuestionReport) -> str:
    """What to label next, with its chance of success, or that labelling will not help; empty for a kept promise.

    >>> from calibration.labels.label import Label
    >>> from calibration.report.report import report
    >>> late = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9, n > 40) for n in range(60)]
    >>> next_step(report(late, Promise(precision=0.90, confidence=0.95)).questions[0])
    "Mend first: 'drawn at random', 'blind', 'people agree'. Then: More labels will not help: at 0.9 and above the \
model is right in 19 of 60. It has to get better first."
    >>> few = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9, True) for n in range(18)]
    >>> next_step(report(few, Promise(precision=0.90, confidence=0.95)).questions[0])
    "Mend first: 'drawn at random', 'blind', 'people agree'. Then: Label 11 more above 0.9: with 29 the 90 % promise \
can be tested, and it holds if none of them is wrong. Draw them at random from all texts, about 11 of those, until so \
many lie above. Nothing was tested yet, so that to look again then adds no risk."
    """
    if question.plan is None:
        return ""
    step, missing = _step(question, question.plan), _missing(question)
    return f"Mend first: {missing}. Then: {step}" if missing else step


def _missing(question: QuestionReport) -> str:
    failed = [check for check in question.verdict.checks if not check.holds and check.name != "labels suffice"]
    return ", ".join(f"'{check.name}'" for check in failed)


def _step(question: QuestionReport, plan: Plan | FirstTest) -> str:
    verdict = question.verdict
    if question.to_settle:
        texts = counted(question.to_settle, "disputed or unsure text", "disputed or unsure texts")
        return f"Settle {texts} first: the promise can hold once somebody has decided."
    rung = next(one for one in verdict.outcome.ladder if one.threshold == plan.threshold)
    if _too_seldom(rung, plan.promise):
        return f"More labels will not help: {_right_in(rung)}. It has to get better first."
    if isinstance(plan, FirstTest):
        return f"{_draw(question, plan, rung)} Nothing was tested yet, so that to look again then adds no risk."
    if rung.errors and (plan.chance or 0) < UNLIKELY:
        return f"More labels will hardly help: {_right_in(rung)}. It has to get better, or the promise to be lower."
    step = (
        f"{_draw(question, plan, rung)} Nobody looks in between; "
        f"then judge it with --threshold {_typed(verdict.label, plan.threshold)}. One more look adds its own risk."
    )
    if plan.chance is None or rung.n < LEAST_TO_FORETELL:
        return step
    return f"{step} If labels go on as they did, that works out in roughly {100 * plan.chance:.0f} of 100 cases."


def _draw(question: QuestionReport, plan: Plan | FirstTest, rung: Rung) -> str:
    evidence = question.verdict.evidence
    texts = "all texts" if evidence.line is None else f"the texts that the model gives {evidence.line:g} or more"
    about = f", about {math.ceil(plan.more * len(evidence.sample) / rung.n)} of those," if rung.n else ""
    return f"{plan.sentence} Draw them at random from {texts}{about} until so many lie above."


def _too_seldom(rung: Rung, promise: Promise) -> bool:
    """Whether the labels at hand already show, at 95 %, that the precision there is below the promise."""
    return rung.n > 0 and 1 - lower_bound(rung.errors, rung.n, confidence=0.95) < promise.precision


def _typed(label: str, threshold: float) -> str:
    """What to type after --threshold; a label that could not be typed goes without its name."""
    return shlex.quote(f"{label}={threshold:g}") if inert_line(label) == label else f"{threshold:g}"


def _right_in(rung: Rung) -> str:
    return f"at {rung.threshold:g} and above the model is right in {rung.right} of {rung.n}"


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
    'We can be wrong about this statement 1 time in 20.'
    """
    return f"We can be wrong about this statement 1 time in {_files(promise)}."


def risk(promise: Promise) -> str:
    """What the confidence of a promise means for whoever judges many files.

    >>> risk(Promise(precision=0.90, confidence=0.95))
    'Of 20 files judged like this, at most 1 gets a false promise among the labels of one axis, which share that risk.'
    """
    return (
        f"Of {_files(promise)} files judged like this, at most 1 gets a false promise among the labels of one axis, "
        "which share that risk."
    )


def _files(promise: Promise) -> str:
    return f"{1 / (1 - promise.confidence):.0f}"


def reach(question: QuestionReport) -> str:
    """How much of what it looks for the threshold catches; empty where there is no threshold or nothing to catch.

    >>> from calibration.labels.label import Label
    >>> from calibration.report.report import report
    >>> late = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9 if n < 40 else 0.1, n < 50) for n in range(99)]
    >>> reach(report(late, Promise(precision=0.90, confidence=0.95)).questions[0])
    'It catches about 80 of 100 texts that people call so (66 to 90, judged by 50 of them).'
    """
    if question.at is None or isinstance(question.at.recall, Undefined):
        return ""
    recall = question.at.recall
    return (
        f"It catches about {100 * recall.value:.0f} of 100 texts that people call so ({100 * recall.low:.0f} to "
        f"{100 * recall.high:.0f}, judged by {recall.n} of them)."
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
    if found.low == found.high:
        return f"{found.value:.2f} (all {found.n} alike, so that nothing says how far off it may be)"
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
