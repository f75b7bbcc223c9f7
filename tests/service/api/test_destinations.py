from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from builders import record
from sqlalchemy import text

from service.demo.helpdesk import HelpDesk
from service.store.database import Database

POLICY = """
name: delivers
rules:
  - {name: low, when: scores.nps <= 6, then: {create: follow_up, deliver: [desk]}}
"""


def made(admin: httpx.Client, desk: HelpDesk, name: str = "desk", **changes) -> httpx.Response:
    wanted = {"name": name, "kind": "webhook", "secrets": [desk.secret], "settings": {"base_url": desk.url}}
    return admin.post("/v1/destinations", json={**wanted, **changes})


def audited(database: Database) -> list[tuple]:
    with database.session() as session:
        found = text("SELECT actor, action, object, data FROM audit_event WHERE action ~ '^(destination|delivery)'")
        return [tuple(row) for row in session.execute(found)]


def test_a_secret_of_ours_is_shown_once(admin, desk):
    answer = made(admin, desk, secrets=[])
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["secret"].startswith("whsec_")
    assert shown == {
        "name": "desk",
        "kind": "webhook",
        "address": desk.url,
        "secret": shown["secret"],
        "settings": {"base_url": desk.url},
        "enabled": True,
        "disabled_reason": None,
    }
    kept = {**shown, "secret": None}
    assert admin.get("/v1/destinations/desk").json() == kept
    assert admin.get("/v1/destinations").json() == {"items": [kept], "next": None}
    assert admin.patch("/v1/destinations/desk", json={"enabled": True}).json() == kept


def test_a_secret_of_theirs_is_never_shown(admin, desk):
    answer = made(admin, desk)
    assert answer.json()["secret"] is None
    assert desk.secret not in answer.text + admin.get("/v1/destinations").text


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"kind": "pigeon"}, ["/kind"]),
        ({"settings": {}}, ["/settings/base_url"]),
        ({"settings": {"base_url": "https://example.com", "colour": "red"}}, ["/settings/colour"]),
        ({"settings": {"base_url": "http://example.com"}}, ["/settings/base_url"]),
        ({"settings": {"base_url": "http://127.0.0.1:1/"}}, ["/settings/base_url"]),
        ({"settings": {"base_url": "https://user:pass@example.com"}}, ["/settings/base_url"]),
        ({"secrets": ["short"]}, ["/secrets/0"]),
        ({"settings": {"base_url": 7}, "secrets": ["whsec_!!"]}, ["/settings/base_url", "/secrets/0"]),
        ({"secrets": ["a", "b", "c", "d", "e"]}, ["/secrets"]),
        ({"name": "with space"}, ["/name"]),
        ({"name": "x" * 65}, ["/name"]),
        ({"extra": 1}, ["/extra"]),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(admin, desk, database, changes, pointers):
    answer = made(admin, desk, **changes)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert all(error["detail"] for error in answer.json()["errors"])
    assert admin.get("/v1/destinations").json()["items"] == []
    assert audited(database) == []


def test_a_name_is_taken_once(admin, desk):
    assert made(admin, desk).status_code == 201
    again = made(admin, desk, settings={"base_url": "https://example.com"})
    assert again.status_code == 409
    assert "PATCH" in again.json()["detail"]
    assert admin.get("/v1/destinations/desk").json()["address"] == desk.url


def test_of_two_who_set_one_up_at_once_one_is_told(admin, desk):
    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(lambda _: made(admin, desk).status_code, range(4)))
    assert answers == [201, 409, 409, 409]


def test_changing_switching_off_and_removing(admin, desk, database):
    made(admin, desk)
    url = f"{desk.url}?team=a"
    assert admin.patch("/v1/destinations/desk", json={"settings": {"base_url": url}}).json()["address"] == url
    wrong = admin.patch("/v1/destinations/desk", json={"settings": {"base_url": "ftp://x"}})
    assert wrong.json()["errors"][0]["pointer"] == "/settings/base_url"
    assert admin.get("/v1/destinations/desk").json()["address"] == url
    off = admin.patch("/v1/destinations/desk", json={"enabled": False}).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "switched off by admin")
    on = admin.patch("/v1/destinations/desk", json={"enabled": True}).json()
    assert (on["enabled"], on["disabled_reason"]) == (True, None)
    assert admin.delete("/v1/destinations/desk").status_code == 204
    for method in (admin.get, admin.delete):
        assert method("/v1/destinations/desk").status_code == 404
    assert audited(database) == [
        ("admin", "destination.created", "desk", {"kind": "webhook"}),
        ("admin", "destination.changed", "desk", {"changed": ["settings"]}),
        ("admin", "destination.changed", "desk", {"changed": ["enabled"]}),
        ("admin", "destination.changed", "desk", {"changed": ["enabled"]}),
        ("admin", "destination.deleted", "desk", {}),
    ]


def test_a_test_call_says_how_it_went(admin, desk):
    made(admin, desk)
    assert admin.post("/v1/destinations/desk/test").json() == {"ok": True, "detail": None}
    made(admin, desk, name="other", secrets=[])  # a secret the help desk does not know
    told = admin.post("/v1/destinations/other/test").json()
    assert told["ok"] is False
    assert told["detail"].startswith("answered 401")
    assert admin.post("/v1/destinations/nowhere/test").status_code == 404


def test_unreadable_secrets_are_set_again(admin, desk, database):
    made(admin, desk)
    with database.session() as session:
        session.execute(text("UPDATE destination SET secrets = set_byte(secrets, 20, get_byte(secrets, 20) # 1)"))
    for told in (
        admin.post("/v1/destinations/desk/test"),
        admin.patch("/v1/destinations/desk", json={"enabled": True}),
    ):
        assert told.status_code == 409, told.text
        assert "cannot be read: set them again" in told.json()["detail"]
    assert admin.patch("/v1/destinations/desk", json={"enabled": False}).json()["enabled"] is False
    assert admin.patch("/v1/destinations/desk", json={"secrets": [desk.secret]}).status_code == 200
    assert admin.post("/v1/destinations/desk/test").json()["ok"] is True


def test_the_list_has_pages(admin, desk):
    for name in ("c", "a", "b"):
        made(admin, desk, name=name)
    first = admin.get("/v1/destinations", params={"limit": 2}).json()
    second = admin.get("/v1/destinations", params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["name"] for one in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next"] is None


@pytest.mark.parametrize("role", ["supervisor", "product", "reviewer", "source"])
def test_destinations_are_the_admins(signed_in, admin, desk, role):
    made(admin, desk)
    client = signed_in(role)
    assert made(client, desk, name="mine").status_code == 403
    assert client.get("/v1/destinations").status_code == 403
    assert client.patch("/v1/destinations/desk", json={"enabled": False}).status_code == 403
    assert client.delete("/v1/destinations/desk").status_code == 403
    assert client.post("/v1/destinations/desk/test").status_code == 403
    assert signed_in("auditor").get("/v1/destinations/desk").status_code == 200


@pytest.fixture
def waiting(admin: httpx.Client, drain: Callable[[], None]) -> str:
    """The id of a delivery that waits for a destination named desk."""
    admin.post("/v1/policies", content=POLICY).raise_for_status()
    admin.post("/v1/policies/2/activate", json={"comment": "test"}).raise_for_status()
    admin.post("/v1/feedback", json=record(scores={"nps": 1})).raise_for_status()
    drain()
    (delivery,) = admin.get("/v1/deliveries").json()["items"]
    return delivery["id"]


def the(admin: httpx.Client, delivery: str) -> dict:
    (found,) = [one for one in admin.get("/v1/deliveries").json()["items"] if one["id"] == delivery]
    return found


def test_only_a_dead_delivery_is_replayed(admin, drain, desk, database, waiting):
    replay = f"/v1/deliveries/{waiting}/replay"
    refused = admin.post(replay)
    assert (refused.status_code, refused.json()["status"]) == (409, 409)
    made(admin, desk, secrets=[])  # the wrong secret: refused with 401, and tried again for three days
    drain()
    tried = the(admin, waiting)
    assert (tried["state"], tried["attempts"], tried["last_error"][:12]) == ("pending", 1, "answered 401")
    with database.session() as session:
        session.execute(text("UPDATE delivery SET state = 'dead', next_at = NULL"))  # which are over here
        session.execute(text("DELETE FROM procrastinate_jobs WHERE task_name = 'deliver' AND status = 'todo'"))
    dead = the(admin, waiting)
    assert [one["id"] for one in admin.get("/v1/deliveries?state=dead").json()["items"]] == [waiting]
    assert admin.get("/v1/deliveries?state=delivered").json()["items"] == []
    assert admin.get("/v1/deliveries?destination=other").json()["items"] == []

    admin.patch("/v1/destinations/desk", json={"secrets": [desk.secret]}).raise_for_status()
    again = admin.post(replay)
    assert (again.status_code, again.json()["state"]) == (200, "pending")
    drain()
    sent = the(admin, waiting)
    assert (sent["state"], sent["attempts"], sent["idempotency_key"]) == ("delivered", 2, dead["idempotency_key"])
    assert admin.post(replay).status_code == 409
    assert ("admin", "delivery.replayed", waiting, {"destination": "desk"}) in audited(database)
    missing = "0198c0de-0000-7000-8000-000000000001"
    assert admin.post(f"/v1/deliveries/{missing}/replay").status_code == 404


def test_a_delivery_waits_while_its_destination_is_off(admin, drain, desk, waiting):
    made(admin, desk)
    admin.patch("/v1/destinations/desk", json={"enabled": False}).raise_for_status()
    drain()
    assert (the(admin, waiting)["state"], the(admin, waiting)["next_at"]) == ("pending", None)
    admin.patch("/v1/destinations/desk", json={"enabled": True}).raise_for_status()
    drain()
    assert the(admin, waiting)["state"] == "delivered"
