"""Who may call what: `service/api/authorisation.md` is read, and each of its cells is a real request."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count, product
from typing import Any

import httpx
import pytest
from builders import record
from fastapi.routing import iter_route_contexts
from rights import OURS, PAGE, THEIRS, THINGS, Row, Stage, fresh, rows
from sites import NAMES, PASSWORD, PEOPLE, Site

from service.app import create_app
from service.pages.visitor import COOKIE
from service.people.access import revoke_key
from service.store.tables import Feedback, FeedbackRevision

POLICY = """
name: rights
rules:
  - {name: low, when: scores.nps <= 6, then: {create: backlog_item, deliver: [nowhere]}}
"""
ROWS = list(rows())
CALLERS = ("nobody", "source", "bound source", "supervisor", "product", "reviewer", "auditor", "admin")
_numbers = count(1)
_languages = map("".join, product("abcdefghijklmnopqrstuvwxyz", repeat=3))


@pytest.fixture(scope="module")
def site(house) -> Site:
    """The house with people in it."""
    made = Site(house.wiring, house.works, house.url, house.stack)
    for name, role in PEOPLE.items():
        made.person(name, role)
    return made


@pytest.fixture(scope="module")
def pattern(house) -> Stage:
    """One record that went the whole way, to make fresh rows after."""
    admin = house.client()
    assert admin.post("/v1/policies", content=POLICY).status_code == 201
    assert admin.post("/v1/policies/2/activate", json={"comment": "rights"}).status_code == 200
    sent = record("pattern", source=OURS, scores={"nps": 0})
    (result,) = admin.post("/v1/feedback", json=[sent]).json()["results"]
    house.drain()
    story = admin.get(f"/v1/feedback/{result['id']}").json()
    (item,) = story["work_items"]
    assert admin.post("/v1/feedback", json=record("theirs", source=THEIRS)).status_code == 202
    return Stage(
        source=OURS,
        feedback=story["id"],
        idea=item["id"],
        decision=story["decision"]["id"],
        delivery=item["deliveries"][0]["id"],
        version=2,
    )


@pytest.fixture(scope="module")
def staged(house, site, desk, pattern) -> Callable[[Row, str, str, int], Stage]:
    """What one request may find; where it will spend it, no other cell sees it."""
    kept: dict[tuple[str, str, bool], Stage] = {}

    def stage(row: Row, thing: str, caller: str, status: int) -> Stage:
        spent = row.method != "GET" and status < 400
        if thing == "missing":
            return Stage(house.unique())
        if not spent and (thing, caller, row.page) in kept:
            return kept[thing, caller, row.page]
        source, owner = (OURS, NAMES.get(caller, "") if row.page else caller) if thing == "own" else (THEIRS, "nobody")
        if spent and row.path in {"/v1/calibration/samples", "/reports/samples"}:
            readable(house)
        with house.database.session() as session:
            made = fresh(session, house.vault, desk, pattern, source, owner)
        if "{import_id}" in row.path or not spent:
            made = replace(made, upload=uploaded(house, site, source, caller if thing == "own" else "", row))
        return made if spent else kept.setdefault((thing, caller, row.page), made)

    return stage


def readable(house) -> None:
    """A text of its own for a draw, whatever other cells have drawn."""
    words = f"Parcel {house.unique()} came two weeks late and broken."
    assert house.client().post("/v1/feedback", json=record(house.unique(), words, source=OURS)).status_code == 202
    house.drain()


def uploaded(house, site: Site, source: str, caller: str, row: Row) -> str:
    """A file that was sent in: to a page it waits for its owner's word, through the interface it is under way."""
    if row.page:
        owner = caller if caller in {"source", "admin"} else site.person(house.unique(), "source")
        client = site.visitor(caller) if caller == owner else site.signed_in(owner)
        answer = site.form(client, "/imports", "/imports", files=file(), source=source)
        return answer.headers["location"].partition("?")[0].rpartition("/")[2]
    return house.client().post("/v1/imports", files=file(), data={"source": source}).json()["id"]


def file() -> dict[str, Any]:
    return {"file": (f"{next(_numbers)}.csv", f"id,text\n{next(_numbers)},Late.\n".encode())}


HOOK = {"name": "x", "kind": "webhook", "base_url": "https://desk.example.com/"}
COLUMNS = {"column-0": "external_id", "column-1": "verbatims.0.text"}
# What is sent along, each valid: to a route as arguments of the request, to a page the fields of its form.
SENT: Mapping[tuple[str, str], Callable[[Stage], dict[str, Any]]] = {
    ("POST", "/v1/feedback"): lambda at: {"json": record(f"cell-{next(_numbers)}", source=at.source)},
    ("POST", "/v1/classify"): lambda _: {"json": {"texts": ["Fine."]}},
    ("POST", "/v1/work-items/{item_id}/events"): lambda _: {"json": {"type": "acknowledge"}},
    ("POST", "/v1/work-items/reassign"): lambda _: {"json": {"from": "nobody-here", "to": "jan", "comment": "test"}},
    ("GET", "/v1/decisions/{decision_id}/why-not"): lambda _: {"params": {"rule": "low"}},
    ("POST", "/v1/policies"): lambda _: {"json": {"name": "cell", "rules": []}},
    ("POST", "/v1/policies/check"): lambda _: {"json": {"name": "cell", "rules": []}},
    ("POST", "/v1/policies/rollback"): lambda _: {"json": {"comment": "cell"}},
    ("POST", "/v1/policies/{version}/activate"): lambda _: {"json": {"comment": "cell"}},
    ("POST", "/v1/policies/{version}/deactivate"): lambda _: {"json": {"comment": "cell"}},
    ("POST", "/v1/policies/{version}/backtest"): lambda _: {
        "json": {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}
    },
    ("POST", "/v1/destinations"): lambda _: {
        "json": {"name": f"made-{next(_numbers)}", "kind": "webhook", "settings": {"base_url": HOOK["base_url"]}}
    },
    ("POST", "/v1/calibration/samples"): lambda _: {"json": {"axis": "urgency", "size": 1, "pool": "audit"}},
    ("GET", "/v1/calibration/next"): lambda at: {"params": {"sample": str(at.sample)}},
    ("POST", "/v1/calibration/labels"): lambda at: {"json": {"card": str(at.slot), "labels": ["negative"]}},
    ("POST", "/v1/calibration/labels/undo"): lambda at: {"json": {"card": str(at.said)}},
    ("POST", "/v1/calibration/disputes/{card_id}"): lambda _: {
        "json": {"labels": ["negative"], "reason": "cell", "sentence": f"A sentence of cell {next(_numbers)}."}
    },
    ("POST", "/v1/calibration/runs"): lambda _: {
        "json": {"axis": "sentiment", "label": "negative", "promise": {"precision": 0.9, "confidence": 0.95}}
    },
    ("POST", "/v1/calibration/gates"): lambda _: {
        "json": {
            "axis": "topic",
            "label": "delivery",
            "action": "hold",
            "language": next(_languages),
            "reason": "cell",
        }
    },
    ("POST", "/v1/calibration/gates/{change_id}/approve"): lambda _: {"json": {"comment": "cell"}},
    ("POST", "/v1/calibration/gates/{change_id}/decline"): lambda _: {"json": {"comment": "cell"}},
    ("PATCH", "/v1/people/{name}"): lambda _: {"json": {"alerts": 20}},
    ("PATCH", "/v1/destinations/{name}"): lambda _: {"json": {"enabled": True}},
    ("POST", "/v1/imports"): lambda at: {"files": file(), "data": {"source": at.source}},
    ("POST", "/inbox"): lambda at: {"data": {"one": str(at.item)}},
    ("POST", "/work-items/{item_id}"): lambda _: {"data": {"type": "acknowledge", "version": "1"}},
    ("POST", "/backlog/{item_id}"): lambda _: {"data": {"type": "wrong_routing", "wrong_routing-comment": "No idea."}},
    ("POST", "/policies"): lambda _: {"data": {"document": "name: cell\nrules: []\n", "comment": "cell"}},
    ("POST", "/notices/seen"): lambda _: {"data": {"until": "2026-01-01T00:00:00+00:00"}},
    ("POST", "/policies/check"): lambda _: {"data": {"document": "name: cell\nrules: []\n"}},
    ("POST", "/policies/try"): lambda _: {"data": {"document": "name: cell\nrules: []\n"}},
    ("POST", "/policies/roll-back"): lambda _: {"data": {"comment": "cell"}},
    ("POST", "/policies/{version}/activate"): lambda _: {"data": {"how": "everyone", "comment": "cell"}},
    ("POST", "/policies/{version}/backtest"): lambda _: {"data": {"since": "2026-01-01", "until": "2026-01-02"}},
    ("POST", "/reports/samples"): lambda _: {"data": {"about": "type/", "size": "1", "pool": "audit"}},
    ("POST", "/reports/runs"): lambda _: {"data": {"about": "sentiment/negative", "reason": "cell"}},
    ("POST", "/reports/changes/{change_id}"): lambda _: {"data": {"decision": "decline"}},
    ("POST", "/reports/{axis}/{label:path}"): lambda _: {"data": {"act": "hold", "reason": "cell"}},
    ("POST", "/review/cards/{slot_id}"): lambda _: {"data": {"label": "neutral"}},
    ("POST", "/review/disputes/{card_id}"): lambda at: {
        "data": {"label": "neutral", "reason": "cell", "guideline": str(at.guideline)}
    },
    ("POST", "/review/guidelines"): lambda _: {"data": {"about": "sentiment", "sentence": f"Cell {next(_numbers)}."}},
    ("POST", "/imports"): lambda at: {"files": file(), "data": {"source": at.source}},
    ("POST", "/imports/{import_id}/try"): lambda _: {"data": COLUMNS},
    ("POST", "/imports/{import_id}/start"): lambda _: {"data": COLUMNS},
    ("POST", "/destinations"): lambda _: {"data": {**HOOK, "name": f"made-{next(_numbers)}"}},
    ("POST", "/destinations/{name}"): lambda _: {"data": {"base_url": HOOK["base_url"]}},
    ("POST", "/destinations/{name}/switch"): lambda _: {"data": {"to": "off"}},
}


def asked(client: httpx.Client, row: Row, stage: Stage, **headers: str) -> httpx.Response:
    sent = SENT.get(row.route, lambda _: {})(stage)
    return client.request(row.method, stage.path(row.path), headers=headers, **sent)


def opened(house, site: Site, client: httpx.Client, row: Row, stage: Stage, caller: str) -> httpx.Response:
    """What a person is answered, whose form carries its token."""
    sent = SENT.get(row.route, lambda _: {})(stage)
    if row.method == "GET":
        return client.get(stage.path(row.path))
    csrf = house.vault.digest(f"csrf {client.cookies.get(COOKIE, '')}")
    fields = {"username": NAMES.get(caller, "ana"), "password": PASSWORD} if row.path == "/sign-in" else {}
    data = {"csrf": csrf, **fields, **sent.pop("data", {})}
    return client.post(stage.path(row.path), data=data, **sent)


def person(site: Site, row: Row, caller: str) -> httpx.Client:
    if caller == "nobody":
        return site.browser()
    # Whoever signs in again or out ends the session.
    return site.signed_in(NAMES[caller]) if row.path in {"/sign-in", "/sign-out"} else site.visitor(caller)


def program(house, caller: str) -> httpx.Client:
    match caller:
        case "nobody":
            return house.stranger
        case "bound source":
            return house.client("source", OURS)
    return house.client(caller)


def test_every_route_has_its_row_and_every_row_its_route(house):
    routes = {
        (method, route.path)
        for route in iter_route_contexts(create_app(house.wiring).routes)
        for method in route.methods - {"HEAD"}
    }
    assert routes == {row.route for row in ROWS}
    assert len(ROWS) == len(routes), "a route has two rows"
    for row in ROWS:
        assert tuple(row.cells) == tuple(one for one in CALLERS if one != "bound source" or not row.page)


def test_the_interface_tells_the_same_routes_to_be_open(house):
    document = create_app(house.wiring).openapi()
    without = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not operation.get("security")
    }
    assert without | {("GET", "/openapi.json")} == {row.route for row in ROWS if row.open}


def name(row: Row) -> str:
    return f"{row.method} {row.path}"


ROUTES = [pytest.param(row, caller, id=f"{name(row)} {caller}") for row in ROWS for caller in row.cells if not row.page]
PAGES = [pytest.param(row, caller, id=f"{name(row)} {caller}") for row in ROWS for caller in row.cells if row.page]


@pytest.mark.parametrize(("row", "caller"), ROUTES)
def test_cell_of_a_route(house, staged, row, caller):
    found = {}
    for thing, status in row.statuses(caller):
        answer = asked(program(house, caller), row, staged(row, thing, caller, status))
        assert answer.status_code == status, f"{thing}: {answer.text}"
        found[thing] = answer
        if status == 401:
            assert answer.json()["type"] == "not-signed-in"
            assert answer.headers["www-authenticate"].startswith("Bearer")
        if status == 403:
            assert answer.json()["type"] == "not-allowed"
            assert f"'{caller}'" in answer.json()["detail"] or caller == "bound source"
    if {"other's", "missing"} <= found.keys() and found["other's"].status_code == 404:
        assert found["other's"].json() == found["missing"].json()


@pytest.mark.parametrize(("row", "caller"), PAGES)
def test_cell_of_a_page(house, site, staged, row, caller):
    for thing, status in row.statuses(caller):
        stage = staged(row, thing, caller, status if caller != "nobody" else 403)
        answer = opened(house, site, person(site, row, caller), row, stage, caller)
        assert answer.status_code == status, f"{thing}: {answer.text[-1500:]}"
        if caller == "nobody" and status == 303 and row.path != "/sign-in":
            assert answer.headers["location"].startswith("/sign-in")
        if status == 403:
            assert "<html" in answer.text


@pytest.mark.parametrize("row", [row for row in ROWS if not row.page and not row.open], ids=name)
def test_a_bad_key_is_no_key(house, revoked, row):
    for key in ("heed_live_nobody", revoked):
        answer = asked(house.stranger, row, Stage(OURS), Authorization=f"Bearer {key}")
        assert (answer.status_code, answer.json()["type"]) == (401, "not-signed-in")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture(scope="module")
def revoked(house) -> str:
    key = house.key("admin")
    with house.database.session() as session:
        newest = session.connection().exec_driver_sql("SELECT id FROM api_key ORDER BY created_at DESC LIMIT 1")
        assert revoke_key(session, newest.scalar_one(), actor="test")
    return key


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_has_no_case(house, scheme):
    headers = {"Authorization": f"{scheme} {house.key('admin')}"}
    assert house.stranger.get("/v1/feedback", headers=headers).status_code == 200


def test_a_key_in_another_case_or_cut_short_is_none(house):
    key = house.key("admin")
    for wrong in (key.swapcase(), key[:-1], key + "x", key.removeprefix("heed_live_")):
        headers = {"Authorization": f"Bearer {wrong}"}
        assert house.stranger.get("/v1/feedback", headers=headers).status_code == 401


def test_a_bound_source_key_lists_its_own_only(house, pattern):
    bound, free = house.client("source", OURS), house.client("source")
    assert {one["source"] for one in bound.get("/v1/feedback").json()["items"]} == {OURS}
    assert bound.get("/v1/feedback", params={"source": THEIRS}).json()["items"] == []
    assert {one["source"] for one in free.get("/v1/feedback", params={"limit": 200}).json()["items"]} >= {OURS, THEIRS}


def test_nobody_activates_their_own_policy_where_approval_is_needed(house, staged, serve):
    """The line under the table."""
    said = PAGE.read_text(encoding="utf-8").partition("that one cell is `")[2].partition("`")[0].split()
    headers = dict(house.client().headers)
    (activation,) = [row for row in ROWS if row.path == "/v1/policies/{version}/activate"]
    with serve(create_app(replace(house.wiring, require_approval=True))) as url:
        for thing, status in zip(THINGS, said, strict=True):
            version = staged(activation, thing, "admin", 200).version
            sent = {"comment": "approval"}
            answer = httpx.post(f"{url}/v1/policies/{version}/activate", json=sent, headers=headers, trust_env=False)
            assert answer.status_code == int(status), f"{thing}: {answer.text}"


def test_the_columns_of_a_row_cannot_be_set_from_outside(house):
    columns = set(Feedback.model_fields) | set(FeedbackRevision.model_fields) | {"state", "key", "roles", "is_admin"}
    for column in sorted(columns - {"source", "external_id", "revision", "submitted_at"}):
        answer = house.client().post("/v1/feedback", json={**record("columns"), column: "x"})
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{column}"]
