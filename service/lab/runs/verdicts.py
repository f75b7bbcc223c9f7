"""Verdicts: what the labels of an axis prove about one of them, or what is missing. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from calibration.binomial import p_value_at_least
from calibration.certification.gate import judge
from calibration.certification.items import Question, questions
from calibration.labels.label import Label
from calibration.promise import MOST_ATTEMPTS, Promise
from calibration.report.people import people
from calibration.report.report import QuestionReport, report
from calibration.thresholds.positions import proved
from calibration.thresholds.precision import GRID, Certified, Refused, Rung
from calibration.words import counted
from service.lab.runs.run_result import LabelNext, Proved, RefusedThreshold

LINE = float(GRID[0])  # the lowest position a threshold may take; items below it say nothing about any
FROM_LINE = 0.7  # of the cards of a sample for one label, so many at least lie from the line up
ATTEMPTS_SPENT = (
    f"This promise was tried {MOST_ATTEMPTS} times, and each time the next may err half as often: nothing is left to "
    "try with. Improve the model, or change the list of topics: what is read otherwise is judged anew."
)
MOST_ERRORS = 10  # errors to come that a plan allows for


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one label: which attempt at the promise it is, and among how many labels its error is shared."""

    axis: str
    label: str
    source: str | None
    asked: Promise
    attempt: int
    sharing: int
    seed: int
    spent: bool = False  # so many attempts were made that nothing of the error is left for another

    @property
    def promise(self) -> Promise:
        """What this look has to prove."""
        return self.asked.at_attempt(self.attempt).shared_among(self.sharing)

    @property
    def next_promise(self) -> Promise:
        """What the next look has to prove if this one tests and refuses."""
        return self.asked.at_attempt(min(self.attempt + 1, MOST_ATTEMPTS)).shared_among(self.sharing)


@dataclass(frozen=True, slots=True)
class Pile:
    """How many cards were heard, how many of them wait for somebody, how many others there are; seconds for a card."""

    cards: int
    third: int
    disputed: int
    passed_on: int
    open: int
    unread: int
    seconds: float

    @property
    def waiting(self) -> int:
        """Cards on which somebody still has to say something."""
        return self.third + self.disputed + self.passed_on + self.open


@dataclass(frozen=True, slots=True)
class Judged:
    """A look and what came of it."""

    look: Look
    found: QuestionReport

    @property
    def ready(self) -> bool:
        """Whether the labels may be tested at all: an attempt is left, drawn at random, blind, and people agree."""
        return not self.look.spent and all(
            check.holds for check in self.found.verdict.checks if check.name != "labels suffice"
        )

    @property
    def tested(self) -> bool:
        """Whether this look tested the promise; one that did not spends nothing, and shows nothing of the model."""
        outcome = self.found.verdict.outcome
        return self.ready and (isinstance(outcome, Certified) or outcome.tested)

    @property
    def certified(self) -> Certified | None:
        """The proof, where every condition holds."""
        outcome = self.found.verdict.outcome
        return outcome if self.ready and isinstance(outcome, Certified) else None


def judged(labels: Sequence[Label], look: Look) -> Judged:
    """Judge the labels of one look; there may be none. What may not be shown is not computed either.

    Raises:
        InvalidLabels: two of them tell different things about one item.
    """
    question = next(iter(questions(labels)), Question(look.axis, look.label, (), 0))
    first = Judged(look, _unmeasured(question, look))
    if not first.tested:
        return first
    (found,) = report(labels, look.promise, seed=look.seed, line=LINE).questions
    return Judged(look, found)


def _unmeasured(question: Question, look: Look) -> QuestionReport:
    verdict = judge(question, look.promise, seed=look.seed, line=LINE)
    return QuestionReport(
        texts=len(question.items),
        duplicates=question.duplicates,
        verdict=verdict,
        at=None,
        plan=None,
        to_settle=0,
        people=people(verdict.evidence, look.promise, seed=look.seed),
        quality=None,
        segments=(),
        mistakes=(),
    )


def positions(certified: Certified) -> tuple[Proved, ...]:
    """Where a certificate may put the threshold, rising, with the labels at or above each position."""
    may_stand = set(proved(certified))
    return tuple(
        Proved(threshold=rung.threshold, n=rung.n, correct=rung.right, lower_bound=rung.lower_bound)
        for rung in reversed(certified.ladder)
        if rung.threshold in may_stand
    )


def refusal(one: Judged, pile: Pile) -> RefusedThreshold:
    """Why there is no promise, how much is there of how much, and what to do next."""
    outcome = one.found.verdict.outcome
    failed = [check for check in one.found.verdict.checks if not check.holds and check.name != "labels suffice"]
    if isinstance(outcome, Refused) and one.tested:
        rung = next(rung for rung in outcome.ladder if rung.threshold == outcome.threshold)
        return _refused(one, "too many errors", f"{outcome.reason}.", outcome.have, *_afresh(one, rung, pile))
    have, need = _first(one)
    if one.look.spent:
        return _refused(one, "too many attempts", ATTEMPTS_SPENT, have, need, None)
    if have >= need and failed:
        return _refused(one, failed[0].name, failed[0].finding, have, need, _mend(one, pile))
    checked = counted(have, "checked answer", "checked answers")
    reason = f"{checked} that the model gives {LINE:g} or more, {need} needed even if all are right."
    return _refused(one, "too few labels", reason, have, need, _more(one, need - have, pile))


def _refused(
    one: Judged, code: str, reason: str, have: int, need: int, label_next: LabelNext | None
) -> RefusedThreshold:
    return RefusedThreshold.model_validate(
        {
            "reason_code": code,
            "reason": reason,
            "have": have,
            "need": need,
            "tested": one.tested,
            "label_next": label_next,
        }
    )


def _first(one: Judged) -> tuple[int, int]:
    """Labels from the line up, and how many it takes to test anything: neither depends on any answer."""
    return len(one.found.verdict.evidence.sample), one.look.promise.labels_needed()


def _more(one: Judged, missing: int, pile: Pile) -> LabelNext:
    waiting = _waiting(pile)
    if pile.open >= math.ceil(missing / FROM_LINE):
        return _next(one, 0, pile, f"{waiting} Label these first, then start a run again.")
    size = max(1, math.ceil(missing / FROM_LINE) - pile.open)
    asked = f"Label {missing} more from {LINE:g} up: draw a sample of {counted(size, 'card', 'cards')}"
    return _next(one, size, pile, f"{waiting} {asked}, then start a run again: it uses all labels so far.".strip())


def _mend(one: Judged, pile: Pile) -> LabelNext:
    waiting = _waiting(pile)
    return _next(one, 0, pile, f"{waiting} Mend that, then start a run again: it uses the same labels.".strip())


def _afresh(one: Judged, rung: Rung, pile: Pile) -> tuple[int, LabelNext]:
    """How many fresh labels the next attempt needs if answers go on being wrong as often, and where they come from.

    This attempt's labels are spent, and so is half of the error that is left.
    """
    promise = one.look.next_promise
    wrong = (rung.errors + 0.5) / (rung.n + 1)  # half an error more, as in `calibration.sampling.planner.plan`
    needs = [(errors, promise.labels_needed(errors)) for errors in range(MOST_ERRORS)]
    likely = next((one for one in needs if p_value_at_least(one[0], one[1], 1 - wrong) >= 0.5), None)
    spent = "The labels of this run are spent: a next attempt takes fresh ones and may err half as often."
    if likely is None:
        need = promise.labels_needed()
        said = f"More labels will hardly help: the model has to get better, or the promise to be lower. {spent}"
        return need, _next(one, 0, pile, said)
    errors, need = likely
    size = math.ceil(need / FROM_LINE)
    hoped = f"if at most {errors} of them {'is' if errors == 1 else 'are'} wrong" if errors else "if none is wrong"
    cards = counted(size, "card", "cards")
    said = f"Draw a fresh sample of {cards}: about {need} of them lie from {LINE:g} up, and {hoped}, the promise holds."
    return need, _next(one, size, pile, f"{_waiting(pile)} {said} {spent}".strip())


def _waiting(pile: Pile) -> str:
    parts = []
    if more := pile.open + pile.passed_on + pile.third:
        parts.append(counted(more, "card waits to be labelled.", "cards wait to be labelled."))
    if pile.disputed:
        parts.append(counted(pile.disputed, "card waits for an adjudicator.", "cards wait for an adjudicator."))
    return " ".join(parts)


def _next(one: Judged, size: int, pile: Pile, sentence: str) -> LabelNext:
    look = one.look
    minutes = math.ceil(max(size, pile.waiting) * pile.seconds / 60)
    return LabelNext(
        axis=look.axis, label=look.label, source=look.source, size=size, minutes=minutes, sentence=sentence.strip()
    )
