"""`/v1/people` and `/v1/notices`: settings kept by an admin, and what people were told."""

from datetime import UTC, datetime, timedelta

import pytest
from builders import record

from service.people.users import add_user
from service.store.tables import Notice

POLICY = """
name: people
rules:
  - {name: low, when: scores.nps <= 6, then: {create: ticket, assign: desk}}
groups:
  desk: {people: [ana]}
"""
SETTINGS = {
    "manager": "eva",
    "zone": "Europe/Warsaw",
    "hours": {"mon-fri": ["09:00-12:30", "13:00-17:00"]},
    "substitute": "eva",
    "digest": "09:00",
    "alerts": 20,
}


@pytest.fixture(scope="module", autouse=True)
def team(house):
    with house.database.session() as session:
        for name in ("ana", "eva"):
            add_user(session, name=name, roles=["supervisor"], password="a long password", actor="test")
    admin = house.client()
    admin.post("/v1/policies", content=POLICY).raise_for_status()
    admin.post("/v1/policies/2/activate", json={"comment": "people"}).raise_for_status()


def test_settings_are_kept_as_they_were_written_and_taken_away_with_null(house):
    admin = house.client()
    made = admin.patch("/v1/people/ana", json=SETTINGS)
    assert made.status_code == 200, made.text
    shown = made.json()
    assert {name: shown[name] for name in SETTINGS} == SETTINGS
    assert (shown["active"], shown["away"], shown["roles"], shown["destination"]) == (True, False, ["supervisor"], None)
    assert "password" not in made.text

    away = admin.patch("/v1/people/ana", json={"absent_from": "2020-01-01T00:00:00Z", "digest": None}).json()
    assert (away["away"], away["digest"], away["zone"]) == (True, None, "Europe/Warsaw")
    assert admin.patch("/v1/people/ana", json={"absent_from": None, "hours": None}).json()["away"] is False
    assert [one["name"] for one in admin.get("/v1/people").json()["items"]] == ["ana", "eva"]


def test_people_come_a_page_at_a_time(house):
    first = house.client().get("/v1/people", params={"limit": 1}).json()
    second = house.client().get("/v1/people", params={"limit": 1, "cursor": first["next"]}).json()
    assert [one["name"] for page in (first, second) for one in page["items"]] == ["ana", "eva"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"zone": "Mars/Base"}, "/zone"),
        ({"hours": {"mon": "09:00-17:00"}}, "/hours/mon"),
        ({"hours": {"mon": ["25:00-26:00"]}}, "/hours"),
        ({"alerts": True}, "/alerts"),
        ({"alerts": "5"}, "/alerts"),
        ({"alerts": 5.5}, "/alerts"),
        ({"absent_from": "tomorrow"}, "/absent_from"),
        ({"absent_from": "2026-12-23T00:00:00"}, "/absent_from"),
        ({"manager": "nobody"}, "/manager"),
        ({"manager": "x" * 1_000_000}, "/manager"),
        ({"colour": "red"}, "/colour"),
        ({"digest": "noon", "alerts": 0}, "/digest"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(house, sent, pointer):
    answer = house.client().patch("/v1/people/eva", json=sent)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_work_that_comes_in_is_told_to_its_owner_and_seen_once(house):
    house.client().patch("/v1/people/ana", json=dict.fromkeys(SETTINGS)).raise_for_status()
    supervisor = house.client("supervisor")
    house.client().post("/v1/feedback", json=record("told", scores={"nps": 1})).raise_for_status()
    house.drain()

    (notice,) = supervisor.get("/v1/notices", params={"person": "ana"}).json()["items"]
    item = supervisor.get(f"/v1/work-items/{notice['work_item_id']}").json()
    assert (notice["kind"], notice["words"], notice["seen_at"]) == ("assigned", item["title"], None)
    assert datetime.fromisoformat(notice["told_at"]) >= datetime.fromisoformat(notice["due_at"])
    assert supervisor.get("/v1/notices", params={"person": "eva"}).json() == {"items": [], "next": None}

    first = supervisor.post(f"/v1/notices/{notice['id']}/seen").json()["seen_at"]
    assert first is not None
    assert supervisor.post(f"/v1/notices/{notice['id']}/seen").json()["seen_at"] == first


def test_notices_come_newest_first_page_by_page(house):
    begun = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    with house.database.session() as session:
        for number in range(5):
            at = begun + timedelta(minutes=number)
            told = {"words": str(number), "once_key": f"page-{number}", "created_at": at, "due_at": at}
            session.add(Notice(person="eva", kind="assigned", **told))
    found, cursor = [], None
    while True:
        asked = {"person": "eva", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = house.client().get("/v1/notices", params=asked).json()
        found += [one["words"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == ["4", "3", "2", "1", "0"]
