"""The `groups` of a policy document: who owns what, by name or split by a field."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from service.route.case import FieldType
from service.route.clocks import ALWAYS
from service.route.expression import FieldOf
from service.route.findings import Findings
from service.route.marked import Listing, Mark, Marked, Scalar, Table
from service.route.names import field_type, unknown_field
from service.route.policy import Group, Named, People, Split
from service.route.section import Section, plain_text
from service.route.suggestion import did_you_mean

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_PEOPLE = ("people", "capacity", "manager", "skills", "calendar", "fallback")


@dataclass(frozen=True, slots=True)
class Known:
    """What groups may name: declared fields, the topics of the taxonomy, the calendars of the document."""

    fields: Mapping[str, FieldType]
    topics: Collection[str] = ()
    calendars: Collection[str] = ()


def read_groups(table: Table | None, known: Known, findings: Findings) -> dict[str, Group]:
    """Read `groups`; a group that leads back to itself, by name or by `fallback`, is refused."""
    entries = table.entries if table else ()
    for key, _ in entries:
        plain_text(Scalar(key.mark, key.text, '"'), "the name of a group", findings)
    reader = _Reader(known, [key.text for key, _ in entries], findings)
    groups = {key.text: reader.group(part) for key, part in entries}
    made = {name: group for name, group in groups.items() if group is not None}
    _refuse_circles(made, {key.text: key.mark for key, _ in entries}, findings)
    return made


def check_group(name: str | None, mark: Mark, groups: Collection[str], findings: Findings) -> None:
    """Note an error where a name that is given is no group."""
    if name is not None and name not in groups:
        findings.error(mark, f"group {name} is not defined", did_you_mean(name, groups))


class _Reader:
    def __init__(self, known: Known, names: Collection[str], findings: Findings) -> None:
        self.known, self.names, self.findings = known, names, findings

    def group(self, part: Marked) -> Group | None:
        if isinstance(part, Scalar):
            name = plain_text(part, "a group", self.findings)
            check_group(name, part.mark, self.names, self.findings)
            return None if name is None else Named(name=name)
        if not isinstance(part, Table):
            self.findings.error(part.mark, "a group is {people: [...]}, {by: field, ...} or the name of another")
            return None
        return self.split(part) if part.get("by") is not None else self.people(part)

    def people(self, table: Table) -> People | None:
        section = Section(table, self.findings, _PEOPLE, ("people",))
        people = tuple(name for name, _ in section.texts("people"))
        if table.get("people") is not None and not people:
            self.findings.error(section.mark("people"), "a group has at least one person")
        fallback = section.text("fallback")
        check_group(fallback, section.mark("fallback"), self.names, self.findings)
        return People(
            people=people,
            capacity=self.capacity(section),
            manager=section.text("manager"),
            skills=self.skills(section.section("skills"), people),
            calendar=self.calendar(section),
            fallback=fallback,
        )

    def capacity(self, section: Section) -> int | None:
        capacity = section.number("capacity")
        if capacity is None or (1 <= capacity <= 1e6 and capacity.is_integer()):
            return None if capacity is None else int(capacity)
        detail = "capacity is a whole number of open items for each person, 1 to 1000000"
        self.findings.error(section.mark("capacity"), detail)
        return None

    def calendar(self, section: Section) -> str | None:
        name = section.text("calendar")
        if name is not None and name != ALWAYS and name not in self.known.calendars:
            meant = did_you_mean(name, [*self.known.calendars, ALWAYS])
            self.findings.error(section.mark("calendar"), f"calendar {name} is not defined", meant)
        return name

    def skills(self, table: Table | None, people: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Who knows a topic or a language; everybody named there is one of the group's people."""
        if table is None:
            return {}
        section = Section(table, self.findings, [key.text for key, _ in table.entries])
        for key, _ in table.entries:
            if key.text not in self.known.topics and not _LANGUAGE.fullmatch(key.text):
                detail = f"the skill {key.text} is neither a topic nor the code of a language, such as en"
                self.findings.error(key.mark, detail, did_you_mean(key.text, self.known.topics))
        return {key.text: self.skilled(section, key.text, people) for key, _ in table.entries}

    def skilled(self, section: Section, skill: str, people: Collection[str]) -> tuple[str, ...]:
        named = list(section.texts(skill))
        listed = section.table.get(skill)
        if listed is None or (isinstance(listed, Listing) and not listed.items):
            self.findings.error(section.mark(skill), f"nobody has the skill {skill}: name who has it, or leave it out")
        for name, scalar in named:
            if name not in people:
                detail = f"{name} has the skill {skill}, but is not one of the group's people"
                self.findings.error(scalar.mark, detail, did_you_mean(name, people))
        return tuple(name for name, _ in named)

    def split(self, table: Table) -> Split | None:
        section = Section(table, self.findings, [key.text for key, _ in table.entries], ("default",))
        by = self.text_field(section)
        values = {key.text: self.group(part) for key, part in table.entries if key.text not in {"by", "default"}}
        default = section.table.get("default")
        fallback = None if default is None else self.group(default)
        if by is None or fallback is None:
            return None
        parts = {value: group for value, group in values.items() if group is not None}
        return Split(by=by, values=parts, default=fallback)

    def text_field(self, section: Section) -> FieldOf | None:
        name = section.text("by")
        kind = None if name is None else field_type(name, self.known.fields)
        if name is not None and kind is None:
            self.findings.error(section.mark("by"), *unknown_field(name, self.known.fields))
        elif name is not None and kind != "text":
            self.findings.error(section.mark("by"), f"groups are split by a text field; {name} is a {kind}")
        return FieldOf(name=name, type="text") if name is not None and kind == "text" else None


def _names_inside(group: Group) -> list[str]:
    if isinstance(group, Split):
        return [name for part in (*group.values.values(), group.default) for name in _names_inside(part)]
    if isinstance(group, Named):
        return [group.name]
    return [group.fallback] if group.fallback is not None else []


def _refuse_circles(groups: Mapping[str, Group], marks: Mapping[str, Mark], findings: Findings) -> None:
    """Take away groups that only lead to groups already taken away; what stays leads in a circle."""
    left = {name: {other for other in _names_inside(group) if other in groups} for name, group in groups.items()}
    while ended := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in ended}
    for name in left:
        findings.error(marks[name], f"group {name} leads in a circle: {', '.join(left)}")
