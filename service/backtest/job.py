"""A backtest from its request to its result: begun, taken up by a worker, followed, cancelled, never left behind."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import delete, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select, update

from service.backtest import summary
from service.backtest.crew import ProcessLost, crew, few_collections, found, size
from service.backtest.errand import Asked
from service.backtest.queueing import HANDLING
from service.backtest.reading import lay
from service.backtest.result import Result
from service.route import versions
from service.route.certificates import gates
from service.store import audit, jobs
from service.store.database import Database, is_outage
from service.store.tables import Backtest, BacktestCase, User, now

log = structlog.get_logger(__name__)

MOST_CASES = 1_000_000
MOST_ATTEMPTS = 3
LOST = timedelta(seconds=20)  # one that has stood still for longer, and that no job carries, has lost its job
_NUMBERS = 10**12  # of cases, for each attempt: what an overtaken attempt still writes is told from ours
_BEAT = 1.0  # seconds

Tell = Callable[[int, int], None]


class InvalidBacktest(Exception):
    """The period or a version cannot be; the message says which and why. `field` is the one to mend."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class _Over(Exception):
    """Cancelled, or taken up by somebody else."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to compare: a version with another, None for the one that decides now; handling times in minutes."""

    version: int
    since: datetime
    until: datetime
    against: int | None
    handling: Mapping[str, int]


def begin(session: Session, wanted: Wanted, *, by: str) -> Backtest:
    """Store a backtest that runs from now on; the caller defers its job, or runs it.

    Raises:
        UnknownVersion: `version` was never published.
        InvalidBacktest: something else of it cannot be.
    """
    if wanted.since >= wanted.until:
        raise InvalidBacktest("until", "The period ends before it begins: give an `until` after `since`.")
    versions.fetch(session, wanted.version)
    against = wanted.against if wanted.against is not None else versions.active_version(session)
    try:
        versions.fetch(session, against)
    except versions.UnknownVersion as error:
        raise InvalidBacktest("against", str(error)) from error
    row = Backtest(
        policy_version=wanted.version,
        against_version=against,
        since=wanted.since,
        until=wanted.until,
        handling=dict(wanted.handling),
        created_by=by,
    )
    session.add(row)
    audit.record(session, by, "backtest.begun", str(row.id), version=wanted.version, against=against)
    session.flush()
    return row


def defer(session: Session, backtest: UUID) -> None:
    """Let a worker take a backtest up."""
    jobs.defer(session, "backtest", once=f"backtest:{backtest}", backtest=str(backtest))


def defer_lost(session: Session) -> int:
    """Defer those again that are under way and that nobody is at; how many."""
    carried = jobs.at_work("backtest")
    lost = session.exec(
        select(Backtest.id)
        .outerjoin(carried, carried.c.id == Backtest.id)
        .where(col(Backtest.state) == "running", col(Backtest.updated_at) < now() - LOST, carried.c.id.is_(None))
    ).all()
    for one in lost:
        defer(session, one)
    return len(lost)


def cancel(session: Session, backtest: UUID, *, by: str) -> bool:
    """End a backtest that runs; False where it has ended already. Whoever is at it notices within two seconds."""
    if not _end(session, backtest, "cancelled", f"Cancelled by {by}."):
        return False
    audit.record(session, by, "backtest.cancelled", str(backtest))
    return True


def run(database: Database, backtest: UUID, tell: Tell = lambda _done, _of: None) -> None:
    """Do a backtest that runs, whoever began it; `tell` hears how far it has come, and of how many records.

    The attempt is counted before it begins: one that ends its worker leaves nobody behind to count it. The row says
    what came of it, also where that is a failure.

    Raises:
        DBAPIError, psycopg.Error: the database went away; the same may simply be tried again.
    """
    with database.session() as session:
        row = session.exec(
            select(Backtest).where(col(Backtest.id) == backtest, col(Backtest.state) == "running").with_for_update()
        ).first()
        if row is None:
            return
        if row.attempts >= MOST_ATTEMPTS:
            _end(session, backtest, "failed", f"It ended its worker {MOST_ATTEMPTS} times: try a shorter period.")
            return
        row.attempts += 1
        row.updated_at = now()
        session.add(row)
    try:
        _Attempt(database, row, tell).make()
    except _Over:
        return
    except Exception as error:
        if is_outage(error):
            _give_back(database, row)
            raise
        log.exception("backtest.failed", id=str(backtest))
        reason = str(error) if isinstance(error, ProcessLost) else f"heed made a mistake ({type(error).__name__})"
        with database.session() as session:
            _end(session, backtest, "failed", f"It came to nothing: {reason}. See the log.")


def _end(session: Session, backtest: UUID, state: str, reason: str) -> bool:
    ended = session.execute(
        update(Backtest)
        .where(col(Backtest.id) == backtest, col(Backtest.state) == "running")
        .values(state=state, reason=reason, finished_at=now(), updated_at=now())
    )
    return bool(getattr(ended, "rowcount", 0))


def _give_back(database: Database, row: Backtest) -> None:
    """An attempt that the database cut short was none of the backtest's own."""
    try:
        with database.session() as session:
            session.execute(
                update(Backtest)
                .where(col(Backtest.id) == row.id, col(Backtest.attempts) == row.attempts)
                .values(attempts=row.attempts - 1)
            )
    except (DBAPIError, psycopg.Error) as error:
        log.warning("backtest.attempt_counted", id=str(row.id), cause=type(error).__name__)


class _Attempt:
    """One run of a backtest, for as long as nobody cancels it or takes it up."""

    def __init__(self, database: Database, row: Backtest, tell: Tell) -> None:
        self.database, self.row, self.tell = database, row, tell
        self.began = time.monotonic()
        self.beat_at = self.began
        self.done = self.cases = 0

    def make(self) -> None:
        row = self.row
        with self.database.session() as session:
            policies = summary.Sides(
                now=versions.fetch(session, row.against_version), then=versions.fetch(session, row.policy_version)
            )
            zones = {name: zone for name, zone in session.exec(select(User.name, User.zone)) if zone}
            standing, at = gates(session), now()
        with psycopg.connect(self.database.conninfo, autocommit=True) as connection:
            laid = lay(connection, row.since, row.until)
        row.records = laid.records
        self._write()
        summed = summary.Summary(policies, {**HANDLING, **row.handling}, standing, at)
        processes = min(size(), len(laid.pieces))
        asked = Asked(
            conninfo=self.database.conninfo,
            backtest=row.id,
            first_number=row.attempts * _NUMBERS,
            now=policies.now.canonical,
            then=policies.then.canonical,
            zones=zones,
            gates=standing,
            at=at,
        )
        with few_collections(), crew(asked, processes) as pipes:
            for one in found(pipes, laid.pieces, lambda: max(0, MOST_CASES - self.cases), self._beat):
                summed.add(one)
                self.done += one.counted.records + one.unread
                self.cases += one.cases
        self._finish(summed.result(seconds=time.monotonic() - self.began, processes=processes, most_cases=MOST_CASES))

    def _beat(self) -> None:
        """About once a second: say how far it has come, and see whether it is still wanted."""
        if time.monotonic() - self.beat_at >= _BEAT:
            self._write()
            self.beat_at = time.monotonic()

    def _write(self) -> None:
        with self.database.session() as session:
            self._update(session, done=self.done, records=self.row.records, updated_at=now())
        self.tell(self.done, self.row.records)

    def _update(self, session: Session, **values: object) -> None:
        ours = (
            col(Backtest.id) == self.row.id,
            col(Backtest.state) == "running",
            col(Backtest.attempts) == self.row.attempts,
        )
        written = session.execute(update(Backtest).where(*ours).values(**values))
        if not getattr(written, "rowcount", 0):
            raise _Over

    def _finish(self, result: Result) -> None:
        first = self.row.attempts * _NUMBERS
        with self.database.session() as session:
            self._update(
                session,
                state="done",
                done=self.done,
                result=result.model_dump(mode="json"),
                updated_at=now(),
                finished_at=now(),
            )
            session.execute(
                delete(BacktestCase).where(
                    col(BacktestCase.backtest_id) == self.row.id,
                    (col(BacktestCase.number) < first) | (col(BacktestCase.number) >= first + _NUMBERS),
                )
            )
        self.tell(self.done, self.row.records)
        log.info("backtest.done", id=str(self.row.id), records=result.records, seconds=round(result.seconds, 1))


def stored_period(session: Session) -> tuple[datetime, datetime] | None:
    """When the oldest and the newest record that a backtest can look at were received; None where there is none."""
    query = text("SELECT min(received_at), max(received_at) FROM feedback WHERE withdrawn_at IS NULL")
    oldest, newest = session.execute(query).one()
    return None if oldest is None else (oldest, newest)
