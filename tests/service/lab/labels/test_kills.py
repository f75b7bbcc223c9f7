"""A web process that is killed in the middle of a label: after the client's retry it is there exactly once."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from processes import free_port, wait_for
from read_records import read_records
from sqlmodel import select

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels.samples import Wanted, draw
from service.people.access import create_key
from service.store.lab_tables import HumanLabel, LabelCard
from service.store.tables import now
from service.store.vault import Vault

TESTS = Path(__file__).parents[3]
SECRET = "a secret of the tests, long enough to be one"  # as in conftest.py
pytestmark = [pytest.mark.kills, pytest.mark.timeout(180)]


@pytest.fixture
def reviewer(address, database) -> Iterator[httpx.Client]:
    """A reviewer's client of the process that lives; there are texts to label."""
    with database.session() as session:
        read_records(session, [f"The kettle {number} leaks." for number in range(40)])
        wanted = Wanted("sentiment", None, 40, "audit", seed=7, overlap=0.0)
        draw(session, wanted, default_taxonomy(), by="ada", at=now())
        key = create_key(session, Vault(SECRET), name="ana", role="reviewer", actor="test").key
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
        yield client


@contextmanager
def fragile(database) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [sys.executable, str(TESTS / "fragile_web.py"), url, SECRET, str(port)]
    paths = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths})
    address = f"http://127.0.0.1:{port}"

    def lives() -> bool:
        assert process.poll() is None
        with suppress(httpx.TransportError):
            return httpx.get(f"{address}/livez", trust_env=False).is_success
        return False

    try:
        wait_for(lives, 60, "the fragile process")
        yield process, address
    finally:
        process.kill()
        process.wait()


def posted(address: str, said: dict[str, object], reviewer: httpx.Client) -> httpx.Response:
    headers = {"Authorization": reviewer.headers["Authorization"]}
    return httpx.post(f"{address}/v1/calibration/labels", json=said, headers=headers, trust_env=False)


def labels(database) -> list[HumanLabel]:
    with database.session() as session:
        return list(session.exec(select(HumanLabel)))


def test_a_process_killed_between_commit_and_answer_leaves_the_label_once(database, reviewer):
    card = reviewer.get("/v1/calibration/next").json()
    said = {"card": card["card"], "labels": ["negative"]}
    with fragile(database) as (process, address):
        with pytest.raises(httpx.TransportError):
            posted(address, said, reviewer)
        assert process.wait(10) == -9
    assert len(labels(database)) == 1
    again = reviewer.post("/v1/calibration/labels", json=said)
    assert (again.status_code, len(labels(database))) == (200, 1)
    assert again.json()["id"] == str(labels(database)[0].id)
    assert reviewer.get("/v1/calibration/next").json()["card"] != card["card"]


@pytest.mark.faults
def test_processes_killed_at_any_moment_leave_every_label_once(database, reviewer):
    chance = random.Random(7)  # noqa: S311 (moments, no secret)
    for rounds in range(1, 31):
        card = reviewer.get("/v1/calibration/next").json()["card"]
        said = {"card": card, "labels": ["negative"]}
        with fragile(database) as (process, address):
            timer = threading.Timer(chance.uniform(0, 0.04), process.kill)
            timer.start()
            with pytest.raises(httpx.TransportError):
                posted(address, said, reviewer)
            timer.join()
        assert reviewer.post("/v1/calibration/labels", json=said).status_code in {200, 201}
        assert len(labels(database)) == rounds
    with database.session() as session:
        settled = set(session.exec(select(LabelCard.id).where(LabelCard.state == "settled")))
    assert settled == {label.card_id for label in labels(database)}
