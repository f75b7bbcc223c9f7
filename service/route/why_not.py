"""Why a rule did not fire: the smallest change of one value that would have made it fire. Pure.

Found by trying, the nearest value first; the case is decided again with it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from service.route.case import Case, Value
from service.route.decide import RuleOutcome, decide
from service.route.expression import (
    Clause,
    Compare,
    Expression,
    FieldOf,
    Fixed,
    Holds,
    Matches,
    Not,
    Operand,
    ThresholdOf,
    TopicOf,
    Verbatims,
    asked,
    clauses,
    operand_text,
)
from service.route.nearest import Candidate, Thresholds, Trial
from service.route.phrases import BELIEFS, condition, exactly, operand_words, percent, value_words
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
    before = _shown(candidate.operand, was, candidate.boundary)
    return f"It would have fired had {name} been {_wanted(trial, candidate, was)}; it was {before}."


def _wanted(trial: Trial, candidate: Candidate, was: Value | None) -> str:
    value, operand = candidate.value, candidate.operand
    if value is None:
        return "missing"
    if was is None and all(trial.fires(one) for one in trial.of(candidate.operand)):
        return "known"
    if isinstance(value, str | bool):
        return value_words(value) if candidate.side == 0 else "something else"
    needed = _needed(operand, value if candidate.side == 0 else candidate.boundary, was)
    if isinstance(was, int | float) and _all_beyond(trial, candidate, value, was):
        if candidate.side == 0:
            return f"{needed} or {'more' if value > was else 'less'}"
        return f"{'more' if candidate.side == 1 else 'less'} than {needed}"
    if candidate.side == 0:
        return needed
    return f"just {'over' if candidate.side == 1 else 'under'} {needed}"


def _all_beyond(trial: Trial, candidate: Candidate, value: float, was: float) -> bool:
    """Whether the rule would also have fired with every value still further away: trying them all is exact."""
    others = [(one, one.value) for one in trial.of(candidate.operand) if isinstance(one.value, int | float)]
    further = [one for one, other in others if other != value and (other > value) is (value > was)]
    return value not in trial.ends(candidate.operand) and all(trial.fires(one) for one in further)


def _needed(item: Operand, value: Value | None, was: Value | None) -> str:
    """A number that somebody wrote is said as it stands in the rule; what a threshold came to, in short."""
    if isinstance(value, int | float) and round(value, 6) == value:
        return percent(value) if _is_chance(item) else exactly(value)
    return _shown(item, value, was)


def _is_chance(item: Operand | Verbatims) -> bool:
    return isinstance(item, TopicOf) or (isinstance(item, FieldOf) and item.name in BELIEFS)


def _shown(item: Operand | Verbatims, value: Value | None, beside: Value | None) -> str:
    """A value in words: a chance in percent with one decimal, another number with four digits, a whole one with all.

    It gets more of them where it would otherwise look the same as the number it stands `beside`.
    """
    if value is None:
        return "missing"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value_words(value)
    if _is_chance(item):
        return percent(_rounded(value, beside, 3))
    if float(value).is_integer():
        return f"{value:,.0f}"
    return exactly(_rounded(value, beside, max(0, 3 - math.floor(math.log10(abs(value))))))


def _rounded(value: float, beside: Value | None, places: int) -> float:
    other = beside if isinstance(beside, int | float) and beside != value else None
    enough = (many for many in range(places, places + 14) if other is None or round(value, many) != round(other, many))
    return round(value, next(enough, places + 14))


def _no_single_value(trial: Trial, found: RuleOutcome, *, hangs: bool) -> WhyNot:
    before = next((name for one in trial.candidates() if (name := trial.before(one)) is not None), None)
    asked_for = list(_lacking(trial.tree, found.clauses))
    lacking = tuple(dict.fromkeys(finding for _, _, finding in asked_for))
    if before is not None:
        said = f"No change of one value would have made it fire: even true, it comes after the rule {before}."
        return WhyNot(found.rule, "not_fired", said, before, lacking=lacking)
    missing = "; ".join(_lack(trial, clause, wanted, finding) for clause, wanted, finding in asked_for)
    said = f"No change of one value would have made it fire. What lacks: {missing}." if missing else "It never fires."
    asked = " A person is asked instead: it hangs on what no rule may act upon." if hangs else ""
    return WhyNot(found.rule, "not_fired", said + asked, lacking=lacking)


def _lack(trial: Trial, clause: Clause, wanted: Expression, found: Finding) -> str:
    """What a condition asks for, and what was there: the text is urgent (at least 50 % sure; it was 40 %)."""
    asked = condition(wanted)
    if isinstance(clause, Holds) and isinstance(clause.item, Fixed):
        return asked
    if isinstance(clause, Matches) and isinstance(clause.item, Verbatims) and found.result is not None:
        return f"{asked} (it contains {value_words(found.value)})" if found.result else asked
    item, beside = _looked_at(clause, trial)
    was = _shown(item, found.value, beside)
    if _is_chance(item) and asked.endswith(")"):
        return f"{asked[:-1]}; it was {was})"
    return f"{asked} (it was {was})"


def _looked_at(clause: Clause, trial: Trial) -> tuple[Operand | Verbatims, Value | None]:
    """The operand whose value a finding holds, and the value it is compared with."""
    if not isinstance(clause, Compare):
        return clause.item, None
    turned = isinstance(clause.left, Fixed | ThresholdOf)
    item, other = (clause.right, clause.left) if turned else (clause.left, clause.right)
    return item, trial.known(other)


def _lacking(tree: Expression, findings: Sequence[Finding]) -> Iterator[tuple[Clause, Expression, Finding]]:
    """The clauses that are not as the condition asks for, each with what it asks; one may be asked for both ways."""
    results = dict(zip(dict.fromkeys(clauses(tree)), findings, strict=True))
    for clause, wanted in dict.fromkeys(asked(tree)):
        finding = results[clause]
        if finding.result is not wanted:
            yield clause, clause if wanted else Not(item=clause), finding
