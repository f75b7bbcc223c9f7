"""Python source written from conditions: its lines, its constants, and one variable for each value that is read.

The source holds our own names and numbers only; whatever a policy says (names, values, patterns) is a constant.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.route.case import FITS, Case, count_recent, days_since_last, field_named, said
from service.route.expression import (
    CountRecent,
    DaysSinceLast,
    FieldOf,
    Fixed,
    Looked,
    Matches,
    OneOf,
    Operand,
    ThresholdOf,
    Verbatims,
)
from service.route.patterns import compiled
from service.route.truth import found

Thresholds = Mapping[str, float | None]
_NO_BELIEFS: Mapping[str, float] = {}


@dataclass(slots=True)
class Writer:
    """The lines of one function, the constants they name, and what has a variable already."""

    lines: list[str] = field(default_factory=list)
    constants: dict[str, object] = field(default_factory=dict)
    made: dict[object, str] = field(default_factory=dict)

    def constant(self, value: object) -> str:
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        return name

    def variable(self, key: object, source: Callable[[], str]) -> str:
        """The variable that holds something, written down when it is first wanted."""
        if key not in self.made:
            written = source()
            self.made[key] = f"v{len(self.made)}"
            self.lines.append(f"{self.made[key]} = {written}")
        return self.made[key]

    def function(self, before: list[str], result: str) -> Callable[[Case, Thresholds, bool], Any]:
        body = "\n  ".join([*before, *self.lines, f"return {result}"])
        names = ", ".join(self.constants)
        source = f"def make({names}):\n def run(case, thresholds, withheld):\n  {body}\n return run"
        space: dict[str, Any] = {}
        exec(compile(source, "<policy>", "exec"), {"__builtins__": {}}, space)  # noqa: S102 - our own names only
        made: Callable[[Case, Thresholds, bool], Any] = space["make"](**self.constants)
        return made


def raw(operand: Operand | Verbatims, writer: Writer) -> str:
    """The variable of a value as it stands in the case, None where it is missing."""
    if isinstance(operand, Fixed):
        return writer.variable(("fixed", repr(operand.value)), lambda: writer.constant(operand.value))
    return writer.variable(operand, lambda: _reading(operand, writer))


def _reading(operand: Looked | ThresholdOf | Verbatims, writer: Writer) -> str:
    if isinstance(operand, ThresholdOf):
        return f"thresholds.get({writer.constant(operand.name)})"
    if isinstance(operand, CountRecent):
        kind, days = writer.constant(operand.of), writer.constant(operand.days)
        return f"{writer.constant(count_recent)}(case, {kind}, {days})"
    if isinstance(operand, DaysSinceLast):
        return f"{writer.constant(days_since_last)}(case, {writer.constant(operand.of)})"
    if isinstance(operand, Verbatims):
        return f"{writer.constant(said)}(case)"
    if isinstance(operand, FieldOf):
        return _named(operand, writer)
    return _belief("topics", operand.label, writer)


def _named(operand: FieldOf, writer: Writer) -> str:
    one = field_named(operand.name, operand.type)
    if one.belief:
        return _belief(one.place, one.key or "", writer)
    place = f"case.{one.place}"
    if one.key is None:
        return place
    held = writer.variable(("place", place), lambda: place)
    value = writer.variable(("told", operand), lambda: f"{held}.get({writer.constant(one.key)})")
    return f"{value} if {writer.constant(FITS[operand.type])}({value}) else None"


def _belief(place: str, label: str, writer: Writer) -> str:
    source = f"{writer.constant(_NO_BELIEFS)} if withheld else case.{place} or {writer.constant(_NO_BELIEFS)}"
    held = writer.variable(("beliefs", place), lambda: source)
    return f"{held}.get({writer.constant(label)})"


def listed(clause: OneOf, writer: Writer) -> str:
    return writer.constant(frozenset(value.value for value in clause.values))


def search(clause: Matches, value: str, writer: Writer) -> str:
    texts = value if isinstance(clause.item, Verbatims) else f"({value},)"
    return f"{writer.constant(found)}({writer.constant(compiled(clause.pattern))}, {texts}) is not None"


def joined(word: str, parts: Sequence[str]) -> str:
    return f"({f' {word} '.join(parts)})" if parts else str(word == "and")
