"""Policy: an immutable version of the rules, with thresholds, service levels, calendars and owners."""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from calibration.promise import Promise
from models.prediction import Axis
from service.route.case import Case, FieldType, Kind, field_named
from service.route.clocks import Calendar, Duration, Sla
from service.route.expression import Expression, FieldOf, Shape
from service.route.program import Program
from service.route.truth import Compiled, compile_expression

Priority = Literal["low", "normal", "high", "urgent"]
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "urgent")


class Threshold(Shape):
    """Where to act on a belief: a promise to certify, and the value used until then."""

    axis: Axis
    label: str
    promise: Promise | None = None
    uncertified: float | None = None


class Action(Shape):
    """What a rule that fires makes.

    An item joins an open one instead, where that has the same values of the fields named in `key` or, without a
    `key`, is about the same customer and the same first topic. `join` is how old the open item may be; without
    either, nothing joins.
    """

    create: Kind
    mandatory: bool = False
    sla: str | None = None
    assign: str | None = None
    priority: Priority = "normal"
    deliver: tuple[str, ...] = ()
    tags: Literal["topics"] | tuple[str, ...] = ()
    key: tuple[FieldOf, ...] = ()
    join: Duration | None = None


class Rule(Shape):
    """A condition and what follows from it; `stop` ends the evaluation when the condition is true."""

    name: str
    when: Expression
    then: Action
    stop: bool = False

    @cached_property
    def condition(self) -> Compiled:
        """The condition, compiled on first use."""
        return compile_expression(self.when)


class People(Shape):
    """Named people, in the order in which a tie is broken.

    `capacity` is how many open items each may have; `skills` names those who know a topic or a language; `manager` is
    theirs, for escalations; `calendar` is when they work; what they cannot take goes to the group `fallback`.
    """

    kind: Literal["people"] = "people"
    people: tuple[str, ...]
    capacity: int | None = None
    manager: str | None = None
    skills: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    calendar: str | None = None
    fallback: str | None = None


class Named(Shape):
    """Another group, by its name."""

    kind: Literal["group"] = "group"
    name: str


class Split(Shape):
    """One group per value of a text field, and one for every other value and for none."""

    kind: Literal["split"] = "split"
    by: FieldOf
    values: dict[str, "Group"]
    default: "Group"


Group = Annotated[People | Named | Split, Field(discriminator="kind")]
Split.model_rebuild()


class Bypass(Shape):
    """Straight to a named person, past the groups, at most `quota` items a day; `reason` is kept with each."""

    name: str
    when: Expression
    to: str
    quota: int
    reason: str

    @cached_property
    def condition(self) -> Compiled:
        """The condition, compiled on first use."""
        return compile_expression(self.when)


class Example(Shape):
    """A record and the kinds of item it must create; beliefs not written down are read by the classifier."""

    name: str
    record: dict[str, Any]
    creates: tuple[Kind | Literal["review"], ...]


class Policy(Shape):
    """A checked policy. It can be rebuilt from `canonical` for ever, without the language it was written in."""

    name: str
    rules: tuple[Rule, ...]
    review: str | None = None
    fields: dict[str, FieldType] = Field(default_factory=dict)
    thresholds: dict[str, Threshold] = Field(default_factory=dict)
    slas: dict[str, Sla] = Field(default_factory=dict)
    calendars: dict[str, Calendar] = Field(default_factory=dict)
    groups: dict[str, Group] = Field(default_factory=dict)
    fallback: str | None = None  # the group that gets what nobody else can take
    bypass: tuple[Bypass, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def canonical(self) -> dict[str, Any]:
        """Everything the policy says as plain JSON data, conditions as trees."""
        return self.model_dump(mode="json")

    @classmethod
    def from_canonical(cls, tree: Mapping[str, Any]) -> "Policy":
        """Rebuild the policy that `canonical` described.

        Raises:
            pydantic.ValidationError: the data was not written by `canonical`.
        """
        return cls.model_validate(tree)

    @cached_property
    def program(self) -> Program:
        """The conditions of all rules, then of all bypasses, as one function."""
        return Program([*(rule.when for rule in self.rules), *(one.when for one in self.bypass)])

    @cached_property
    def thresholds_used(self) -> tuple[str, ...]:
        """The thresholds that conditions mention, in alphabetical order."""
        conditions = [*(rule.condition for rule in self.rules), *(one.condition for one in self.bypass)]
        return tuple(sorted({name for condition in conditions for name in condition.thresholds}))


def strictest(promises: Collection[Promise]) -> Promise | None:
    """What keeps all of these promises; None where there is none.

    >>> strictest([Promise(0.9, 0.99), Promise(0.95, 0.9)])
    Promise(precision=0.95, confidence=0.99)
    """
    if not promises:
        return None
    return Promise(max(one.precision for one in promises), max(one.confidence for one in promises))


def members(policy: Policy, group_name: str, case: Case) -> People | None:
    """Give the people among whom an owner is looked for, None where the group is not there.

    A group split `by` a field takes the part for the case's value; a missing or unlisted value takes the default.
    """
    group: People | Named | Split | None = Named(name=group_name)
    for _ in range(100):  # publishing refuses circles; a tree from elsewhere must not hang the worker
        if group is None or isinstance(group, People):
            return group
        if isinstance(group, Named):
            group = policy.groups.get(group.name)
        else:
            value = field_named(group.by.name, group.by.type).read(case)
            group = group.values.get(str(value), group.default) if value is not None else group.default
    return None


def people_of(policy: Policy) -> set[str]:
    """Everybody whom the policy names: members of groups, their managers, and those a bypass leads to."""
    return {name for group in policy.groups.values() for name in people_in(group)} | {one.to for one in policy.bypass}


def people_in(group: Group) -> Iterator[str]:
    """Everybody whom a group names: its people, and their managers."""
    if isinstance(group, People):
        yield from group.people
        if group.manager is not None:
            yield group.manager
    elif isinstance(group, Split):
        for part in (*group.values.values(), group.default):
            yield from people_in(part)
