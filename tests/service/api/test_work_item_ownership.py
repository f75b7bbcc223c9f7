"""Whose an item is, over HTTP: offered and accepted, past the groups and reviewed, given away in bulk."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from sqlmodel import col, select

from service.people.access import create_key
from service.store.tables import Notice, User, WorkItem
from service.work.timers import tick

POLICY = """
name: ownership
fields: {customer.attributes.risk: number}
rules:
  - {name: r, when: scores.nps <= 6, then: {create: ticket, assign: desk, sla: quick}}
bypass:
  - {name: key, when: customer.account_value >= 100000, to: kim, quota: 2, reason: the contract names her}
  - {name: risk, when: customer.attributes.risk >= 0.8, to: kim, quota: 9, reason: may leave}
slas: {quick: {resolve: 5d, hand_off: 30m}}
groups:
  desk: {people: [ana]}
  pool: {people: [lou, joe], capacity: 2}
"""
PEOPLE = ("ana", "sam", "kim", "max", "lou", "joe")


@pytest.fixture(scope="module")
def people(house) -> Iterator[dict[str, httpx.Client]]:
    """A client for each person, who has an account and a key of that name; the policy of this file decides."""
    with house.database.session() as session:
        session.add_all([User(name=name, roles=["supervisor"]) for name in PEOPLE])
        made = {
            name: create_key(session, house.vault, name=name, role="supervisor", source=None, actor="test").key
            for name in PEOPLE
        }
        session.commit()
    version = house.client().post("/v1/policies", content=POLICY).raise_for_status().json()["version"]
    house.client().post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    clients = {
        name: httpx.Client(base_url=house.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=30)
        for name, key in made.items()
    }
    yield clients
    for client in clients.values():
        client.close()


@pytest.fixture
def made(house, people):
    """Make items, one for each customer given."""

    def make(*customers: dict) -> list[dict]:
        records = [
            {"source": "s", "external_id": house.unique(), "scores": {"nps": 2}, "customer": customer}
            for customer in customers
        ]
        posted = house.client().post("/v1/feedback", json=records).raise_for_status().json()["results"]
        house.drain()
        stories = [house.client().get(f"/v1/feedback/{one['id']}").json() for one in posted]
        return [story["work_items"][0] for story in stories]

    return make


def happened(client: httpx.Client, item: dict, type: str, **more) -> dict:
    answer = client.post(f"/v1/work-items/{item['id']}/events", json={"type": type, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(client: httpx.Client, item: dict, type: str, **more) -> str:
    answer = client.post(f"/v1/work-items/{item['id']}/events", json={"type": type, **more})
    assert answer.status_code == 409, answer.text
    return answer.json()["detail"]


def told(house, item: dict) -> list[tuple[str, str]]:
    """Who was told what about an item, beside that it was theirs from the beginning."""
    query = select(Notice).where(col(Notice.work_item_id) == UUID(item["id"])).order_by(col(Notice.id))
    with house.database.session() as session:
        return [(row.person, row.kind) for row in session.exec(query)][1:]


def test_an_offer_is_theirs_once_they_accept(house, people, made):
    (item,) = made({})
    offered = happened(people["ana"], item, "hand_off", owner="sam", comment="you know them")
    due = datetime.fromisoformat(offered["offer_due_at"])
    said = offered["events"][-1]

    assert (offered["owner"], offered["offered_to"]) == ("ana", "sam")
    assert due - datetime.fromisoformat(said["at"]) == timedelta(minutes=30)
    assert said["data"] == {"owner": "sam", "comment": "you know them", "due_at": said["data"]["due_at"]}
    assert "only they may accept it" in refused(people["max"], item, "accept")
    assert "offered to sam already" in refused(people["ana"], item, "hand_off", owner="max")
    taken = happened(people["sam"], item, "accept")
    assert (taken["owner"], taken["offered_to"], taken["offer_due_at"]) == ("sam", None, None)
    assert taken["events"][-1]["data"] == {"owner": "sam", "from": "ana"}
    assert taken["targets"] == item["targets"]
    assert told(house, item) == [("sam", "offered"), ("ana", "accepted")]


def test_an_offer_is_declined_or_taken_back_with_a_word_why(house, people, made):
    (item,) = made({})
    happened(people["ana"], item, "hand_off", owner="sam")
    assert "may take the offer back" in refused(people["max"], item, "decline", comment="no")
    declined = happened(people["sam"], item, "decline", comment="I am away")
    assert (declined["owner"], declined["offered_to"]) == ("ana", None)
    happened(people["ana"], item, "hand_off", owner="sam")
    back = happened(people["ana"], item, "decline", comment="not needed")

    assert (back["owner"], back["offered_to"]) == ("ana", None)
    assert back["events"][-1]["data"] == {"comment": "not needed", "offered_to": "sam", "withdrawn": True}
    assert told(house, item) == [("sam", "offered"), ("ana", "declined"), ("sam", "offered"), ("sam", "withdrawn")]
    answer = people["sam"].post(f"/v1/work-items/{item['id']}/events", json={"type": "decline"})
    assert answer.json()["errors"][0]["pointer"] == "/comment"


@pytest.mark.parametrize(
    ("ending", "owner", "news"),
    [
        ({"type": "assign", "owner": "max"}, "max", [("max", "assigned"), ("sam", "withdrawn")]),
        ({"type": "assign", "owner": "sam"}, "sam", [("sam", "assigned")]),
        ({"type": "resolve"}, "ana", [("sam", "withdrawn")]),
    ],
)
def test_what_is_given_at_once_or_done_ends_an_offer(house, people, made, ending, owner, news):
    (item,) = made({})
    happened(people["ana"], item, "hand_off", owner="sam")
    ended = happened(people["ana"], item, **ending)

    assert (ended["owner"], ended["offered_to"], ended["offer_due_at"]) == (owner, None, None)
    assert sorted(told(house, item)[1:]) == sorted(news)
    assert "not offered to anybody" in refused(people["sam"], item, "accept")


def test_an_offer_nobody_took_up_lapses_once(house, people, made):
    (item,) = made({})
    offered = happened(people["ana"], item, "hand_off", owner="sam")
    due = datetime.fromisoformat(offered["offer_due_at"])
    for moment in (due - timedelta(seconds=1), due, due, due + timedelta(hours=1)):
        with house.database.session() as session:
            tick(session, UUID(item["id"]), moment)
            session.commit()
        if moment < due:
            assert people["ana"].get(f"/v1/work-items/{item['id']}").json()["offered_to"] == "sam"
    lapsed = people["ana"].get(f"/v1/work-items/{item['id']}").json()

    assert (lapsed["owner"], lapsed["offered_to"], lapsed["offer_due_at"]) == ("ana", None, None)
    assert [one["type"] for one in lapsed["events"]] == ["created", "hand_off", "hand_off_lapsed"]
    assert (lapsed["events"][-1]["actor"], lapsed["events"][-1]["data"]["offered_to"]) == ("heed", "sam")
    assert told(house, item) == [("sam", "offered"), ("ana", "lapsed"), ("sam", "lapsed")]
    again = happened(people["ana"], item, "hand_off", owner="sam")
    assert again["offered_to"] == "sam"


def test_an_offer_of_an_item_without_service_level_stands_for_four_hours(house, people, made):
    (item,) = made({})
    with house.database.session() as session:
        row = session.get_one(WorkItem, UUID(item["id"]))
        row.sla = row.due_at = row.resolve_due_at = row.tick_at = None
        session.commit()
    offered = happened(people["ana"], item, "hand_off", owner="sam")

    stands = datetime.fromisoformat(offered["offer_due_at"]) - datetime.fromisoformat(offered["events"][-1]["at"])
    assert stands == timedelta(hours=4)


def test_a_bypass_is_recorded_listed_and_reviewed_once(house, people, made):
    key, more, late, risk, plain = made(
        *[{"account_value": 200_000}] * 3, {"attributes": {"risk": 0.9}}, {"account_value": 5}
    )

    assert [one["owner"] for one in (key, more, late, risk, plain)] == ["kim", "kim", "ana", "kim", "ana"]
    assert key["bypass"] == {"name": "key", "reason": "the contract names her", "reviewed": None}
    assert (late["bypass"], plain["bypass"]) == (None, None)
    created = key["events"][0]["data"]
    assert (created["bypass"], created["reason"]) == ("key", "the contract names her")
    assert late["events"][0]["data"]["notes"] == ["the bypass key has used up its 2 of today; so the group decides"]

    happened(people["kim"], key, "resolve")
    said = happened(people["max"], key, "review_bypass", fitting=False, comment="an ordinary case")
    reviewed = said["bypass"]["reviewed"]
    assert (reviewed["fitting"], reviewed["by"], reviewed["comment"]) == (False, "max", "an ordinary case")
    assert said["status"] == "resolved"
    assert "max has reviewed this bypass already" in refused(people["ana"], key, "review_bypass", fitting=True)
    assert "did not bypass" in refused(people["ana"], plain, "review_bypass", fitting=True)

    def listed(**query) -> set[str]:
        return {one["id"] for one in people["ana"].get("/v1/work-items", params=query).json()["items"]}

    assert listed(bypass="any") == {key["id"], more["id"], risk["id"]}
    assert listed(bypass="key") == {key["id"], more["id"]}
    assert listed(bypass="any", reviewed=False) == listed(reviewed=False) == {more["id"], risk["id"]}
    assert listed(bypass="key", reviewed=True) == {key["id"]}
    assert listed(bypass="nothing") == set()


def moved(client: httpx.Client, **order) -> dict:
    return client.post("/v1/work-items/reassign", json={"comment": "on leave", **order}).raise_for_status().json()


def test_all_that_somebody_has_goes_to_somebody_else(house, people, made):
    items = made(*[{"tier": "leave"}] * 4)
    for item in items:
        happened(people["ana"], item, "assign", owner="ben")
    happened(people["ana"], items[0], "hand_off", owner="kim")
    happened(people["ana"], items[3], "resolve")
    done = moved(people["max"], **{"from": "ben", "to": "sam", "kind": "ticket"})

    assert (done["reassigned"], done["left"], done["items"]) == (3, 0, [item["id"] for item in items[:3]])
    first = people["max"].get(f"/v1/work-items/{items[0]['id']}").json()
    assert (first["owner"], first["offered_to"], first["events"][-1]["actor"]) == ("sam", None, "max")
    assert first["events"][-1]["data"] == {"owner": "sam", "from": "ben", "comment": "on leave", "withdrawn": "kim"}
    assert people["max"].get(f"/v1/work-items/{items[3]['id']}").json()["owner"] == "ben"
    assert moved(people["max"], **{"from": "ben", "to": "sam"}) == {"reassigned": 0, "left": 0, "items": []}
    with house.database.session() as session:
        words = session.exec(select(Notice.words).where(col(Notice.once_key).like("reassigned:%"))).all()
    assert words == ["max gave you 3 items that ben had: on leave"]


def test_what_goes_to_a_group_is_spread_within_its_capacity(people, made):
    for item in made(*[{"tier": "spread"}] * 5):
        happened(people["ana"], item, "assign", owner="eve")
    done = moved(people["ana"], **{"from": "eve", "to": "pool"})
    owners = [people["ana"].get(f"/v1/work-items/{item}").json()["owner"] for item in done["items"]]

    assert (done["reassigned"], done["left"]) == (4, 1)
    assert owners == ["lou", "joe", "lou", "joe"]
    again = moved(people["ana"], **{"from": "lou", "to": "pool"})
    assert (again["reassigned"], again["left"]) == (0, 2)  # joe is full, and lou is who gives


@pytest.mark.parametrize(
    ("order", "pointer"),
    [
        ({"from": "ana", "to": "ana", "comment": "x"}, "/to"),
        ({"from": "ana", "to": "", "comment": "x"}, "/to"),
        ({"from": "ana", "to": "sam"}, "/comment"),
        ({"to": "sam", "comment": "x"}, "/from"),
        ({"from": "ana", "to": "sam", "comment": "x", "kind": "tickets"}, "/kind"),
        ({"from": "ana", "to": "sam", "comment": "x", "all": True}, "/all"),
    ],
)
def test_an_order_that_makes_no_sense_changes_nothing(people, order, pointer):
    answer = people["ana"].post("/v1/work-items/reassign", json=order)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
