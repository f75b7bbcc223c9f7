"""Whether an example of a policy holds: what it must create beside what the policy makes of it, and why. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from models.prediction import SENTIMENTS, TYPES, URGENCIES
from service.route.decide import Decision, RuleOutcome
from service.route.phrases import a_kind, kinds_of, listed, value_words
from service.route.policy import Example, Policy
from service.route.truth import Finding

_SURE = 0.5  # from where on a belief written into an example counts as one of the record's topics


def written_beliefs(record: Mapping[str, Any], topics: Sequence[str]) -> tuple[dict[str, Any], dict[str, float]] | None:
    """The `classification` written into an example, as a document and its topics; None where the texts are to be read.

    A label that is not written down has the probability 0.
    """
    told = record.get("classification")
    if told is None:
        return None
    about = _told(told, "topics", topics)
    document = {
        "sentiment": {"probabilities": _told(told, "sentiment", SENTIMENTS)},
        "type": {"probabilities": _told(told, "type", TYPES)},
        "urgency": {"probabilities": _told(told, "urgency", URGENCIES)},
        "topics": [{"label": name} for name in sorted(about, key=lambda name: -about[name]) if about[name] >= _SURE],
        "language": {"code": record.get("language", "en")},
        "abstain": {"reason": told["abstain"]} if "abstain" in told else None,
        "degraded": False,
    }
    return document, about


def _told(beliefs: Mapping[str, Any], axis: str, labels: Sequence[str]) -> dict[str, float]:
    given = beliefs.get(axis, {})
    return {label: float(given.get(label, 0.0)) for label in labels}


def shortfall(policy: Policy, example: Example, decision: Decision) -> str | None:
    """In one sentence what an example makes instead of what it must, and by which rules; None where it holds."""
    made, wanted = {plan.kind: plan for plan in decision.plans}, set(example.creates)
    missing, surplus = (
        [kind for kind in example.creates if kind not in made],
        [kind for kind in made if kind not in wanted],
    )
    if not missing and not surplus:
        return None
    why = [_missing(policy, kind, decision.rules) for kind in missing]
    why += [_surplus(kind, made[kind].rules) for kind in surplus]
    must, makes = kinds_of(example.creates), kinds_of(list(made))
    return f"the example '{example.name}' must make {must}, but makes {makes}: {'; '.join(why)}"


def _missing(policy: Policy, kind: str, outcomes: Sequence[RuleOutcome]) -> str:
    if kind == "review":
        return "no rule leaves anything open for a person to decide"
    makers = {rule.name for rule in policy.rules if rule.then.create == kind}
    told = list(_not_fired(one for one in outcomes if one.rule in makers))
    return "; ".join(told) if told else f"no rule makes {a_kind(kind)}"


def _not_fired(outcomes: Iterator[RuleOutcome]) -> Iterator[str]:
    for one in outcomes:
        if one.result:
            yield f"{one.rule} holds, but {one.because} ended the evaluation before it"
        else:
            kept = [clause for clause in one.clauses if clause.result is not True]
            said = listed([_clause(clause) for clause in kept], "and") if kept else "its condition as a whole"
            yield f"{one.rule} does not fire, for {said}"


def _clause(clause: Finding) -> str:
    value = "nothing is known of it" if clause.value is None else f"the value is {value_words(clause.value)}"
    return f"{clause.text} is {'unknown' if clause.result is None else str(clause.result).lower()} ({value})"


def _surplus(kind: str, rules: Sequence[str]) -> str:
    if kind == "review":
        return f"{listed(rules, 'and')} cannot be decided without a person"
    return f"{rules[0]} fires and makes {a_kind(kind)}"
