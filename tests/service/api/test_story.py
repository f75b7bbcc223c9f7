"""`GET /v1/feedback/{id}` before and after its road, and the way out of quarantine."""

from uuid import UUID

import pytest
from builders import record
from sqlmodel import col, select

from service.store.tables import AuditEvent, Feedback

ITEM = {
    "id",
    "kind",
    "status",
    "mandatory",
    "title",
    "priority",
    "owner",
    "tags",
    "rule",
    "feedback_ids",
    "decision_id",
}
ITEM |= {"created_at", "due_at", "targets", "why", "events", "deliveries"}
RECEIPT = {"id", "feedback_id", "revision", "policy_version", "classifier", "calibrator", "taxonomy", "calendar"}
RECEIPT |= {"thresholds", "case", "rules", "review", "mode", "decided_at"}


def posted(house, **changes) -> str:
    answer = house.client().post("/v1/feedback", json=record(house.unique(), **changes))
    assert answer.status_code == 202, answer.text
    return answer.json()["results"][0]["id"]


def story(house, feedback_id: str) -> dict:
    answer = house.client().get(f"/v1/feedback/{feedback_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_before_and_after_the_road(house):
    sent = {"scores": {"nps": 2, "csat": 1.5}, "context": {"lot": "L-204", "seats": 3}, "consent": {"contact": True}}
    one = posted(house, submitted_at="2026-11-20T11:00:00+01:00", **sent)
    before = story(house, one)
    assert before["state"] == "received"
    assert (before["reason"], before["classification"], before["decision"]) == (None, None, None)
    assert (before["work_items"], before["deliveries"], before["revisions"]) == ([], [], [1])
    assert before["feedback"]["submitted_at"] == "2026-11-20T10:00:00Z"
    assert before["received_at"].endswith("Z")
    assert {name: before["feedback"][name] for name in sent} == sent

    house.drain()

    after = story(house, one)
    assert after["state"] == "routed"
    assert after["feedback"] == before["feedback"]
    read = after["classification"]
    words = after["feedback"]["verbatims"][0]["text"]
    assert read["sentiment"]["label"] == "negative"
    assert len(read["verbatims"]) == 1
    assert all(0 <= span["start"] < span["end"] <= len(words) for span in read["spans"])
    assert set(after["decision"]) >= RECEIPT
    assert after["decision"] == house.client().get(f"/v1/decisions/{after['decision']['id']}").json()
    for item in after["work_items"]:
        assert set(item) >= ITEM
        assert item == house.client().get(f"/v1/work-items/{item['id']}").json()
        assert item["feedback_ids"] == [one]
        assert item["decision_id"] == after["decision"]["id"]
    replayed = house.client().post(f"/v1/decisions/{after['decision']['id']}/replay")
    assert replayed.json()["identical"] is True


def test_scores_alone_have_no_classification(house):
    one = posted(house, text=None, scores={"nps": 9})
    house.drain()
    after = story(house, one)
    assert (after["state"], after["classification"]) == ("routed", None)
    assert after["decision"]["classifier"] is None


def test_a_revision_shows_the_newest_answer_and_its_own_reading(house):
    external = house.unique()
    push = house.client().post
    one = push("/v1/feedback", json=record(external)).json()["results"][0]["id"]
    house.drain()
    first = story(house, one)
    push("/v1/feedback", json=record(external, "Wonderful, thank you, great service!", revision=2))
    waiting = story(house, one)
    assert (waiting["state"], waiting["revisions"]) == ("received", [1, 2])
    assert (waiting["classification"], waiting["decision"]) == (None, None)
    house.drain()
    second = story(house, one)
    assert second["classification"]["sentiment"]["label"] == "positive"
    assert second["decision"]["revision"] == 2
    assert second["decision"]["id"] != first["decision"]["id"]
    assert second["received_at"] == first["received_at"]


def test_only_a_quarantined_record_can_be_retried(house):
    one = posted(house)
    retry = f"/v1/feedback/{one}/retry"
    refused = house.client().post(retry)
    assert (refused.status_code, refused.json()["type"]) == (409, "conflict")
    assert "received" in refused.json()["detail"]
    with house.database.session() as session:
        row = session.get(Feedback, UUID(one))
        row.stage, row.reason, row.attempts = "quarantined", "classify failed with ValueError, 3 times", 3
        session.add(row)
    assert story(house, one)["state"] == "quarantined"
    assert story(house, one)["reason"] == "classify failed with ValueError, 3 times"
    taken = house.client().post(retry)
    assert (taken.status_code, taken.json()["state"], taken.json()["reason"]) == (202, "received", None)
    house.drain()
    assert story(house, one)["state"] == "routed"
    assert house.client().post(retry).status_code == 409
    with house.database.session() as session:
        last = session.exec(select(AuditEvent).order_by(col(AuditEvent.sequence).desc())).first()
    assert (last.action, last.object, last.actor) == ("feedback.retried", one, "admin")


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({}, "/type"),
        ({"type": "explode"}, "/type"),
        ({"type": 3}, "/type"),
        ({"type": "assign"}, "/owner"),
        ({"type": "assign", "owner": ""}, "/owner"),
        ({"type": "acknowledge", "owner": "ana"}, "/owner"),
        ({"type": "contact_attempt", "channel": "fax", "outcome": "reached"}, "/channel"),
        ({"type": "reopen"}, "/comment"),
        ({"type": "wait", "until": "2026-11-20"}, "/until"),
        ([], ""),
    ],
)
def test_what_is_wrong_with_an_event_is_named_as_it_was_sent(house, sent, pointer):
    answer = house.client().post("/v1/work-items/0199a0f0-0000-7000-8000-000000000000/events", json=sent)
    assert answer.status_code == 422, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "until", ["2999-11-20T10:00:00+23:59", "0001-01-01T00:00:00+14:00", "9998-12-31T23:59:59-14:00"]
)
def test_no_time_is_too_strange_for_an_answer(house, until):
    one = posted(house, scores={"nps": 0})
    house.drain()
    item = story(house, one)["work_items"][0]["id"]
    answer = house.client().post(f"/v1/work-items/{item}/events", json={"type": "wait", "until": until})
    assert answer.status_code in {201, 409, 422}, answer.text
    assert house.client().get(f"/v1/work-items/{item}").status_code == 200


def test_why_a_rule_did_not_fire_is_told(house):
    one = posted(house, scores={"nps": 7})
    house.drain()
    path = f"/v1/decisions/{story(house, one)['decision']['id']}/why-not"
    told = house.client("supervisor").get(path, params={"rule": "detractor-follow-up"}).json()
    assert told == {
        "rule": "detractor-follow-up",
        "outcome": "not_fired",
        "sentence": "It would have fired had NPS been 6 or less; it was 7.",
        "because": None,
        "change": {"name": "scores.nps", "was": 7, "needed": 6},
        "lacking": [],
    }
    unknown = house.client("supervisor").get(path, params={"rule": "detractor-folow-up"})
    assert unknown.status_code == 404
    assert unknown.json()["detail"].endswith("has no such rule: did you mean detractor-follow-up?")
    assert house.client("supervisor").get(path).status_code == 422


def test_a_source_withdraws_its_own_alone(house):
    one = posted(house, scores={"nps": 0})
    house.drain()
    path = f"/v1/feedback/{one}"
    assert house.client("source", "somebody-else").delete(path).status_code == 404
    assert house.client("supervisor").delete(path).status_code == 403
    told = house.client("source").delete(path).json()
    assert told["state"] == "withdrawn"
    assert {item["status"] for item in told["work_items"]} == {"retracted"}
    assert house.client("source").delete(path).json() == told
    assert house.client().post(f"{path}/retry").status_code == 409
