"""What one value of a record may still be, when several clauses about it must hold at once; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from service.route.case import Value, field_named
from service.route.expression import (
    OPPOSITE,
    Clause,
    Compare,
    CountRecent,
    DaysSinceLast,
    FieldOf,
    Fixed,
    Holds,
    Known,
    Matches,
    OneOf,
    Operand,
    TopicOf,
    Verbatims,
    operand_text,
    operands,
    text_of,
)

Seen = Operand | Verbatims
_TURNED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_LEAVES: Mapping[str, frozenset[str]] = {
    "==": frozenset("="),
    "!=": frozenset("<>"),
    "<": frozenset("<"),
    "<=": frozenset("<="),
    ">": frozenset(">"),
    ">=": frozenset(">="),
}


class Needed(NamedTuple):
    """Something that must be so: a clause holds, or definitely does not, or (without clause) a value is missing."""

    clause: Clause | None
    wanted: bool
    missing: Seen | None = None

    @property
    def words(self) -> str:
        if self.clause is None:
            return f"{operand_text(self.missing)} is missing" if self.missing else ""
        return text_of(self.clause) if self.wanted else f"not {text_of(self.clause)}"

    @property
    def absent(self) -> bool:
        """Whether it asks for a value that is not there."""
        return self.clause is None or (isinstance(self.clause, Known) and not self.wanted)

    @property
    def seen(self) -> tuple[Seen, ...]:
        """The values it is about, written ones left out."""
        if self.clause is None:
            return (self.missing,) if self.missing else ()
        return tuple(part for part in operands(self.clause) if not isinstance(part, Fixed))


def why_impossible(seen: Seen, needs: Sequence[Needed]) -> str | None:
    """Say why these needs about one value cannot all be met, or None where they can as far as that value goes."""
    if not _impossible(seen, needs):
        return None
    newest = needs[-1]
    if _impossible(seen, [newest]):
        low, high = _range(seen)
        bounds = (
            f"{operand_text(seen)} is {low:g} to {high:g}" if high < inf else f"{operand_text(seen)} is {low:g} or more"
        )
        return f"{bounds}, so {newest.words} is never true" if low > -inf else f"{newest.words} is never true"
    pair = next((one for one in needs if _impossible(seen, [one, newest])), None)
    if pair is not None:
        return f"{pair.words} and {newest.words} are never true at once"
    return f"{', '.join(one.words for one in needs[:-1])} and {newest.words} are never all true at once"


def never_related(one: Seen, other: Seen, signs: Iterable[str]) -> bool:
    """Whether two values cannot stand to each other as all these signs say."""
    left = frozenset("=") if one == other else frozenset("<=>")
    for sign in signs:
        left &= _LEAVES[sign]
    return not left


def relation(need: Needed) -> tuple[Seen, Seen, str] | None:
    """The two values that a need compares with each other and the sign between them; None where it compares one."""
    clause = need.clause
    if not isinstance(clause, Compare) or isinstance(clause.left, Fixed) or isinstance(clause.right, Fixed):
        return None
    sign = clause.op if need.wanted else OPPOSITE[clause.op]
    if operand_text(clause.left) <= operand_text(clause.right):
        return clause.left, clause.right, sign
    return clause.right, clause.left, _TURNED[sign]


def _impossible(seen: Seen, needs: Sequence[Needed]) -> bool:
    absent = any(need.absent for need in needs)
    if absent and not all(need.absent for need in needs):
        return True
    polar = {(text_of(need.clause), need.wanted) for need in needs if isinstance(need.clause, Matches | Holds)}
    if any((text, not wanted) in polar for text, wanted in polar):
        return True
    if isinstance(seen, Verbatims) or absent:
        return False
    return _numbers(seen, needs).empty if seen.type == "number" else _nothing_left(needs)


def _nothing_left(needs: Sequence[Needed]) -> bool:
    """Of a text or boolean: whether no value is left."""
    among: frozenset[Value] | None = None
    apart = frozenset[Value]()
    for sign, values in (found for need in needs if (found := _said(need)) is not None):
        if sign == "==":
            among = values if among is None else among & values
        else:
            apart |= values
    return among is not None and not among - apart


def _said(need: Needed) -> tuple[str, frozenset[Value]] | None:
    """How a need compares its one value, the value on the left: with which sign and which written values."""
    clause = need.clause
    if isinstance(clause, OneOf):
        sign = "==" if (clause.op == "in") is need.wanted else "!="
        return sign, frozenset(value.value for value in clause.values)
    if isinstance(clause, Holds):
        return "==", frozenset({need.wanted})
    if not isinstance(clause, Compare):
        return None
    sign = clause.op if need.wanted else OPPOSITE[clause.op]
    if isinstance(clause.right, Fixed):
        return sign, frozenset({clause.right.value})
    return (_TURNED[sign], frozenset({clause.left.value})) if isinstance(clause.left, Fixed) else None


def _range(seen: Seen) -> tuple[float, float]:
    if isinstance(seen, FieldOf):
        one = field_named(seen.name, seen.type)
        return -inf if one.low is None else one.low, inf if one.high is None else one.high
    if isinstance(seen, TopicOf):
        return 0, 1
    return (0, inf) if isinstance(seen, CountRecent | DaysSinceLast) else (-inf, inf)


def _numbers(seen: Seen, needs: Sequence[Needed]) -> "_Numbers":
    low, high = _range(seen)
    whole = isinstance(seen, CountRecent) or (isinstance(seen, FieldOf) and field_named(seen.name, seen.type).whole)
    left = _Numbers(low, high, whole=whole)
    for sign, values in (found for need in needs if (found := _said(need)) is not None):
        left.restrict(sign, frozenset(float(value) for value in values))
    return left


@dataclass(slots=True)
class _Numbers:
    """The numbers a value may still be."""

    low: float = -inf
    high: float = inf
    open_low: bool = False
    open_high: bool = False
    among: frozenset[float] | None = None
    apart: frozenset[float] = frozenset()
    whole: bool = False

    def restrict(self, sign: str, values: frozenset[float]) -> None:
        value = next(iter(values))
        if sign in {">", ">="} and (value, sign == ">") > (self.low, self.open_low):
            self.low, self.open_low = value, sign == ">"
        elif sign in {"<", "<="} and (-value, sign == "<") > (-self.high, self.open_high):
            self.high, self.open_high = value, sign == "<"
        elif sign == "==":
            self.among = values if self.among is None else self.among & values
        elif sign == "!=":
            self.apart |= values

    def holds(self, value: float) -> bool:
        above = value > self.low or (value == self.low and not self.open_low)
        below = value < self.high or (value == self.high and not self.open_high)
        return above and below and value not in self.apart and not (self.whole and value != int(value))

    @property
    def empty(self) -> bool:
        if self.among is not None:
            return not any(self.holds(value) for value in self.among)
        if self.whole and self.high - self.low < 1_000:  # every whole number between can be tried
            return not any(self.holds(value) for value in range(int(self.low) - 1, int(self.high) + 2))
        return self.low > self.high or (self.low == self.high and not self.holds(self.low))
