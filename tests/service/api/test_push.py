"""`POST /v1/feedback`: every rule of the record, what becomes of it, and lists that are stored whole or not at all."""

import copy
import json
from typing import Any

import httpx
import pytest
from builders import record

BIG = 2**70


@pytest.fixture(scope="module")
def push(house):
    return lambda body: house.client("source").post("/v1/feedback", content=json.dumps(body))


def with_part(path: str, value: object) -> dict[str, Any]:
    """A record with one field set; `path` is dotted."""
    made = record()
    *parents, last = path.split(".")
    place: Any = made
    for step in parents:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    place[int(last) if last.isdigit() else last] = value
    return made


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        ({}, {"/source", "/external_id"}),
        ({"source": "s"}, {"/external_id"}),
        ({"source": "s", "external_id": "1"}, {""}),
        ({"source": "s", "external_id": "1", "scores": {"nps": None}, "verbatims": []}, {""}),
        (3, {""}),
        (None, {""}),
        ("text", {""}),
        ([], {""}),
        ([[]], {"/0"}),
        ([record("a"), 3, {"source": "s"}, None], {"/1", "/2/external_id", "/3"}),
        ({**record(), "a/b~c": 1}, {"/a~1b~0c"}),
        (
            [record("a"), with_part("scores.nps", 11), record("b"), with_part("revision", 0)],
            {"/1/scores/nps", "/3/revision"},
        ),
    ],
)
def test_every_error_is_named_and_nothing_is_stored(house, push, sent, pointers):
    before = house.count("feedback")
    answer = push(sent)
    assert answer.status_code == 422, answer.text
    assert {error["pointer"] for error in answer.json()["errors"]} == pointers
    assert house.count("feedback") == before


def test_a_record_with_very_many_errors_names_the_first_of_them(push):
    answer = push([{**record(), **{f"k{n}": n for n in range(5_000)}}, {"source": "s"}])
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert answer.status_code == 422
    assert len(pointers) < 50
    assert pointers[-1] == "/1/external_id"


def statuses(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 202, answer.text
    return [result["status"] for result in answer.json()["results"]]


def test_a_thousand_records_are_taken_and_one_more_is_not(house, push):
    prefix = house.unique()
    sent = [record(f"{prefix}-{n}") for n in range(1_001)]
    refused = push(sent)
    assert refused.status_code == 422
    assert "1,001" in refused.json()["errors"][0]["detail"]
    assert statuses(push(sent[:1_000])) == ["new"] * 1_000
    assert statuses(push(sent[:1_000])) == ["duplicate"] * 1_000
    answer = house.client().get("/v1/feedback", params={"limit": 200}).json()
    assert answer["items"][0]["state"] == "received"


def test_new_duplicate_revision_and_stale_keep_one_id(house, push):
    one = house.unique()
    steps = [
        (record(one, revision=3), "new"),
        (record(one, revision=3), "duplicate"),
        (record(one, "Now it works.", revision=5), "revision"),
        (record(one, "An older word.", revision=4), "stale"),
        (record(one, "An older word.", revision=4), "duplicate"),
        (record(one, revision=3), "duplicate"),
        (record(one, "First of all.", revision=1), "stale"),
    ]
    answers = [push(sent).json()["results"][0] for sent, _ in steps]
    assert [answer["status"] for answer in answers] == [status for _, status in steps]
    assert len({answer["id"] for answer in answers}) == 1
    story = house.client().get(f"/v1/feedback/{answers[0]['id']}").json()
    assert story["revisions"] == [1, 3, 4, 5]
    assert story["feedback"]["verbatims"][0]["text"] == "Now it works."
    assert story["feedback"]["revision"] == 5


def test_a_list_is_taken_in_its_order(house, push):
    one, two = house.unique(), house.unique()
    sent = [record(one), record(one), record(one, revision=2), record(two, revision=2), record(two), record(one)]
    assert statuses(push(sent)) == ["new", "duplicate", "revision", "new", "stale", "duplicate"]


FULL = record(
    submitted_at="2026-11-20T10:00:00Z",
    scores={"nps": 3, "csat": 2},
    customer={"id": "c-77", "account_value": 120000, "attributes": {"plan": "pro", "seats": 3}},
    context={"site": "Lodz", "count": 3, "open": True},
    consent={"contact": True},
    language="en",
)
SAME = {
    "key order": lambda r: dict(reversed(r.items())),
    "key order inside": lambda r: {**r, "context": dict(reversed(r["context"].items()))},
    "the default revision": lambda r: {**r, "revision": 1},
    "null for absent": lambda r: {**r, "scores": {**r["scores"], "ces": None, "stars": None}},
    "null in the context": lambda r: {**r, "context": {**r["context"], "lot": None}},
    "null attributes": lambda r: {**r, "customer": {**r["customer"], "tier": None}},
    "a score as 3.0": lambda r: {**r, "scores": {"nps": 3.0, "csat": 2.0}},
    "a number as 3.0": lambda r: {**r, "context": {**r["context"], "count": 3.0}},
    "an attribute as 3.0": lambda r: {**r, "customer": {**r["customer"], "attributes": {"plan": "pro", "seats": 3.0}}},
    "a value as 1.2e5": lambda r: {**r, "customer": {**r["customer"], "account_value": 1.2e5}},
    "the same moment elsewhere": lambda r: {**r, "submitted_at": "2026-11-20T11:00:00.000+01:00"},
}
OTHER = {
    "another text": lambda r: {**r, "verbatims": [{"question": "Why?", "text": "Fine."}]},
    "another question": lambda r: {**r, "verbatims": [{**r["verbatims"][0], "question": "Really?"}]},
    "another score": lambda r: {**r, "scores": {"nps": 4, "csat": 2}},
    "a score more": lambda r: {**r, "scores": {**r["scores"], "ces": 1}},
    "true for a number": lambda r: {**r, "context": {**r["context"], "open": 1}},
    "a text for a number": lambda r: {**r, "context": {**r["context"], "count": "3"}},
    "another moment": lambda r: {**r, "submitted_at": "2026-11-20T10:00:01Z"},
    "no moment": lambda r: {name: part for name, part in r.items() if name != "submitted_at"},
    "no consent": lambda r: {**r, "consent": {"contact": False}},
    "order of answers": lambda r: {**r, "verbatims": [{"text": "Fine."}, *r["verbatims"]]},
    "another language": lambda r: {**r, "language": "de"},
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_the_same_content_spelled_otherwise_is_a_duplicate(house, push, change):
    first = {**copy.deepcopy(FULL), "external_id": house.unique()}
    assert statuses(push(first)) == ["new"]
    assert statuses(push(change(first))) == ["duplicate"]


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_other_content_under_the_same_revision_is_a_conflict(house, push, change):
    first = {**copy.deepcopy(FULL), "external_id": house.unique()}
    assert statuses(push(first)) == ["new"]
    before = house.count("feedback_revision")
    refused = push(change(first))
    assert (refused.status_code, refused.json()["type"]) == (409, "conflicting-revision")
    assert refused.json()["errors"][0]["pointer"] == ""
    assert house.count("feedback_revision") == before


def test_an_unsent_time_is_no_content(house, push):
    one = house.unique()
    assert statuses(push(record(one))) == ["new"]
    assert statuses(push(record(one))) == ["duplicate"]


def test_a_conflict_in_a_list_stores_nothing_of_it(house, push):
    one, two, three = (house.unique() for _ in range(3))
    assert statuses(push([record(one), record(two)])) == ["new", "new"]
    before = house.count("feedback_revision")
    refused = push([record(three), record(one, "Other."), record(two, revision=2), record(two, "Other.")])
    assert refused.status_code == 409
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/1", "/3"]
    assert house.count("feedback_revision") == before
    within = push([record(three), record(three, "Other.")])
    assert (within.status_code, within.json()["errors"][0]["pointer"]) == (409, "/1")
    assert statuses(push(record(three))) == ["new"]


def test_a_list_of_several_sources_makes_each_on_first_use(house, push):
    one, two = house.unique(), house.unique()
    sent = [record("same", source=one), record("same", source=two), record("same", source=one)]
    answer = push(sent)
    assert statuses(answer) == ["new", "new", "duplicate"]
    ids = [result["id"] for result in answer.json()["results"]]
    assert ids[0] == ids[2] != ids[1]
    with house.database.session() as session:
        connection = session.connection()
        kinds = connection.exec_driver_sql("SELECT name, kind FROM source WHERE name = ANY(%s)", ([one, two],)).all()
    assert sorted(kinds) == sorted([(one, "api"), (two, "api")])


def test_a_bound_key_pushes_its_own_source_only(house):
    bound = house.client("source", "mine")
    assert statuses(bound.post("/v1/feedback", json=record(source="mine"))) == ["new"]
    before = house.count("feedback")
    sent = [record("a", source="mine"), record("b", source="yours")]
    for body, pointer in ((sent, "/1/source"), (sent[1], "/source")):
        refused = bound.post("/v1/feedback", json=body)
        assert refused.status_code == 403
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert house.count("feedback") == before
