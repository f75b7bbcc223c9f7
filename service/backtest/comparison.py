"""Two policies side by side: record by record what only one of them makes, counted where it belongs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from service.backtest.judging import Item
from service.backtest.result import Change


class Cell(NamedTuple):
    """Where an item is counted; every line of a result is a sum of cells."""

    day: date
    kind: str
    rule: str
    owner: str | None


@dataclass(slots=True)
class Tally:
    """The counts of a cell, as in `result.Counts`."""

    now: int = 0
    then: int = 0
    appears: int = 0
    vanishes: int = 0
    changed: int = 0

    def add(self, other: "Tally") -> None:
        self.now += other.now
        self.then += other.then
        self.appears += other.appears
        self.vanishes += other.vanishes
        self.changed += other.changed


class Difference(NamedTuple):
    """An item that only one policy makes, or both in another way: then it is the one of then."""

    change: Change
    item: Item


@dataclass(slots=True)
class Counted:
    """Cells of any number of records."""

    records: int = 0
    differing: int = 0
    cells: defaultdict[Cell, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def count(self, day: date, now: Sequence[Item], then: Sequence[Item]) -> tuple[Difference, ...]:
        """Count one record; give what differs."""
        for item in now:
            self.cells[_cell(day, item)].now += 1
        for item in then:
            self.cells[_cell(day, item)].then += 1
        found = tuple(_differences(now, then))
        for change, item in found:
            tally = self.cells[_cell(day, item)]
            setattr(tally, change, getattr(tally, change) + 1)
        self.records += 1
        self.differing += bool(found)
        return found

    def add(self, other: "Counted") -> None:
        """Count the records of another in."""
        self.records += other.records
        self.differing += other.differing
        for cell, tally in other.cells.items():
            self.cells[cell].add(tally)


def _cell(day: date, item: Item) -> Cell:
    return Cell(day, item.kind, item.rule, item.owner)


def _differences(now: Sequence[Item], then: Sequence[Item]) -> Iterator[Difference]:
    if not now and not then:
        return
    before = {item.kind: item for item in now}
    for item in then:
        other = before.pop(item.kind, None)
        if other is None:
            yield Difference("appears", item)
        elif (other.rule, other.owner) != (item.rule, item.owner):
            yield Difference("changed", item)
    for item in before.values():
        yield Difference("vanishes", item)
