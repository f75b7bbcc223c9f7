"""What a policy makes of a case, as far as a backtest looks: kinds, rules, people and due times, without evidence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from service.backtest.columns import parts_of, people_in
from service.backtest.queueing import Arrival, Lane
from service.route.business_time import NeverOpen, Time, time_on
from service.route.case import Case, Value, field_named
from service.route.certificates import Gate, ReadBy, resolved
from service.route.clocks import ALWAYS, TARGETS, Duration
from service.route.decide import ResolvedThreshold, kinds
from service.route.policy import Named, People, Policy, Split, members

_MOST = 10_000  # places kept, and texts; with skills there may be as many as there are sets of topics


class Item(NamedTuple):
    """An item that would be made: by which rule (of a review the first that hangs), and whose it would be first."""

    kind: str
    rule: str
    owner: str | None
    arrival: Arrival


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where items come, of one case or another: among whom, and how long after the case each target is due."""

    owner: str | None
    lane: Lane
    time: Time
    targets: tuple[Duration | None, ...]


class Arrivals:
    """Makes the arrivals of two policies; what both make alike is made once, and is one object.

    Then it is also sent to another process once.
    """

    def __init__(self) -> None:
        self._places: dict[object, Place] = {}
        self._at: datetime | None = None
        self._made: dict[Place, Arrival] = {}

    def place(self, place: Place) -> Place:
        """The one place for all that are alike."""
        return self._places.setdefault((place.lane, place.time, str(place.targets)), place)

    def at(self, at: datetime, place: Place) -> Arrival:
        """The arrival at a place; asked for one case after the other."""
        if at is not self._at:
            self._at = at
            self._made.clear()
        made = self._made.get(place)
        if made is None:
            due = [None if target is None else _reached(place.time, at, target) for target in place.targets]
            made = self._made[place] = Arrival(at, place.lane, tuple(due))
        return made


class _Way(NamedTuple):
    """All on which it hangs where an item comes."""

    kind: str
    rule: str
    by: tuple[Value | None, ...]
    skills: tuple[str | None, ...]
    history: bool
    tier: str | None


class Thresholds:
    """The values of one policy's thresholds, as their gates give them at a moment, whenever a text came in."""

    def __init__(self, gates: Mapping[str, Gate], at: datetime) -> None:
        self._gates, self._at = gates, at
        self._uncertified = {name: ResolvedThreshold(gate.uncertified) for name, gate in gates.items()}
        self._varies = any(gate.varies for gate in gates.values())
        self._known: dict[tuple[str, str | None, ReadBy], Mapping[str, ResolvedThreshold]] = {}

    def of(self, case: Case, by: ReadBy | None) -> Mapping[str, ResolvedThreshold]:
        """Their values for a case that was read by this."""
        if not self._varies or by is None or case.sentiment is None:
            return self._uncertified
        text = (case.source, case.language, by)
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = self._known[text] = resolved(self._gates, case, by, self._at)
        return found


class Judge:
    """One policy, ready for many cases; `zones` are those of people whose calendar follows them."""

    def __init__(self, policy: Policy, zones: Mapping[str, str], arrivals: Arrivals, thresholds: Thresholds) -> None:
        self._policy, self._zones, self._arrivals, self._thresholds = policy, zones, arrivals, thresholds
        self._actions = {rule.name: rule.then for rule in policy.rules}
        self._splitting = {name: tuple(_splitting(policy, name)) for name in policy.groups}
        self._skilled = any(people.skills for people in people_in(policy))
        self._places: dict[_Way, Place] = {}

    def items(self, case: Case, by: ReadBy | None) -> tuple[Item, ...]:
        """What it makes of a case that was read by this, at most one item of a kind."""
        made = kinds(self._policy, case, self._thresholds.of(case, by))
        return tuple([self._item(case, kind, rules[0]) for kind, rules in made.items()]) if made else ()

    def _item(self, case: Case, kind: str, rule: str) -> Item:
        group = self._policy.review if kind == "review" else self._actions[rule].assign
        by = tuple([read(case) for read in self._splitting.get(group or "", ())])
        skills = (*case.tags, case.language) if self._skilled else ()
        way = _Way(kind, rule, by, skills, case.history, case.customer.tier)
        place = self._places.get(way)
        if place is None:
            if len(self._places) >= _MOST:
                self._places.clear()
            place = self._places[way] = self._arrivals.place(self._place(way, group, case))
        return Item(kind, rule, place.owner, self._arrivals.at(case.now, place))

    def _place(self, way: _Way, group: str | None, case: Case) -> Place:
        policy = self._policy
        sla = None if way.kind == "review" or way.history else self._actions[way.rule].sla
        people = members(policy, group, case) if group is not None else None
        pool = _pool(people, case) if people else ()
        owner = pool[0] if pool else None
        calendar = policy.slas[sla].calendar if sla in policy.slas else ALWAYS
        zone = self._zones.get(owner or "")
        targets = policy.slas[sla].targets(way.kind, way.tier) if sla in policy.slas else {}
        return Place(
            owner=owner,
            lane=Lane(way.kind, pool, sla, people.calendar or calendar if people else calendar, zone),
            time=calendar_time(policy, calendar, zone),
            targets=tuple(targets.get(name) for name in TARGETS),
        )


def _splitting(policy: Policy, group_name: str) -> Iterator[Callable[[Case], Value | None]]:
    """The fields on which it hangs who the members of a group are."""
    seen, names = set[str](), [group_name]
    while names:
        name = names.pop()
        if name in seen or name not in policy.groups:
            continue
        seen.add(name)
        for part in parts_of(policy.groups[name]):
            if isinstance(part, Named):
                names.append(part.name)
            elif isinstance(part, Split):
                yield field_named(part.by.name, part.by.type).read


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
