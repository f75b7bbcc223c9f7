"""`/livez`, `/readyz`, `/metrics`: what they say, and that they name no customer."""

import httpx
import pytest
from builders import record
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from service.telemetry import REGISTRY


@pytest.fixture
def seen(house):
    return house.stranger.get


def test_live(seen):
    assert (seen("/livez").status_code, seen("/livez").json()) == (200, {"alive": True})


def test_ready_but_degraded_without_a_worker(house, seen):
    answer = seen("/readyz")
    health = answer.json()
    assert (answer.status_code, health["ready"], health["degraded"]) == (200, True, ["workers"])
    assert "heed worker" in health["checks"]["workers"]["reason"]
    assert health["checks"]["database"] == {"ok": True, "reason": None}
    with house.database.session() as session:
        session.execute(text("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())"))
    assert seen("/readyz").json()["degraded"] == []
    with house.database.session() as session:
        session.execute(text("DELETE FROM procrastinate_workers"))


def test_a_record_that_waits_too_long_and_a_dead_letter_are_told(house, seen):
    posted = house.client().post("/v1/feedback", json=record(house.unique()))
    with house.database.session() as session:
        session.execute(
            text("UPDATE feedback SET stage_since = now() - interval '20 minutes' WHERE id = :id"),
            {"id": posted.json()["results"][0]["id"]},
        )
    health = seen("/readyz").json()
    assert health["ready"]
    assert "progress" in health["degraded"]
    assert "20 minutes" in health["checks"]["progress"]["reason"]
    house.drain()
    assert seen("/readyz").json()["degraded"] == ["workers"]


def test_a_schema_of_another_version_is_not_ready(house, seen):
    with house.database.session() as session:
        (stands,) = session.execute(text("SELECT version_num FROM alembic_version")).one()
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = seen("/readyz")
    with house.database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :stands"), {"stands": stands})
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert "heed migrate" in answer.json()["checks"]["schema"]["reason"]
    assert seen("/readyz").status_code == 200


def samples(answer: httpx.Response) -> dict[tuple, float]:
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_count_what_happens(house, seen):
    before = samples(seen("/metrics"))
    sent = [record(house.unique()), record(house.unique())]
    house.client().post("/v1/feedback", json=[*sent, sent[0]])
    house.stranger.request("BREW", "/v1/feedback")
    house.stranger.get("/some/private/path")
    after = samples(seen("/metrics"))

    def grown(name: str, **labels: str) -> float:
        key = (name, *sorted(labels.items()))
        return after[key] - before.get(key, 0)

    assert grown("heed_feedback_ingest_total", status="new") == 2
    assert grown("heed_feedback_ingest_total", status="duplicate") == 1
    assert grown("heed_http_requests_total", method="POST", route="/v1/feedback", status="202") == 1
    assert grown("heed_http_requests_total", method="other", route="/v1/feedback", status="405") == 1
    assert grown("heed_http_requests_total", method="GET", route="unmatched", status="404") == 1
    assert grown("heed_feedback_queue_depth", stage="received") == 2
    assert after["heed_jobs_waiting", ("queue", "classify")] >= 1


def test_labels_come_from_a_short_list(house, seen):
    allowed = {
        "method",
        "route",
        "status",
        "stage",
        "kind",
        "destination",
        "state",
        "mode",
        "policy_version",
        "queue",
        "le",
    }
    names = {label for name, *labels in samples(seen("/metrics")) for label, _ in labels}
    assert names <= allowed
    assert (
        REGISTRY.get_sample_value(
            "heed_http_requests_total", {"method": "BREW", "route": "/v1/feedback", "status": "405"}
        )
        is None
    )
