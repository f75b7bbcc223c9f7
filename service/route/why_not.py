"""Why a rule did not fire: the smallest change of one value that would have made it fire. Pure.

Found by trying, the nearest value first; the case is decided again with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from service.route.case import Case, Value
from service.route.decide import RuleOutcome, decide
from service.route.expression import And, Clause, Expression, Not, Or, clauses, operand_text
from service.route.nearest import Candidate, Thresholds, Trial
from service.route.phrases import operand_words, value_words
from service.route.policy import Policy
from service.route.truth import Finding


class UnknownRule(Exception):
    """The policy has no rule of this name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value other than it was; None where it was, or had to be, missing."""

    name: str
    was: Value | None
    needed: Value | None


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What became of a rule and, where it did not fire, what would have changed that.

    `because` names the rule that stands before it. `lacking` are the clauses that were not as the rule asks for, where
    no single value is enough. `sentence` says it all in plain words.
    """

    rule: str
    outcome: Literal["fired", "superseded", "stopped", "not_fired"]
    sentence: str
    because: str | None = None
    change: Change | None = None
    lacking: tuple[Finding, ...] = ()


def why_not(policy: Policy, case: Case, thresholds: Thresholds, rule: str) -> WhyNot:
    """Say why a rule did not fire in a case, and name the smallest change of one value with which it would have.

    A change is measured by the range of its field, in a field without one by the size of the value; a value that
    appears or goes, and another text, count as the whole range.

    Raises:
        UnknownRule: the policy has none of this name.
    """
    decision = decide(policy, case, thresholds)
    found = next((outcome for outcome in decision.rules if outcome.rule == rule), None)
    if found is None:
        raise UnknownRule(f"The policy has no rule {rule}.")
    if found.result is True:
        return _true(found)
    trial = Trial(policy, case, thresholds, rule)
    for candidate in trial.candidates():
        if trial.fires(candidate) and _fires(policy, trial.changed(candidate), thresholds, rule):
            was = trial.value(candidate.operand)
            change = Change(operand_text(candidate.operand), was, candidate.value)
            return WhyNot(rule, "not_fired", _sentence(trial, candidate, was), change=change)
    return _no_single_value(trial, found, hangs=rule in decision.review)


def _true(found: RuleOutcome) -> WhyNot:
    if found.outcome == "fired":
        return WhyNot(found.rule, "fired", "It fired.")
    if found.outcome == "superseded":
        said = f"It was true, but the rule {found.because} stands before it and makes the same kind of item."
        return WhyNot(found.rule, "superseded", said, found.because)
    said = f"It was true, but the rule {found.because} stands before it and ends the evaluation."
    return WhyNot(found.rule, "stopped", said, found.because)


def _fires(policy: Policy, case: Case, thresholds: Thresholds, rule: str) -> bool:
    return any(found.rule == rule and found.outcome == "fired" for found in decide(policy, case, thresholds).rules)


def _sentence(trial: Trial, candidate: Candidate, was: Value | None) -> str:
    """Say it like this: It would have fired had NPS been 6 or less; it was 7."""
    name = operand_words(candidate.operand)
    before = "missing" if was is None else _shown(was)
    return f"It would have fired had {name} been {_wanted(trial, candidate, was)}; it was {before}."


def _wanted(trial: Trial, candidate: Candidate, was: Value | None) -> str:
    value = candidate.value
    if value is None:
        return "missing"
    if was is None and all(trial.fires(one) for one in trial.of(candidate.operand)):
        return "known"
    if isinstance(value, str | bool):
        return _shown(value) if candidate.side == 0 else "something else"
    if isinstance(was, int | float) and _all_beyond(trial, candidate, value, was):
        if candidate.side == 0:
            return f"{_shown(value)} or {'more' if value > was else 'less'}"
        return f"{'more' if candidate.side == 1 else 'less'} than {_shown(candidate.boundary)}"
    if candidate.side == 0:
        return _shown(value)
    return f"just {'over' if candidate.side == 1 else 'under'} {_shown(candidate.boundary)}"


def _all_beyond(trial: Trial, candidate: Candidate, value: float, was: float) -> bool:
    """Whether the rule would also have fired with every value still further away: trying them all is exact."""
    others = [(one, one.value) for one in trial.of(candidate.operand) if isinstance(one.value, int | float)]
    further = [one for one, other in others if other != value and (other > value) is (value > was)]
    return value not in trial.ends(candidate.operand) and all(trial.fires(one) for one in further)


def _shown(value: Value | None) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value_words(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.12g}"


def _no_single_value(trial: Trial, found: RuleOutcome, *, hangs: bool) -> WhyNot:
    before = next((name for one in trial.candidates() if (name := trial.before(one)) is not None), None)
    lacking = tuple(dict.fromkeys(_lacking(trial.tree, found.clauses)))
    if before is not None:
        said = f"No change of one value would have made it fire: even true, it comes after the rule {before}."
        return WhyNot(found.rule, "not_fired", said, before, lacking=lacking)
    missing = ", ".join(f"{one.text} ({'missing' if one.value is None else _shown(one.value)})" for one in lacking)
    said = f"No change of one value would have made it fire. What lacks: {missing}." if missing else "It never fires."
    asked = " A person is asked instead: it hangs on what no rule may act upon." if hangs else ""
    return WhyNot(found.rule, "not_fired", said + asked, lacking=lacking)


def _lacking(tree: Expression, findings: Sequence[Finding]) -> Iterator[Finding]:
    """The clauses that are not as the condition asks for; one that it asks for both ways may come twice."""
    results = dict(zip(dict.fromkeys(clauses(tree)), findings, strict=True))
    for clause, wanted in dict.fromkeys(_wanting(tree, wanted=True)):
        finding = results[clause]
        if finding.result is not wanted:
            yield finding


def _wanting(tree: Expression, *, wanted: bool) -> Iterator[tuple[Clause, bool]]:
    if isinstance(tree, Not):
        yield from _wanting(tree.item, wanted=not wanted)
    elif isinstance(tree, And | Or):
        for item in tree.items:
            yield from _wanting(item, wanted=wanted)
    else:
        yield tree, wanted
