"""A policy's conditions as one Python function: what rules share is read and asked once for each record.

Own code, because an engine asks rule by rule: the cost then grows with the rules, here with what they look at.

Two functions are written from the trees: `fires` only tells which are definitely true, `ask` gives every clause with
its value and truth, for receipts.
"""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

from service.route.case import Case
from service.route.codegen import Thresholds, Writer, joined, listed, raw, search
from service.route.definite import Definite
from service.route.expression import (
    And,
    Clause,
    Compare,
    CountRecent,
    DaysSinceLast,
    Expression,
    Fixed,
    Holds,
    Known,
    Matches,
    Not,
    OneOf,
    Or,
    ThresholdOf,
    Verbatims,
    clauses,
    operands,
    text_of,
)
from service.route.patterns import compiled
from service.route.truth import Finding, Truth, View, found

Answer = tuple[Truth, tuple[Finding, ...]]


class Program:
    """The conditions of one policy, compiled on first use; asking it cannot fail, whatever the case holds."""

    def __init__(self, trees: Sequence[Expression]) -> None:
        self._trees = tuple(trees)
        looked = [part for tree in trees for clause in clauses(tree) for part in operands(clause)]
        days = [part.days for part in looked if isinstance(part, CountRecent)]
        always = any(isinstance(part, DaysSinceLast) for part in looked)
        self.needs_text = any(isinstance(part, Verbatims) for part in looked)
        self.past_kinds = frozenset(part.of for part in looked if isinstance(part, CountRecent | DaysSinceLast))
        # How far back these look; None where they look at nothing or, for the last item of a kind, at everything.
        self.past_days = None if always else max(days, default=None)

    def fires(self, case: Case, thresholds: Thresholds) -> list[int]:
        """Which conditions are definitely true, in their order."""
        true: list[int] = self._fires(case, thresholds, case.withheld)
        return true

    def ask(self, view: View) -> tuple[Answer, ...]:
        """The truth of each condition, and of its clauses in the order of the text, each asked once for all."""
        answers: tuple[Answer, ...] = self._ask(view.case, view.thresholds, view.withheld)
        return answers

    @cached_property
    def _fires(self) -> Callable[[Case, Thresholds, bool], Any]:
        writer = Writer()
        definite = Definite(self._trees, writer)
        for index, node in enumerate(definite.nodes):
            source = definite.source(node)
            writer.lines.append(f"if {source}: add({index})")
        return writer.function(["out = []", "add = out.append"], "out")

    @cached_property
    def _ask(self) -> Callable[[Case, Thresholds, bool], Any]:
        writer = Writer()
        asked = [_asked(tree, writer) for tree in self._trees]
        return writer.function([], f"({''.join(f'{one}, ' for one in asked)})")


def _value(clause: Clause, writer: Writer) -> str:
    """The variable of the value a clause looks at; a comparison looks at its field, on whichever side that stands."""
    if isinstance(clause, Matches) and isinstance(clause.item, Verbatims):
        texts = raw(clause.item, writer)
        search = f"{writer.constant(found)}({writer.constant(compiled(clause.pattern))}, {texts})"
        return writer.variable(("found", clause), lambda: f"None if {texts} is None else {search}")
    if isinstance(clause, Compare):
        return raw(clause.right if isinstance(clause.left, Fixed | ThresholdOf) else clause.left, writer)
    return raw(clause.item, writer)


def _truth(clause: Clause, writer: Writer) -> str:
    return writer.variable(("truth", text_of(clause)), lambda: _kleene(clause, writer))


def _kleene(clause: Clause, writer: Writer) -> str:
    if isinstance(clause, Compare):
        left, right = raw(clause.left, writer), raw(clause.right, writer)
        told = [side for side, part in ((left, clause.left), (right, clause.right)) if not isinstance(part, Fixed)]
        missing = " or ".join(f"{side} is None" for side in told) or "False"
        return f"None if {missing} else {left} {clause.op} {right}"
    value = raw(clause.item, writer)
    if isinstance(clause, Known):
        return f"{value} is not None"
    if isinstance(clause, Holds):
        return f"None if {value} is None else {value} is True"
    if isinstance(clause, OneOf):
        return f"None if {value} is None else {value} {clause.op} {listed(clause, writer)}"
    if isinstance(clause.item, Verbatims):
        return f"None if {value} is None else {_value(clause, writer)} is not None"
    return f"None if {value} is None else {search(clause, value, writer)}"


def _asked(tree: Expression, writer: Writer) -> str:
    """The truth of a condition and its clauses, as `ask` gives them."""
    new, kind = writer.variable("new", lambda: writer.constant(tuple.__new__)), writer.constant(Finding)
    findings = ""
    for clause in dict.fromkeys(clauses(tree)):
        text, value, truth = text_of(clause), _value(clause, writer), _truth(clause, writer)
        parts = f"({writer.constant(text)}, {value}, {truth})"
        findings += writer.variable(("finding", text), partial("{}({}, {})".format, new, kind, parts)) + ", "
    if isinstance(tree, Clause):
        return f"({_truth(tree, writer)}, ({findings}))"
    true, false = (_surely(tree, writer, wanted=wanted) for wanted in (True, False))
    return f"(True if {true} else False if {false} else None, ({findings}))"


def _surely(tree: Expression, writer: Writer, *, wanted: bool) -> str:
    """Whether a tree is definitely as wanted, from the truths of its clauses."""
    if isinstance(tree, Not):
        return _surely(tree.item, writer, wanted=not wanted)
    if isinstance(tree, And | Or):
        word = "and" if isinstance(tree, And) is wanted else "or"
        return joined(word, [_surely(item, writer, wanted=wanted) for item in tree.items])
    return _truth(tree, writer) if wanted else f"{_truth(tree, writer)} is False"
