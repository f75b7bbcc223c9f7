"""Which conditions are definitely true, as Python source.

`not` is pushed to the leaves, so that unknown never has to be told from false; a missing number is NaN, which compares
false with everything.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.route.codegen import Writer, joined, listed, raw, search
from service.route.expression import (
    OPPOSITE,
    And,
    Clause,
    Compare,
    Expression,
    Fixed,
    Holds,
    Known,
    Not,
    OneOf,
    Operand,
    Or,
    clauses,
    text_of,
)

_NAN = float("nan")


class _Pushed(NamedTuple):
    """A part of a condition with `not` pushed to the leaves: what must be so for it to be definitely as wanted.

    `word` is `and`, `or`, or of a leaf the text of its clause.
    """

    word: str
    parts: tuple["_Pushed", ...]
    wanted: bool = True


class Definite:
    """Writes the conditions of `fires`; a part that several of them hold gets a variable."""

    def __init__(self, trees: Sequence[Expression], writer: Writer) -> None:
        self.writer = writer
        self.clauses = {text_of(clause): clause for tree in trees for clause in clauses(tree)}
        self.nodes = [self.pushed(tree, wanted=True) for tree in trees]
        self.times = Counter(part for node in self.nodes for part in _within(node))

    def pushed(self, tree: Expression, *, wanted: bool) -> _Pushed:
        if isinstance(tree, Not):
            return self.pushed(tree.item, wanted=not wanted)
        if isinstance(tree, And | Or):
            word = "and" if isinstance(tree, And) is wanted else "or"
            return _Pushed(word, tuple(self.pushed(item, wanted=wanted) for item in tree.items))
        return _Pushed(text_of(tree), (), wanted)

    def source(self, node: _Pushed) -> str:
        if self.times[node] > 1:
            return self.writer.variable(node, lambda: self.spelled(node))
        return self.spelled(node)

    def spelled(self, node: _Pushed) -> str:
        if node.word in {"and", "or"}:
            return joined(node.word, [self.source(part) for part in node.parts])
        return f"({self.leaf(self.clauses[node.word], wanted=node.wanted)})"

    def leaf(self, clause: Clause, *, wanted: bool) -> str:
        if isinstance(clause, Compare):
            return self.compared(clause, clause.op if wanted else OPPOSITE[clause.op])
        value = raw(clause.item, self.writer)
        if isinstance(clause, Known):
            return f"{value} is {'not ' if wanted else ''}None"
        if isinstance(clause, Holds):
            return f"{value} is {wanted}"
        if isinstance(clause, OneOf):
            return self.listed(clause, value, within=(clause.op == "in") is wanted)
        return f"{value} is not None and {'' if wanted else 'not '}({search(clause, value, self.writer)})"

    def listed(self, clause: OneOf, value: str, *, within: bool) -> str:
        values = listed(clause, self.writer)
        return f"{value} in {values}" if within else f"{value} is not None and {value} not in {values}"

    def compared(self, clause: Compare, sign: str) -> str:
        sides = (clause.left, clause.right)
        if any(part.type != "number" for part in sides):
            left, right = (raw(part, self.writer) for part in sides)
            told = [
                f"{name} is not None"
                for name, part in zip((left, right), sides, strict=True)
                if not isinstance(part, Fixed)
            ]
            return " and ".join([*told, f"{left} {sign} {right}"])
        left, right = (self.number(part) for part in sides)
        return f"{left} < {right} or {left} > {right}" if sign == "!=" else f"{left} {sign} {right}"

    def number(self, operand: Operand) -> str:
        value = raw(operand, self.writer)
        if isinstance(operand, Fixed):
            return value
        nan = self.writer.variable("nan", lambda: self.writer.constant(_NAN))
        return self.writer.variable(("number", operand), lambda: f"{nan} if {value} is None else {value}")


def _within(node: _Pushed) -> Iterator[_Pushed]:
    yield node
    for part in node.parts:
        yield from _within(part)
