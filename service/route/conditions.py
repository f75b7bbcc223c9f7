"""The rule language: text in, a checked tree out, or every mistake with its place.

Python's own parser reads it (`ast`, mode eval); what is not named in this file does not exist in the language.
"""

import ast
import math
from collections.abc import Mapping
from typing import Literal

from service.route.case import FIELDS
from service.route.expression import (
    And,
    Clause,
    Compare,
    Comparison,
    Expression,
    FieldOf,
    Fixed,
    Holds,
    Known,
    Looked,
    Not,
    OneOf,
    Operand,
    Or,
    ThresholdOf,
    TopicOf,
)
from service.route.names import Names, field_type, lacking, unknown_field
from service.route.suggestion import did_you_mean
from service.route.tokens import (
    MAX_DEPTH,
    MAX_NODES,
    NO_ARITHMETIC,
    InvalidExpression,
    Problem,
    on_one_line,
    problem,
    screen,
)

MAX_NUMBER = 1e15
MAX_GUESSES = 4  # looking for what was meant is the one slow step
_COMPARISONS: Mapping[type[ast.cmpop], Comparison] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_FUNCTIONS = ("known", "threshold", "topic")


def parse(text: str, names: Names) -> Expression:
    """Read an expression of at most 2,000 characters, 200 nodes and depth 20, and check every name and type in it.

    Raises:
        InvalidExpression: with every problem found, in the order of the text.
    """
    if not text.strip():
        raise InvalidExpression(problem(text, 0, "", "the expression is empty", "for a rule without condition: true"))
    screen(text)
    blank = on_one_line(text)
    try:
        body = ast.parse(f"({blank})", mode="eval").body
    except SyntaxError as error:
        raise InvalidExpression(_misplaced(text, error)) from None
    except (ValueError, RecursionError, MemoryError):
        raise InvalidExpression(problem(text, 0, "", "this cannot be read as an expression")) from None
    reader = _Reader(text, blank, names)
    tree = reader.condition(body, 1)
    if tree is None or reader.problems:
        once = dict.fromkeys(reader.problems)  # the middle of `a < b < c` is read twice
        raise InvalidExpression(*sorted(once, key=lambda found: found.offset))
    return tree


def _misplaced(text: str, error: SyntaxError) -> Problem:
    offset = min(max((error.offset or 1) - 2, 0), len(text))
    rest = text[offset:].split()
    word = rest[0] if rest else ""
    return problem(text, offset, word[:64], "this does not read as a condition" if word else "something is missing")


class _Reader:
    """Turns one parsed expression into a tree; a part with a mistake becomes None and the reading goes on."""

    def __init__(self, text: str, blank: str, names: Names) -> None:
        self.text = text
        self.bytes = f"({blank})".encode()
        self.names = names
        self.problems: list[Problem] = []
        self.nodes = 0

    def refuse(self, node: ast.expr, detail: str, suggestion: str | None = None) -> None:
        start = max(len(self.bytes[: node.col_offset].decode()) - 1, 0)  # a bare tuple begins at our own bracket
        end = len(self.bytes[: node.end_col_offset].decode()) - 1
        self.problems.append(problem(self.text, start, self.text[start:end], detail, suggestion))

    def count(self, node: ast.expr, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            limit = f"{MAX_NODES} parts" if self.nodes > MAX_NODES else f"{MAX_DEPTH} levels"
            self.refuse(node, f"the expression has more than {limit}: split the rule")
            raise InvalidExpression(self.problems[-1])

    def condition(self, node: ast.expr, depth: int) -> Expression | None:
        """Read something that is true, false or unknown."""
        self.count(node, depth)
        if isinstance(node, ast.BoolOp):
            read = [self.condition(value, depth + 1) for value in node.values]
            items = tuple(item for item in read if item is not None)
            if len(items) < len(read):
                return None
            return And(items=items) if isinstance(node.op, ast.And) else Or(items=items)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            item = self.condition(node.operand, depth + 1)
            return None if item is None else Not(item=item)
        if isinstance(node, ast.Compare):
            return self.comparison(node, depth)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "known":
            return self.known(node, depth)
        return self.alone(node, depth)

    def alone(self, node: ast.expr, depth: int) -> Holds | None:
        operand = self.operand(node, depth + 1)
        if operand is not None and operand.type != "boolean":
            self.refuse(node, f"a {operand.type} alone is neither true nor false", "compare it with a value")
            return None
        return None if operand is None else Holds(item=operand)

    def known(self, node: ast.Call, depth: int) -> Known | None:
        if len(node.args) != 1 or node.keywords:
            self.refuse(node, "known() takes one field or topic")
            return None
        item = self.operand(node.args[0], depth + 1)
        looked = self.looked(node.args[0], item, "known() asks about a field or a topic")
        return None if looked is None else Known(item=looked)

    def looked(self, node: ast.expr, operand: Operand | None, detail: str) -> Looked | None:
        if isinstance(operand, FieldOf | TopicOf):
            return operand
        if operand is not None:
            self.refuse(node, detail)
        return None

    def comparison(self, node: ast.Compare, depth: int) -> Expression | None:
        """Read `a < b`, and `a < b <= c` as `a < b and b <= c`."""
        lefts = [node.left, *node.comparators[:-1]]
        links = [
            self.membership(left, operator, right, depth)
            if isinstance(operator, ast.In | ast.NotIn)
            else self.compare(left, operator, right, depth)
            for left, operator, right in zip(lefts, node.ops, node.comparators, strict=True)
        ]
        found = tuple(link for link in links if link is not None)
        if len(found) < len(links):
            return None
        return found[0] if len(found) == 1 else And(items=found)

    def compare(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, depth: int) -> Clause | None:
        before = len(self.problems)
        one, other = self.operand(left, depth + 1), self.operand(right, depth + 1)
        sign = _COMPARISONS.get(type(operator))
        if one is None or other is None or sign is None:
            if len(self.problems) == before:
                self.refuse(right, "this comparison does not exist")
            return None
        if not isinstance(one, FieldOf | TopicOf) and not isinstance(other, FieldOf | TopicOf):
            written = next((side.value for side in (one, other) if isinstance(side, Fixed)), "")
            meant = did_you_mean(written, self.fields()) if isinstance(written, str) else None
            self.refuse(left, "no field is looked at here, so the answer never changes", meant)
            return None
        if one.type != other.type:
            self.refuse(right, f"a {one.type} cannot be compared with a {other.type}", _retype(one, other))
            return None
        if one.type != "number" and sign not in {"==", "!="}:
            self.refuse(left, f"{sign} is for numbers; a {one.type} can only be equal or not", "use ==, != or in")
            return None
        return Compare(op=sign, left=one, right=other)

    def membership(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, depth: int) -> Clause | None:
        read = self.operand(left, depth + 1)
        item = self.looked(left, read, "on the left of `in` stands a field or a topic")
        if not isinstance(right, ast.List) or not right.elts:
            self.refuse(right, 'after `in` stands a list of written values, such as ["gold", "silver"]')
            return None
        values = list[Fixed]()
        for element in right.elts:
            value = self.operand(element, depth + 2)
            if isinstance(value, Fixed) and (item is None or value.type == item.type):
                values.append(value)
            elif value is not None:
                wanted = item.type if item is not None and isinstance(value, Fixed) else "written value"
                self.refuse(element, f"every value of this list must be a {wanted}")
        if item is None or len(values) < len(right.elts):
            return None
        return OneOf(op="in" if isinstance(operator, ast.In) else "not in", item=item, values=tuple(values))

    def operand(self, node: ast.expr, depth: int) -> Operand | None:
        """Read one value: written, named or called."""
        self.count(node, depth)
        if isinstance(node, ast.Constant):
            return self.written(node, node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
            value = node.operand.value
            if isinstance(node.op, ast.USub) and isinstance(value, int | float) and not isinstance(value, bool):
                return self.written(node, -value)
        if isinstance(node, ast.Name | ast.Attribute):
            return self.named(node)
        if isinstance(node, ast.Call):
            return self.called(node)
        detail = "a value is needed here: a field, a number, a text, true or false"
        self.refuse(node, NO_ARITHMETIC if isinstance(node, ast.BinOp) else detail)
        return None

    def written(self, node: ast.expr, value: object) -> Fixed | None:
        if isinstance(value, str) and any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value):
            self.refuse(node, "this text holds a character that no stored text can hold")
        elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= MAX_NUMBER):
            self.refuse(node, f"this number is too large: at most {MAX_NUMBER:g}")
        elif isinstance(value, bool | int | float | str):
            return Fixed(value=value)
        else:
            self.refuse(node, "this is not a value of the rule language")
        return None

    def named(self, node: ast.Name | ast.Attribute) -> Operand | None:
        name = _dotted(node)
        if name in {"true", "false"}:
            return Fixed(value=name == "true")
        kind = field_type(name, self.names.fields)
        if kind is not None:
            return FieldOf(name=name, type=kind)
        if name in _FUNCTIONS:
            self.refuse(node, f"{name} needs brackets", f'write {name}("name")')
        else:
            guess = len(self.problems) < MAX_GUESSES
            self.refuse(node, *unknown_field(name, self.names.fields) if guess else (lacking(name),))
        return None

    def called(self, node: ast.Call) -> Operand | None:
        word = _dotted(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
        if word not in {"threshold", "topic"}:
            if word == "known":
                self.refuse(node.func, "known() is a condition, not a value")
            else:
                self.refuse(node.func, f"there is no function {word}", did_you_mean(word, _FUNCTIONS))
            return None
        name = node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) else None
        if not isinstance(name, str) or node.keywords:
            self.refuse(node, f'{word}() takes one name in quotes, as in {word}("name")')
            return None
        known = self.names.topics if word == "topic" else self.names.thresholds
        if name not in known:
            meant = did_you_mean(name, known) if len(self.problems) < MAX_GUESSES else None
            self.refuse(node.args[0], f'{word} "{name}" is not defined', meant)
            return None
        return TopicOf(label=name) if word == "topic" else ThresholdOf(name=name)

    def fields(self) -> list[str]:
        return [*FIELDS, *self.names.fields]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        owner = _dotted(node.value)
        return f"{owner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _retype(one: Operand, other: Operand) -> str | None:
    written = other if isinstance(other, Fixed) else one
    wanted: Literal["text", "number", "boolean"] = one.type if written is other else other.type
    if not isinstance(written, Fixed):
        return None
    if wanted == "text":
        return f'put it in quotes: "{written.value}"'
    return "write it without quotes" if isinstance(written.value, str) else None
