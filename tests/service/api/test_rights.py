"""Who may call what: one table for every route and role. A route without a row fails the suite."""

import re

import pytest
from builders import record

from service.app import create_app
from service.people.access import revoke_key

ROLES = ("source", "supervisor", "product", "reviewer", "auditor", "admin")
NOBODY = "0199a0f0-0000-7000-8000-000000000000"
PLACES = {"{feedback_id}": NOBODY, "{item_id}": NOBODY, "{delivery_id}": NOBODY, "{decision_id}": NOBODY}
PLACES |= {"{version}": "77", "{name}": "nobody"}

# Method, path, a body that is well-formed, and who may. `auditor` may every GET and `admin` everything.
TABLE = [
    ("POST", "/v1/feedback", record("matrix", source="mine"), "source"),
    ("GET", "/v1/feedback", None, "source supervisor product"),
    ("GET", "/v1/feedback/{feedback_id}", None, "source supervisor product"),
    ("POST", "/v1/feedback/{feedback_id}/retry", None, ""),
    ("POST", "/v1/classify", {"texts": ["Fine."]}, "supervisor product"),
    ("GET", "/v1/work-items", None, "supervisor"),
    ("GET", "/v1/work-items/{item_id}", None, "supervisor"),
    ("POST", "/v1/work-items/{item_id}/events", {"type": "acknowledge"}, "supervisor"),
    ("GET", "/v1/deliveries", None, ""),
    ("POST", "/v1/deliveries/{delivery_id}/replay", None, ""),
    ("GET", "/v1/decisions/{decision_id}", None, "supervisor"),
    ("POST", "/v1/decisions/{decision_id}/replay", None, "supervisor"),
    ("POST", "/v1/policies", {"name": "matrix", "rules": []}, ""),
    ("GET", "/v1/policies", None, "supervisor"),
    ("GET", "/v1/policies/{version}", None, "supervisor"),
    ("POST", "/v1/policies/{version}/activate", {"comment": "test"}, ""),
    ("POST", "/v1/destinations", {"name": "m", "kind": "no-such-kind"}, ""),
    ("GET", "/v1/destinations", None, ""),
    ("GET", "/v1/destinations/{name}", None, ""),
    ("PATCH", "/v1/destinations/{name}", {"enabled": True}, ""),
    ("DELETE", "/v1/destinations/{name}", None, ""),
    ("POST", "/v1/destinations/{name}/test", None, ""),
]
PUBLIC = {("GET", "/livez"), ("GET", "/readyz"), ("GET", "/metrics"), ("GET", "/openapi.json")}
CALLS = [(method, path, body) for method, path, body, _ in TABLE]
ALLOWED = {
    (method, path): {*who.split(), "admin", *(["auditor"] if method == "GET" else [])} for method, path, _, who in TABLE
}


def concrete(path: str) -> str:
    return re.sub(r"\{\w+\}", lambda found: PLACES[found[0]], path)


def test_every_route_has_its_row(house):
    document = create_app(house.wiring).openapi()
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert routes | {("GET", "/openapi.json")} == set(ALLOWED) | PUBLIC
    open_routes = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not operation.get("security")
    }
    assert open_routes == PUBLIC - {("GET", "/openapi.json")}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_role(house, method, path, body, role):
    answer = house.client(role).request(method, concrete(path), json=body)
    if role in ALLOWED[method, path]:
        assert answer.status_code in {200, 201, 202, 404, 422}, answer.text
    else:
        assert (answer.status_code, answer.json()["type"]) == (403, "not-allowed")
        assert f"'{role}'" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_without_a_key_or_with_a_bad_one(house, method, path, body):
    revoked = house.key("admin")
    with house.database.session() as session:
        from_store = session.connection().exec_driver_sql("SELECT id FROM api_key ORDER BY created_at DESC LIMIT 1")
        assert revoke_key(session, from_store.scalar_one(), actor="test")
    for key in (None, "heed_live_nobody", revoked):
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        answer = house.stranger.request(method, concrete(path), json=body, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "not-signed-in")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", sorted(path for _, path in PUBLIC))
def test_public(house, path):
    assert house.stranger.get(path).status_code == 200


ODD = ["", "Bearer", "Basic YTpi", "heed_live_x", "Bearer \u00e9\u00fc", "Bearer " + "x" * 10_000, "Digest a=b"]


@pytest.mark.parametrize("value", ODD, ids=[value[:12] for value in ODD])
def test_an_odd_authorization_is_401(house, value):
    headers = {"Authorization": value.encode("latin-1")}
    answer = house.stranger.get("/v1/feedback", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (401, "not-signed-in")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_has_no_case(house, scheme):
    headers = {"Authorization": f"{scheme} {house.key('admin')}"}
    assert house.stranger.get("/v1/feedback", headers=headers).status_code == 200


def test_a_key_in_another_case_or_cut_short_is_none(house):
    key = house.key("admin")
    for wrong in (key.swapcase(), key[:-1], key + "x", key.removeprefix("heed_live_")):
        headers = {"Authorization": f"Bearer {wrong}"}
        assert house.stranger.get("/v1/feedback", headers=headers).status_code == 401


def test_a_bound_source_key_reads_its_own_only(house):
    sent = [record("bound", source="shop-a"), record("bound", source="shop-b")]
    own, other = (one["id"] for one in house.client().post("/v1/feedback", json=sent).json()["results"])
    bound, free = house.client("source", "shop-a"), house.client("source")
    assert bound.get(f"/v1/feedback/{own}").status_code == 200
    hidden, missing = bound.get(f"/v1/feedback/{other}"), bound.get(f"/v1/feedback/{NOBODY}")
    assert (hidden.status_code, hidden.json()) == (404, missing.json())
    assert {one["source"] for one in bound.get("/v1/feedback").json()["items"]} == {"shop-a"}
    assert bound.get("/v1/feedback", params={"source": "shop-b"}).json()["items"] == []
    assert {one["id"] for one in free.get("/v1/feedback").json()["items"]} >= {own, other}


def test_the_columns_of_a_row_cannot_be_set_from_outside(house):
    columns = (
        "id",
        "stage",
        "state",
        "attempts",
        "reason",
        "history",
        "received_at",
        "withdrawn_at",
        "digest",
        "key_id",
    )
    for column in columns:
        answer = house.client().post("/v1/feedback", json={**record("columns"), column: "x"})
        assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{column}"]
