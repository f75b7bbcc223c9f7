"""Requests made from the OpenAPI document by schemathesis, and what every answer has to be."""

import re
from collections.abc import Mapping
from typing import Any, cast

import httpx
import pytest
import requests
from builders import record
from hypothesis import HealthCheck, given, settings
from proofs import certificate
from rights import asked
from schemathesis import GenerationMode, openapi
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sites import Site

from service.api.dependencies import Wiring
from service.app import create_app
from service.store.lab_tables import GateChange
from service.store.tables import Notice, now

load_all_checks()
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
_POLICY = """
name: generated
rules:
  - {name: idea, when: scores.nps <= 6, then: {create: backlog_item, deliver: [nowhere]}}
"""


def operations() -> list[APIOperation]:
    """Every operation of the document; making it needs none of the application's parts."""
    schema = openapi.from_dict(create_app(cast(Wiring, None)).openapi())
    return [found.ok() for found in schema.get_all_operations()]


def kinds() -> list[Any]:
    """Each operation with what fits it, and with what does not where it takes anything at all."""
    return [
        pytest.param(operation, mode, id=f"{operation.label} {mode.value}")
        for operation in operations()
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or {"parameters", "requestBody"} & operation.definition.raw.keys()
    ]


def things(site: Site) -> dict[str, Any]:
    """What the places of paths may stand for, there from now on."""
    site.use(_POLICY)
    (feedback,) = site.push([record("generated", source="store", scores={"nps": 1})])
    made = {"name": "store", "kind": "webhook", "settings": {"base_url": "https://desk.example.com/"}}
    assert site.api().post("/v1/destinations", json=made).status_code == 201
    file = {"file": ("a.csv", b"id,text\n1,Late.\n")}
    sent = site.api().post("/v1/imports", files=file, data={"source": "store"})
    assert sent.status_code == 202, sent.text
    site.drain()
    story = site.api().get(f"/v1/feedback/{feedback}").json()
    (item,) = story["work_items"]
    period = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
    started = site.api().post("/v1/policies/2/backtest", json=period)
    assert started.status_code == 202, started.text
    promise = {"precision": 0.9, "confidence": 0.95}
    judged = site.api().post("/v1/calibration/runs", json={"axis": "sentiment", "promise": promise})
    assert judged.status_code == 202, judged.text
    at = now()
    notice = Notice(person=site.person("store", "supervisor"), kind="left", words="", once_key="generated", due_at=at)
    with site.database.session() as session:
        session.add(notice)
        proved = certificate(session, by="ana")
        about = {"axis": "sentiment", "label": "negative", "certificate_id": proved.id}
        change = GateChange(**about, action="move", before=0.8, after=0.7, loosens=True, reason="test", by="ana")
        change.state = "waiting"
        session.add(change)
        shown = asked(session, feedback, "admin")
    return {
        "feedback_id": feedback,
        "item_id": item["id"],
        "decision_id": item["decision_id"],
        "delivery_id": item["deliveries"][0]["id"],
        "import_id": sent.json()["id"],
        "notice_id": str(notice.id),
        "backtest_id": started.json()["id"],
        "certificate_id": str(proved.id),
        "change_id": str(change.id),
        "run_id": judged.json()["id"],
        "sample_id": str(shown["sample"]),
        "card": str(shown["said"]),
        "card_id": str(shown["dispute"]),
        "version": 2,
        "name": "store",
    }


def ask(
    operation: APIOperation, mode: GenerationMode, client: httpx.Client, things: Mapping[str, Any], *, examples: int
) -> None:
    """Send generated requests, those of `things` that the path names put in, and check each answer."""
    named = re.findall(r"{(\w+)}", operation.path)
    known = {name: things[name] for name in named} if named and mode is GenerationMode.POSITIVE else None
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"Authorization": client.headers["authorization"]})

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), database=None)
    @given(operation.as_strategy(mode, path_parameters=known))
    def each(case: Any) -> None:
        case.call_and_validate(base_url=str(client.base_url), session=session, checks=CHECKS, timeout=30)

    with session:
        each()
