"""Three-valued truth: a condition tree compiled once, then asked of many cases.

Missing is unknown, never false (Kleene's strong logic, S. C. Kleene, "Introduction to Metamathematics", 1952, par. 64):
a comparison with unknown is unknown, `not` unknown is unknown, `and` is false as soon as one side is, `or` true.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from service.route.case import Case, Value, count_recent, days_since_last, field_named, said
from service.route.expression import (
    LOOKED,
    And,
    Clause,
    Compare,
    CountRecent,
    DaysSinceLast,
    Expression,
    FieldOf,
    Fixed,
    Holds,
    Known,
    Looked,
    Matches,
    Not,
    Operand,
    ThresholdOf,
    TopicOf,
    clauses,
    operands,
    text_of,
)
from service.route.patterns import Pattern, compiled

Truth = bool | None
_LONGEST_FOUND = 100  # characters of what a pattern found that a receipt repeats
_COMPARE: Mapping[str, Callable[[Value, Value], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class View(NamedTuple):
    """What conditions look at: a case, the values of the thresholds, and whether beliefs are withheld from rules."""

    case: Case
    thresholds: Mapping[str, float | None]
    withheld: bool


class Finding(NamedTuple):
    """One clause as it came out: its text, the value looked at (None where missing) and its truth.

    Of a search through the verbatims the value is what was found, None where nothing was.
    """

    text: str
    value: Value | None
    result: Truth

    def to_json(self) -> dict[str, object]:
        return {"text": self.text, "value": self.value, "result": truth_word(self.result)}


_Read = Callable[[View], Value | None]
_Hangs = Callable[[View], bool]
_Answer = Callable[[View], tuple[Value | None, Truth]]
_Combine = Callable[[Sequence[Truth]], Truth]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition ready to be asked. `thresholds` are the names it uses, in order of appearance."""

    texts: tuple[str, ...]
    thresholds: tuple[str, ...]
    _answers: tuple[_Answer, ...]
    _hanging: tuple[_Hangs, ...]
    _combine: _Combine
    _reachable: Callable[[Sequence[Truth], Sequence[bool]], bool]

    def ask(self, view: View) -> tuple[Truth, tuple[Finding, ...]]:
        """Give the truth of the whole and of every clause, each once, in the order of the text."""
        findings = tuple(Finding(text, *answer(view)) for text, answer in zip(self.texts, self._answers, strict=True))
        return self._combine([finding.result for finding in findings]), findings

    def hangs_on_judgement(self, view: View, findings: Sequence[Finding]) -> bool:
        """Say whether only a threshold without value, or beliefs that are withheld, keep an unknown rule from firing.

        The clauses unknown for that cause are taken as favourable, each by itself; a clause unknown because the
        record lacks a value stays unknown.
        """
        if not self.thresholds:
            return False
        open_ones = [
            finding.result is None and hangs(view) for finding, hangs in zip(findings, self._hanging, strict=True)
        ]
        return self._reachable([finding.result for finding in findings], open_ones)


def truth_word(truth: Truth) -> bool | Literal["unknown"]:
    """Give the truth as receipts write it."""
    return "unknown" if truth is None else truth


def compile_expression(tree: Expression) -> Compiled:
    """Compile a checked tree; asking it cannot fail, whatever the case holds."""
    distinct = list(dict.fromkeys(clauses(tree)))
    place = {clause: index for index, clause in enumerate(distinct)}
    used = (part.name for clause in distinct for part in operands(clause) if isinstance(part, ThresholdOf))
    favourable = _favourable(tree, place)
    return Compiled(
        texts=tuple(text_of(clause) for clause in distinct),
        thresholds=tuple(dict.fromkeys(used)),
        _answers=tuple(_answer(clause) for clause in distinct),
        _hanging=tuple(_hanging(clause) for clause in distinct),
        _combine=_combine(tree, place),
        _reachable=lambda truths, open_ones: favourable(truths, open_ones, True),  # noqa: FBT003 - the truth wanted
    )


def _reading(operand: Operand) -> _Read:
    if isinstance(operand, Fixed):
        value = operand.value
        return lambda _view: value
    if isinstance(operand, ThresholdOf):
        name = operand.name
        return lambda view: view.thresholds.get(name)
    told = _told(operand)
    return told if not _is_belief(operand) else lambda view: None if view.withheld else told(view)


def _told(operand: Looked) -> _Read:
    """Read the case itself, withheld or not."""
    if isinstance(operand, FieldOf):
        read = field_named(operand.name, operand.type).read
        return lambda view: read(view.case)
    if isinstance(operand, CountRecent):
        return lambda view: count_recent(view.case, operand.of, operand.days)
    if isinstance(operand, DaysSinceLast):
        return lambda view: days_since_last(view.case, operand.of)
    label = operand.label
    return lambda view: (view.case.topics or {}).get(label)


def _is_belief(operand: Looked) -> bool:
    if isinstance(operand, FieldOf):
        return field_named(operand.name, operand.type).belief
    return isinstance(operand, TopicOf)


def _answer(clause: Clause) -> _Answer:
    if isinstance(clause, Compare):
        return _comparison(clause)
    if isinstance(clause, Matches):
        return _search(clause)
    read = _reading(clause.item)
    if isinstance(clause, Known):
        return lambda view: ((value := read(view)), value is not None)
    if isinstance(clause, Holds):
        return lambda view: ((value := read(view)), None if value is None else value is True)
    listed, wanted = tuple(value.value for value in clause.values), clause.op == "in"
    return lambda view: ((value := read(view)), None if value is None else (value in listed) is wanted)


def _comparison(clause: Compare) -> _Answer:
    left, right, holds = _reading(clause.left), _reading(clause.right), _COMPARE[clause.op]
    if isinstance(clause.left, Fixed | ThresholdOf):  # the value looked at is the field's, on whichever side it stands

        def turned(view: View) -> tuple[Value | None, Truth]:
            one, other = left(view), right(view)
            return other, None if one is None or other is None else holds(one, other)

        return turned

    def straight(view: View) -> tuple[Value | None, Truth]:
        one, other = left(view), right(view)
        return one, None if one is None or other is None else holds(one, other)

    return straight


def _search(clause: Matches) -> _Answer:
    pattern = compiled(clause.pattern)
    if isinstance(clause.item, FieldOf):
        read = _reading(clause.item)
        return lambda view: (
            (value := read(view)),
            None if value is None else found(pattern, (str(value),)) is not None,
        )

    def search(view: View) -> tuple[Value | None, Truth]:
        texts = said(view.case)
        where = None if texts is None else found(pattern, texts)
        return where, None if texts is None else where is not None

    return search


def found(pattern: Pattern, texts: Sequence[str]) -> str | None:
    """Give what a pattern finds first in texts, the start of it where that is long, None where it finds nothing."""
    hit = next((hit for text in texts if (hit := pattern.search(text)) is not None), None)
    return None if hit is None else hit.group()[:_LONGEST_FOUND]


def _hanging(clause: Clause) -> _Hangs:
    """Say of an unknown clause whether nothing it looks at is missing from the record itself."""
    if isinstance(clause, Matches):
        return lambda _view: False  # it asks the record only
    told = [_told(part) for part in operands(clause) if isinstance(part, LOOKED)]
    return lambda view: all(read(view) is not None for read in told)


def _combine(tree: Expression, place: Mapping[Clause, int]) -> _Combine:
    if isinstance(tree, Not):
        inner = _combine(tree.item, place)
        return lambda truths: None if (truth := inner(truths)) is None else not truth
    if isinstance(tree, Clause):
        index = place[tree]
        return lambda truths: truths[index]
    parts = [_combine(item, place) for item in tree.items]
    deciding = not isinstance(tree, And)  # one false decides `and`, one true decides `or`

    def joined(truths: Sequence[Truth]) -> Truth:
        outcome: Truth = not deciding
        for part in parts:
            truth = part(truths)
            if truth is deciding:
                return truth
            if truth is None:
                outcome = None
        return outcome

    return joined


_Favourable = Callable[[Sequence[Truth], Sequence[bool], bool], bool]


def _favourable(tree: Expression, place: Mapping[Clause, int]) -> _Favourable:
    """Whether the tree can come out as wanted when each open clause may take either value."""
    if isinstance(tree, Not):
        inner = _favourable(tree.item, place)
        return lambda truths, open_ones, wanted: inner(truths, open_ones, not wanted)
    if isinstance(tree, Clause):
        index = place[tree]
        return lambda truths, open_ones, wanted: open_ones[index] or truths[index] is wanted
    parts = [_favourable(item, place) for item in tree.items]
    every = isinstance(tree, And)  # true needs every part of `and`, false needs every part of `or`

    def reach(truths: Sequence[Truth], open_ones: Sequence[bool], wanted: bool) -> bool:  # noqa: FBT001 - a truth
        enough = all if wanted is every else any
        return enough(part(truths, open_ones, wanted) for part in parts)

    return reach
