"""Judgement: a policy and a case in, a decision out. Sees values only: no session, clock or network.

Every rule that is definitely true fires. The first to create a kind of work item wins; a later one of that kind is
superseded. A true rule with `stop` ends the evaluation, superseded or not: later rules are still asked, so that the
receipt shows what they said, but their outcome is `not_fired` and they cannot come under review.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.route.case import Case, Value, field_named
from service.route.clocks import Target
from service.route.policy import Action, Kind, Policy, Priority, Rule, owner
from service.route.truth import Finding, Truth, View, truth_word

Outcome = Literal["fired", "superseded", "not_fired"]


@dataclass(frozen=True, slots=True)
class ResolvedThreshold:
    """The value a threshold has today, None where it has none, and the certificate behind it.

    A voided certificate takes the value away: the threshold reads as unknown.
    """

    value: float | None
    certified: bool = False
    certificate: str | None = None
    voided: bool = False

    def standing(self) -> "ResolvedThreshold":
        """Give what rules may see of it: nothing of a voided one but whose certificate it was."""
        return ResolvedThreshold(None, certificate=self.certificate) if self.voided else self

    def to_json(self) -> dict[str, object]:
        return {"value": self.value, "certified": self.certified, "certificate": self.certificate}


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule said: its truth, each of its clauses, and what came of it."""

    rule: str
    result: Truth
    clauses: tuple[Finding, ...]
    outcome: Outcome

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

    `due` counts from the case's `now`; a record from history has no due times and goes nowhere. `key` holds the
    values under which equal items join, None where the record has none.
    """

    kind: Kind | Literal["review"]
    rules: tuple[str, ...]
    mandatory: bool
    priority: Priority
    tags: tuple[str, ...]
    group: str | None
    owner: str | None
    sla: str | None
    due: Mapping[Target, datetime]
    deliver: tuple[str, ...]
    key: tuple[tuple[str, Value | None], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a case: work items, and the evidence. `thresholds` are those that rules mention."""

    plans: tuple[Plan, ...]
    rules: tuple[RuleOutcome, ...]
    review: tuple[str, ...]
    thresholds: Mapping[str, ResolvedThreshold]


def resolve_uncertified(policy: Policy) -> dict[str, ResolvedThreshold]:
    """Give every threshold its `uncertified` value: how a policy stands before any certificate."""
    return {name: ResolvedThreshold(threshold.uncertified) for name, threshold in policy.thresholds.items()}


def decide(policy: Policy, case: Case, thresholds: Mapping[str, ResolvedThreshold]) -> Decision:
    """Decide one case. Equal values give an equal decision, and no case can make it fail.

    A rule that only a threshold without value, or beliefs withheld on abstain or degraded, keep from firing is
    listed under `review`, and one work item of kind `review` is planned for the policy's `review` group.
    """
    nothing = ResolvedThreshold(None)
    standing = {name: thresholds.get(name, nothing).standing() for name in policy.thresholds_used}
    view = View(case, {name: threshold.value for name, threshold in standing.items()}, case.withheld)
    outcomes, review, plans, stopped = list[RuleOutcome](), list[str](), dict[str, Plan](), False
    for rule in policy.rules:
        condition = rule.condition
        result, clauses = condition.ask(view)
        outcome: Outcome = "not_fired"
        if stopped:
            pass
        elif result:
            outcome = "superseded" if rule.then.create in plans else "fired"
            if outcome == "fired":
                plans[rule.then.create] = plan(policy, rule, case)
            stopped = rule.stop
        elif result is None and case.sentiment is not None and condition.hangs_on_judgement(view, clauses):
            review.append(rule.name)
        outcomes.append(RuleOutcome(rule.name, result, clauses, outcome))
    if review:
        plans["review"] = _review(policy, tuple(review), case)
    return Decision(tuple(plans.values()), tuple(outcomes), tuple(review), standing)


def plan(policy: Policy, rule: Rule, case: Case) -> Plan:
    """The work item a rule makes of a case, whether or not its condition holds."""
    then = rule.then
    sla = policy.slas.get(then.sla) if then.sla is not None else None
    return Plan(
        kind=then.create,
        rules=(rule.name,),
        mandatory=then.mandatory,
        priority=then.priority,
        tags=_tags(then, case),
        group=then.assign,
        owner=None if then.assign is None else owner(policy, then.assign, case),
        sla=then.sla,
        due={} if sla is None or case.history else sla.due_times(case.now),
        deliver=() if case.history else then.deliver,
        key=tuple((part.name, field_named(part.name, part.type).read(case)) for part in then.key),
    )


def _tags(then: Action, case: Case) -> tuple[str, ...]:
    if then.tags != "topics":
        return then.tags
    return () if case.withheld else case.tags


def _review(policy: Policy, rules: tuple[str, ...], case: Case) -> Plan:
    return Plan(
        kind="review",
        rules=rules,
        mandatory=False,
        priority="normal",
        tags=(),
        group=policy.review,
        owner=None if policy.review is None else owner(policy, policy.review, case),
        sla=None,
        due={},
        deliver=(),
        key=(),
    )
