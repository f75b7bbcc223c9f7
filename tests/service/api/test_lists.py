"""Lists: newest first, page by page without gap or double, filtered, and clear about what is wrong."""

from itertools import count

import pytest
from builders import record

LISTS = ["/v1/feedback", "/v1/work-items", "/v1/deliveries"]
RULES = """
name: lists
rules:
  - {name: all, when: scores.nps <= 10, then: {create: ticket, deliver: [nowhere]}}
"""


@pytest.fixture(scope="module", autouse=True)
def filled(house):
    admin = house.client()
    assert admin.post("/v1/policies", content=RULES).status_code == 201
    assert admin.post("/v1/policies/2/activate", json={"comment": "lists"}).status_code == 200
    for n in range(7):
        sent = record(f"old-{n}", scores={"nps": n}, source="even" if n % 2 == 0 else "odd")
        assert admin.post("/v1/feedback", json=sent).status_code == 202
    house.drain()


def pages(client, path: str, limit: int, between=lambda: None, **filters) -> list[dict]:
    items, cursor = [], None
    while True:
        page = client.get(path, params={**filters, "limit": limit, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["items"]) <= limit
        items.extend(page["items"])
        cursor = page["next"]
        if cursor is None:
            return items
        assert len(page["items"]) == limit
        between()


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_pages_of_any_size_hold_the_same(house, path, limit):
    whole = house.client().get(path, params={"limit": 200}).json()
    assert whole["next"] is None
    assert len(whole["items"]) >= 7
    assert pages(house.client(), path, limit) == whole["items"]
    assert len(house.client().get(path).json()["items"]) <= 50


@pytest.mark.parametrize("path", LISTS)
def test_newest_first(house, path):
    moments = [one.get("received_at") or one["created_at"] for one in house.client().get(path).json()["items"]]
    assert moments == sorted(moments, reverse=True)


def test_rows_added_meanwhile_neither_hide_nor_double_one(house):
    before = [one["id"] for one in pages(house.client(), "/v1/feedback", 200)]
    numbers = count()

    def add() -> None:
        assert house.client().post("/v1/feedback", json=record(f"added-{next(numbers)}")).status_code == 202

    seen = [one["id"] for one in pages(house.client(), "/v1/feedback", 2, between=add)]
    assert seen == before


def test_versions_and_destinations_come_in_pages_too(house):
    admin = house.client()
    versions = [one["version"] for one in pages(admin, "/v1/policies", 1)]
    assert versions == sorted(versions, reverse=True)
    assert versions[-2:] == [2, 1]
    for name in ("c", "a", "b"):
        made = {"name": name, "kind": "webhook", "settings": {"base_url": "https://desk.example.com/"}}
        assert admin.post("/v1/destinations", json=made).status_code == 201
    for limit in (1, 2, 3, 200):
        assert [one["name"] for one in pages(admin, "/v1/destinations", limit)] == ["a", "b", "c"]


def names(house, **filters) -> set[str]:
    return {one["external_id"] for one in pages(house.client(), "/v1/feedback", 200, **filters)}


def test_feedback_by_state_source_label_and_time(house):
    old = {f"old-{n}" for n in range(7)}
    assert names(house, state="routed") == old
    assert names(house, state="quarantined") == set()
    assert names(house, source="even") == {"old-0", "old-2", "old-4", "old-6"}
    assert names(house, source="even", state="received") == set()
    assert names(house, label="topic:delivery") == old
    assert names(house, label="sentiment:negative") == old
    assert names(house, label="sentiment:positive") == set()
    assert names(house, label='topic:"] or true') == set()


def test_since_is_inclusive_in_any_zone(house):
    rows = [one for one in pages(house.client(), "/v1/feedback", 200) if one["external_id"].startswith("old")]
    fourth = rows[3]
    newer = {one["external_id"] for one in rows[:4]}
    found = names(house, since=fourth["received_at"], state="routed")
    assert found == newer
    shifted = fourth["received_at"].replace("Z", "+00:00")
    assert names(house, since=shifted, state="routed") == newer
    assert names(house, since="2026-01-01T00:00:00+23:59", state="routed") == {one["external_id"] for one in rows}
    assert names(house, since="2999-01-01T00:00:00Z") == set()


def test_work_items_and_deliveries_by_their_filters(house):
    client = house.client()
    items = pages(client, "/v1/work-items", 200)
    assert {one["kind"] for one in items} == {"ticket"}
    assert pages(client, "/v1/work-items", 200, kind="ticket", status="open") == items
    assert pages(client, "/v1/work-items", 200, kind="review") == []
    assert pages(client, "/v1/work-items", 200, owner="ana") == []
    assert pages(client, "/v1/work-items", 200, due_before="2999-01-01T00:00:00+23:59") == []
    assert len(pages(client, "/v1/deliveries", 200, state="pending", destination="nowhere")) == 7
    assert pages(client, "/v1/deliveries", 200, destination="elsewhere") == []
