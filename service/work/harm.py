"""Expected harm: what a full day leaves for later is ranked by it."""

import json
import re
from collections.abc import Iterator, Mapping

from service.route.case import Case
from service.route.decide import Decision, Plan

UNKNOWN_VALUE = 1_000.0  # what an account counts as that nobody has valued, or valued at less
UNDECIDED = 0.5  # a review: nobody knows yet, so either is as likely
_SEVERITY: Mapping[str, float] = {"low": 0.5, "normal": 1.0, "high": 2.0, "urgent": 4.0}
_MANDATORY = 1.5
_TEXT = r'"(?:[^"\\]|\\.)*"'
_NAMED = re.compile(rf"\btopic\(({_TEXT})\)|{_TEXT}|\b(sentiment|type|urgency)\.(\w+)")  # other texts hold no names


def expected_harm(probability: float, account_value: float | None, priority: str, *, mandatory: bool) -> float:
    """Probability x account value (in the customer's currency) x severity.

    A detractor of a large account, and a complaint the classifier is 80 % sure of, from nobody in particular:

    >>> expected_harm(1.0, 120_000, "high", mandatory=True)
    360000.0
    >>> expected_harm(0.8, None, "normal", mandatory=False)
    800.0
    >>> expected_harm(0.5, 250, "urgent", mandatory=False)  # counts as 1,000
    2000.0
    """
    severity = _SEVERITY[priority] * (_MANDATORY if mandatory else 1)
    return probability * max(account_value or 0, UNKNOWN_VALUE) * severity


def harm_of(plan: Plan, decision: Decision, case: Case) -> float:
    """The expected harm of a planned item.

    Its probability is the largest belief that the true clauses of its rule rest on, 1 where they rest on none.
    """
    if plan.kind == "review":
        probability = UNDECIDED
    else:
        true = (
            clause.text
            for rule in decision.rules
            if rule.rule in plan.rules
            for clause in rule.clauses
            if clause.result
        )
        probability = max((belief for text in true for belief in _beliefs(text, case)), default=1.0)
    return expected_harm(probability, case.customer.account_value, plan.priority, mandatory=plan.mandatory)


def _beliefs(clause: str, case: Case) -> Iterator[float]:
    """What the classifier believes of each label that a clause names."""
    told = {"sentiment": case.sentiment, "type": case.types, "urgency": case.urgency}
    for topic, axis, label in _NAMED.findall(clause):
        if topic or axis:
            beliefs, name = (case.topics, json.loads(topic)) if topic else (told[axis], label)
            if name in (beliefs or {}):
                yield (beliefs or {})[name]
