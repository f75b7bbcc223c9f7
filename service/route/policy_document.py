"""A policy document, YAML 1.2 or JSON, checked whole: a Policy with warnings, or every error with its place."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from service.route.bypasses import read_bypasses
from service.route.case import KINDS, Kind
from service.route.clock_definitions import read_calendars, read_slas
from service.route.clocks import Duration
from service.route.conditions import parse
from service.route.contradiction import never_true, shadows
from service.route.definitions import read_fields, read_thresholds, uncertified_words
from service.route.example_records import read_examples
from service.route.expression import Compare, Expression, FieldOf, ThresholdOf, TopicOf, clauses, operands
from service.route.findings import Findings, InvalidPolicy, PolicyError, PolicyWarning
from service.route.marked import Mark, Marked, Scalar, Table, Unreadable, read
from service.route.names import Names, field_type, unknown_field
from service.route.ownership import Known, check_group, read_groups
from service.route.policy import PRIORITIES, Action, Policy, Priority, Rule, Threshold
from service.route.section import Section, plain_text
from service.route.suggestion import did_you_mean
from service.route.tokens import InvalidExpression

_KEYS = (
    "name",
    "review",
    "fallback",
    "fields",
    "thresholds",
    "rules",
    "bypass",
    "slas",
    "calendars",
    "groups",
    "examples",
)
_THEN = ("create", "mandatory", "sla", "assign", "priority", "deliver", "tags", "key", "join")
_MADE_BY_HEED = (
    "review items are made by heed itself, where a rule hangs on a threshold without a value; "
    "name who gets them in `review:`"
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A policy that may be published, what its author should know, and where its examples and thresholds stand.

    Nothing is known here of certificates: each threshold comes with a warning that it has none.
    """

    policy: Policy
    warnings: tuple[PolicyWarning, ...]
    examples_at: tuple[Mark, ...]
    thresholds_at: Mapping[str, Mark]


def check(document: bytes | str, topics: Collection[str]) -> Checked:
    """Check a document of at most 200 kB against the topics of the taxonomy.

    Raises:
        InvalidPolicy: with every error found (the first 500), in the order of the document.
    """
    findings = Findings()
    try:
        root, repeated = read(document)
    except Unreadable as error:
        raise InvalidPolicy([PolicyError(error.mark.line, error.mark.column, error.detail)]) from None
    for key in repeated:
        findings.error(key.mark, f"{key.text} is written twice")
    section = Section(root, findings, _KEYS, ("name", "rules"))
    name, review, fallback = section.text("name"), section.text("review"), section.text("fallback")
    fields = read_fields(section.section("fields"), findings)
    groups = read_groups(section.section("groups"), Known(fields, topics, _names(root, "calendars")), findings)
    group_names = _names(root, "groups")
    thresholds = read_thresholds(section.section("thresholds"), topics, findings)
    thresholds_at = _marks(root, "thresholds")
    for name_of, threshold in thresholds.items():
        findings.warn(thresholds_at[name_of], uncertified_words(name_of, threshold))
    calendars = read_calendars(section.section("calendars"), findings)
    slas = read_slas(section.section("slas"), _names(root, "calendars"), calendars, group_names, findings)
    check_group(review, section.mark("review"), group_names, findings)
    check_group(fallback, section.mark("fallback"), group_names, findings)
    reader = _Rules(
        Names(fields, _names(root, "thresholds"), topics), _names(root, "slas"), group_names, thresholds, findings
    )
    rules = reader.read(section)
    bypasses = read_bypasses(section.items("bypass"), reader.condition, groups, findings)
    examples = read_examples(section.items("examples"), topics, findings)
    if errors := findings.errors():
        raise InvalidPolicy(errors)
    policy = Policy(
        name=name or "",
        review=review,
        fields=fields,
        thresholds=thresholds,
        rules=rules,
        slas=slas,
        calendars=calendars,
        groups=groups,
        fallback=fallback,
        bypass=bypasses,
        examples=examples,
    )
    examples_at = tuple(part.mark for part in section.items("examples"))
    return Checked(policy, findings.warnings(), examples_at, thresholds_at)


def _names(root: Table, section: str) -> list[str]:
    """Give what a section names, also entries with mistakes in them: one mistake is told once."""
    table = root.get(section)
    return [key.text for key, _ in table.entries] if isinstance(table, Table) else []


def _marks(root: Table, section: str) -> dict[str, Mark]:
    """Where each definition of a section stands."""
    table = root.get(section)
    return {key.text: key.mark for key, _ in table.entries} if isinstance(table, Table) else {}


class _Rules:
    """Reads the `rules` of a document against what it defines."""

    def __init__(
        self,
        names: Names,
        slas: Collection[str],
        groups: Collection[str],
        thresholds: Mapping[str, Threshold],
        findings: Findings,
    ) -> None:
        self.names, self.slas, self.groups, self.thresholds = names, slas, groups, thresholds
        self.findings = findings
        self.whens: dict[str, Mark] = {}

    def read(self, section: Section) -> tuple[Rule, ...]:
        read = [self.rule(part) for part in section.items("rules")]
        if section.table.get("rules") is not None and not read:
            self.findings.warn(section.mark("rules"), "this policy has no rules: nothing will be created")
        seen = set[str]()
        for name, mark in (found for found, _ in read if found is not None):
            if name in seen:
                self.findings.error(mark, f"there are two rules named {name}")
            seen.add(name)
        rules = tuple(rule for _, rule in read if rule is not None)
        for shadow in shadows(rules):
            mark, remedy = self.whens[shadow.late.name], f"put it before {shadow.early.name}, or drop it"
            if shadow.early.stop:
                self.findings.error(mark, shadow.words, remedy)
            else:
                self.findings.warn(mark, f"{shadow.words}; {remedy}")
        return rules

    def rule(self, part: Marked) -> tuple[tuple[str, Mark] | None, Rule | None]:
        if not isinstance(part, Table):
            self.findings.error(part.mark, "a rule is a mapping with name, when and then")
            return None, None
        section = Section(part, self.findings, ("name", "when", "then", "stop"), ("name", "when", "then"))
        name, written = section.text("name"), section.scalar("when")
        self.whens[name or ""] = section.mark("when")
        when = None if written is None else self.condition(written)
        table = section.section("then")
        then = None if table is None else self.action(table)
        stop = section.flag("stop")
        at = None if name is None else (name, section.mark("name"))
        if name is None or when is None or then is None:
            return at, None
        return at, Rule(name=name, when=when, then=then, stop=bool(stop))

    def condition(self, written: Scalar) -> Expression | None:
        try:
            tree = parse(written.text, self.names)
        except InvalidExpression as error:
            for found in error.problems:
                self.findings.error(written.locate(found.offset), found.detail, found.suggestion)
            return None
        if (reason := never_true(tree)) is not None:
            self.findings.error(written.mark, f"this can never be true: {reason}", "change a value, or drop the rule")
            return None
        for clause in clauses(tree):
            if isinstance(clause, Compare):
                self.compared_with_its_own(clause, written)
        return tree

    def compared_with_its_own(self, clause: Compare, written: Scalar) -> None:
        """Warn where a threshold is used for something else than it was set for: its promise says nothing there."""
        for part in operands(clause):
            threshold = self.thresholds.get(part.name) if isinstance(part, ThresholdOf) else None
            other = clause.right if part is clause.left else clause.left
            if isinstance(part, ThresholdOf) and threshold is not None:
                of = f"{threshold.axis}.{threshold.label}"
                seen = f"topic.{other.label}" if isinstance(other, TopicOf) else getattr(other, "name", "")
                if seen != of:
                    detail = f"threshold {part.name} was set for {of}, but is compared with {seen}"
                    self.findings.warn(written.mark, detail)

    def action(self, table: Table) -> Action | None:
        section = Section(table, self.findings, _THEN, ("create",))
        kind = self.kind(section)
        sla, assign = section.text("sla"), section.text("assign")
        if sla is not None and sla not in self.slas:
            self.findings.error(section.mark("sla"), f"sla {sla} is not defined", did_you_mean(sla, self.slas))
        check_group(assign, section.mark("assign"), self.groups, self.findings)
        mandatory, priority = section.flag("mandatory"), section.choice("priority", PRIORITIES)
        deliver = tuple(name for name, _ in section.texts("deliver"))
        tags, key, join = self.tags(section), self.key(section), section.parsed("join", Duration.from_text)
        if kind is None:
            return None
        return Action(
            create=kind,
            mandatory=bool(mandatory),
            sla=sla,
            assign=assign,
            priority=cast("Priority", priority or "normal"),
            deliver=deliver,
            tags="topics" if tags is None else tags,
            key=key,
            join=join,
        )

    def kind(self, section: Section) -> Kind | None:
        if section.text("create") == "review":
            self.findings.error(section.mark("create"), _MADE_BY_HEED)
            return None
        return cast("Kind | None", section.choice("create", KINDS))

    def tags(self, section: Section) -> tuple[str, ...] | None:
        """Read a list of tags; None stands for `topics`, the topics of the record."""
        part = section.table.get("tags")
        if not isinstance(part, Scalar):
            return tuple(name for name, _ in section.texts("tags"))
        if plain_text(part, "tags", self.findings) != "topics":
            self.findings.error(part.mark, "tags are `topics` or a list of texts", did_you_mean(part.text, ["topics"]))
        return None

    def key(self, section: Section) -> tuple[FieldOf, ...]:
        found = list[FieldOf]()
        for name, scalar in section.texts("key"):
            kind = field_type(name, self.names.fields)
            if kind is None:
                self.findings.error(scalar.mark, *unknown_field(name, self.names.fields))
            else:
                found.append(FieldOf(name=name, type=kind))
        return tuple(found)
