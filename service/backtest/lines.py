"""The counts of a backtest as the lines that people read."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict
from typing import TypeVar

from service.backtest.columns import people_in
from service.backtest.comparison import Cell, Tally
from service.backtest.queueing import Kept, Promise
from service.backtest.result import DayLine, KindLine, LoadLine, MissLine, OwnerLine, RuleLine
from service.route.policy import Policy

MOST_LOAD = 20_000  # lines
Key = TypeVar("Key", bound=Hashable)
Cells = Mapping[Cell, Tally]


def kind_lines(cells: Cells) -> tuple[KindLine, ...]:
    """By kind, the largest change first."""
    sums = _sums(cells, lambda cell: cell.kind)
    return tuple(KindLine(kind=kind, **asdict(tally)) for kind, tally in _ranked(sums))


def rule_lines(cells: Cells) -> tuple[RuleLine, ...]:
    """By rule and kind, the largest change first."""
    sums = _sums(cells, lambda cell: (cell.rule, cell.kind))
    return tuple(RuleLine(rule=rule, kind=kind, **asdict(tally)) for (rule, kind), tally in _ranked(sums))


def day_lines(cells: Cells) -> tuple[DayLine, ...]:
    """By day and kind, in their order."""
    sums = _sums(cells, lambda cell: (cell.day, cell.kind))
    return tuple(DayLine(day=day, kind=kind, **asdict(tally)) for (day, kind), tally in sorted(sums.items()))


def owner_lines(cells: Cells, now: Policy, then: Policy) -> tuple[OwnerLine, ...]:
    """By first owner, the largest change first; nobody's backlog is left out."""
    days: defaultdict[str | None, list[Tally]] = defaultdict(list)
    for (owner, _), tally in _sums(_owned(cells), lambda cell: (cell.owner, cell.day)).items():
        days[owner].append(tally)
    limits = _capacities(now), _capacities(then)
    sums = _sums(_owned(cells), lambda cell: cell.owner)
    return tuple(_owner_line(owner, tally, days[owner], *limits) for owner, tally in _ranked(sums))


def _owner_line(
    owner: str | None, tally: Tally, days: list[Tally], now: Mapping[str, int], then: Mapping[str, int]
) -> OwnerLine:
    limit_now, limit_then = now.get(owner or ""), then.get(owner or "")
    return OwnerLine(
        owner=owner,
        **asdict(tally),
        capacity=limit_then if limit_then is not None else limit_now,
        busiest_now=max(day.now for day in days),
        busiest_then=max(day.then for day in days),
        days_above_now=sum(limit_now is not None and day.now > limit_now for day in days),
        days_above_then=sum(limit_then is not None and day.then > limit_then for day in days),
    )


def load_lines(cells: Cells) -> tuple[LoadLine, ...]:
    """By first owner and day; of a long period the latest."""
    sums = _sums(_owned(cells), lambda cell: (cell.day, cell.owner or "", cell.owner))
    latest = sorted(sums.items(), key=lambda pair: pair[0][:2])[-MOST_LOAD:]
    return tuple(LoadLine(owner=owner, day=day, now=tally.now, then=tally.then) for (day, _, owner), tally in latest)


def miss_lines(now: Mapping[Promise, Kept], then: Mapping[Promise, Kept]) -> tuple[MissLine, ...]:
    """By service level, owner and target; what is missed most first."""
    nothing = Kept()
    lines = [
        MissLine(
            sla=promise.sla,
            owner=promise.owner,
            target=promise.target,
            items_now=now.get(promise, nothing).items,
            items_then=then.get(promise, nothing).items,
            missed_now=now.get(promise, nothing).missed,
            missed_then=then.get(promise, nothing).missed,
        )
        for promise in now.keys() | then.keys()
    ]
    return tuple(
        sorted(lines, key=lambda one: (-max(one.missed_now, one.missed_then), one.sla, one.owner or "", one.target))
    )


def _owned(cells: Cells) -> Cells:
    return {cell: tally for cell, tally in cells.items() if cell.owner is not None or cell.kind != "backlog_item"}


def _sums(cells: Cells, key: Callable[[Cell], Key]) -> dict[Key, Tally]:
    sums: defaultdict[Key, Tally] = defaultdict(Tally)
    for cell, tally in cells.items():
        sums[key(cell)].add(tally)
    return sums


def _ranked(sums: Mapping[Key, Tally]) -> list[tuple[Key, Tally]]:
    def rank(pair: tuple[Key, Tally]) -> tuple[int, int, str]:
        key, tally = pair
        return -(tally.appears + tally.vanishes + tally.changed), -max(tally.now, tally.then), str(key)

    return sorted(sums.items(), key=rank)


def _capacities(policy: Policy) -> dict[str, int]:
    """What each person may have: of several groups the largest."""
    found: dict[str, int] = {}
    for people in people_in(policy):
        for name in people.people if people.capacity is not None else ():
            found[name] = max(found.get(name, 0), people.capacity or 0)
    return found
