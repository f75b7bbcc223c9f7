"""The `groups` of a policy document: who owns what, by name or split by a field."""

from collections.abc import Collection, Mapping

from service.route.case import FieldType
from service.route.expression import FieldOf
from service.route.findings import Findings
from service.route.marked import Mark, Marked, Scalar, Table
from service.route.names import field_type, unknown_field
from service.route.policy import Group, Named, People, Split
from service.route.section import Section, plain_text
from service.route.suggestion import did_you_mean


def read_groups(table: Table | None, fields: Mapping[str, FieldType], findings: Findings) -> dict[str, Group]:
    """Read `groups`; a group that leads back to itself is refused."""
    entries = table.entries if table else ()
    reader = _Reader(fields, [key.text for key, _ in entries], findings)
    groups = {key.text: reader.group(part) for key, part in entries}
    made = {name: group for name, group in groups.items() if group is not None}
    _refuse_circles(made, {key.text: key.mark for key, _ in entries}, findings)
    return made


def check_group(name: str | None, mark: Mark, groups: Collection[str], findings: Findings) -> None:
    """Note an error where a name that is given is no group."""
    if name is not None and name not in groups:
        findings.error(mark, f"group {name} is not defined", did_you_mean(name, groups))


class _Reader:
    def __init__(self, fields: Mapping[str, FieldType], names: Collection[str], findings: Findings) -> None:
        self.fields, self.names, self.findings = fields, names, findings

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
        section = Section(table, self.findings, ("people", "capacity", "manager"), ("people",))
        people = tuple(name for name, _ in section.texts("people"))
        if table.get("people") is not None and not people:
            self.findings.error(section.mark("people"), "a group has at least one person")
        capacity = section.number("capacity")
        if capacity is not None and not (1 <= capacity <= 1e6 and capacity.is_integer()):
            self.findings.error(section.mark("capacity"), "capacity is a whole number of open items, 1 or more")
            capacity = None
        for key in ("capacity", "manager"):
            if section.table.get(key) is not None:
                self.findings.warn(section.mark(key), f"`{key}` is recorded but not acted on yet")
        count = None if capacity is None else int(capacity)
        return People(people=people, capacity=count, manager=section.text("manager"))

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
        kind = None if name is None else field_type(name, self.fields)
        if name is not None and kind is None:
            self.findings.error(section.mark("by"), *unknown_field(name, self.fields))
        elif name is not None and kind != "text":
            self.findings.error(section.mark("by"), f"groups are split by a text field; {name} is a {kind}")
        return FieldOf(name=name, type="text") if name is not None and kind == "text" else None


def _names_inside(group: Group) -> list[str]:
    if isinstance(group, Split):
        return [name for part in (*group.values.values(), group.default) for name in _names_inside(part)]
    return [group.name] if isinstance(group, Named) else []


def _refuse_circles(groups: Mapping[str, Group], marks: Mapping[str, Mark], findings: Findings) -> None:
    """Take away groups that only lead to groups already taken away; what stays leads in a circle."""
    left = {name: {other for other in _names_inside(group) if other in groups} for name, group in groups.items()}
    while ended := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in ended}
    for name in left:
        findings.error(marks[name], f"group {name} leads in a circle: {', '.join(left)}")
