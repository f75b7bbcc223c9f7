"""Judgement: a policy and a case in, a decision out. Sees values only: no session, clock or network.

Every rule that is definitely true fires. The first to create a kind of work item wins; a later one of that kind is
superseded. A true rule with `stop` ends the evaluation, superseded or not: later rules are still asked, so that the
receipt shows what they said, but their outcome is `not_fired` and they cannot come under review.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from service.route.case import Case, Kind, Value, field_named
from service.route.clocks import Duration
from service.route.policy import Action, Policy, Priority, Rule
from service.route.program import Answer
from service.route.truth import Finding, Truth, View, truth_word

Outcome = Literal["fired", "superseded", "not_fired"]


@dataclass(frozen=True, slots=True)
class ResolvedThreshold:
    """The value a threshold has today, None where it has none, and the certificate behind it.

    `voided` says, in a sentence, why what was promised holds no longer: it takes the value away, so that the threshold
    reads as unknown.
    """

    value: float | None
    certified: bool = False
    certificate: str | None = None
    voided: str | None = None

    def standing(self) -> "ResolvedThreshold":
        """Give what rules may see of it: of a voided one no value."""
        return ResolvedThreshold(None, certificate=self.certificate, voided=self.voided) if self.voided else self

    def to_json(self) -> dict[str, object]:
        told: dict[str, object] = {"value": self.value, "certified": self.certified, "certificate": self.certificate}
        return told | {"voided": self.voided} if self.voided else told  # receipts of before have no such word


class RuleOutcome(NamedTuple):
    """What one rule said: its truth, each of its clauses, and what came of it.

    `because` names the rule that kept a true one from firing: the first that makes the same kind, or one that stops.
    """

    rule: str
    result: Truth
    clauses: tuple[Finding, ...]
    outcome: Outcome
    because: str | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "rule": self.rule,
            "result": truth_word(self.result),
            "clauses": [clause.to_json() for clause in self.clauses],
            "outcome": self.outcome,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A work item to be made. `rules` is the rule that made it; for a review, every rule that hangs.

    A record from history has no service level and goes nowhere. `key` holds the values under which equal items join,
    None where the record has none; `join` is how old the open item may be that it joins.
    """

    kind: Kind | Literal["review"]
    rules: tuple[str, ...]
    mandatory: bool
    priority: Priority
    tags: tuple[str, ...]
    group: str | None
    sla: str | None
    deliver: tuple[str, ...]
    key: tuple[tuple[str, Value | None], ...]
    join: Duration | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "rules": list(self.rules),
            "mandatory": self.mandatory,
            "priority": self.priority,
            "tags": list(self.tags),
            "group": self.group,
            "sla": self.sla,
            "deliver": list(self.deliver),
            "key": [list(pair) for pair in self.key],
            "join": f"{self.join.amount}{self.join.unit}" if self.join else None,
        }


@dataclass(frozen=True, slots=True)
class Bypassed:
    """The first bypass of the policy that holds: whose it is, and why."""

    name: str
    to: str
    reason: str
    clauses: tuple[Finding, ...]

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "to": self.to,
            "reason": self.reason,
            "clauses": [clause.to_json() for clause in self.clauses],
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a case: work items, and the evidence. `thresholds` are those that rules mention."""

    plans: tuple[Plan, ...]
    rules: tuple[RuleOutcome, ...]
    review: tuple[str, ...]
    thresholds: Mapping[str, ResolvedThreshold]
    bypass: Bypassed | None = None


def resolve_uncertified(policy: Policy) -> dict[str, ResolvedThreshold]:
    """Give every threshold its `uncertified` value: how a policy stands before any certificate."""
    return {name: ResolvedThreshold(threshold.uncertified) for name, threshold in policy.thresholds.items()}


def decide(policy: Policy, case: Case, thresholds: Mapping[str, ResolvedThreshold]) -> Decision:
    """Decide one case. Equal values give an equal decision, and no case can make it fail.

    A rule that only a threshold without value, or beliefs withheld on abstain or degraded, keep from firing is
    listed under `review`, and one work item of kind `review` is planned for the policy's `review` group.
    """
    standing = _standing(policy, thresholds)
    view = View(case, {name: threshold.value for name, threshold in standing.items()}, case.withheld)
    answers = policy.program.ask(view)
    outcomes, review, plans, made_by = list[RuleOutcome](), list[str](), dict[str, Plan](), dict[str, str]()
    stopped: str | None = None
    for rule, (result, clauses) in zip(policy.rules, answers, strict=False):  # behind the rules stand the bypasses
        outcome: Outcome = "not_fired"
        because: str | None = None
        if stopped is not None:
            because = stopped if result else None
        elif result:
            because = made_by.get(rule.then.create)
            outcome = "fired" if because is None else "superseded"
            if because is None:
                plans[rule.then.create] = plan(rule, case)
                made_by[rule.then.create] = rule.name
            stopped = rule.name if rule.stop else None
        elif result is None and case.sentiment is not None and rule.condition.hangs_on_judgement(view, clauses):
            review.append(rule.name)
        outcomes.append(RuleOutcome(rule.name, result, clauses, outcome, because))
    if review:
        plans["review"] = _review(policy, tuple(review))
    bypass = _bypass(policy, answers[len(policy.rules) :]) if plans else None
    return Decision(tuple(plans.values()), tuple(outcomes), tuple(review), standing, bypass)


def _standing(policy: Policy, thresholds: Mapping[str, ResolvedThreshold]) -> dict[str, ResolvedThreshold]:
    nothing = ResolvedThreshold(None)
    return {name: thresholds.get(name, nothing).standing() for name in policy.thresholds_used}


def _bypass(policy: Policy, answers: Sequence[Answer]) -> Bypassed | None:
    for one, (holds, clauses) in zip(policy.bypass, answers, strict=True):
        if holds:
            return Bypassed(one.name, one.to, one.reason, clauses)
    return None


def kinds(
    policy: Policy, case: Case, thresholds: Mapping[str, ResolvedThreshold]
) -> dict[Kind | Literal["review"], tuple[str, ...]]:
    """Which items `decide` would plan, and the rules that make them, without the evidence: for backtests.

    Only where beliefs are withheld or a threshold has no value can a review follow: then it decides in full.
    """
    values = {name: threshold.value for name, threshold in _standing(policy, thresholds).items()}
    if case.sentiment is not None and values and (case.withheld or None in values.values()):
        return {made.kind: made.rules for made in decide(policy, case, thresholds).plans}
    made: dict[Kind | Literal["review"], tuple[str, ...]] = {}
    for index in policy.program.fires(case, values):
        if index >= len(policy.rules):  # the bypasses
            break
        rule = policy.rules[index]
        made.setdefault(rule.then.create, (rule.name,))
        if rule.stop:
            break
    return made


def plan(rule: Rule, case: Case) -> Plan:
    """The work item a rule makes of a case, whether or not its condition holds."""
    then = rule.then
    return Plan(
        kind=then.create,
        rules=(rule.name,),
        mandatory=then.mandatory,
        priority=then.priority,
        tags=_tags(then, case),
        group=then.assign,
        sla=None if case.history else then.sla,
        deliver=() if case.history else then.deliver,
        key=tuple((part.name, field_named(part.name, part.type).read(case)) for part in then.key),
        join=then.join,
    )


def _tags(then: Action, case: Case) -> tuple[str, ...]:
    if then.tags != "topics":
        return then.tags
    return () if case.withheld else case.tags


def _review(policy: Policy, rules: tuple[str, ...]) -> Plan:
    return Plan(
        kind="review",
        rules=rules,
        mandatory=False,
        priority="normal",
        tags=(),
        group=policy.review,
        sla=None,
        deliver=(),
        key=(),
    )
