"""The step from a classified record to its receipt and work, over the real database."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import Session, select

from service.classify import Reader, classify
from service.decisions import decide
from service.pipeline import Works
from service.route.policy import Policy
from service.route.receipt import replay
from service.route.versions import activate, publish
from service.store.database import Database
from service.store.tables import Decision, Feedback

POLICY = """
name: odd
review: triage
fields: {context.flag: boolean, context.weight: number, context.site: text, customer.attributes.plan: text}
thresholds:
  negative: {axis: sentiment, label: negative, uncertified: 0.8}
  urgent: {axis: urgency, label: high}
rules:
  - {name: low, when: scores.csat <= 2.5 or scores.nps <= 6, then: {create: follow_up, sla: quick, assign: triage}}
  - {name: negative, when: sentiment.negative >= threshold("negative"), then: {create: ticket, tags: topics}}
  - {name: urgent, when: urgency.high >= threshold("urgent"), then: {create: ticket}}
  - {name: flagged, when: context.flag and context.weight > 0.1, then: {create: quality_case, key: [context.site]}}
  - {name: rich, when: customer.account_value >= 1000000, then: {create: backlog_item}}
slas: {quick: {resolve: 4h}}
groups: {triage: {people: [sam]}}
"""
RECEIPT = {
    *("id", "feedback_id", "revision", "policy_version", "classifier", "calibrator", "taxonomy", "calendar"),
    *("thresholds", "case", "rules", "review", "mode", "decided_at", "format", "input", "plans", "bypass"),
}
ODD = {
    "plain": record("plain"),
    "scores only": record("scores only", None, scores={"nps": 0, "csat": 2.5, "ces": 6.25, "stars": 1}),
    "no word": record("no word", " \t ", scores={"nps": 9}),
    "foreign": record("foreign", "Die Lieferung kam viel zu spät und der Karton war zerdrückt, sehr ärgerlich."),
    "emoji": record(
        "emoji", "Broken again 😡😡 — the lid 𝓬𝓻𝓪𝓬𝓴𝓮𝓭, cafe\u0301 \u202eesrever\u202c, worst purchase ever"
    ),
    "floats": record(
        "floats",
        scores={"csat": 1.1},
        customer={"id": "c-1", "account_value": 1e15, "attributes": {"plan": "ü", "share": 0.1, "n": 2}},
        context={"weight": 0.30000000000000004, "flag": True, "site": 'Łódź "north"'},
    ),
    "small numbers": record(
        "small numbers", customer={"id": "c", "account_value": 0.0}, context={"weight": 5e-324, "flag": False}
    ),
    "whole numbers": record("whole numbers", context={"weight": 3, "flag": True, "big": 10**15}),
    "two answers": record(
        "two answers",
        None,
        verbatims=[{"text": "Great staff, thank you!"}, {"question": "Else?", "text": "Delivery was late, terrible."}],
        language="en",
    ),
    "long": record("long", "The delivery was late. " * 2_000),
}


def use(admin: httpx.Client, document: str) -> int:
    version = admin.post("/v1/policies", content=document).raise_for_status().json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    return version


def test_odd_records_are_decided_once_and_replay_byte_for_byte(
    admin: httpx.Client, drain: Callable[[], None], database: Database
):
    version = use(admin, POLICY)
    posted = admin.post("/v1/feedback", json=list(ODD.values())).json()["results"]
    drain()
    stories = {one["external_id"]: admin.get(f"/v1/feedback/{one['id']}").json() for one in posted}
    assert {story["state"] for story in stories.values()} == {"routed"}
    for _ in range(2):  # and again after other versions came to decide
        for name, story in stories.items():
            answer = admin.post(f"/v1/decisions/{story['decision']['id']}/replay").json()
            assert answer == {"identical": True, "differences": []}, name
        use(admin, POLICY.replace("2.5", "1").replace("uncertified: 0.8", "uncertified: 0.1"))

    with database.session() as session:
        for row in session.exec(select(Decision)):
            assert set(json.loads(row.receipt)) == RECEIPT
            assert row.policy_version == version
    assert stories["scores only"]["decision"]["classifier"] is None
    assert stories["scores only"]["classification"] is None
    assert stories["no word"]["decision"]["review"] == []
    assert stories["foreign"]["decision"]["review"] == ["negative", "urgent"]
    assert "urgent" in stories["plain"]["decision"]["review"]
    kinds = {name: {item["kind"] for item in story["work_items"]} for name, story in stories.items()}
    assert kinds["scores only"] == {"follow_up"}
    assert kinds["no word"] == set()
    assert kinds["foreign"] == {"review"}
    assert kinds["floats"] >= {"follow_up", "quality_case", "backlog_item"}
    assert "quality_case" not in kinds["small numbers"]
    assert "quality_case" in kinds["whole numbers"]
    case = stories["floats"]["decision"]["case"]
    assert case["context"]["weight"] == 0.30000000000000004
    assert case["customer"]["account_value"] == 1e15


def test_a_changed_receipt_says_where_it_differs(admin: httpx.Client, drain: Callable[[], None], database: Database):
    use(admin, POLICY)
    (posted,) = admin.post("/v1/feedback", json=ODD["scores only"]).json()["results"]
    drain()
    decision = admin.get(f"/v1/feedback/{posted['id']}").json()["decision"]["id"]
    with database.session() as session:
        session.execute(text("UPDATE decision SET receipt = replace(receipt, '\"fired\"', '\"not_fired\"')"))
    answer = admin.post(f"/v1/decisions/{decision}/replay").json()
    assert answer == {
        "identical": False,
        "differences": [{"pointer": "/rules/0/outcome", "stored": "not_fired", "replayed": "fired"}],
    }


RECORDED = {
    file: json.loads(Path(__file__).with_name(file).read_text(encoding="utf-8"))
    for file in ("recorded_decisions.json", "recorded_decisions_2.json")
}


@pytest.mark.parametrize(
    ("file", "name"), [(file, name) for file, held in RECORDED.items() for name in held["receipts"]]
)
def test_a_recorded_decision_comes_out_the_same_for_ever(file, name):
    """Never record these anew to make a test pass: whoever has such receipts stored could not replay them."""
    told = RECORDED[file]["receipts"][name]
    policy = Policy.from_canonical(RECORDED[file]["policies"][str(json.loads(told)["policy_version"])])
    assert replay(told, policy) == told


def test_the_second_record_uses_the_whole_language():
    """Written by `record_decisions.py`; each rule fires somewhere, and is false or unknown elsewhere."""
    told = [json.loads(one) for one in RECORDED["recorded_decisions_2.json"]["receipts"].values()]
    said = {(rule["rule"], rule["outcome"]) for one in told for rule in one["rules"]}
    names = {rule["rule"] for rule in told[0]["rules"]}
    assert {(name, outcome) for name in names for outcome in ("fired", "not_fired")} <= said
    assert {("again", "superseded"), ("urgent", "superseded")} <= said
    assert {one["calendar"] for one in told} >= {None, "always", "always, emea (holidays 0.109)"}
    assert {one["format"] for one in told} == {2}


def ids_of(database: Database) -> list:
    with Session(database.engine) as session:
        return list(session.exec(select(Feedback.id)))


def received(admin: httpx.Client, works: Works, number: int) -> list:
    """Records that wait for their decision."""
    for start in range(0, number, 500):
        batch = [record(f"r-{index}", None, scores={"nps": 3}) for index in range(start, min(number, start + 500))]
        admin.post("/v1/feedback", json=batch).raise_for_status()
    ids = ids_of(works.database)
    with Session(works.database.engine, expire_on_commit=False) as session:
        classify(session, works.reader, ids)
    return ids


def cited(database: Database) -> list[int]:
    with Session(database.engine) as session:
        return list(session.exec(select(Decision.policy_version).order_by(Decision.id)))


def test_a_version_decides_everything_after_it_was_answered(admin, works, database):
    ids = received(admin, works, 400)
    answered, mixed = Event(), []

    def work(part: list) -> None:
        for one in part:
            after = answered.is_set()
            with Session(database.engine, expire_on_commit=False) as session:
                decide(session, [one])
            if after:
                mixed.append(one)

    with ThreadPoolExecutor(5) as pool:
        workers = [pool.submit(work, ids[index::4]) for index in range(4)]
        for name in ("second", "third"):
            use(admin, POLICY.replace("name: odd", f"name: {name}"))
        answered.set()
        for worker in workers:
            worker.result(60)
    with Session(database.engine) as session:
        versions = dict(session.execute(text("SELECT feedback_id, policy_version FROM decision")).all())
    assert len(versions) == len(ids)
    assert set(versions.values()) <= {1, 2, 3}
    assert {versions[one] for one in mixed} <= {3}
    with Session(database.engine) as session:
        told = {row.feedback_id: json.loads(row.receipt)["policy_version"] for row in session.exec(select(Decision))}
    assert told == versions


def test_an_activation_waits_for_the_decision_under_way(admin, works, database):
    (one,) = received(admin, works, 1)
    topics: list[str] = []
    with database.session() as session:
        version = publish(session, POLICY.encode(), topics, by="test").version

    def switch() -> None:
        with database.session() as session:
            activate(session, version, by="test")

    with Session(database.engine, expire_on_commit=False) as deciding, ThreadPoolExecutor(1) as pool:
        deciding.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": 0x68656566})
        switching = pool.submit(switch)
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not deciding.execute(waiting).scalar_one():
            assert not switching.done()
        decide(deciding, [one])  # ends the transaction
        switching.result(10)
    assert cited(database) == [1]


def test_two_runs_of_one_job_decide_once(admin, works, database):
    ids = received(admin, works, 100)

    def run(_: int) -> None:
        with Session(database.engine, expire_on_commit=False) as session:
            decide(session, ids)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert len(cited(database)) == 100
    with Session(database.engine) as session:
        assert session.execute(text("SELECT count(*) FROM work_item")).scalar_one() == 100


def test_history_makes_items_without_clocks_or_deliveries(admin, works, database):
    document = POLICY.replace("{create: follow_up,", "{create: follow_up, deliver: [desk],")
    use(admin, document)
    ids = received(admin, works, 1)
    with database.session() as session:
        session.execute(text("UPDATE feedback SET history = true"))
        decide(session, ids)
    story = admin.get(f"/v1/feedback/{ids[0]}").json()
    assert story["decision"]["mode"] == "history"
    (item,) = story["work_items"]
    assert (item["due_at"], item["deliveries"], item["targets"]["resolve"]) == (None, [], None)


def test_a_revision_that_comes_while_the_classifier_reads_is_not_overtaken(admin, works, database):
    admin.post("/v1/feedback", json=record("r-1", scores={"nps": 3})).raise_for_status()

    class Slow(Reader):
        def understand(self, answers):
            read = super().understand(answers)
            admin.post("/v1/feedback", json=record("r-1", "All is well.", revision=2)).raise_for_status()
            return read

    with Session(database.engine, expire_on_commit=False) as session:
        classify(session, Slow("keywords"), ids_of(database))
    (story,) = admin.get("/v1/feedback").json()["items"]
    assert (story["revision"], story["state"]) == (2, "received")
    with Session(database.engine) as session:
        assert session.execute(text("SELECT count(*) FROM classification")).scalar_one() == 0
