"""What a policy makes of a case, as far as a backtest looks: kinds, rules, people and due times, without evidence."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from service.backtest.queueing import Arrival, Lane
from service.route.business_time import NeverOpen, Time, time_on
from service.route.case import Case, field_named
from service.route.clocks import ALWAYS, TARGETS, Duration
from service.route.decide import kinds, resolve_uncertified
from service.route.expression import FieldOf, Operand, ThresholdOf, TopicOf, Verbatims, clauses, operands
from service.route.policy import Group, People, Policy, Split, members


class Item(NamedTuple):
    """An item that would be made: by which rule (of a review the first that hangs), and whose it would be first."""

    kind: str
    rule: str
    owner: str | None
    arrival: Arrival


class Needs(NamedTuple):
    """Which parts of a record's case policies look at; the rest need not be read."""

    beliefs: bool
    text: bool
    past: bool


class Judge:
    """One policy, ready for many cases; `zones` are those of people whose calendar follows them."""

    def __init__(self, policy: Policy, zones: Mapping[str, str]) -> None:
        self._policy, self._zones = policy, zones
        self._thresholds = resolve_uncertified(policy)
        self._actions = {rule.name: rule.then for rule in policy.rules}
        self._targets = lru_cache(maxsize=1_000)(self._targets_of)
        self._time = lru_cache(maxsize=1_000)(lambda calendar, zone: calendar_time(policy, calendar, zone))
        self._lanes: dict[Lane, Lane] = {}

    def items(self, case: Case) -> tuple[Item, ...]:
        """What it makes of a case, at most one item of a kind."""
        made = kinds(self._policy, case, self._thresholds)
        return tuple(self._item(case, kind, rules[0]) for kind, rules in made.items())

    def _item(self, case: Case, kind: str, rule: str) -> Item:
        then = self._actions[rule]
        group, sla = (self._policy.review, None) if kind == "review" else (then.assign, then.sla)
        sla = None if case.history else sla
        people = members(self._policy, group, case) if group is not None else None
        pool = _pool(people, case) if people else ()
        owner = pool[0] if pool else None
        calendar = self._policy.slas[sla].calendar if sla in self._policy.slas else ALWAYS
        zone = self._zones.get(owner or "")
        lane = Lane(kind, pool, sla, people.calendar or calendar if people else calendar, zone)
        lane = self._lanes.setdefault(lane, lane)  # one object for all, also on its way to another process
        return Item(kind, rule, owner, Arrival(case.now, lane, self._due(case, kind, sla, calendar, zone)))

    def _due(
        self, case: Case, kind: str, sla: str | None, calendar: str, zone: str | None
    ) -> tuple[datetime | None, ...]:
        if sla is None:
            return (None, None, None)
        time = self._time(calendar, zone)
        targets = self._targets(sla, kind, case.customer.tier)
        return tuple(None if target is None else _reached(time, case.now, target) for target in targets)

    def _targets_of(self, sla: str, kind: str, tier: str | None) -> tuple[Duration | None, ...]:
        if sla not in self._policy.slas:
            return (None, None, None)
        targets = self._policy.slas[sla].targets(kind, tier)
        return tuple(targets.get(name) for name in TARGETS)


def _pool(people: People, case: Case) -> tuple[str, ...]:
    """Among whom an owner is looked for: those who know the first topic, the next, the language, else everybody."""
    skills = (people.skills[skill] for skill in (*case.tags, case.language) if skill in people.skills)
    return next(skills, people.people) if people.skills else people.people


def _reached(time: Time, at: datetime, target: Duration) -> datetime | None:
    try:
        return time.add(at, target)
    except NeverOpen:
        return None


def calendar_time(policy: Policy, calendar: str, zone: str | None) -> Time:
    """The time of a calendar; of one that follows its owner, in `zone` (UTC where that is None)."""
    found = policy.calendars.get(calendar)
    if found is not None and found.zone == "owner":
        found = found.model_copy(update={"zone": zone or "UTC"})
    return time_on(found)


def needs(*policies: Policy) -> Needs:
    """What of a case any of these policies looks at."""
    programs = [policy.program for policy in policies]
    looked = [operand for policy in policies for operand in _operands(policy)]
    skilled = any(people.skills for policy in policies for people in people_in(policy))
    return Needs(
        beliefs=skilled or any(_is_belief(operand) for operand in looked),
        text=any(program.needs_text for program in programs),
        past=any(program.past_kinds for program in programs),
    )


def _is_belief(operand: Operand | Verbatims) -> bool:
    if isinstance(operand, FieldOf):
        return operand.name == "language" or field_named(operand.name, operand.type).belief
    return isinstance(operand, TopicOf | ThresholdOf)


def _operands(policy: Policy) -> Iterator[Operand | Verbatims]:
    for rule in policy.rules:
        for clause in clauses(rule.when):
            yield from operands(clause)


def people_in(policy: Policy) -> Iterator[People]:
    """All the named people of a policy, group by group."""
    return (people for group in policy.groups.values() for people in _people(group))


def _people(group: Group) -> Iterator[People]:
    if isinstance(group, Split):
        for part in (*group.values.values(), group.default):
            yield from _people(part)
    elif isinstance(group, People):
        yield group
