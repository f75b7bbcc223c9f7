"""What was pushed and waits, by source: when to take no more, and how many of the others' records go first."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from sqlalchemy import text
from sqlmodel import Session

from service.ingest.source import Received
from service.store import jobs

MOST_WAITING = 100_000
EVERY = 1.0  # seconds between two counts
LONGEST = 60  # seconds a sender is asked to stay away


@dataclass(eq=False)
class TooManyWaiting(Exception):
    """So much waits that no more is taken; `again` is in how many seconds a part of it will probably be done."""

    waiting: int
    again: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: records by source, and how far the queue has come (`jobs.front`)."""

    sources: Counter[str]
    front: int | None


def count(session: Session) -> Waiting:
    """Count what was pushed and is not decided yet; what was imported counts for nobody."""
    rows = session.execute(
        text(
            "SELECT source, count(*) FROM feedback"
            " WHERE stage IN ('received', 'classified') AND import_id IS NULL GROUP BY source"
        )
    )
    return Waiting(Counter({str(source): int(number) for source, number in rows}), jobs.front(session))


class WaitingLine:
    """How much waits, as one web process knows it: counted once a second, and between two counts its own additions.

    The queue is fair by start tags (Goyal, Vin and Cheng, "Start-time fair queuing", 1996): a record is due once as
    many records of its source as wait before it have been served to every other source that waits, too. A source with
    little waiting is therefore served at once, and none for ever: the front of the queue only moves forward.
    """

    def __init__(self, most: int = MOST_WAITING, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = Lock()
        self._counted = Counter[str]()
        self._added = Counter[str]()  # stored since the count began
        self._coming = Counter[str]()  # let in, not stored yet
        self._front = 0
        self._at = float("-inf")
        self._rate = 0.0  # records decided in a second

    def refresh(self, look: Callable[[], Waiting]) -> None:
        """Count again if that is due; others go on with the old figures meanwhile."""
        with self._lock:
            began, before = self._clock(), self._at
            if began - before < EVERY:
                return
            self._at, added = began, self._added.copy()
        found = look()
        with self._lock:
            done = (self._counted + added).total() - found.sources.total()
            if before > float("-inf"):
                seen = max(0, done) / (began - before)
                self._rate = (self._rate + seen) / 2 if self._rate else seen
            self._counted = found.sources
            self._added -= added  # what was stored meanwhile may be in both: rather too much than too little
            self._front = max(self._front, found.front) if found.front is not None else 0

    @contextmanager
    def room_for(self, submission: Sequence[Received]) -> Iterator[None]:
        """Keep room for these records as long as the block runs. Where nothing waits, any list has room.

        Raises:
            TooManyWaiting: there is none, in all or for one of their sources, which may fill half of it.
        """
        own = Counter(item.record.source for item in submission)
        with self._lock:
            known = self._counted + self._added + self._coming
            over = [known[source] + own[source] - self._most // 2 for source in own if known[source]]
            over += [known.total() + own.total() - self._most] if known else []
            if (excess := max(over, default=0)) > 0:
                raise TooManyWaiting(known.total(), self._again(excess))
            self._coming += own
        try:
            yield
        finally:
            with self._lock:
                self._coming -= own

    def store(self, source: str, number: int) -> int:
        """Note that so many are stored; the tag of the first of them."""
        with self._lock:
            tag = self._front + self._counted[source] + self._added[source]
            self._added[source] += number
            return tag

    def _again(self, excess: int) -> int:
        if not self._rate:
            return LONGEST
        return min(LONGEST, max(1, round((excess + self._most / 10) / self._rate)))
