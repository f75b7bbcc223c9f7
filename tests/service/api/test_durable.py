"""An answered 202 is in the database, with its job; an outage is 503 and leaves nothing half done."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from builders import record
from sqlalchemy import text

from service.store.database import Database, connect


@pytest.fixture
def elsewhere(server_url) -> Iterator[Database]:
    other = connect(server_url, pool=1)
    yield other
    other.engine.dispose()


@contextmanager
def closed(server: Database, name: str) -> Iterator[None]:
    """A database nobody can connect to, as while a server restarts."""
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"), {"n": name}
        )
        try:
            yield
        finally:
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))


def is_unavailable(answer) -> None:
    assert (answer.status_code, answer.json()["type"]) == (503, "unavailable"), answer.text
    assert answer.headers["retry-after"].isdigit()
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_row_and_its_job_are_there_when_answered(house):
    for size in (1, 3):
        sent = [record(house.unique()) for _ in range(size)]
        answer = house.client().post("/v1/feedback", json=sent if size > 1 else sent[0])
        with house.database.engine.connect() as other:
            for result in answer.json()["results"]:
                stage = other.execute(text("SELECT stage FROM feedback WHERE id = :id"), {"id": result["id"]})
                assert stage.scalar_one() == "received"
                jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'classify' AND args->'ids' ? :id"
                assert other.execute(text(jobs), {"id": result["id"]}).scalar_one() == 1


def test_fifty_posts_of_one_record_at_once(house):
    client, sent = house.client("source"), record(house.unique())
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/feedback", json=sent), range(50)))
    results = [answer.json()["results"][0] for answer in answers]
    assert Counter(result["status"] for result in results) == {"new": 1, "duplicate": 49}
    assert len({result["id"] for result in results}) == 1


def test_fifty_posts_that_contradict_each_other_leave_one(house):
    client, one = house.client("source"), house.unique()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: client.post("/v1/feedback", json=record(one, f"Words {n}.")), range(50)))
    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: 49}


def test_without_the_database_every_call_is_503_and_nothing_is_stored(house, elsewhere):
    client = house.client()
    before = house.count("feedback")
    lost, name = record(house.unique()), house.database.engine.url.database
    with closed(elsewhere, name):
        begun = time.monotonic()
        is_unavailable(client.post("/v1/feedback", json=lost))
        is_unavailable(client.post("/v1/feedback", json=[lost, record(house.unique())]))
        is_unavailable(client.get("/v1/feedback"))
        is_unavailable(client.post("/v1/classify", json={"texts": ["Fine."]}))
        is_unavailable(client.get("/metrics"))
        assert time.monotonic() - begun < 5
        assert client.get("/livez").status_code == 200
        unready = client.get("/readyz")
        assert unready.status_code == 503
        assert unready.headers["retry-after"].isdigit()
        health = unready.json()
        assert health["ready"] is False
        assert health["checks"]["database"]["ok"] is False
        assert health["checks"]["database"]["reason"].endswith(".")
    assert house.count("feedback") == before
    again = client.post("/v1/feedback", json=lost)
    assert (again.status_code, again.json()["results"][0]["status"]) == (202, "new")
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("mode", ["EXCLUSIVE", "ACCESS EXCLUSIVE"])
def test_while_somebody_holds_the_table_posts_are_503_in_time(house, mode):
    client = house.client("source")
    sent = [record(house.unique()) for _ in range(16)]

    def timed(one: dict) -> tuple[float, object]:
        begun = time.monotonic()
        answer = client.post("/v1/feedback", json=one)
        return time.monotonic() - begun, answer

    with house.database.session() as holder, ThreadPoolExecutor(16) as pool:
        holder.execute(text(f"LOCK TABLE feedback IN {mode} MODE"))
        answers = list(pool.map(timed, sent))
        if mode == "EXCLUSIVE":
            assert timed({})[0] < 1  # refused before the database is asked
            assert client.get("/v1/feedback").status_code == 200
        holder.rollback()
    for seconds, answer in answers:
        is_unavailable(answer)
        assert seconds < 3
    assert [client.post("/v1/feedback", json=one).status_code for one in sent] == [202] * 16


def test_two_admins_who_set_up_one_destination_at_once_get_one(house):
    made = {"name": "raced", "kind": "webhook", "settings": {"base_url": "https://desk.example.com/"}}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: house.client().post("/v1/destinations", json=made), range(8)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
