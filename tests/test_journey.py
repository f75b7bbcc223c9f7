"""One answer on the whole road: posted, classified, decided, made into work, delivered and explained backwards."""

from collections.abc import Callable

import httpx
from builders import record

from service.demo.helpdesk import HelpDesk

POLICY = """
name: journey
thresholds:
  negative: {axis: sentiment, label: negative, uncertified: 0.80}
rules:
  - name: negative-text-ticket
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket, tags: topics, sla: standard, assign: desk, deliver: [helpdesk]}
slas:
  standard: {resolve: 5d}
groups:
  desk: {people: [ana, jan]}
"""


def test_a_posted_answer_becomes_a_delivered_ticket(
    admin: httpx.Client, drain: Callable[[], None], desk: HelpDesk
) -> None:
    assert admin.post("/v1/policies", content=POLICY).status_code == 201
    assert admin.post("/v1/policies/2/activate", json={"comment": "test"}).status_code == 200
    posted = admin.post("/v1/feedback", json=record())
    assert posted.status_code == 202
    feedback_id = posted.json()["results"][0]["id"]

    drain()

    story = admin.get(f"/v1/feedback/{feedback_id}").json()
    assert story["state"] == "routed"
    assert story["classification"]["sentiment"]["label"] == "negative"
    (item,) = story["work_items"]
    assert (item["kind"], item["owner"], item["rule"]) == ("ticket", "ana", "negative-text-ticket")
    assert "delivery" in item["tags"]
    assert item["why"][0]["clauses"][0]["result"] is True
    replay = admin.post(f"/v1/decisions/{item['decision_id']}/replay").json()
    assert replay == {"identical": True, "differences": []}
    (waiting,) = story["deliveries"]
    assert (waiting["state"], waiting["attempts"], waiting["next_at"]) == ("pending", 0, None)

    settings = {"base_url": desk.url}
    made = {"name": "helpdesk", "kind": "webhook", "secrets": [desk.secret], "settings": settings}
    assert admin.post("/v1/destinations", json=made).status_code == 201
    drain()

    (delivery,) = admin.get(f"/v1/feedback/{feedback_id}").json()["deliveries"]
    (ticket,) = [one for one in desk.tickets if one.work_item == item["id"]]
    assert (delivery["state"], delivery["attempts"], delivery["external_ref"]) == ("delivered", 1, ticket.id)
    assert ticket.webhook_id == delivery["idempotency_key"]
    assert "Parcel came two weeks late" in ticket.body
