"""The sum of all pieces of a backtest, and what is to be said with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from service.backtest.columns import Columns
from service.backtest.comparison import Counted
from service.backtest.errand import Found
from service.backtest.judging import calendar_time
from service.backtest.lines import day_lines, kind_lines, load_lines, miss_lines, owner_lines, rule_lines
from service.backtest.queueing import Kept, Lane, Promise, Simulation
from service.backtest.result import Promises, Queue, Result
from service.route.business_time import Time
from service.route.certificates import Gate, Gates
from service.route.gate_words import standing_words
from service.route.policy import Policy, Threshold


@dataclass(frozen=True, slots=True)
class Sides:
    """The policy compared against, and the one under test."""

    now: Policy
    then: Policy


class Summary:
    """Takes what was found, piece by piece in the order of the records, and gives the result."""

    def __init__(self, sides: Sides, handling: Mapping[str, int], standing: Gates, at: datetime) -> None:
        self._sides, self._handling = sides, dict(handling)
        self._gates = {**_used(standing, sides.now), **_used(standing, sides.then)}
        self._at = at
        self._counted, self._unread, self._cases = Counted(), 0, 0
        self._now = Simulation(_time_of(sides.now), handling)
        self._then = Simulation(_time_of(sides.then), handling)

    def add(self, found: Found) -> None:
        """Count a piece in; it comes after those that were counted before."""
        self._counted.add(found.counted)
        self._unread += found.unread
        self._cases += found.cases
        for item in found.now:
            self._now.arrive(item)
        for item in found.then:
            self._then.arrive(item)

    def result(self, *, seconds: float, processes: int, most_cases: int) -> Result:
        """Close the sum."""
        cells = self._counted.cells
        return Result(
            records=self._counted.records,
            unread=self._unread,
            differing=self._counted.differing,
            kinds=kind_lines(cells),
            rules=rule_lines(cells),
            owners=owner_lines(cells, self._sides.now, self._sides.then),
            days=day_lines(cells),
            load=load_lines(cells),
            queue=self._queue(self._now.finish(), self._then.finish()),
            promises=Promises(sentence=_promises(self._gates, self._at)),
            assumptions=self._assumptions(most_cases),
            cases=self._cases,
            seconds=seconds,
            processes=processes,
        )

    def _queue(self, now: Mapping[Promise, Kept], then: Mapping[Promise, Kept]) -> Queue:
        taking = ", ".join(f"{kind.replace('_', ' ')} {minutes}" for kind, minutes in sorted(self._handling.items()))
        return Queue(
            handling=self._handling,
            missed_now=sum(kept.missed for kept in now.values()),
            missed_then=sum(kept.missed for kept in then.values()),
            misses=miss_lines(now, then),
            assumptions=(
                "Everybody begins the period with nothing to do, is never away, and works at nothing else.",
                "An item goes to whoever of its group has the fewest open items, the first named among equals.",
                "Everybody works at one item at a time, the one that is due first.",
                "Work is done while the group's calendar is open, or else that of the service level.",
                "What is open at the end of the period is still worked off.",
                f"Minutes of work in an item: {taking}. Guessed, not measured; a backtest takes others.",
                "An item is acknowledged when work on it begins; contact is made, and the item resolved, when it ends.",
                "Nobody waits for a customer's answer. An item of nobody misses all its targets.",
            ),
        )

    def _assumptions(self, most_cases: int) -> tuple[str, ...]:
        policies = (self._sides.now, self._sides.then)
        told = [
            "Records count by when they were received, in their newest revision; withdrawn ones are left out.",
            "Days are of UTC. An item counts for the first of its group, whoever is away or has enough to do.",
        ]
        if self._unread:
            told.append(f"{self._unread:,} records are left out: nobody has read their text yet.")
        if any(rule.then.join or rule.then.key for policy in policies for rule in policy.rules):
            told.append("Items that would join an open one are counted as items of their own.")
        if any(policy.bypass for policy in policies):
            told.append("What a bypass would send straight to somebody is counted with its group.")
        if any(gate.varies for gate in self._gates.values()):
            told.append(
                "Thresholds have the values that their certificates and holds give them now. Where no certificate in "
                "force is for the way in which a text was read, a person decides."
            )
        if Columns(*policies).past:
            told.append("Rules that look at a customer's earlier items see those that were really made.")
        if self._cases >= most_cases:
            told.append(f"Of the differences the first {self._cases:,} are kept and can be opened; all are counted.")
        return tuple(told)


def _time_of(policy: Policy) -> Callable[[Lane], Time]:
    time = lru_cache(maxsize=1_000)(lambda calendar, zone: calendar_time(policy, calendar, zone))
    return lambda lane: time(lane.calendar, lane.zone)


def _used(standing: Gates, policy: Policy) -> Mapping[tuple[str, Threshold], Gate]:
    """The gates of the thresholds that rules ask for; two versions may mean something else by one name."""
    over = standing.over(policy)
    return {(name, policy.thresholds[name]): over[name] for name in policy.thresholds_used if name in over}


def _promises(gates: Mapping[tuple[str, Threshold], Gate], at: datetime) -> str:
    if not gates:
        return "No rule of these policies hangs on a threshold, so there is no promise about a text to keep or break."
    said = [one for (name, _), gate in gates.items() for one in standing_words(name, gate, at)]
    silent = sorted({name for (name, _), gate in gates.items() if not gate.certificates})
    return " ".join([*dict.fromkeys(said), *_without(silent)])


def _without(named: Sequence[str]) -> Iterator[str]:
    if len(named) == 1:
        yield f"The threshold {named[0]} has no certificate, so nothing can be promised about how many items are wrong."
    elif named:
        which = f"No threshold of these ({', '.join(named)})"
        yield f"{which} has a certificate, so nothing can be promised about how many are wrong."
