from uuid import UUID

import httpx
import pytest
from builders import record
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlmodel import Session

from service.health import gauges, readiness
from service.store.database import Database, connect


def a_worker(database: Database) -> None:
    """A sign of life."""
    with database.session() as session:
        session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))


def test_all_is_well(database):
    a_worker(database)
    health = readiness(database)
    assert (health.ready, health.degraded) == (True, [])
    from_rows = {"database", "schema", "workers", "progress", "dead_letters", "destinations"}
    assert set(health.checks) == {*from_rows, "model"}
    assert all(check.ok and check.reason is None for check in health.checks.values())


def test_a_model_that_cannot_be_used_is_told_and_holds_nothing_up(database):
    a_worker(database)
    health = readiness(database, "heed-en/model.onnx is not there.")
    assert (health.ready, health.degraded) == (True, ["model"])
    assert health.checks["model"].reason.endswith("no rule acts on what they find: heed-en/model.onnx is not there.")


def test_without_a_worker_feedback_is_taken_all_the_same(database):
    health = readiness(database)
    assert (health.ready, health.degraded) == (True, ["workers"])
    assert "start `heed worker`" in health.checks["workers"].reason


def test_a_worker_that_fell_silent_does_not_count(database):
    a_worker(database)
    with database.session() as session:
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))
    assert readiness(database).degraded == ["workers"]


def test_a_record_that_waits_too_long_is_told(database, admin):
    a_worker(database)
    admin.post("/v1/feedback", json=record()).raise_for_status()
    assert readiness(database).degraded == []
    with database.session() as session:
        session.execute(text("UPDATE feedback SET stage_since = now() - interval '12 minutes'"))
    health = readiness(database)
    assert (health.ready, health.degraded) == (True, ["progress"])
    assert health.checks["progress"].reason == "The oldest record has waited 12 minutes: start more workers."


def test_an_empty_database_is_not_ready(empty_database):
    health = readiness(empty_database)
    assert (health.ready, set(health.checks)) == (False, {"database", "schema", "model"})
    assert health.checks["schema"].reason.endswith("run `heed migrate`.")


def test_a_database_that_is_gone_is_told_without_a_password():
    health = readiness(connect("postgresql://heed:top-secret@127.0.0.1:1/heed"))
    assert (health.ready, health.degraded) == (False, [])
    assert "is not listening there" in health.checks["database"].reason
    assert "top-secret" not in health.model_dump_json()


def test_a_database_that_dies_between_two_questions_is_told(database, monkeypatch):
    def dies(session: Session) -> int:
        session.connection().connection.driver_connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise AssertionError

    monkeypatch.setattr("service.health.jobs.workers", dies)
    health = readiness(database)
    assert (health.ready, health.checks["database"].ok) == (False, False)


POLICY = """
name: delivers
rules:
  - {name: low, when: scores.nps <= 6, then: {create: follow_up, deliver: [desk]}}
"""


@pytest.fixture
def busy(admin: httpx.Client, drain) -> None:
    admin.post("/v1/policies", content=POLICY).raise_for_status()
    admin.post("/v1/policies/2/activate", json={"comment": "test"}).raise_for_status()
    admin.post("/v1/feedback", json=record(scores={"nps": 1})).raise_for_status()
    drain()
    admin.post("/v1/feedback", json=record("r-2", scores={"nps": 1})).raise_for_status()


def test_deliveries_that_were_given_up_are_told(busy, database):
    a_worker(database)
    with database.session() as session:
        session.execute(text("UPDATE delivery SET state = 'dead'"))
    health = readiness(database)
    assert (health.ready, health.degraded) == (True, ["dead_letters"])
    assert health.checks["dead_letters"].reason.startswith("1 deliveries were given up: `heed deliveries list")


def test_the_gauges_count_our_own_rows(busy, database):
    with Session(database.engine) as session:
        families = text_string_to_metric_families(gauges(session).decode())
        read = {(one.name, *sorted(one.labels.values())): one.value for family in families for one in family.samples}
    age = read.pop(("heed_feedback_queue_oldest_age_seconds", "received"))
    assert 0 <= age < 120
    read = {key: value for key, value in read.items() if key[:2] != ("heed_jobs_waiting", "upkeep")}
    assert read == {
        ("heed_feedback_queue_depth", "received"): 1,
        ("heed_feedback_queue_depth", "routed"): 1,
        ("heed_work_items", "follow_up", "open"): 1,
        ("heed_deliveries", "desk", "pending"): 1,
        ("heed_decisions", "2", "live"): 1,
        ("heed_jobs_waiting", "classify"): 1,
        ("heed_worker_pools",): 0,
    }


def test_no_label_names_a_customer(busy, database):
    with Session(database.engine) as session:
        told = gauges(session).decode()
        ids = session.execute(text("SELECT id FROM feedback")).scalars().all()
    assert all(isinstance(one, UUID) and str(one) not in told for one in ids)
    assert "r-1" not in told
    assert "Parcel" not in told


def test_a_dead_letter_that_somebody_put_away_is_told_no_more(busy, database):
    a_worker(database)
    with database.session() as session:
        session.execute(text("UPDATE delivery SET state = 'dead', acknowledged_at = now()"))
    assert readiness(database).degraded == []


def test_of_a_large_table_the_gauges_are_a_sample(busy, database, monkeypatch):
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO feedback"
                " (id, source, external_id, revision, stage, stage_since, attempts, history, received_at)"
                " SELECT gen_random_uuid(), 'store-survey', 'many-' || n, 1, 'routed', now(), 0, false, now()"
                " FROM generate_series(1, 20000) n"
            )
        )
    monkeypatch.setattr("service.health.WHOLE", 2**20)
    with Session(database.engine) as session:
        once, again = gauges(session).decode(), gauges(session).decode()
    depth = {
        sample.labels["stage"]: sample.value
        for family in text_string_to_metric_families(once)
        for sample in family.samples
        if sample.name == "heed_feedback_queue_depth"
    }
    assert depth["received"] == 1
    assert 14_000 < depth["routed"] < 26_000
    assert [line for line in once.splitlines() if "depth" in line] == [
        line for line in again.splitlines() if "depth" in line
    ]
