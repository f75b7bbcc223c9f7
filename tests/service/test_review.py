"""Judging a `review` item: each yes makes the work its rule plans, at most one of a kind, in one transaction."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import Session

from service import review as reviewing
from service.classify import classify
from service.decisions import decide
from service.store.tables import now
from service.work.events import Judge

POLICY = """
name: judged
review: triage
thresholds:
  negative: {axis: sentiment, label: negative, uncertified: 0.6}
  urgent: {axis: urgency, label: high, uncertified: 0.6}
rules:
  - name: low-score
    when: scores.nps <= 6
    then: {create: follow_up, assign: triage}
  - name: urgent-case
    when: urgency.high >= threshold("urgent")
    then: {create: quality_case, priority: urgent}
  - name: negative-text
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket, sla: standard, assign: desk, deliver: [helpdesk], tags: topics, priority: high}
  - name: negative-again
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket}
  - name: negative-call
    when: sentiment.negative >= threshold("negative")
    then: {create: follow_up, mandatory: true}
slas:
  standard: {resolve: 5d}
groups:
  desk: {people: [ana, jan]}
  triage: {people: [sam]}
"""
POLISH = "Lot opóźniony o pięć godzin, nikt nic nie wiedział, a obsługa była opryskliwa. Nigdy więcej."
OPEN = ["urgent-case", "negative-text", "negative-again", "negative-call"]


def answers(**yes: bool) -> dict[str, bool]:
    return dict.fromkeys(OPEN, False) | {name.replace("_", "-"): said for name, said in yes.items()}


@pytest.fixture
def story(admin: httpx.Client, drain: Callable[[], None]) -> Callable[[], dict]:
    """A record whose text no rule may act on, decided: its story, looked at again with each call."""
    version = admin.post("/v1/policies", content=POLICY).raise_for_status().json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    (result,) = admin.post("/v1/feedback", json=record("r-1", POLISH, scores={"nps": 3})).json()["results"]
    drain()
    return lambda: admin.get(f"/v1/feedback/{result['id']}").json()


def kinds(story: dict) -> list[str]:
    return sorted(item["kind"] for item in story["work_items"])


def of_kind(story: dict, kind: str) -> dict:
    (found,) = [item for item in story["work_items"] if item["kind"] == kind]
    return found


def judged(client: httpx.Client, item: dict, rules: object, **more: object) -> httpx.Response:
    return client.post(f"/v1/work-items/{item['id']}/events", json={"type": "judge", "rules": rules, **more})


def test_a_review_asks_about_each_rule_that_hangs(story):
    before = story()
    assert kinds(before) == ["follow_up", "review"]
    assert [one["rule"] for one in of_kind(before, "review")["why"]] == OPEN


def test_a_yes_makes_what_the_rule_plans(story, admin, signed_in):
    review = of_kind(story(), "review")
    answer = judged(signed_in("supervisor"), review, answers(negative_text=True), comment="It is angry.")
    assert answer.status_code == 201, answer.text
    done = answer.json()
    assert (done["status"], done["root_cause"]) == ("resolved", None)
    assert done["outcome"] == "Yes: negative-text. No: urgent-case, negative-again, negative-call."

    after = story()
    assert kinds(after) == ["follow_up", "review", "ticket"]
    ticket = of_kind(after, "ticket")
    assert (ticket["rule"], ticket["owner"], ticket["priority"]) == ("negative-text", "ana", "high")
    assert ticket["decision_id"] == review["decision_id"]
    assert ticket["tags"] == []  # what was read in the text stays withheld
    assert [(one["type"], one["actor"]) for one in ticket["events"]] == [("created", "supervisor")]
    assert [one["destination"] for one in ticket["deliveries"]] == ["helpdesk"]
    assert ticket["why"][0]["clauses"][0]["result"] == "unknown"

    event = done["events"][-1]
    assert (event["type"], event["actor"]) == ("judge", "supervisor")
    assert event["data"] == {
        "rules": answers(negative_text=True),
        "comment": "It is angry.",
        "made": [{"id": ticket["id"], "kind": "ticket", "rule": "negative-text"}],
        "existing": [],
    }


def test_its_clock_starts_when_the_person_decides(story, admin):
    review = of_kind(story(), "review")
    assert judged(admin, review, answers(negative_text=True)).status_code == 201
    ticket = of_kind(story(), "ticket")
    made, due = (datetime.fromisoformat(ticket[name]) for name in ("created_at", "due_at"))
    assert due - made == timedelta(days=5)
    assert made > datetime.fromisoformat(review["created_at"])


@pytest.mark.parametrize(
    ("yes", "made", "existing"),
    [
        (["negative-text", "negative-again"], [("ticket", "negative-text")], ["negative-again"]),
        (["negative-again"], [("ticket", "negative-again")], []),
        (["negative-call"], [], ["negative-call"]),
        (["urgent-case", "negative-again"], [("quality_case", "urgent-case"), ("ticket", "negative-again")], []),
        ([], [], []),
    ],
)
def test_a_record_makes_one_item_of_a_kind_and_the_first_rule_wins(story, admin, yes, made, existing):
    review = of_kind(story(), "review")
    answer = judged(admin, review, {name: name in yes for name in OPEN})
    assert answer.status_code == 201, answer.text
    told = answer.json()["events"][-1]["data"]
    assert [(one["kind"], one["rule"]) for one in told["made"]] == made
    assert told["existing"] == existing
    assert kinds(story()) == sorted(["follow_up", "review", *(kind for kind, _ in made)])


@pytest.mark.parametrize(
    ("rules", "pointers"),
    [
        (dict.fromkeys(OPEN[:3], True), ["/rules/negative-call"]),
        (answers() | {"low-score": True}, ["/rules/low-score"]),
        (answers() | {"a/b~c": True}, ["/rules/a~1b~0c"]),
        ({}, ["/rules"]),
        (dict.fromkeys(OPEN, "yes"), [f"/rules/{name}" for name in OPEN]),
        (answers() | {"negative-text": 1}, ["/rules/negative-text"]),
        (None, ["/rules"]),
    ],
)
def test_every_open_rule_is_answered_and_no_other(story, admin, rules, pointers):
    review = of_kind(story(), "review")
    answer = judged(admin, review, rules)
    assert answer.status_code == 422, answer.text
    assert sorted(one["pointer"] for one in answer.json()["errors"]) == sorted(pointers)
    assert kinds(story()) == ["follow_up", "review"]


def test_only_a_review_is_judged_and_only_once(story, admin):
    before = story()
    refused = judged(admin, of_kind(before, "follow_up"), {"low-score": True})
    assert refused.status_code == 409
    assert "review" in refused.json()["detail"]
    review = of_kind(before, "review")
    assert judged(admin, review, answers()).status_code == 201
    again = judged(admin, review, answers(negative_text=True))
    assert again.status_code == 409
    assert kinds(story()) == ["follow_up", "review"]


def test_resolving_a_review_without_answers_stays_possible(story, admin):
    review = of_kind(story(), "review")
    done = admin.post(f"/v1/work-items/{review['id']}/events", json={"type": "resolve", "outcome": "nothing to do"})
    assert done.status_code == 201
    assert kinds(story()) == ["follow_up", "review"]


def test_two_people_who_judge_at_once_make_one_item(story, admin):
    review = of_kind(story(), "review")
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: judged(admin, review, answers(negative_text=True)).status_code, range(4)))
    assert sorted(said) == [201, 409, 409, 409]
    assert kinds(story()) == ["follow_up", "review", "ticket"]


def test_who_judges_and_who_decides_the_same_record_anew_wait_in_no_circle(story, admin, works):
    """The new answer asks for the very ticket that the judgement makes: both need its key and the review."""
    before = story()
    angry = "The delivery came two weeks late and nobody answers. Terrible service, I am very angry."
    changed = record("r-1", angry, revision=2, scores={"nps": 3})
    admin.post("/v1/feedback", json=changed).raise_for_status()
    with Session(works.database.engine) as session:
        classify(session, works.reader, [UUID(before["id"])])

    def decide_again() -> None:
        with Session(works.database.engine) as session:
            decide(session, [UUID(before["id"])])

    with Session(works.database.engine) as session, ThreadPoolExecutor(1) as pool:
        row = reviewing.take(session, UUID(of_kind(before, "review")["id"]))
        deciding = pool.submit(decide_again)
        while not session.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
            assert not deciding.done()
        event = Judge(type="judge", rules=answers(negative_text=True))
        reviewing.happens(session, row, event, actor="sam", at=now())
        session.commit()
        deciding.result(20)
    after = story()
    assert kinds(after) == ["follow_up", "review", "ticket"]
    assert of_kind(after, "ticket")["events"][-1]["type"] == "revised"
