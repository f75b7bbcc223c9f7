"""The canonical form of a rule's condition: a tree of frozen nodes that is JSON, and its one spelling as text."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from service.route.case import FieldType, Kind

Comparison = Literal["==", "!=", "<", "<=", ">", ">="]
OPPOSITE: Mapping[str, str] = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


class Shape(BaseModel):
    """A frozen part of a policy; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fixed(Shape):
    """A value written in the rule."""

    kind: Literal["value"] = "value"
    value: StrictBool | StrictInt | StrictFloat | StrictStr

    @property
    def type(self) -> FieldType:
        if isinstance(self.value, bool):
            return "boolean"
        return "text" if isinstance(self.value, str) else "number"


class FieldOf(Shape):
    """A named value of the case, with the type it was checked as."""

    kind: Literal["field"] = "field"
    name: str
    type: FieldType


class TopicOf(Shape):
    """The probability of a topic, also below its own threshold."""

    kind: Literal["topic"] = "topic"
    label: str

    @property
    def type(self) -> FieldType:
        return "number"


class ThresholdOf(Shape):
    """The value a threshold of the policy has when the decision is made."""

    kind: Literal["threshold"] = "threshold"
    name: str

    @property
    def type(self) -> FieldType:
        return "number"


class CountRecent(Shape):
    """How many items of a kind were made for this customer in the last so many days."""

    kind: Literal["count_recent"] = "count_recent"
    of: Kind
    days: int

    @property
    def type(self) -> FieldType:
        return "number"


class DaysSinceLast(Shape):
    """How long ago the newest item of a kind was made for this customer, in days."""

    kind: Literal["days_since_last"] = "days_since_last"
    of: Kind

    @property
    def type(self) -> FieldType:
        return "number"


class Verbatims(Shape):
    """All that was written in open answers; it can only be searched."""

    kind: Literal["text"] = "text"


Operand = Annotated[Fixed | FieldOf | TopicOf | ThresholdOf | CountRecent | DaysSinceLast, Field(discriminator="kind")]
Looked = Annotated[FieldOf | TopicOf | CountRecent | DaysSinceLast, Field(discriminator="kind")]
Searched = Annotated[FieldOf | Verbatims, Field(discriminator="kind")]
LOOKED = (FieldOf, TopicOf, CountRecent, DaysSinceLast)


class Compare(Shape):
    """Two values side by side."""

    op: Comparison
    left: Operand
    right: Operand


class OneOf(Shape):
    """A value against a written list."""

    op: Literal["in", "not in"]
    item: Looked
    values: tuple[Fixed, ...]


class Known(Shape):
    """Whether a value is there at all: true or false, never unknown."""

    op: Literal["known"] = "known"
    item: Looked


class Holds(Shape):
    """A boolean on its own."""

    op: Literal["is"] = "is"
    item: Operand


class Matches(Shape):
    """Whether a pattern of RE2 is found anywhere in a text field, or in one of the verbatims."""

    op: Literal["matches"] = "matches"
    item: Searched
    pattern: str


class Not(Shape):
    """The opposite; of unknown, unknown."""

    op: Literal["not"] = "not"
    item: "Expression"


class And(Shape):
    """All of them."""

    op: Literal["and"] = "and"
    items: tuple["Expression", ...]


class Or(Shape):
    """At least one of them."""

    op: Literal["or"] = "or"
    items: tuple["Expression", ...]


Clause = Compare | OneOf | Known | Holds | Matches
Expression = Annotated[Clause | Not | And | Or, Field(discriminator="op")]
for _model in (Not, And, Or):
    _model.model_rebuild()


def clauses(tree: Expression) -> Iterator[Clause]:
    """Yield every clause (a part that has no smaller conditions inside) in the order of the text."""
    if isinstance(tree, Not):
        yield from clauses(tree.item)
    elif isinstance(tree, And | Or):
        for item in tree.items:
            yield from clauses(item)
    else:
        yield tree


def asked(tree: Expression, *, wanted: bool = True) -> Iterator[tuple[Clause, bool]]:
    """Yield every clause with the truth that the tree asks of it: a clause behind `not` is to be false."""
    if isinstance(tree, Not):
        yield from asked(tree.item, wanted=not wanted)
    elif isinstance(tree, And | Or):
        for item in tree.items:
            yield from asked(item, wanted=wanted)
    else:
        yield tree, wanted


def operands(clause: Clause) -> tuple[Operand | Verbatims, ...]:
    """Give the values a clause looks at, written ones included."""
    return (clause.left, clause.right) if isinstance(clause, Compare) else (clause.item,)


def text_of(tree: Expression) -> str:
    """Spell the tree in the rule language; reading the text gives the same tree."""
    if isinstance(tree, Not):
        return f"not {_inside(tree.item, (And, Or))}"
    if isinstance(tree, And):
        return " and ".join(_inside(item, (And, Or)) for item in tree.items)
    if isinstance(tree, Or):
        return " or ".join(_inside(item, (Or,)) for item in tree.items)
    return _clause_text(tree)


def _clause_text(tree: Clause) -> str:
    if isinstance(tree, Compare):
        return f"{operand_text(tree.left)} {tree.op} {operand_text(tree.right)}"
    if isinstance(tree, OneOf):
        listed = ", ".join(operand_text(value) for value in tree.values)
        return f"{operand_text(tree.item)} {tree.op} [{listed}]"
    if isinstance(tree, Known):
        return f"known({operand_text(tree.item)})"
    if isinstance(tree, Matches):
        return f"matches({operand_text(tree.item)}, {json.dumps(tree.pattern, ensure_ascii=False)})"
    return operand_text(tree.item)


def _inside(tree: Expression, wider: tuple[type[And] | type[Or], ...]) -> str:
    spelled = text_of(tree)
    return f"({spelled})" if isinstance(tree, wider) else spelled


def operand_text(operand: Operand | Verbatims) -> str:
    """Spell one value: a name, a call, or a written value."""
    if isinstance(operand, FieldOf):
        return operand.name
    if isinstance(operand, Fixed):
        return json.dumps(operand.value, ensure_ascii=False)
    if isinstance(operand, Verbatims):
        return "text"
    if isinstance(operand, CountRecent):
        return f'count_recent("{operand.of}", days={operand.days})'
    if isinstance(operand, DaysSinceLast):
        return f'days_since_last("{operand.of}")'
    word, name = ("topic", operand.label) if isinstance(operand, TopicOf) else ("threshold", operand.name)
    return f"{word}({json.dumps(name, ensure_ascii=False)})"
