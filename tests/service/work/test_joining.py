"""Items that join an open one: over the real database, with workers that run at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import Session, select

from service.classify import classify
from service.decisions import decide
from service.route.case import Case, Customer
from service.route.decide import decide as judge
from service.route.policy_document import check
from service.store.tables import Delivery, Feedback, Notice, User, WorkItem, WorkItemEvent
from service.work.join_key import join_key, joined_priority

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
POLICY = """
name: joins
fields: {context.site: text, context.lot: text}
groups: {line: {people: [ana]}}
slas: {quick: {resolve: 4h}}
rules:
  - name: defect
    when: known(context.site)
    then: {create: quality_case, key: [context.site, context.lot], assign: line, deliver: [desk], priority: normal}
  - name: angry
    when: scores.nps <= 2
    then: {create: ticket, tags: topics, join: 14d, assign: line, mandatory: true, priority: high}
  - name: unhappy
    when: scores.nps <= 6
    then: {create: ticket, tags: topics, join: 14d, assign: line}
  - {name: idea, when: scores.nps == 10, then: {create: backlog_item, key: [context.lot]}}
"""
LATE = "The delivery came two weeks late, the parcel was late again."
LOT = {"site": "Lodz", "lot": "L-204"}


@pytest.fixture
def used(admin, database):
    """The policy decides, and ana has an account."""
    with database.session() as session:
        session.add(User(name="ana", roles=["supervisor"]))
    version = admin.post("/v1/policies", content=POLICY).raise_for_status().json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()


def arrived(admin, works, *records) -> list:
    """The ids of records that wait for their decision."""
    answer = admin.post("/v1/feedback", json=list(records)).raise_for_status().json()
    ids = [one["id"] for one in answer["results"]]
    with Session(works.database.engine, expire_on_commit=False) as session:
        found = list(session.exec(select(Feedback.id).where(Feedback.stage == "received")))
        classify(session, works.reader, found)
    return ids


def ran(works, *ids) -> None:
    with Session(works.database.engine, expire_on_commit=False) as session:
        decide(session, ids)


def rows(database, kind):
    with Session(database.engine) as session:
        return list(session.exec(select(kind).order_by(*kind.__table__.primary_key.columns)))


def lot(number, **changes):
    made = {"scores": {"nps": 8}, "context": LOT, "customer": {"id": f"c-{number}"}}
    return record(f"r-{number}", None, **(made | changes))


def told(database, kind):
    return [row for row in rows(database, WorkItemEvent) if row.type == kind]


def test_equal_keys_make_one_item_also_in_one_batch_and_from_the_third_on_more_urgent(used, admin, works, database):
    ran(works, *arrived(admin, works, lot(1), lot(2)))
    (item,) = rows(database, WorkItem)
    assert (item.priority, len(told(database, "joined"))) == ("normal", 1)
    ran(
        works,
        *arrived(admin, works, lot(3), lot(4), lot(5, context={**LOT, "lot": "L-205"}), lot(6, context={"site": "x"})),
    )

    first, *others = rows(database, WorkItem)
    assert first.id == item.id
    assert [other.customer for other in others] == ["c-5", "c-6"]
    assert (first.priority, first.owner) == ("high", "ana")
    joined = told(database, "joined")
    assert [(one.data["answers"], one.data.get("priority")) for one in joined] == [
        (2, None),
        (3, ["normal", "high"]),
        (4, None),
    ]
    assert all(one.data["rule"] == "defect" and one.data["decision_id"] for one in joined)
    story = admin.get(f"/v1/work-items/{item.id}").json()
    assert len(story["feedback_ids"]) == 4
    sent = [(row.operation, row.sequence) for row in rows(database, Delivery) if row.work_item_id == item.id]
    assert sorted(sent) == [("comment", 2), ("comment", 3), ("comment", 4), ("create", 1)]
    notices = [row.words for row in rows(database, Notice) if row.kind == "joined" and row.work_item_id == item.id]
    assert notices == [f"Another answer joined: {item.title}", f"2 more answers joined: {item.title}"]


def test_the_same_customer_and_topic_join_within_the_window(used, admin, works, database):
    def angry(name, customer="c-1", words=LATE, nps=5):
        return record(name, words, scores={"nps": nps}, customer={"id": customer})

    ran(works, *arrived(admin, works, angry("r-1"), angry("r-2", customer="c-2"), angry("r-3", words="Fine, thanks.")))
    assert [row.customer for row in rows(database, WorkItem)] == ["c-1", "c-2", "c-1"]
    ran(works, *arrived(admin, works, angry("r-4", nps=0)))
    item = rows(database, WorkItem)[0]
    assert (item.priority, item.mandatory) == ("high", True)
    assert len(rows(database, WorkItem)) == 3

    with database.session() as session:
        session.execute(text("UPDATE work_item SET created_at = created_at - interval '15 days'"))
    ran(works, *arrived(admin, works, angry("r-5")))
    assert len(rows(database, WorkItem)) == 4  # too old to be joined


@pytest.mark.parametrize("status", ["resolved", "retracted", "waiting"])
def test_only_an_open_item_is_joined(used, admin, works, database, status):
    ran(works, *arrived(admin, works, lot(1)))
    with database.session() as session:
        session.execute(text("UPDATE work_item SET status = :status"), {"status": status})
    ran(works, *arrived(admin, works, lot(2)))
    assert len(rows(database, WorkItem)) == (1 if status == "waiting" else 2)


def test_history_joins_silently_and_takes_in_nothing_that_has_a_promise(used, admin, works, database):
    ran(works, *arrived(admin, works, lot(1)))
    ids = arrived(admin, works, lot(2), lot(9, context={**LOT, "lot": "L-209"}))
    with database.session() as session:
        session.execute(text("UPDATE feedback SET history = true WHERE stage = 'classified'"))
    ran(works, *ids)
    assert [row.owner for row in rows(database, WorkItem)] == ["ana", "ana"]
    assert len(told(database, "joined")) == 1
    assert [row.operation for row in rows(database, Delivery)] == ["create"]
    assert [row.kind for row in rows(database, Notice)] == ["assigned"]

    promised = POLICY.replace("key: [context.site, context.lot],", "key: [context.site, context.lot], sla: quick,")
    version = admin.post("/v1/policies", content=promised).raise_for_status().json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    ran(works, *arrived(admin, works, lot(3), lot(4)))
    assert [row.sla is not None for row in rows(database, WorkItem)] == [False, False, True]


def test_ideas_that_join_are_weighed_together(used, admin, works, database):
    def idea(number, value):
        customer = {"id": f"c-{number}", "account_value": value}
        return record(f"r-{number}", None, scores={"nps": 10}, context={"lot": "L-1"}, customer=customer)

    ran(works, *arrived(admin, works, idea(1, 1000), idea(2, 500)))
    ran(works, *arrived(admin, works, idea(3, 250)))
    (item,) = rows(database, WorkItem)
    assert (item.voices, item.account_value) == (3, 1750)


def test_workers_that_run_at_once_make_one_item(used, admin, works, database):
    numbers = range(24)
    ids = arrived(admin, works, *(lot(number) for number in numbers))
    together = Barrier(4)

    def work(part) -> None:
        together.wait(10)
        for one in part:
            ran(works, one)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [ids[index::4] for index in range(4)]))
    (item,) = rows(database, WorkItem)
    events = [row for row in rows(database, WorkItemEvent) if row.work_item_id == item.id]
    assert [row.sequence for row in events] == list(range(1, 25))
    assert len({row.data["feedback_id"] for row in events if row.type == "joined"}) == 23
    assert item.priority == "high"


TOPIC = ("delivery",)
BOTH = "{create: quality_case, key: [context.site, context.lot]}"
WINDOW = "{create: ticket, join: 14d}"


def key(then, **changes):
    document = (
        f"name: p\nfields: {{context.site: text, context.lot: text}}\nrules: [{{name: r, when: 'true', then: {then}}}]"
    )
    case = Case("s", NOW, **({"tags": TOPIC, "customer": Customer(id="c-1"), "context": LOT} | changes))
    (plan,) = judge(check(document, []).policy, case, {}).plans
    return join_key(plan, case)


@pytest.mark.parametrize(
    ("then", "changes", "expected"),
    [
        (BOTH, {}, '[["context.site","Lodz"],["context.lot","L-204"]]'),
        (BOTH, {"context": {"site": "Lodz"}}, None),
        (WINDOW, {}, '[["customer.id","c-1"],["topic","delivery"]]'),
        (WINDOW, {"tags": ()}, None),
        (WINDOW, {"customer": Customer()}, None),
        (WINDOW, {"degraded": True}, None),
        ("{create: ticket}", {}, None),
    ],
)
def test_what_joins_has_a_key(then, changes, expected):
    assert key(then, **changes) == expected


def test_a_long_key_fits_an_index():
    long = key(BOTH, context={**LOT, "lot": "x" * 10_000})
    assert long is not None
    assert len(long) < 100
    assert long != key(BOTH, context={**LOT, "lot": "x" * 10_001})


def test_the_priority_is_the_highest_and_one_step_more_once():
    priority = "low"
    for answers, asked in enumerate(["low", "normal", "low", "low", "high", "urgent"], start=2):
        priority = joined_priority(priority, asked, answers)
        assert priority == {2: "low", 3: "high", 4: "high", 5: "high", 6: "urgent", 7: "urgent"}[answers]
