"""Canaries: a unique string in every field and on every way to an error, and none of them in the log or in /metrics."""

import io
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import httpx
import pytest
import structlog
from builders import record
from sqlalchemy import text

from models.prediction import Verbatim
from service import telemetry
from service.app import create_app
from service.classify import Reader

POLICY = """
name: canary
rules:
  - {name: all, when: scores.nps <= 10, then: {create: ticket, deliver: [desk]}}
"""


@dataclass
class Cage:
    """Hands out canaries and remembers them."""

    birds: list[str] = field(default_factory=list)

    def __call__(self) -> str:
        self.birds.append(f"canary{len(self.birds)}zqx")
        return self.birds[-1]

    def found_in(self, written: str) -> list[str]:
        return [bird for bird in self.birds if bird in written.lower()]


class Failing(Reader):
    """A classifier that quotes what it was given when it fails."""

    def understand(self, answers: Sequence[object]) -> list[None]:
        raise ValueError(f"cannot read {answers}")

    def read(self, verbatims: Sequence[Verbatim]) -> list[None]:
        raise ValueError(f"cannot read {verbatims}")


@pytest.fixture
def log(monkeypatch) -> Iterator[io.StringIO]:
    """Everything logged, as in production, at the most talkative level."""
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "stderr", written)
    telemetry.configure("debug")
    yield written
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def whole_record(canary: Cage, external_id: str) -> dict:
    return {
        **record(external_id, canary(), scores={"nps": 1}, language="en"),
        "verbatims": [{"question": canary(), "text": f"{canary()} is broken and late."}],
        "customer": {
            "id": canary(),
            "email": f"{canary()}@example.com",
            "tier": canary(),
            "region": canary(),
            "attributes": {canary(): canary()},
        },
        "context": {canary(): canary(), "agent": canary()},
    }


def test_no_canary_leaves_the_database(house, serve, log, drain_with):
    canary, admin = Cage(), house.client()
    one = canary()
    assert admin.post("/v1/policies", content=POLICY + f"# {canary()}\n").status_code == 201
    assert admin.post("/v1/policies/2/activate", json={"comment": canary()}).status_code == 200
    settings = {"base_url": "https://127.0.0.1:9/hook"}
    made = {"name": "desk", "kind": "webhook", "settings": settings, "secrets": [canary()]}
    assert admin.post("/v1/destinations", json=made).status_code == 422
    good = admin.post("/v1/feedback", json=whole_record(canary, one))
    assert good.status_code == 202

    every_refusal(admin, canary, one)
    a_bug_and_a_refusing_database(house, serve, canary)
    drain_with(Failing("keywords"))
    house.drain()
    read_and_work(admin, canary, good.json()["results"][0]["id"])

    written, metrics = log.getvalue(), admin.get("/metrics").text
    assert len(canary.birds) >= 30
    for expected in ("http.answered", "request.failed", "request.refused_by_database", "step.batch_failed"):
        assert expected in written
    assert canary.found_in(written) == []
    assert canary.found_in(metrics) == []
    for line in written.splitlines():
        json.loads(line)


@pytest.fixture
def drain_with(house):
    def drain(reader: Reader) -> None:
        usual, house.works = house.works, replace(house.works, reader=reader)
        with house.database.session() as session:
            session.execute(text("UPDATE feedback SET attempts = 0"))
        house.drain()
        house.works = usual
        with house.database.session() as session:
            quarantined = session.execute(text("SELECT id, reason FROM feedback WHERE stage = 'quarantined'")).all()
        assert quarantined
        for feedback_id, reason in quarantined:
            assert "canary" not in reason
            assert house.client().post(f"/v1/feedback/{feedback_id}/retry").status_code == 202

    return drain


def every_refusal(admin: httpx.Client, canary: Cage, known: str) -> None:
    post = "/v1/feedback"
    answers = [
        (409, admin.post(post, json=record(known, canary()))),
        (422, admin.post(post, json=record(canary() + "\n"))),
        (422, admin.post(post, json={**record(), canary(): canary()})),
        (422, admin.post(post, json=record(scores={"nps": canary()}))),
        (422, admin.post(post, json=[record(), record(language=canary() + "!")])),
        (422, admin.post(post, content=json.dumps(record(text=canary() + "\0")))),
        (400, admin.post(post, content=json.dumps(record(text=canary()))[:-3])),
        (400, admin.post(post, content=f'{{"{(double := canary())}": 1, "{double}": 2}}')),
        (415, admin.post(post, content=b"x", headers={"content-type": f"text/{canary()}"})),
        (415, admin.post(post, content=b"x", headers={"content-encoding": canary()})),
        (401, httpx.get(admin.base_url.join(post), headers={"authorization": f"Bearer {canary()}"}, trust_env=False)),
        (405, admin.request(canary().upper(), post)),
        (404, admin.get(f"/{canary()}")),
        (422, admin.get(f"/v1/feedback/{canary()}")),
        (422, admin.get("/v1/feedback", params={"cursor": canary()})),
        (422, admin.get("/v1/feedback", params={"label": canary()})),
        (200, admin.get("/v1/feedback", params={"label": f"topic:{canary()}"})),
        (200, admin.get("/v1/work-items", params={"owner": canary()})),
        (200, admin.get("/livez", headers={"x-request-id": f"{canary()}@example.com", "cookie": canary()})),
        (200, admin.get("/livez", headers={"user-agent": canary(), "referer": canary()})),
        (422, admin.post("/v1/policies", content=f"name: {canary()}\nrules: [{canary()}]")),
        (422, admin.post("/v1/classify", json={"texts": [canary()], "questions": []})),
        (200, admin.post("/v1/classify", json={"texts": [canary()], "questions": [canary()]})),
    ]
    for status, answer in answers:
        assert answer.status_code == status, answer.text


def a_bug_and_a_refusing_database(house, serve, canary: Cage) -> None:
    app = create_app(replace(house.wiring, reader=Failing("keywords")))

    @app.get("/refused")
    def refused() -> None:
        with house.database.session() as session:
            session.execute(text("SELECT CAST(:words AS integer)"), {"words": canary()})

    @app.get("/broken")
    def broken() -> None:
        with house.database.session() as session:
            session.execute(text(f"SELECT {canary()}"))

    with serve(app) as url, httpx.Client(base_url=url, headers=house.client().headers, trust_env=False) as client:
        assert client.post("/v1/classify", json={"texts": [canary()]}).status_code == 500
        assert client.get("/refused").status_code == 422
        assert client.get("/broken").status_code == 500


def read_and_work(admin: httpx.Client, canary: Cage, feedback_id: str) -> None:
    story = admin.get(f"/v1/feedback/{feedback_id}").json()
    assert story["state"] == "routed"
    for item in story["work_items"]:
        assigned = {"type": "assign", "owner": canary(), "comment": canary()}
        assert admin.post(f"/v1/work-items/{item['id']}/events", json=assigned).status_code == 201
        assert admin.get(f"/v1/work-items/{item['id']}").status_code == 200
