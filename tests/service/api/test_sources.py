"""`/v1/sources`: who sends, since when, and never a secret."""

from datetime import datetime

import pytest
from builders import record
from sqlalchemy import text


@pytest.fixture(scope="module", autouse=True)
def three(house):
    names = ("app", "branch", "call-centre")
    for name in names:
        house.client().post("/v1/feedback", json=record(house.unique(), source=name)).raise_for_status()
    return names


def test_a_source_tells_where_to_send_and_when_its_newest_record_came(house):
    shown = house.client().get("/v1/sources/branch").json()
    assert {name: shown[name] for name in ("name", "kind", "settings")} == {
        "name": "branch",
        "kind": "api",
        "settings": {},
    }
    assert shown["address"] == f"{house.url}/v1/feedback"
    assert datetime.fromisoformat(shown["created_at"]) <= datetime.fromisoformat(shown["newest_at"])


@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_pages_of_any_size_hold_all_by_name(house, three, limit):
    found, cursor = [], ""
    while cursor is not None:
        page = house.client().get("/v1/sources", params={"limit": limit, "cursor": cursor}).json()
        found += [one["name"] for one in page["items"]]
        cursor = page["next"]
    assert tuple(found) == three


def test_what_is_missing_is_missing(house):
    assert house.client().get("/v1/sources/nobody").status_code == 404


def test_a_token_among_the_settings_is_never_shown(house):
    with house.database.session() as session:
        session.execute(
            text('UPDATE source SET settings = \'{"token": "planted", "scales": {}}\' WHERE name = \'app\'')
        )
    for path in ("/v1/sources", "/v1/sources/app"):
        answer = house.client().get(path)
        assert "planted" not in answer.text
    assert answer.json()["settings"] == {"scales": {}}


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("auditor", 200), ("supervisor", 403), ("source", 403)])
def test_who_may_look(house, role, status):
    for path in ("/v1/sources", "/v1/sources/app"):
        assert house.client(role).get(path).status_code == status


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_nothing_else_is_there_yet(house, method):
    assert house.client().request(method, "/v1/sources", json={}).status_code == 405
