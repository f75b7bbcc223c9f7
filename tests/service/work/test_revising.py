"""Answers that are edited, completed or withdrawn: their items follow, and a destination hears of it in order."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import Session, select

from service.classify import classify
from service.decisions import decide
from service.people.users import add_user
from service.store.tables import Delivery, Feedback, Notice, WorkItem
from service.work.revising import withdraw

POLICY = """
name: revised
review: triage
fields: {context.lot: text}
thresholds: {none: {axis: sentiment, label: negative}}
groups: {triage: {people: [sam]}}
rules:
  - name: worst
    when: scores.nps <= 2
    then: {create: follow_up, priority: urgent, mandatory: true, deliver: [helpdesk], assign: triage}
  - {name: low, when: scores.nps <= 6, then: {create: follow_up, priority: high, deliver: [helpdesk], assign: triage}}
  - {name: lot, when: known(context.lot), then: {create: quality_case, key: [context.lot]}}
  - {name: unsure, when: 'sentiment.negative >= threshold("none") and scores.stars == 1', then: {create: ticket}}
"""


@pytest.fixture
def story(admin, drain):
    """`story(nps=3)` sends the next revision of one answer and runs every job; the story afterwards."""
    version = admin.post("/v1/policies", content=POLICY).raise_for_status().json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    revisions = iter(range(1, 99))

    def send(name="r-1", words=None, **changes):
        scores = {key: changes.pop(key) for key in ("nps", "stars") if key in changes}
        sent = record(name, words, revision=next(revisions), scores=scores, **changes)
        (result,) = admin.post("/v1/feedback", json=sent).raise_for_status().json()["results"]
        drain()
        return admin.get(f"/v1/feedback/{result['id']}").json()

    return send


@pytest.fixture
def helpdesk(admin, desk):
    """A help desk that has forgotten the tests before."""
    settings = {"base_url": desk.url}
    made = {"name": "helpdesk", "kind": "webhook", "secrets": [desk.secret], "settings": settings}
    admin.post("/v1/destinations", json=made).raise_for_status()

    def ticket(item):
        (found,) = [one for one in desk.tickets if one.work_item == item["id"]]
        return found

    return ticket


def only(story):
    (item,) = story["work_items"]
    return item


def happened(item):
    return [event["type"] for event in item["events"]]


def sent(item):
    return [(one["operation"], one["state"]) for one in item["deliveries"]]


def test_an_edited_answer_changes_its_item_and_never_makes_a_second(story, helpdesk):
    before = only(story(nps=5, words="Late."))
    after = only(story(nps=1, words="Late, and broken."))

    assert after["id"] == before["id"]
    assert (before["priority"], before["mandatory"], before["rule"]) == ("high", False, "low")
    assert (after["priority"], after["mandatory"], after["rule"]) == ("urgent", True, "worst")
    assert after["title"] == 'Detractor (NPS 1): "Late, and broken."'
    assert happened(after) == ["created", "revised"]
    told = after["events"][1]["data"]
    assert told["changes"] == {"scores": {"nps": [5, 1]}, "words": True}
    assert (told["priority"], told["revision"]) == (["high", "urgent"], 2)
    assert sent(after) == [("create", "delivered"), ("update", "delivered"), ("comment", "delivered")]
    ticket = helpdesk(after)
    assert (ticket.title, ticket.priority) == (after["title"], "urgent")
    (comment,) = ticket.comments
    assert comment.split("\n\n") == [
        "An answer behind this item was edited.",
        "Why?\n> Late, and broken.",
        "NPS: 5, now 1",
        "Priority: high, now urgent",
    ]

    milder = only(story(nps=6, words="Late, and broken."))
    assert (milder["priority"], milder["mandatory"]) == ("high", True)  # what was mandatory stays so
    assert milder["events"][2]["data"]["changes"] == {"scores": {"nps": [1, 6]}}


def test_what_no_rule_asks_for_any_more_is_retracted_and_comes_back_as_the_same_item(story, helpdesk):
    before = only(story(nps=5))
    gone = only(story(nps=9))
    assert (gone["status"], gone["due_at"]) == ("retracted", None)
    assert gone["events"][-1]["data"]["reason"] == "edited"
    assert helpdesk(gone).comments[-1].startswith("This item was retracted: the answer was edited")

    again = only(story(nps=0))
    assert (again["id"], again["status"], again["priority"]) == (before["id"], "open", "urgent")
    assert happened(again) == ["created", "retracted", "restored"]
    assert [operation for operation, _ in sent(again)].count("create") == 1
    assert helpdesk(again).priority == "urgent"


def test_an_owner_is_told_what_a_customer_changed(story, admin, database):
    with database.session() as session:
        add_user(session, name="sam", roles=["supervisor"], password="a password of the tests", actor="test")
    story(nps=5, words="Late.")
    story(nps=1, words="Late, and broken.")
    story(nps=9)
    told = story(nps=0)
    admin.delete(f"/v1/feedback/{told['id']}").raise_for_status()
    done = only(story("r-2", nps=5))
    admin.post(f"/v1/work-items/{done['id']}/events", json={"type": "resolve", "outcome": "Called."}).raise_for_status()
    story("r-2", nps=4)
    story("r-2", nps=9)
    with Session(database.engine) as session:
        words = list(session.exec(select(Notice.words).where(Notice.kind != "assigned").order_by(Notice.created_at)))
    assert [said.partition(": Detractor")[0] for said in words] == [
        "The customer changed the answer (NPS 1 instead of 5, other words, priority urgent instead of high)",
        "The customer changed the answer, so this is no longer needed",
        "The customer changed the answer again (NPS 0 instead of 9), so this is needed after all",
        "The customer withdrew the answer, so this is no longer needed",
        "The customer changed the answer (NPS 4 instead of 5); this was done before and stays as it is",
        "The customer changed an answer, which no longer asks for this",
    ]


def test_a_completed_answer_makes_what_it_adds(story):
    assert [item["kind"] for item in story(nps=9)["work_items"]] == []
    assert [item["kind"] for item in story(nps=4)["work_items"]] == ["follow_up"]
    kinds = {item["kind"]: item for item in story(nps=4, context={"lot": "L-1"})["work_items"]}
    assert set(kinds) == {"follow_up", "quality_case"}
    assert happened(kinds["follow_up"]) == ["created", "revised"]


def test_a_resolved_item_is_only_told_of_it(story, admin, helpdesk):
    item = only(story(nps=5))
    admin.post(f"/v1/work-items/{item['id']}/events", json={"type": "resolve", "outcome": "Called."}).raise_for_status()
    after = only(story(nps=0))
    assert (after["status"], after["priority"], after["title"]) == ("resolved", "high", item["title"])
    assert happened(after) == ["created", "resolve", "revised"]
    assert sent(after)[1:] == [("comment", "delivered")]
    ended = only(story(nps=10))
    assert (ended["status"], happened(ended)[-1]) == ("resolved", "answer_ended")


def test_an_item_that_others_stand_behind_loses_only_this_answer(story, admin):
    first = only(story("r-1", nps=9, context={"lot": "L-1"}))
    only(story("r-2", nps=9, context={"lot": "L-1"}))
    left = only(story("r-1", nps=9))
    assert (left["id"], left["status"]) == (first["id"], "open")
    assert happened(left) == ["created", "joined", "answer_ended"]
    back = only(story("r-1", nps=9, context={"lot": "L-1"}))
    assert (back["id"], happened(back)[-1]) == (first["id"], "revised")


def test_what_a_person_has_to_decide_again_is_left_alone(story, admin):
    words = "The parcel was terribly late and broken, awful."
    review = only(story(stars=1, words=words))
    assert review["kind"] == "review"
    judged = {"type": "judge", "rules": {"unsure": True}}
    admin.post(f"/v1/work-items/{review['id']}/events", json=judged).raise_for_status()
    kinds = {item["kind"]: item for item in story(stars=1, words=words + " Never again.")["work_items"]}
    assert kinds["ticket"]["status"] == "open"
    assert happened(kinds["ticket"]) == ["created", "revised"]
    assert kinds["review"]["status"] == "resolved"
    kinds = {item["kind"]: item for item in story(stars=5, words=words)["work_items"]}
    assert kinds["ticket"]["status"] == "retracted"


def test_a_withdrawn_answer_is_behind_nothing_and_stays_withdrawn(story, admin, helpdesk):
    told = story(nps=1, context={"lot": "L-1"})
    other = story("r-2", nps=9, context={"lot": "L-1"})
    gone = admin.delete(f"/v1/feedback/{told['id']}").raise_for_status().json()
    items = {item["kind"]: item for item in gone["work_items"]}

    assert gone["state"] == "withdrawn"
    assert gone["feedback"]["scores"] == {"nps": 1}  # the story stays
    assert (items["follow_up"]["status"], items["quality_case"]["status"]) == ("retracted", "open")
    assert items["follow_up"]["events"][-1]["data"] == {"feedback_id": told["id"], "reason": "withdrawn"}
    assert happened(items["quality_case"])[-1] == "answer_ended"
    assert admin.delete(f"/v1/feedback/{told['id']}").json() == gone
    assert admin.delete(f"/v1/feedback/{other['id']}").json()["work_items"][0]["status"] == "retracted"

    later = record("r-1", None, revision=50, scores={"nps": 0})
    assert admin.post("/v1/feedback", json=later).json()["results"][0]["status"] == "stale"
    assert admin.get(f"/v1/feedback/{told['id']}").json()["state"] == "withdrawn"


def test_a_destination_is_told_that_the_answer_was_withdrawn(story, admin, helpdesk, drain):
    told = story(nps=1)
    admin.delete(f"/v1/feedback/{told['id']}").raise_for_status()
    drain()
    item = only(admin.get(f"/v1/feedback/{told['id']}").json())
    assert sent(item) == [("create", "delivered"), ("update", "delivered"), ("comment", "delivered")]
    assert helpdesk(item).comments == ("This item was retracted: the answer was withdrawn.",)


@pytest.mark.parametrize("stage", ["received", "classified"])
def test_a_record_withdrawn_on_its_way_makes_nothing(admin, drain, works, database, stage):
    (one,) = admin.post("/v1/feedback", json=record(scores={"nps": 0})).json()["results"]
    if stage == "classified":
        with Session(database.engine, expire_on_commit=False) as session:
            classify(session, works.reader, list(session.exec(select(Feedback.id))))
    assert admin.delete(f"/v1/feedback/{one['id']}").json()["state"] == "withdrawn"
    drain()
    told = admin.get(f"/v1/feedback/{one['id']}").json()
    assert (told["state"], told["decision"], told["work_items"]) == ("withdrawn", None, [])


def test_a_withdrawal_waits_for_the_decision_under_way(story, admin, works, database):
    story("r-0", nps=9)
    (one,) = admin.post("/v1/feedback", json=record("r-1", None, scores={"nps": 0})).json()["results"]
    with Session(database.engine, expire_on_commit=False) as session:
        classify(session, works.reader, [one["id"]])

    def take_back() -> None:
        with database.session() as session:
            row = session.get_one(Feedback, one["id"], with_for_update={"key_share": True})
            withdraw(session, row, actor="test")

    with Session(database.engine, expire_on_commit=False) as deciding, ThreadPoolExecutor(1) as pool:
        deciding.execute(text("SELECT FROM feedback WHERE id = :id FOR NO KEY UPDATE"), {"id": one["id"]})
        taking = pool.submit(take_back)
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not deciding.execute(waiting).scalar_one():
            assert not taking.done()
        decide(deciding, [one["id"]])
        taking.result(10)
    (item,) = admin.get(f"/v1/feedback/{one['id']}").json()["work_items"]
    assert item["status"] == "retracted"


def test_updates_wait_for_a_destination_and_come_after_the_item(story, admin, desk, drain, database):
    item = only(story(nps=5))
    story(nps=1)
    with Session(database.engine) as session:
        assert {row.state for row in session.exec(select(Delivery))} == {"pending"}
    settings = {"base_url": desk.url}
    made = {"name": "helpdesk", "kind": "webhook", "secrets": [desk.secret], "settings": settings}
    admin.post("/v1/destinations", json=made).raise_for_status()
    drain()
    (ticket,) = [one for one in desk.tickets if one.work_item == item["id"]]
    assert ticket.priority == "urgent"
    assert len(ticket.comments) == 1


def test_a_shadow_is_stored_and_has_no_effect(story, admin, drain, database):
    shadow = POLICY.replace("name: revised", "name: shadow").replace("scores.nps <= 6", "scores.nps <= 9")
    version = admin.post("/v1/policies", content=shadow).raise_for_status().json()["version"]
    sent = {"comment": "look on", "mode": "shadow"}
    admin.post(f"/v1/policies/{version}/activate", json=sent).raise_for_status()
    told = story(nps=8)
    assert (told["work_items"], told["deliveries"]) == ([], [])
    assert (told["decision"]["mode"], told["decision"]["plans"]) == ("live", [])
    with Session(database.engine) as session:
        modes = dict(
            session.execute(text("SELECT mode, receipt::jsonb -> 'plans' -> 0 ->> 'kind' FROM decision")).all()
        )
        assert modes == {"live": None, "shadow": "follow_up"}
        assert list(session.exec(select(WorkItem))) == []
