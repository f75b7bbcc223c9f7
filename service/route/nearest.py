"""The values with which a rule may fire after all, the nearest first. Pure.

Whether a rule fires changes only where a value passes one that it is compared with, so those and their next
neighbours, over all rules, are every case there is.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Literal, NamedTuple, cast

from service.route.case import Case, Field, Value, field_named
from service.route.decide import ResolvedThreshold
from service.route.expression import (
    Compare,
    FieldOf,
    Fixed,
    Known,
    OneOf,
    Operand,
    ThresholdOf,
    TopicOf,
    clauses,
    operands,
)
from service.route.policy import Policy

Changeable = FieldOf | TopicOf
Thresholds = Mapping[str, ResolvedThreshold]


class Candidate(NamedTuple):
    """A value to try for an operand, and the boundary it stands for: exactly that, just under it, or just over it."""

    distance: float
    order: int  # of the operand in the rule
    side: Literal[0, -1, 1]
    value: Value | None
    operand: Changeable
    boundary: Value | None


class Trial:
    """One rule and one case, tried with other values."""

    def __init__(self, policy: Policy, case: Case, thresholds: Thresholds, rule: str) -> None:
        self.policy, self.case = policy, case
        self.thresholds = {name: threshold.standing().value for name, threshold in thresholds.items()}
        self.index = next(index for index, one in enumerate(policy.rules) if one.name == rule)
        self.tree = policy.rules[self.index].when
        looked = chain.from_iterable(operands(clause) for clause in clauses(self.tree))
        self.operands = list(dict.fromkeys(part for part in looked if isinstance(part, Changeable)))
        self.clauses = [clause for one in policy.rules for clause in clauses(one.when)]

    def candidates(self) -> list[Candidate]:
        """All that is worth trying, the nearest first."""
        return sorted(
            chain.from_iterable(self._of(operand, order) for order, operand in enumerate(self.operands)),
            key=lambda one: (one.distance, one.order, abs(one.side), one.side, str(one.value)),
        )

    def _of(self, operand: Changeable, order: int) -> Iterator[Candidate]:
        was = self.value(operand)
        tried = dict.fromkeys(_numbers(self, operand) if operand.type == "number" else _others(self, operand))
        for side, value, boundary in tried:
            if value != was:
                yield Candidate(_distance(_field(operand), was, value), order, side, value, operand, boundary)

    def compared_with(self, operand: Changeable) -> Iterator[Value]:
        """The values that any rule compares an operand with."""
        for clause in self.clauses:
            if isinstance(clause, OneOf) and clause.item == operand:
                yield from (value.value for value in clause.values)
            elif isinstance(clause, Compare) and operand in (clause.left, clause.right):
                other = clause.right if clause.left == operand else clause.left
                value = self.known(other)
                if value is not None:
                    yield value

    def known(self, operand: Operand) -> Value | None:
        """What an operand stands for here, None where it is missing."""
        if isinstance(operand, Fixed):
            return operand.value
        if isinstance(operand, ThresholdOf):
            return self.thresholds.get(operand.name)
        return self.value(operand) if isinstance(operand, Changeable) else None

    def asks_whether_known(self, operand: Changeable) -> bool:
        """Whether a rule asks if the operand is there at all."""
        return any(isinstance(clause, Known) and clause.item == operand for clause in self.clauses)

    def value(self, operand: Changeable) -> Value | None:
        """What the case holds."""
        return _field(operand).read(self.case)

    def changed(self, candidate: Candidate) -> Case:
        """The case with this one value instead."""
        return _with(self.case, _field(candidate.operand), candidate.value)

    def fires(self, candidate: Candidate) -> bool:
        """Whether the rule would have fired with this value, no rule standing before it."""
        definite = self.policy.program.fires(self.changed(candidate), self.thresholds)
        return self.index in definite and _before(self.policy, definite, self.index) is None

    def of(self, operand: Changeable) -> list[Candidate]:
        """All other values of one operand that there are."""
        return [one for one in self.candidates() if one.operand == operand and one.value is not None]

    def ends(self, operand: Changeable) -> tuple[float | None, float | None]:
        """The least and the greatest value of an operand, None where it has none."""
        field = _field(operand)
        return field.low, field.high

    def before(self, candidate: Candidate) -> str | None:
        """The rule that stands before this one where the value makes it true."""
        definite = self.policy.program.fires(self.changed(candidate), self.thresholds)
        return _before(self.policy, definite, self.index) if self.index in definite else None


def _before(policy: Policy, definite: Sequence[int], target: int) -> str | None:
    kind = policy.rules[target].then.create
    earlier = (policy.rules[index] for index in definite if index < target)
    return next((rule.name for rule in earlier if rule.stop or rule.then.create == kind), None)


def _field(operand: Changeable) -> Field:
    if isinstance(operand, FieldOf):
        return field_named(operand.name, operand.type)
    label = operand.label
    read: Callable[[Case], Value | None] = lambda case: (case.topics or {}).get(label)  # noqa: E731 - as fields have it
    return Field("number", read, belief=True, place="topics", key=label, low=0, high=1)


_Tried = tuple[Literal[0, -1, 1], Value | None, Value | None]  # side, value, boundary


def _numbers(trial: Trial, operand: Changeable) -> Iterator[_Tried]:
    field = _field(operand)
    low = -math.inf if field.low is None else field.low
    high = math.inf if field.high is None else field.high
    boundaries = [value for value in trial.compared_with(operand) if isinstance(value, int | float)]
    if trial.asks_whether_known(operand):
        yield 0, None, None
        boundaries.append(field.low or 0)
    for boundary in dict.fromkeys(boundaries):
        for side, value in _around(boundary, whole=field.whole):
            if low <= value <= high and math.isfinite(value):
                yield side, value, boundary


def _around(boundary: float, *, whole: bool) -> Iterator[tuple[Literal[0, -1, 1], float]]:
    """The boundary and its next neighbours; whole numbers stand for themselves."""
    if whole:
        least = math.ceil(boundary)
        yield from ((0, value) for value in (least - 1, least, math.floor(boundary), math.floor(boundary) + 1))
    else:
        yield 0, boundary
        yield -1, math.nextafter(boundary, -math.inf)
        yield 1, math.nextafter(boundary, math.inf)


def _others(trial: Trial, operand: Changeable) -> Iterator[_Tried]:
    """Of a text every one that is written somewhere, one that is not, and none; of a boolean both."""
    if trial.asks_whether_known(operand):
        yield 0, None, None
    if operand.type == "boolean":
        yield from ((0, value, value) for value in (False, True))
        return
    written = [value for value in trial.compared_with(operand) if isinstance(value, str)]
    yield from ((0, value, value) for value in written)
    other = "other"
    while other in written or other == trial.value(operand):
        other += "r"
    yield 1, other, None


def _distance(field: Field, was: Value | None, value: Value | None) -> float:
    numbers = isinstance(was, int | float) and isinstance(value, int | float) and field.type == "number"
    if not numbers or was is None or value is None:
        return 1.0
    one, other = float(was), float(value)
    if field.low is not None and field.high is not None:
        return abs(one - other) / (field.high - field.low)
    return abs(one - other) / (max(abs(one), abs(other)) or 1)


def _with(case: Case, field: Field, value: Value | None) -> Case:
    """The case with another value of one field."""
    changed = value if field.key is None else _entry(case, field, value)
    return cast(Case, _replaced(case, field.place.split("."), changed))


def _entry(case: Case, field: Field, value: Value | None) -> dict[str, Value]:
    held: Any = case
    for step in field.place.split("."):
        held = getattr(held, step)
    rest = {name: one for name, one in (held or {}).items() if name != field.key}
    return rest if value is None else {**rest, field.key or "": value}


def _replaced(part: Any, path: Sequence[str], value: object) -> Any:  # noqa: ANN401 - a case, or a part of one
    inner = value if len(path) == 1 else _replaced(getattr(part, path[0]), path[1:], value)
    return replace(part, **{path[0]: inner})
