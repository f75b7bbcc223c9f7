"""Work items over HTTP, made from real feedback."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import httpx
import pytest
from builders import record
from sqlalchemy import text

from service.pipeline import reconcile
from service.store.database import Database

POLICY = """
name: five kinds
review: triage
fields: {context.site: text, context.lot: text}
thresholds:
  negative: {axis: sentiment, label: negative, uncertified: 0.6}
rules:
  - name: detractor
    when: scores.nps <= 6
    then: {create: follow_up, mandatory: true, sla: quick, assign: desk, priority: high}
  - name: negative-text
    when: sentiment.negative >= threshold("negative")
    then: {create: ticket, sla: standard, assign: desk, tags: topics}
  - name: suggestion
    when: type.suggestion >= 0.6
    then: {create: backlog_item, tags: topics}
  - name: defect
    when: topic("product quality") >= 0.5 and known(context.site)
    then: {create: quality_case, key: [context.site, context.lot]}
slas:
  quick: {acknowledge: 4h, contact: 8h, resolve: 2d}
  standard: {resolve: 5d}
groups:
  desk: {people: [ana, jan]}
  triage: {people: [sam]}
"""
BROKEN = "The kettle arrived broken and the lid is cracked. Terrible quality, I am very disappointed."
IDEA = "It would be great if you could add a dark mode to the app. Please add an export button."


@pytest.fixture
def decided(admin: httpx.Client, drain: Callable[[], None]) -> Callable[..., dict]:
    """Post a record, let the jobs run, and give its story; the policy of this file decides."""

    def publish(document: str) -> None:
        version = admin.post("/v1/policies", content=document).raise_for_status().json()["version"]
        admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()

    def decide(*args, policy: str | None = None, **changes) -> dict:
        if policy is not None:
            publish(policy)
        posted = admin.post("/v1/feedback", json=record(*args, **changes))
        assert posted.status_code == 202, posted.text
        drain()
        story = admin.get(f"/v1/feedback/{posted.json()['results'][0]['id']}").json()
        assert story["state"] == "routed"
        return story

    publish(POLICY)
    return decide


def kinds(story: dict) -> list[str]:
    return sorted(item["kind"] for item in story["work_items"])


def of_kind(story: dict, kind: str) -> dict:
    (found,) = [item for item in story["work_items"] if item["kind"] == kind]
    return found


def happened(admin: httpx.Client, item: dict, type: str, **more) -> httpx.Response:
    return admin.post(f"/v1/work-items/{item['id']}/events", json={"type": type, **more})


def body_of(database: Database, item: dict) -> str:
    with database.session() as session:
        found = session.execute(text("SELECT body FROM work_item WHERE id = :id"), {"id": item["id"]})
        return found.scalar_one()


def test_one_record_makes_what_several_rules_ask_for(decided, database):
    context = {"site": "Lodz", "lot": "L-204"}
    customer = {"id": "c-77", "tier": "gold"}
    story = decided("r-1", BROKEN, scores={"nps": 3}, context=context, customer=customer)
    assert kinds(story) == ["follow_up", "quality_case", "ticket"]

    follow_up = of_kind(story, "follow_up")
    assert follow_up["title"].startswith('Detractor (NPS 3): "The kettle arrived broken')
    assert len(follow_up["title"]) <= 120
    assert (follow_up["mandatory"], follow_up["priority"], follow_up["owner"]) == (True, "high", "ana")
    assert follow_up["why"] == [
        {"rule": "detractor", "reason": None, "clauses": [{"text": "scores.nps <= 6", "value": 3, "result": True}]}
    ]
    body = body_of(database, follow_up)
    assert f"> {BROKEN}" in body
    assert "Scores: NPS 3" in body
    assert "Customer: c-77 (gold)" in body
    assert "Made by the rule detractor:\n- scores.nps <= 6: true (3)" in body

    case = of_kind(story, "quality_case")
    assert case["title"].startswith("Quality case (product quality")
    assert [clause["result"] for clause in case["why"][0]["clauses"]] == [True, True]
    ticket = of_kind(story, "ticket")
    assert ticket["title"].startswith("Ticket (product quality")
    assert "product quality" in ticket["tags"]
    assert [item["events"][0]["type"] for item in story["work_items"]] == ["created"] * 3
    assert {item["decision_id"] for item in story["work_items"]} == {story["decision"]["id"]}


def test_a_suggestion_becomes_a_backlog_item_without_owner_or_clock(decided):
    item = of_kind(decided("r-1", IDEA), "backlog_item")
    assert item["title"].startswith("Suggestion")
    assert (item["owner"], item["due_at"], item["mandatory"]) == (None, None, False)
    assert item["targets"] == {"acknowledge": None, "contact": None, "resolve": None}


def test_targets_count_from_the_creation(decided):
    item = of_kind(decided("r-1", None, scores={"nps": 0}), "follow_up")
    created = datetime.fromisoformat(item["created_at"])
    due = {name: datetime.fromisoformat(one["due_at"]) - created for name, one in item["targets"].items()}
    assert due == {"acknowledge": timedelta(hours=4), "contact": timedelta(hours=8), "resolve": timedelta(days=2)}
    assert {one["state"] for one in item["targets"].values()} == {"running"}
    assert datetime.fromisoformat(item["due_at"]) - created == timedelta(hours=4)


FOREIGN = "Die Lieferung kam viel zu spät und der Karton war völlig zerdrückt, das ist sehr ärgerlich."


def test_what_a_machine_cannot_read_goes_to_a_person(decided, database):
    story = decided("r-1", FOREIGN)
    assert story["classification"]["abstain"] == {"reason": "language"}
    (item,) = story["work_items"]
    assert (item["kind"], item["owner"], item["tags"]) == ("review", "sam", [])
    assert item["title"].startswith('To review: "Die Lieferung')
    assert story["decision"]["review"] == ["negative-text"]
    assert [one["rule"] for one in item["why"]] == ["negative-text"]
    assert {clause["result"] for one in item["why"] for clause in one["clauses"]} == {"unknown"}
    assert FOREIGN in body_of(database, item)
    assert item["why"][0]["reason"] == "The text is in a language the classifier does not know."
    assert "A person decides: The text is in a language" in body_of(database, item)


def test_a_threshold_without_value_asks_a_person(decided):
    story = decided("r-1", BROKEN, policy=POLICY.replace(", uncertified: 0.6", ""))
    assert "review" in kinds(story)
    assert "ticket" not in kinds(story)
    nothing = {"value": None, "certified": False, "certificate": None, "voided": None}
    assert story["decision"]["thresholds"]["negative"] == nothing
    assert [one["rule"] for one in of_kind(story, "review")["why"]] == ["negative-text"]


def test_nobody_reviews_a_record_without_text(decided):
    assert kinds(decided("r-1", None, scores={"nps": 9})) == []
    blank = decided("r-2", "   ", scores={"nps": 9})
    assert (kinds(blank), blank["classification"]["abstain"]) == ([], {"reason": "empty"})


def test_scores_fire_although_the_text_cannot_be_read(decided):
    assert kinds(decided("r-1", FOREIGN, scores={"nps": 2})) == ["follow_up", "review"]


SCORES_ONLY = """
name: scores only
rules:
  - {name: detractor, when: scores.nps <= 6, then: {create: follow_up}}
"""


def test_a_policy_without_judgement_makes_no_review(decided):
    assert kinds(decided("r-1", FOREIGN, policy=SCORES_ONLY)) == []


def test_an_item_is_made_once_per_kind_over_revisions(decided):
    first = decided("r-1", BROKEN, scores={"nps": 3})
    second = decided("r-1", f"{BROKEN} {IDEA}", scores={"nps": 1}, revision=2)
    third = decided("r-1", "All is well now, thank you, great service.", scores={"nps": 10}, revision=3)

    assert kinds(first) == ["follow_up", "ticket"]
    before = {item["id"] for item in first["work_items"]}
    assert before < {item["id"] for item in second["work_items"]}
    assert [kind for kind in kinds(second) if kind not in kinds(first)] == ["backlog_item"]
    assert {item["id"] for item in third["work_items"]} == {item["id"] for item in second["work_items"]}
    assert third["revisions"] == [1, 2, 3]
    assert len({one["decision"]["id"] for one in (first, second, third)}) == 3
    assert [one["decision"]["revision"] for one in (first, second, third)] == [1, 2, 3]
    assert third["classification"]["sentiment"]["label"] == "positive"
    retracted = of_kind(third, "follow_up")
    assert (retracted["status"], retracted["why"][0]["clauses"][0]["value"]) == (
        "retracted",
        1,
    )  # the last to ask for it


def test_a_later_policy_moves_no_running_clock(decided, admin):
    before = of_kind(decided("r-1", None, scores={"nps": 0}), "follow_up")
    later = POLICY.replace("acknowledge: 4h, contact: 8h, resolve: 2d", "acknowledge: 1h, resolve: 1h")
    other = of_kind(decided("r-2", None, scores={"nps": 0}, policy=later), "follow_up")
    after = admin.get(f"/v1/work-items/{before['id']}").json()
    assert after["targets"] == before["targets"]
    assert other["targets"]["contact"] is None


def test_the_life_of_a_mandatory_follow_up(decided, admin):
    item = of_kind(decided("r-1", None, scores={"nps": 0}), "follow_up")

    refused = happened(admin, item, "resolve")
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "follow-up-incomplete"
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/contact_attempt", "/outcome", "/root_cause"]

    assert happened(admin, item, "acknowledge", comment="mine").status_code == 201
    again = happened(admin, item, "acknowledge")
    assert (again.status_code, again.json()["type"]) == (409, "impossible-transition")
    assert happened(admin, item, "contact_attempt", channel="phone", outcome="reached").status_code == 201
    refused = happened(admin, item, "resolve", outcome="sent a new one")
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/root_cause"]
    assert happened(admin, item, "assign", owner="jan").json()["owner"] == "jan"

    done = happened(admin, item, "resolve", outcome="sent a new one", root_cause="carrier")
    assert done.status_code == 201
    shown = done.json()
    assert (shown["status"], shown["outcome"], shown["root_cause"]) == ("resolved", "sent a new one", "carrier")
    assert {name: one["state"] for name, one in shown["targets"].items()} == dict.fromkeys(shown["targets"], "met")
    assert shown["due_at"] is None
    history = [(one["sequence"], one["type"], one["actor"]) for one in shown["events"]]
    assert history == [
        (1, "created", "heed"),
        (2, "acknowledge", "admin"),
        (3, "contact_attempt", "admin"),
        (4, "assign", "admin"),
        (5, "resolve", "admin"),
    ]
    assert shown["events"][1]["data"] == {"comment": "mine"}
    assert shown["events"][2]["data"] == {"channel": "phone", "outcome": "reached"}
    assert admin.get(f"/v1/work-items/{item['id']}").json() == shown

    assert happened(admin, item, "reopen").status_code == 422
    assert happened(admin, item, "reopen", comment="broken again").json()["status"] == "acknowledged"


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"type": "explode"}, ""),
        ({}, ""),
        ({"type": "assign"}, "/owner"),
        ({"type": "assign", "owner": ""}, "/owner"),
        ({"type": "contact_attempt", "channel": "pigeon", "outcome": "reached"}, "/channel"),
        ({"type": "contact_attempt", "channel": "phone", "outcome": "maybe"}, "/outcome"),
        ({"type": "wait", "until": "tomorrow"}, "/until"),
        ({"type": "wait", "until": "2030-01-01T10:00:00"}, "/until"),
        ({"type": "acknowledge", "owner": "jan"}, "/owner"),
        ({"type": "acknowledge", "comment": "x" * 4_001}, "/comment"),
    ],
)
def test_an_event_that_is_wrong_changes_nothing(decided, admin, sent, pointer):
    (item,) = decided("r-1", None, scores={"nps": 0})["work_items"]
    answer = admin.post(f"/v1/work-items/{item['id']}/events", json=sent)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"].endswith(pointer)
    assert len(admin.get(f"/v1/work-items/{item['id']}").json()["events"]) == 1


def test_a_pause_is_seen_and_added(decided, admin, database):
    (item,) = decided("r-1", None, scores={"nps": 0})["work_items"]
    paused = happened(admin, item, "wait", until="2099-01-01T00:00:00Z").json()
    assert paused["targets"]["resolve"]["state"] == "paused"
    with database.session() as session:
        session.execute(text("UPDATE work_item SET paused_at = paused_at - interval '40 hours'"))
    running = happened(admin, item, "resume").json()
    moved = datetime.fromisoformat(running["targets"]["resolve"]["due_at"]) - datetime.fromisoformat(
        item["targets"]["resolve"]["due_at"]
    )
    assert timedelta(hours=40) <= moved < timedelta(hours=40, minutes=1)
    for hours, state in ((75, "running"), (2, "at_risk"), (12, "missed")):  # 36 of its own hours, 40 of waiting
        with database.session() as session:
            session.execute(text(LATER), {"passed": timedelta(hours=hours)})
        assert admin.get(f"/v1/work-items/{item['id']}").json()["targets"]["resolve"]["state"] == state


LATER = """
UPDATE work_item SET created_at = created_at - :passed, resolve_due_at = resolve_due_at - :passed,
    sla = sla || (SELECT jsonb_object_agg(part, (SELECT jsonb_object_agg(key, to_jsonb(value::timestamptz - :passed))
        FROM jsonb_each_text(sla -> part))) FROM unnest(ARRAY['first_due', 'at_risk']) AS part)
"""


def test_of_two_supervisors_at_once_none_loses_an_event(decided, signed_in, database):
    (item,) = decided("r-1", None, scores={"nps": 0})["work_items"]
    clients = [signed_in("supervisor") for _ in range(4)]
    gate = Barrier(len(clients))

    def press(client: httpx.Client) -> list[int]:
        gate.wait(10)
        kinds = ("acknowledge", "wait", "resume", "wait", "resume")
        return [happened(client, item, kind).status_code for kind in kinds]

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = [status for row in pool.map(press, clients) for status in row]
    assert set(answers) <= {201, 409}
    shown = clients[0].get(f"/v1/work-items/{item['id']}").json()
    assert [one["sequence"] for one in shown["events"]] == list(range(1, answers.count(201) + 2))
    assert [one["type"] for one in shown["events"]].count("acknowledge") <= 1
    with database.session() as session:
        version = session.execute(text("SELECT version FROM work_item")).scalar_one()
    assert version == len(shown["events"])


def test_of_two_who_acknowledge_at_once_one_is_told(decided, signed_in):
    (item,) = decided("r-1", None, scores={"nps": 0})["work_items"]
    clients = [signed_in("supervisor") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(lambda client: happened(client, item, "acknowledge").status_code, clients))
    assert answers == [201, 409]


def test_an_item_that_is_not_there(admin):
    missing = {"id": "0198c0de-0000-7000-8000-000000000001"}
    assert admin.get(f"/v1/work-items/{missing['id']}").status_code == 404
    assert happened(admin, missing, "acknowledge").status_code == 404


def test_the_list_is_narrowed(decided, admin):
    story = decided("r-1", BROKEN, scores={"nps": 3})
    follow_up, ticket = of_kind(story, "follow_up"), of_kind(story, "ticket")
    happened(admin, ticket, "acknowledge")
    happened(admin, ticket, "assign", owner="jan")

    def listed(**query) -> list[str]:
        return [one["id"] for one in admin.get("/v1/work-items", params=query).json()["items"]]

    assert set(listed()) == {follow_up["id"], ticket["id"]}
    assert listed(kind="ticket") == [ticket["id"]]
    assert listed(status="open") == [follow_up["id"]]
    assert listed(owner="jan") == [ticket["id"]]
    assert listed(due_before=ticket["due_at"]) == [follow_up["id"]]
    assert listed(kind="backlog_item") == []
    page = admin.get("/v1/work-items", params={"limit": 1}).json()
    rest = admin.get("/v1/work-items", params={"limit": 1, "cursor": page["next"]}).json()
    assert {page["items"][0]["id"], rest["items"][0]["id"]} == {follow_up["id"], ticket["id"]}
    assert rest["next"] is None


def test_waiting_ends_by_itself_when_its_time_has_come(decided, admin, database, drain):
    (item,) = decided("r-1", None, scores={"nps": 0})["work_items"]
    waiting = happened(admin, item, "wait", until="2099-01-01T00:00:00Z").json()
    assert (waiting["status"], waiting["wait_until"]) == ("waiting", "2099-01-01T00:00:00Z")
    drain()
    assert admin.get(f"/v1/work-items/{item['id']}").json()["status"] == "waiting"

    with database.session() as session:  # the year 2099 has come
        session.execute(text("UPDATE work_item SET wait_until = now() - interval '1 minute'"))
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE task_name = 'wake'"))
    drain()
    resumed = admin.get(f"/v1/work-items/{item['id']}").json()
    assert (resumed["status"], resumed["wait_until"]) == ("acknowledged", None)
    assert [(one["type"], one["actor"]) for one in resumed["events"]][-1] == ("resume", "heed")


def test_waiting_that_lost_its_job_ends_too(decided, admin, database, works, drain):
    (item,) = decided("r-1", None, scores={"nps": 0})["work_items"]
    happened(admin, item, "wait", until="2099-01-01T00:00:00Z")
    with database.session() as session:
        session.execute(text("UPDATE work_item SET wait_until = now() - interval '1 minute'"))
        session.execute(text("DELETE FROM procrastinate_jobs"))
    reconcile(works)
    drain()
    assert admin.get(f"/v1/work-items/{item['id']}").json()["status"] == "acknowledged"
