"""Virtual time for a site: it passes as fast as it is asked to, and what falls due on the way runs at its moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import time_machine
from sites import Site
from sqlalchemy import text

from service import pipeline

# Jobs wait by the database's clock, which stays what it is: what has come by ours is let go.
_NEXT = text(
    "SELECT min(at) FROM ("
    "SELECT scheduled_at AS at FROM procrastinate_jobs WHERE status = 'todo'"
    " UNION ALL SELECT due_at FROM notice WHERE told_at IS NULL AND dropped IS NULL"
    ") AS waiting WHERE at > :now AND at <= :until"
)
_LET_GO = text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo' AND scheduled_at <= :now")
_ANY = text("SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NULL)")


@dataclass(frozen=True, slots=True)
class VirtualTime:
    """A site's clock, which stands still between two calls."""

    site: Site
    clock: time_machine.Traveller

    def until(self, moment: datetime) -> None:
        """Let the time pass; every job, and everything somebody is to be told, has its turn at its own moment."""
        self._work()
        while (at := self._next(moment)) is not None:
            self.clock.move_to(at)
            self._work()
        self.clock.move_to(moment)

    def _next(self, until: datetime) -> datetime | None:
        with self.site.database.session() as session:
            found: datetime | None = session.execute(
                _NEXT, {"now": datetime.now(until.tzinfo), "until": until}
            ).scalar()
            return found

    def _work(self) -> None:
        pipeline.reconcile(self.site.works)
        with self.site.database.session() as session:
            session.execute(_LET_GO, {"now": datetime.now().astimezone()})
            waiting = session.execute(_ANY).scalar_one()
        if waiting:
            with ThreadPoolExecutor(1) as apart:  # beside a browser's event loop there is no other in its thread
                apart.submit(self.site.drain).result()


@contextmanager
def virtual_time(site: Site, begins: datetime) -> Iterator[VirtualTime]:
    """From a moment that the database's own clock has not come to: else what waits for one to come would not wait."""
    with time_machine.travel(begins, tick=False) as clock:
        yield VirtualTime(site, clock)
