"""The rule language: text in, a checked tree out, or every mistake with its place.

Python's own parser reads it (`ast`, mode eval); what is not named in this file or in operands.py does not exist in
the language: `and`, `or`, `not`, comparisons, `in` with a written list, and the functions listed in names.py. Three
shorter ways to write an `or` become that `or` when they are read: `any_of(condition, ...)`, `any_of(field, [...])`
and a comparison with `any_of(value, ...)` on one side; so does `matches(text, any_of("...", "..."))`.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Literal

from service.route.expression import (
    LOOKED,
    And,
    Clause,
    Compare,
    Comparison,
    Expression,
    FieldOf,
    Fixed,
    Holds,
    Known,
    Matches,
    Not,
    OneOf,
    Operand,
    Or,
    Searched,
    Verbatims,
)
from service.route.names import FUNCTIONS, Names
from service.route.operands import MAX_GUESSES, Operands, constant, dotted
from service.route.patterns import cost, refused, screened
from service.route.suggestion import did_you_mean
from service.route.tokens import InvalidExpression, Problem, on_one_line, problem, screen

_COMPARISONS: Mapping[type[ast.cmpop], Comparison] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


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
    if not reader.problems:
        reader.compile_searches()
    if tree is None or reader.problems:
        once = dict.fromkeys(reader.problems)  # the middle of `a < b < c` is read twice
        raise InvalidExpression(*sorted(once, key=lambda found: found.offset))
    return tree


def _misplaced(text: str, error: SyntaxError) -> Problem:
    offset = min(max((error.offset or 1) - 2, 0), len(text))
    rest = text[offset:].split()
    word = rest[0] if rest else ""
    return problem(text, offset, word[:64], "this does not read as a condition" if word else "something is missing")


class _Reader(Operands):
    """Turns one parsed expression into a tree; a part with a mistake becomes None and the reading goes on."""

    def __init__(self, text: str, blank: str, names: Names) -> None:
        super().__init__(text, blank, names)
        self.searches: list[tuple[ast.expr, str]] = []

    def compile_searches(self) -> None:
        """Have RE2 read the patterns, which is what costs time: the cheap ones first, up to the first it refuses."""
        for node, pattern in sorted(self.searches, key=lambda search: cost(search[1])):
            bad = refused(pattern)
            if bad is not None:
                self.refuse(node, *bad)
                return

    def condition(self, node: ast.expr, depth: int) -> Expression | None:
        """Read something that is true, false or unknown."""
        self.count(node, depth)
        if isinstance(node, ast.BoolOp):
            items = self.conditions(node.values, depth)
            if items is None:
                return None
            return And(items=items) if isinstance(node.op, ast.And) else Or(items=items)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            item = self.condition(node.operand, depth + 1)
            return None if item is None else Not(item=item)
        if isinstance(node, ast.Compare):
            return self.comparison(node, depth)
        if isinstance(node, ast.Call):
            return self.call(node, depth)
        if isinstance(node, ast.Tuple) and node.elts:
            self.refuse(node.elts[-1], "a comma joins nothing here", "write `and` or `or`; decimals take a point: 6.5")
            return None
        return self.alone(node, depth)

    def call(self, node: ast.Call, depth: int) -> Expression | None:
        match dotted(node.func):
            case "known":
                return self.known(node, depth)
            case "matches":
                return self.matches(node, depth)
            case "any_of":
                return self.any_of(node, depth)
        return self.alone(node, depth)

    def conditions(self, nodes: list[ast.expr], depth: int) -> tuple[Expression, ...] | None:
        read = [self.condition(node, depth + 1) for node in nodes]
        items = tuple(item for item in read if item is not None)
        return items if len(items) == len(read) else None

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
        looked = self.looked(node.args[0], item, "known() asks about a field or a topic, written without quotes")
        return None if looked is None else Known(item=looked)

    def matches(self, node: ast.Call, depth: int) -> Expression | None:
        if len(node.args) != 2 or node.keywords:
            self.refuse(node, f"matches() takes a text and a pattern, as in {FUNCTIONS['matches'].written}")
            return None
        item = self.searched(node.args[0], depth)
        found = [
            Matches(item=item, pattern=pattern)
            for pattern in self.patterns(node.args[1], depth)
            if pattern is not None and item is not None
        ]
        return _either(found) if found else None

    def searched(self, node: ast.expr, depth: int) -> Searched | None:
        if dotted(node) == "text":
            return Verbatims()
        read = self.operand(node, depth + 1)
        if isinstance(read, FieldOf) and read.type == "text":
            return read
        if read is not None:
            self.refuse(node, "matches() searches the text or one text field", FUNCTIONS["matches"].written)
        return None

    def patterns(self, node: ast.expr, depth: int) -> list[str | None]:
        several = isinstance(node, ast.Call) and dotted(node.func) == "any_of"
        parts = node.args if isinstance(node, ast.Call) and several else [node]
        if not parts:
            self.refuse(node, "any_of() is empty", 'write any_of("one", "other")')
        return [self.pattern(part, depth + 1) for part in parts]

    def pattern(self, node: ast.expr, depth: int) -> str | None:
        self.count(node, depth)
        if len(self.problems) >= MAX_GUESSES:
            raise InvalidExpression(*self.problems)
        pattern = constant(node)
        if not isinstance(pattern, str):
            self.refuse(node, "a pattern is written in quotes", FUNCTIONS["matches"].written)
        elif self.written(node, pattern) is not None:
            bad = screened(pattern, [earlier for _, earlier in self.searches])
            if bad is None:
                self.searches.append((node, pattern))
                return pattern
            self.refuse(node, *bad)
        return None

    def any_of(self, node: ast.Call, depth: int) -> Expression | None:
        if not node.args or node.keywords:
            self.refuse(node, "any_of() takes conditions, or a field and a list", 'any_of(source, ["app", "web"])')
            return None
        if len(node.args) == 2 and isinstance(node.args[1], ast.List):
            return self.membership(node.args[0], ast.In(), node.args[1], depth)
        items = self.conditions(node.args, depth)
        return None if items is None else _either(items)

    def comparison(self, node: ast.Compare, depth: int) -> Expression | None:
        """Read `a < b`, and `a < b <= c` as `a < b and b <= c`."""
        sides = [node.left, *node.comparators]
        several = [side for side in sides if isinstance(side, ast.Call) and dotted(side.func) == "any_of"]
        if several and (len(several) > 1 or len(sides) > 2):
            self.refuse(several[-1], "any_of() stands on one side of one comparison", "write two joined by `and`")
            return None
        lefts = zip(sides, node.ops, node.comparators, strict=False)
        if several:
            return self.spread(several[0], node, depth)
        return _joined(And, [self.link(left, operator, right, depth) for left, operator, right in lefts])

    def spread(self, several: ast.Call, node: ast.Compare, depth: int) -> Expression | None:
        """Read `any_of(a, b) < c` as `a < c or b < c`."""
        if not several.args or several.keywords:
            self.refuse(several, "any_of() takes the values to compare", FUNCTIONS["any_of"].written)
            return None
        left, operator, right = node.left, node.ops[0], node.comparators[0]
        links = [
            self.link(part, operator, right, depth) if several is left else self.link(left, operator, part, depth)
            for part in several.args
        ]
        return _joined(Or, links)

    def link(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, depth: int) -> Clause | None:
        if isinstance(operator, ast.In | ast.NotIn):
            return self.membership(left, operator, right, depth)
        return self.compare(left, operator, right, depth)

    def compare(self, left: ast.expr, operator: ast.cmpop, right: ast.expr, depth: int) -> Clause | None:
        before = len(self.problems)
        one, other = self.operand(left, depth + 1), self.operand(right, depth + 1)
        sign = _COMPARISONS.get(type(operator))
        if one is None or other is None or sign is None:
            if len(self.problems) == before:
                self.refuse(right, "this comparison does not exist")
            return None
        if not isinstance(one, LOOKED) and not isinstance(other, LOOKED):
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


def _joined(kind: type[And] | type[Or], links: Sequence[Clause | None]) -> Expression | None:
    found = tuple(link for link in links if link is not None)
    if len(found) < len(links):
        return None
    return found[0] if len(found) == 1 else kind(items=found)


def _either(items: Sequence[Expression]) -> Expression:
    return items[0] if len(items) == 1 else Or(items=tuple(items))


def _retype(one: Operand, other: Operand) -> str | None:
    written = other if isinstance(other, Fixed) else one
    wanted: Literal["text", "number", "boolean"] = one.type if written is other else other.type
    if not isinstance(written, Fixed):
        return None
    if wanted == "text":
        return f'put it in quotes: "{written.value}"'
    return "write it without quotes" if isinstance(written.value, str) else None
