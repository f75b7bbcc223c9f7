"""Grouped commits: many threads at once, each with its own answer, and no neighbour's trouble."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from builders import record
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from service.ingest.group import GroupedIntake
from service.ingest.intake import Outcome, Refused
from service.ingest.record import FeedbackRecord
from service.ingest.source import Received
from service.store.database import Database, is_outage
from service.store.tables import Feedback, FeedbackRevision

THREADS = 32


def received(external_id: str, words: str = "Late again.", **changes: Any) -> Received:
    return Received(FeedbackRecord.model_validate(record(external_id, words, **changes)), b"{}")


def all_at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Each call in a thread of its own, begun together; results or exceptions, in order."""
    gate = threading.Barrier(len(calls))

    def begun(call: Callable[[], object]) -> object:
        gate.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begun, calls))


@contextmanager
def commits(database: Database) -> Iterator[list[object]]:
    seen: list[object] = []
    count = seen.append
    event.listen(database.engine, "commit", count)
    yield seen
    event.remove(database.engine, "commit", count)


def status_of(outcome: object) -> str:
    assert isinstance(outcome, tuple), outcome
    return str(outcome[0].status)


def posted(intake: GroupedIntake, *items: Received) -> Callable[[], Outcome]:
    return lambda: intake.submit(items)


def test_32_threads_share_their_commits(database, vault):
    intake = GroupedIntake(database, vault)
    with commits(database) as seen:
        outcomes = [
            outcome
            for wave in range(5)
            for outcome in all_at_once([posted(intake, received(f"{wave}-{n}")) for n in range(THREADS)])
        ]
    assert Counter(map(status_of, outcomes)) == {"new": 5 * THREADS}
    assert len(seen) < 5 * THREADS / 2
    with database.session() as session:
        stored = {row.id: row.external_id for row in session.exec(select(Feedback))}
    assert stored == {outcome[0].id: outcome[0].record.external_id for outcome in outcomes}


def test_a_quiet_service_commits_each_at_once(database, vault):
    intake = GroupedIntake(database, vault)
    with commits(database) as seen:
        for n in range(3):
            assert status_of(intake.submit([received(str(n))])) == "new"
    assert len(seen) == 3


def test_a_group_stays_below_its_bound(database, vault):
    intake = GroupedIntake(database, vault, most_records=1)
    with commits(database) as seen:
        all_at_once([posted(intake, received(str(n))) for n in range(8)])
    assert len(seen) == 8


def test_the_same_record_fifty_times_at_once_is_one_row(database, vault):
    intake = GroupedIntake(database, vault)
    outcomes = all_at_once([posted(intake, received("one")) for _ in range(50)])
    assert Counter(map(status_of, outcomes)) == {"new": 1, "duplicate": 49}
    assert len({outcome[0].id for outcome in outcomes}) == 1
    with database.session() as session:
        assert len(session.exec(select(FeedbackRevision)).all()) == 1


def test_a_conflict_is_its_own_request_s_alone(database, vault):
    intake = GroupedIntake(database, vault)
    intake.submit([received("taken")])
    calls = [posted(intake, received(f"good-{n}")) for n in range(THREADS)]
    calls[7] = posted(intake, received("beside"), received("taken", "Other words."))
    calls[20] = posted(intake, received("taken", "Yet others."))
    outcomes = all_at_once(calls)
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Refused)] == [7, 20]
    assert [conflict.index for conflict in outcomes[7].conflicts] == [1]
    with database.session() as session:
        names = set(session.exec(select(Feedback.external_id)))
    assert names == {"taken", *(f"good-{n}" for n in range(THREADS) if n not in {7, 20})}


def test_a_record_the_database_cannot_take_harms_only_its_own_request(database, vault):
    intake = GroupedIntake(database, vault)
    calls = [posted(intake, received(f"good-{n}")) for n in range(THREADS)]
    poison = FeedbackRecord.model_construct(**received("poison").record.__dict__ | {"external_id": "po\0ison"})
    calls[3] = posted(intake, Received(poison, b"{}"))
    outcomes = all_at_once(calls)
    assert isinstance(outcomes[3], DBAPIError)
    assert not is_outage(outcomes[3])
    assert Counter(status_of(outcome) for n, outcome in enumerate(outcomes) if n != 3) == {"new": THREADS - 1}


@pytest.mark.parametrize("size", [1, 5])
def test_two_web_processes_race_for_the_same_new_records(database, vault, size):
    intakes = [GroupedIntake(database, vault), GroupedIntake(database, vault)]
    calls = [
        posted(
            intake,
            *(received(f"{wave}-{n}", source=f"new-{wave}") for n in (range(size) if turn else reversed(range(size)))),
        )
        for wave in range(10)
        for turn, intake in enumerate(intakes)
    ]
    outcomes = all_at_once(calls)
    counted = Counter(one.status for outcome in outcomes for one in outcome)
    assert counted == {"new": 10 * size, "duplicate": 10 * size}
    ids = {(one.record.external_id, one.id) for outcome in outcomes for one in outcome}
    assert len(ids) == 10 * size


def test_under_a_lock_everybody_hears_of_it_at_once(database, vault):
    intake = GroupedIntake(database, vault)
    with database.session() as holder:
        holder.execute(text("LOCK TABLE feedback IN EXCLUSIVE MODE"))
        begun = time.monotonic()
        calls = [posted(intake, received(str(n))) for n in range(THREADS)]
        outcomes = all_at_once(calls)
        waited = time.monotonic() - begun
        holder.rollback()
    assert all(isinstance(outcome, DBAPIError) and is_outage(outcome) for outcome in outcomes)
    assert waited < 3
    assert status_of(intake.submit([received("0")])) == "new"
