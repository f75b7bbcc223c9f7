"""Jobs on the real engine: in their row's transaction, run twice, lost, left behind by a dead worker."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import httpx
import psycopg
import pytest
from builders import record
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from service import pipeline
from service.demo.helpdesk import HelpDesk
from service.pipeline import EVERY, JOBS, Works
from service.store import jobs
from service.store.database import Database
from service.store.tables import Classification, Delivery, Feedback, Source, now
from service.worker import Turns

Drain = Callable[[], None]
SNAPSHOT = (
    "SELECT id::text, stage, attempts FROM feedback",
    "SELECT feedback_id::text, revision, document::text FROM classification",
    "SELECT id::text, digest FROM decision",
    "SELECT id::text, kind, version FROM work_item",
    "SELECT work_item_id::text, feedback_id::text FROM work_item_evidence",
    "SELECT work_item_id::text, sequence, type FROM work_item_event",
    "SELECT id::text, state, attempt, external_ref FROM delivery",
    "SELECT delivery_id::text, number, outcome FROM delivery_attempt",
)
DELIVERING = """
name: engine
rules:
  - name: unhappy
    when: scores.nps <= 6
    then: {create: ticket, deliver: [helpdesk]}
"""


def many(number: int, prefix: str = "r") -> list[object]:
    return [
        record(f"{prefix}-{index}", f"Parcel {index} came late and broken.", scores={"nps": 2})
        for index in range(number)
    ]


def post(client: httpx.Client, number: int, prefix: str = "r") -> list[str]:
    answer = client.post("/v1/feedback", json=many(number, prefix))
    assert answer.status_code == 202
    return [one["id"] for one in answer.json()["results"]]


def rows(database: Database, query: str, **values: object) -> list[tuple[object, ...]]:
    with database.session() as session:
        return sorted(tuple(row) for row in session.execute(text(query), values))


def tables(database: Database) -> list[list[tuple[object, ...]]]:
    return [rows(database, query) for query in SNAPSHOT]


def waiting(database: Database, *names: str) -> int:
    query = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(:names)"
    return int(str(rows(database, query, names=list(names))[0][0]))


def execute(database: Database, statement: str, **values: object) -> None:
    with database.session() as session:
        session.execute(text(statement), values)


def set_up_delivery(admin: httpx.Client, desk: HelpDesk) -> None:
    assert admin.post("/v1/policies", content=DELIVERING).status_code == 201
    assert admin.post("/v1/policies/2/activate", json={"comment": "test"}).status_code == 200
    made = {"name": "helpdesk", "kind": "webhook", "secrets": [desk.secret], "settings": {"base_url": desk.url}}
    assert admin.post("/v1/destinations", json=made).status_code == 201


def left_by_a_dead_worker(database: Database, name: str) -> None:
    """The waiting jobs of this name become those of a worker that fell silent while it ran them."""
    execute(
        database,
        "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
        " RETURNING id) UPDATE procrastinate_jobs SET status = 'doing', worker_id = dead.id FROM dead"
        " WHERE task_name = :name AND status = 'todo'",
        name=name,
    )


# A row and its job


@pytest.mark.parametrize("once", [None, "a key"])
def test_a_row_and_its_job_commit_together(database: Database, once: str | None) -> None:
    with database.session() as session:
        session.add(Source(name="shop", kind="api"))
        jobs.defer(session, "classify", once=once, ids=[])
    assert (len(rows(database, "SELECT name FROM source")), waiting(database, "classify")) == (1, 1)


@pytest.mark.parametrize("once", [None, "a key"])
def test_a_row_and_its_job_roll_back_together(database: Database, once: str | None) -> None:
    with Session(database.engine) as session:
        session.add(Source(name="shop", kind="api"))
        jobs.defer(session, "classify", once=once, ids=[])
        session.rollback()
    assert (len(rows(database, "SELECT name FROM source")), waiting(database, "classify")) == (0, 0)


def test_a_job_that_waits_already_costs_the_caller_nothing(database: Database) -> None:
    with database.session() as session:
        jobs.defer(session, "classify", once="a key", ids=[])
    with database.session() as session:
        session.add(Source(name="shop", kind="api"))
        jobs.defer(session, "classify", once="a key", ids=[])
        jobs.defer(session, "decide", ids=[])
    assert len(rows(database, "SELECT name FROM source")) == 1
    assert (waiting(database, "classify"), waiting(database, "decide")) == (1, 1)


def test_a_job_not_before_its_time(database: Database, drain: Drain) -> None:
    with database.session() as session:
        jobs.defer(session, "classify", at=now() + timedelta(hours=1), ids=[])
        jobs.defer(session, "decide", at=now() - timedelta(hours=1), ids=[])
    drain()
    assert (waiting(database, "classify"), waiting(database, "decide")) == (1, 0)


def test_a_failed_defer_raises_the_drivers_own_error(database: Database) -> None:
    with Session(database.engine) as session:
        session.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            jobs.defer(session, "classify", ids=[])


def test_every_job_has_a_queue_and_every_periodic_one_is_a_job() -> None:
    assert set(JOBS) == set(jobs.QUEUES)
    assert set(EVERY) < set(JOBS)


# Twice


def test_every_step_may_run_twice_and_at_the_same_time(
    admin: httpx.Client, database: Database, works: Works, desk: HelpDesk, drain: Drain
) -> None:
    set_up_delivery(admin, desk)
    ids = post(admin, 40)
    for step in ("classify", "decide"):
        at_once([lambda step=step: pipeline.batch(works, step, ids) for _ in range(4)])
        settled = tables(database)
        pipeline.batch(works, step, ids)
        pipeline.batch(works, step, list(reversed(ids)))
        for one in ids[:3]:
            pipeline.alone(works, step, one)
        assert tables(database) == settled
    deliveries = [str(row[0]) for row in rows(database, "SELECT id::text FROM delivery")]
    at_once([lambda one=one: pipeline.deliver(works, one) for one in deliveries[:6] for _ in range(3)])
    drain()
    settled = tables(database)
    for one in deliveries:
        pipeline.deliver(works, one)
    drain()
    assert tables(database) == settled
    with database.session() as session:
        assert {row.stage for row in session.exec(select(Feedback))} == {"routed"}
        assert len(session.exec(select(Classification)).all()) == 40
        delivered = session.exec(select(Delivery)).all()
    assert {(one.state, one.attempt) for one in delivered} == {("delivered", 1)}
    keys = {one.idempotency_key for one in delivered}
    assert [ticket.repeats for ticket in desk.tickets if ticket.webhook_id in keys] == [0] * 40


def at_once(calls: list[Callable[[], None]]) -> None:
    errors: list[Exception] = []

    def run(call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 (shown below)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


# Lost


def test_lost_jobs_are_deferred_again_in_every_stage(
    admin: httpx.Client, database: Database, works: Works, desk: HelpDesk, drain: Drain
) -> None:
    set_up_delivery(admin, desk)
    ids = post(admin, 100)
    pipeline.batch(works, "classify", ids[:50])
    pipeline.batch(works, "decide", ids[:20])
    execute(database, "TRUNCATE procrastinate_jobs CASCADE")
    pipeline.reconcile(works)
    assert waiting(database, *JOBS) == 0, "rows that came a moment ago were taken to be stuck"
    grow_old(database)
    pipeline.reconcile(works)
    assert [waiting(database, name) for name in ("classify", "decide", "deliver")] == [1, 1, 20]
    drain()
    with database.session() as session:
        assert {row.stage for row in session.exec(select(Feedback))} == {"routed"}
        assert {row.state for row in session.exec(select(Delivery))} == {"delivered"}
    assert len(rows(database, "SELECT id FROM decision")) == 100


def grow_old(database: Database) -> None:
    execute(database, "UPDATE feedback SET stage_since = stage_since - interval '10 minutes'")
    execute(database, "UPDATE delivery SET next_at = next_at - interval '10 minutes' WHERE state = 'pending'")


def test_the_reconciler_leaves_a_backlog_with_live_jobs_alone(
    admin: httpx.Client, database: Database, works: Works, desk: HelpDesk
) -> None:
    set_up_delivery(admin, desk)
    ids = post(admin, 300)
    pipeline.batch(works, "classify", ids[:128])
    pipeline.batch(works, "decide", ids[:64])
    grow_old(database)
    execute(
        database,
        "UPDATE procrastinate_jobs SET status = 'doing' WHERE id ="
        " (SELECT max(id) FROM procrastinate_jobs WHERE task_name = 'classify')",
    )
    before = rows(database, "SELECT id, status::text FROM procrastinate_jobs")
    for _ in range(3):
        pipeline.reconcile(works)
    assert rows(database, "SELECT id, status::text FROM procrastinate_jobs") == before
    with database.session() as session:
        jobs.defer(session, "classify_alone", feedback=ids[-1])
    execute(database, "DELETE FROM procrastinate_jobs WHERE task_name = 'classify'")
    pipeline.reconcile(works)
    again = rows(database, "SELECT args->>'ids' FROM procrastinate_jobs WHERE task_name = 'classify'")
    assert again
    assert not any(ids[-1] in str(carried) for (carried,) in again), "a record that waits for its turn alone"


def test_a_lost_delivery_is_found_behind_any_number_of_waiting_ones(
    admin: httpx.Client, database: Database, works: Works, desk: HelpDesk
) -> None:
    set_up_delivery(admin, desk)
    ids = post(admin, 30)
    pipeline.batch(works, "classify", ids)
    pipeline.batch(works, "decide", ids)
    lost = str(rows(database, "SELECT max(id::text) FROM delivery")[0][0])
    execute(database, "DELETE FROM procrastinate_jobs WHERE args->>'delivery' = :lost", lost=lost)
    grow_old(database)
    pipeline.reconcile(works)
    assert waiting(database, "deliver") == 30
    assert rows(database, "SELECT args->>'delivery' FROM procrastinate_jobs ORDER BY id DESC LIMIT 1") == [(lost,)]


# Left behind


def test_a_dead_workers_batch_is_redone_one_by_one_and_counts_for_nobody(
    admin: httpx.Client, database: Database, works: Works, drain: Drain
) -> None:
    post(admin, 64)
    left_by_a_dead_worker(database, "classify")
    pipeline.recover(works)
    pipeline.recover(works)
    assert (waiting(database, "classify"), waiting(database, "classify_alone")) == (0, 64)
    assert rows(database, "SELECT DISTINCT attempts FROM feedback") == [(0,)]
    drain()
    assert rows(database, "SELECT DISTINCT stage, attempts FROM feedback") == [("routed", 0)]
    assert len(rows(database, "SELECT id FROM decision")) == 64


def test_a_record_that_was_only_waiting_for_its_turn_is_not_charged(
    admin: httpx.Client, database: Database, works: Works
) -> None:
    (one,) = post(admin, 1)
    execute(database, "TRUNCATE procrastinate_jobs CASCADE")
    for _ in range(5):
        with database.session() as session:
            jobs.defer(session, "classify_alone", feedback=one)
        left_by_a_dead_worker(database, "classify_alone")
        pipeline.recover(works)
        execute(database, "DELETE FROM procrastinate_jobs")
    assert rows(database, "SELECT stage, attempts FROM feedback") == [("received", 0)]


def test_the_jobs_of_a_living_worker_are_not_taken_over(admin: httpx.Client, database: Database, works: Works) -> None:
    post(admin, 3)
    left_by_a_dead_worker(database, "classify")
    execute(database, "UPDATE procrastinate_workers SET last_heartbeat = now()")
    pipeline.recover(works)
    assert rows(database, "SELECT status::text FROM procrastinate_jobs") == [("doing",)]


def test_a_stalled_job_that_went_to_another_worker_is_left_alone(admin: httpx.Client, database: Database) -> None:
    post(admin, 3)
    left_by_a_dead_worker(database, "classify")
    with database.session() as session:
        (seen,) = jobs.stalled(session)
        execute(
            database,
            "WITH other AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)"
            " UPDATE procrastinate_jobs SET worker_id = other.id FROM other",
        )
        assert not jobs.discard(session, seen)
    assert len(rows(database, "SELECT id FROM procrastinate_jobs")) == 1


def test_a_delivery_whose_worker_died_goes_on_under_the_same_key(
    admin: httpx.Client, database: Database, works: Works, desk: HelpDesk, drain: Drain
) -> None:
    set_up_delivery(admin, desk)
    ids = post(admin, 1)
    pipeline.batch(works, "classify", ids)
    pipeline.batch(works, "decide", ids)
    left_by_a_dead_worker(database, "deliver")
    pipeline.recover(works)
    drain()
    ((state, key),) = rows(database, "SELECT state, idempotency_key FROM delivery")
    assert state == "delivered"
    assert [ticket.webhook_id for ticket in desk.tickets].count(str(key)) == 1


def test_a_session_that_stands_still_in_a_transaction_is_ended_and_an_idle_one_is_not(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "STALLED", 0)
    with database.engine.connect() as frozen, database.engine.connect() as idle:
        frozen.execute(text("SELECT 1"))
        idle.execute(text("SELECT 1"))
        idle.rollback()
        with database.session() as session:
            assert jobs.end_frozen_sessions(session) == 1
        with pytest.raises(OperationalError):
            frozen.execute(text("SELECT 1"))
        assert idle.execute(text("SELECT 1")).scalar_one() == 1


def test_jobs_for_rows_that_are_gone_find_nothing_to_do(works: Works, database: Database) -> None:
    unknown = str(uuid4())
    for step in ("classify", "decide"):
        pipeline.batch(works, step, [unknown])
        pipeline.alone(works, step, unknown)
    pipeline.deliver(works, unknown)
    assert waiting(database, *JOBS) == 0


# Turns


def test_a_record_alone_runs_beside_no_batch() -> None:
    turns, seen, ready = Turns(), list[str](), threading.Barrier(2)

    def batch(name: str) -> None:
        with turns.batch():
            seen.append(name)

    def alone() -> None:
        with turns.alone():
            ready.wait(5)
            ready.wait(5)
            seen.append("alone")

    first = threading.Thread(target=alone)
    first.start()
    ready.wait(5)
    others = [threading.Thread(target=batch, args=(f"batch {number}",)) for number in range(3)]
    for other in others:
        other.start()
    assert seen == []
    assert turns.longest() > 0
    ready.wait(5)
    for thread in (first, *others):
        thread.join(5)
    assert (seen[0], len(seen)) == ("alone", 4)
    assert turns.longest() == 0
