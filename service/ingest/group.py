"""Grouped commits: requests that arrive while one commit is under way share the next one."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from threading import Lock

from sqlmodel import Session

from service.ingest.backlog import MOST_WAITING, Waiting, WaitingLine, count
from service.ingest.intake import Outcome, Submission, accept, patiently
from service.store.database import Database, is_outage
from service.store.vault import Vault

MOST_RECORDS = 1_000  # in one transaction, so that no commit takes long


@dataclass(frozen=True, slots=True)
class _Entry:
    submission: Submission
    answer: Future[Outcome] = field(default_factory=Future)


class GroupedIntake:
    """Accepts submissions from many threads.

    Nobody waits for a group to fill: whoever gets the turn commits everything that has queued up meanwhile, so
    that a quiet service answers at once and a busy one shares its fsyncs.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        most_records: int = MOST_RECORDS,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._database = database
        self._vault = vault
        self._most = most_records
        self._line = WaitingLine(most_waiting)
        self._waiting: list[_Entry] = []
        self._guard = Lock()
        self._turn = Lock()

    def submit(self, submission: Submission) -> Outcome:
        """Store a submission; when this returns, it is durable (or refused as a whole).

        Raises:
            TooManyWaiting: so much waits to be decided that no more is taken; nothing was stored.
            sqlalchemy.exc.DBAPIError, psycopg.Error: the database did not take it; the sender may try again, safely.
        """
        self._line.refresh(self._count)
        entry = _Entry(submission)
        with self._line.room_for(submission):
            with self._guard:
                self._waiting.append(entry)
            with self._turn:
                while not entry.answer.done():
                    self._commit(self._next_group())
            return entry.answer.result()

    def _count(self) -> Waiting:
        with Session(self._database.engine) as session:
            return count(session)

    def _next_group(self) -> list[_Entry]:
        with self._guard:
            sizes = accumulate(len(entry.submission) for entry in self._waiting)
            number = 1 + sum(size < self._most for size in sizes)
            group, self._waiting = self._waiting[:number], self._waiting[number:]
            return group

    def _everybody(self) -> list[_Entry]:
        with self._guard:
            waiting, self._waiting = self._waiting, []
            return waiting

    def _commit(self, group: Sequence[_Entry]) -> None:
        try:
            outcomes = self._accept([entry.submission for entry in group])
        except Exception as error:  # noqa: BLE001 (handed to every request it belongs to)
            if is_outage(error):  # those who queued up meanwhile have waited as long: they need not try it in turn
                _fail([*group, *self._everybody()], error)
            elif len(group) == 1:
                _fail(group, error)
            else:
                for entry in group:  # one submission the database cannot take must not cost its neighbours theirs
                    self._commit([entry])
            return
        for entry, outcome in zip(group, outcomes, strict=True):
            entry.answer.set_result(outcome)

    def _accept(self, submissions: Sequence[Submission]) -> list[Outcome]:
        return patiently(partial(self._once, submissions))

    def _once(self, submissions: Sequence[Submission]) -> list[Outcome]:
        with self._database.session() as session:
            return accept(session, submissions, self._vault, queue=self._line.store)


def _fail(entries: Sequence[_Entry], error: Exception) -> None:
    for entry in entries:
        entry.answer.set_exception(error)
