"""Why something was decided, in words of people: clauses and rules of a policy without their spelling. Pure."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.deliver.plain_text import one_line
from service.route.case import KINDS
from service.route.expression import And, CountRecent, DaysSinceLast, Expression, Not, Or
from service.route.phrases import BELIEFS, BOUNDS, FIELDS, TURNED, a_kind, listed, number, operand_words, percent, sure
from service.route.policy import Policy, Rule

Result = Literal[True, False, "unknown"]

_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_JOINED: Mapping[type, str] = {And: "All of these must hold:", Or: "One of these is enough:"}
_LISTED = 6  # values of a list that are named; the rest is counted


@dataclass(frozen=True, slots=True)
class Said:
    """A clause in words: what is the case, and what the rule wants to know about it (empty where that says it)."""

    fact: str
    asked: str = ""


class _NotPlain(Exception):
    """The text is nothing that can be said in words here."""


def clause_words(text: str, value: object, result: Result) -> str:
    """One clause of a receipt in a sentence: `NPS is 3; the rule asks whether it is 6 or less`.

    The rule's own text where it cannot be said more plainly. Never fails, whatever the text is.
    """
    said = _said(text, value, result)
    if said is None:
        return one_line(text, 300)
    return f"{said.fact}; the rule asks whether it is {said.asked}" if said.asked else said.fact


def clause_in_short(text: str, value: object, result: Result) -> str:
    """The same for a line of a list: `NPS is 3 (6 or less)`, `sounds negative (very sure)`."""
    said = _said(text, value, result)
    if said is None:
        return one_line(text, 120)
    return f"{said.fact} ({said.asked})" if said.asked and not said.fact.endswith(")") else said.fact


def rule_words(rule: Rule) -> str:
    """What a rule makes: `a follow-up that must be done, urgent, for duty, sent to helpdesk`."""
    then = rule.then
    parts = [a_kind(then.create) + (" that must be done" if then.mandatory else "")]
    if then.priority != "normal":
        parts.append({"low": "not pressing", "high": "of high priority"}.get(then.priority, then.priority))
    if then.assign:
        parts.append(f"for {one_line(then.assign, 60)}")
    if then.deliver:
        parts.append(f"sent to {listed([one_line(name, 60) for name in then.deliver], 'and')}")
    return ", ".join(parts)


def joining(policy: Policy) -> dict[str, str]:
    """By rule, how its clauses make up its condition; rules that mix `and`, `or` and `not` are left out."""
    return {rule.name: _JOINED[type(rule.when)] for rule in policy.rules if _joins_alike(rule.when)}


def _joins_alike(tree: Expression) -> bool:
    if not isinstance(tree, And | Or):
        return False
    return all(
        _joins_alike(item) if type(item) is type(tree) else not isinstance(item, And | Or | Not) for item in tree.items
    )


def _said(text: str, value: object, result: Result) -> Said | None:
    try:
        return _clause(ast.parse(text.strip(), mode="eval").body, value, result)
    except (_NotPlain, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _clause(node: ast.expr, value: object, result: Result) -> Said:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right, sign = node.left, node.comparators[0], node.ops[0]
        if isinstance(sign, ast.In | ast.NotIn):
            return _listed(left, right, value, result, outside=isinstance(sign, ast.NotIn))
        if type(sign) not in _SIGNS:
            raise _NotPlain
        written = _SIGNS[type(sign)]
        if _looked(left):
            return _compared(left, written, right, value, result)
        return _compared(right, TURNED[written], left, value, result)
    if isinstance(node, ast.Call) and _dotted(node.func) == "known" and len(node.args) == 1:
        return _known(node.args[0], value, result)
    if isinstance(node, ast.Call) and _dotted(node.func) == "matches" and len(node.args) == 2:
        return _searched(node.args[0], node.args[1], value, result)
    return _holds(node, value, result)


def _compared(item: ast.expr, sign: str, bound: ast.expr, value: object, result: Result) -> Said:
    if value is None:
        return _missing(item)
    belief = _belief(item)
    if belief:
        return _believed(belief, sign, bound, value, result)
    wanted = _operand(bound)
    fact = f"{_name(item)} is {_value(value)}"
    if result == "unknown":
        return Said(f"{fact}; not known: {wanted}")
    if sign == "==" and result is True:
        return Said(fact)
    return Said(fact, BOUNDS[sign].format(wanted))


def _believed(belief: tuple[str, str], sign: str, bound: ast.expr, value: object, result: Result) -> Said:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _NotPlain
    fact = f"{belief[0]} ({sure(value)})" if value >= 0.5 else f"{belief[1]} ({sure(1 - value)})"
    if result == "unknown":
        return Said(f"{fact}; not known: {_operand(bound)}")
    threshold = _called(bound, "threshold")
    if threshold is not None and sign in {">", ">="}:
        return Said(fact, f"sure enough to count as {one_line(threshold, 60)}")
    limit = bound.value if isinstance(bound, ast.Constant) else None
    if not isinstance(limit, int | float) or isinstance(limit, bool):
        return Said(fact, BOUNDS[sign].format(_operand(bound)))
    if sign in {">", ">="} and limit >= 0.5:
        near = result is False and sure(limit) == sure(value)
        return Said(fact, "a little surer than that" if near else _least(limit))
    return Said(fact, BOUNDS[sign].format(f"a chance of {percent(limit)}"))


def _listed(item: ast.expr, written: ast.expr, value: object, result: Result, *, outside: bool) -> Said:
    if not isinstance(written, ast.List) or not written.elts:
        raise _NotPlain
    if value is None or result == "unknown":
        return _missing(item)
    named = [_operand(one) for one in written.elts[:_LISTED]]
    more = len(written.elts) - len(named)
    wanted = listed([*named, f"one of {more} others"] if more else named, "or")
    if _belief(item):
        raise _NotPlain
    return Said(f"{_name(item)} is {_value(value)}", f"anything but {wanted}" if outside else wanted)


def _known(item: ast.expr, value: object, result: Result) -> Said:
    belief = _belief(item)
    subject = f"whether it {belief[0]}" if belief else _name(item)
    if result is True:
        return Said(f"{subject} is known" + ("" if belief or value is None else f": {_value(value)}"))
    return Said(f"{subject} is not known")


def _holds(item: ast.expr, value: object, result: Result) -> Said:
    if _dotted(item) in {"true", "false"}:
        return Said("always" if _dotted(item) == "true" else "never")
    if not _looked(item) or _belief(item):
        raise _NotPlain
    if value is None or result == "unknown":
        return _missing(item)
    return Said(f"{_name(item)}: {'yes' if value is True else 'no'}", "" if value is True else "yes")


def _searched(item: ast.expr, pattern: ast.expr, value: object, result: Result) -> Said:
    wanted = f"something like {_operand(pattern)}"
    if _dotted(item) != "text":
        return _missing(item) if value is None else Said(f"{_name(item)} is {_value(value)}", wanted)
    if result == "unknown":
        return Said("nothing was written")
    if result is False:
        return Said(f"the text says nothing like {_operand(pattern)}")
    return Said(f"the text says {_value(value)}", wanted)


def _missing(item: ast.expr) -> Said:
    belief = _belief(item)
    return Said(f"not known: whether it {belief[0]}" if belief else f"not known: {_name(item)}")


def _looked(node: ast.expr) -> bool:
    return bool(_belief(node) or _past(node)) or _dotted(node) not in {"", "true", "false"}


def _belief(node: ast.expr) -> tuple[str, str] | None:
    """How a classifier's belief is said when it holds, and when it does not; None for anything else."""
    label = _called(node, "topic")
    if label is not None:
        topic = one_line(label, 60)
        return f"is about {topic}", f"is not about {topic}"
    return BELIEFS.get(_dotted(node))


def _called(node: ast.expr, function: str) -> str | None:
    if isinstance(node, ast.Call) and _dotted(node.func) == function and len(node.args) == 1:
        name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        return name if isinstance(name, str) else None
    return None


def _past(node: ast.expr) -> str | None:
    """How what was made for the customer before is said; None for anything else."""
    given = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)] if isinstance(node, ast.Call) else []
    word = _dotted(node.func) if isinstance(node, ast.Call) else ""
    kind = next((kind for kind in KINDS if given[:1] == [kind]), None)
    if word == "days_since_last" and kind is not None:
        return operand_words(DaysSinceLast(of=kind))
    if word == "count_recent" and kind is not None and len(given) == 2 and isinstance(given[1], int):
        return operand_words(CountRecent(of=kind, days=given[1]))
    return None


def _name(node: ast.expr) -> str:
    name, past = _dotted(node), _past(node)
    if past:
        return past
    if not name:
        raise _NotPlain
    own = name.removeprefix("context.").removeprefix("customer.attributes.").replace("_", " ")
    return FIELDS.get(name) or one_line(own, 60)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return node.id if isinstance(node, ast.Name) else ""


def _operand(node: ast.expr) -> str:
    """A written value, a threshold or another field, as the other side of a comparison."""
    threshold = _called(node, "threshold")
    if threshold is not None:
        return f"what counts as {one_line(threshold, 60)}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return f"-{_value(node.operand.value)}"
    if isinstance(node, ast.Constant):
        return _value(node.value)
    if _dotted(node) in {"true", "false"}:
        return "yes" if _dotted(node) == "true" else "no"
    belief = _belief(node)
    return f"the chance that it {belief[0]}" if belief else _name(node)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value) if abs(value) < 1e16 else f"{value:g}"
    return one_line(str(value), 80) or "empty"


def _least(limit: float) -> str:
    if limit >= 0.75:
        return f"at least {sure(limit)}"
    return "likely" if limit >= 0.55 else "more likely than not"
