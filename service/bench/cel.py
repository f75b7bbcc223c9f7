"""The rule language spoken to cel-expr-python (the C++ runtime of CEL): the peer of the benchmark, the oracle of tests.

CEL says `error` where we say unknown; its `&&` and `||` absorb errors as Kleene's `and` and `or` absorb unknown.
"""

import json
import re
from collections.abc import Mapping, Sequence

from cel_expr_python import cel

from service.route.case import Case, Value, field_named
from service.route.expression import (
    And,
    Clause,
    Compare,
    Expression,
    FieldOf,
    Fixed,
    Holds,
    Known,
    Matches,
    Not,
    Operand,
    Or,
    TopicOf,
    Verbatims,
    clauses,
    operand_text,
    operands,
)
from service.route.truth import Truth

Data = Mapping[str, Mapping[str, Value]]
_MAPS = {"number": "n", "text": "s", "boolean": "b"}


class Peer:
    """Conditions compiled by CEL, each by itself, as an engine for single expressions is used."""

    def __init__(self, trees: Sequence[Expression]) -> None:
        # Numbers, texts and booleans of a record in three maps, thresholds in a fourth; what is missing is not there.
        kinds = {"n": cel.Type.DOUBLE, "s": cel.Type.STRING, "b": cel.Type.BOOL, "t": cel.Type.DOUBLE}
        self._environment = cel.NewEnv(
            variables={name: cel.Type.Map(cel.Type.STRING, kind) for name, kind in kinds.items()}
        )
        self._looked = {part for tree in trees for clause in clauses(tree) for part in operands(clause)}
        self._compiled = [self._environment.compile(spelled(tree)) for tree in trees]

    def ready(self, case: Case, thresholds: Mapping[str, float | None]) -> Data:
        """What the conditions look at in a case, as CEL takes it."""
        told: dict[str, dict[str, Value]] = {"n": {}, "s": {}, "b": {}, "t": {}}
        for part in self._looked:
            if isinstance(part, FieldOf | TopicOf):
                value = _read(part, case)
                if value is not None:
                    told[_MAPS[part.type]][_key(part)] = float(value) if part.type == "number" else value
        told["t"] = {_name(name): float(value) for name, value in thresholds.items() if value is not None}
        return told

    def fires(self, data: Data) -> list[int]:
        """Which conditions are true, in their order."""
        activation = self._environment.Activation(data)
        return [index for index, one in enumerate(self._compiled) if one.eval(activation).value() is True]

    def truths(self, data: Data) -> list[Truth]:
        """What each condition is; CEL's error is unknown."""
        activation = self._environment.Activation(data)
        told = [one.eval(activation) for one in self._compiled]
        return [bool(one.value()) if one.type() == cel.Type.BOOL else None for one in told]


def spelled(tree: Expression) -> str:
    """The condition in CEL.

    Raises:
        ValueError: CEL has no word for something in it: the text, the past.
    """
    if isinstance(tree, Not):
        return f"!({spelled(tree.item)})"
    if isinstance(tree, And | Or):
        sign = " && " if isinstance(tree, And) else " || "
        return sign.join(f"({spelled(item)})" for item in tree.items)
    return _clause(tree)


def _clause(tree: Clause) -> str:
    if isinstance(tree, Compare):
        return f"{_operand(tree.left)} {tree.op} {_operand(tree.right)}"
    item = _operand(tree.item)
    if isinstance(tree, Known):
        return f"has({item})"
    if isinstance(tree, Holds):
        return item
    if isinstance(tree, Matches):
        return f"{item}.matches({json.dumps(tree.pattern)})"
    listed = f"{item} in [{', '.join(_operand(value) for value in tree.values)}]"
    return listed if tree.op == "in" else f"!({listed})"


def _operand(operand: Operand | Verbatims) -> str:
    if isinstance(operand, Fixed):
        number = isinstance(operand.value, int | float) and not isinstance(operand.value, bool)
        return repr(float(operand.value)) if number else json.dumps(operand.value)
    if isinstance(operand, FieldOf | TopicOf):
        return f"{_MAPS[operand.type]}.{_key(operand)}"
    if isinstance(operand, Verbatims) or operand.kind != "threshold":
        raise ValueError(f"CEL has no {operand_text(operand)}")
    return f"t.{_name(operand.name)}"


def _key(operand: FieldOf | TopicOf) -> str:
    return _name(f"topic.{operand.label}" if isinstance(operand, TopicOf) else operand.name)


def _name(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _read(part: FieldOf | TopicOf, case: Case) -> Value | None:
    if isinstance(part, TopicOf):
        return None if case.withheld else (case.topics or {}).get(part.label)
    one = field_named(part.name, part.type)
    return None if one.belief and case.withheld else one.read(case)
