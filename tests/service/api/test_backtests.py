"""Backtests over HTTP: what a draft would have made of what was stored, beside the version that decides."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from builders import record
from sqlalchemy import text
from sqlmodel import Session, select

from models.taxonomies.taxonomy import default_taxonomy
from service.backtest import job
from service.backtest.columns import Columns
from service.backtest.judging import Arrivals, Judge, Thresholds
from service.backtest.reading import lay, stored
from service.decisions import case_from
from service.pipeline import reconcile, recover
from service.route.certificates import Gates
from service.route.decide import decide, resolve_uncertified
from service.route.policy import Policy
from service.route.policy_document import check
from service.store.tables import Classification, Feedback, FeedbackRevision
from service.work.past import looked_at, past_of

NOW = """
name: now
rules:
  - {name: low, when: scores.nps <= 3, then: {create: follow_up, sla: quick, assign: desk}}
  - {name: idea, when: scores.nps >= 9, then: {create: backlog_item}}
slas: {quick: {acknowledge: 1h, resolve: 1d}}
groups: {desk: {people: [ana], capacity: 1}}
"""
THEN = NOW.replace("name: now", "name: then").replace("<= 3", "<= 5").replace(">= 9", ">= 10")
MOVED = NOW.replace("name: low", "name: lower")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def versions(house) -> dict[str, int]:
    client = house.client()
    made = {name: client.post("/v1/policies", content=policy).json()["version"] for name, policy in POLICIES.items()}
    activated = client.post(f"/v1/policies/{made['now']}/activate", json={"comment": "test"})
    assert activated.status_code == 200, activated.text
    sent = [record(f"r-{nps}", scores={"nps": nps}, text=f"Words {nps}.") for nps in (1, 4, 7, 9, 10)]
    assert client.post("/v1/feedback", json=sent).status_code == 202
    house.drain()
    return made


POLICIES = {"now": NOW, "then": THEN, "moved": MOVED}


def asked(house, version: int, **changes: Any) -> str:
    today = datetime.now(UTC)
    period = {"since": (today - DAY).isoformat(), "until": (today + DAY).isoformat()}
    answer = house.client().post(f"/v1/policies/{version}/backtest", json={**period, **changes})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def done(house, version: int, **changes: Any) -> dict[str, Any]:
    begun = asked(house, version, **changes)
    house.drain()
    shown = house.client("supervisor").get(f"/v1/backtests/{begun}").json()
    assert shown["state"] == "done", shown["reason"]
    return shown


@pytest.fixture(scope="module")
def shown(house, versions) -> dict[str, Any]:
    return done(house, versions["then"])


def test_a_draft_is_compared_with_what_decides(versions, shown):
    result = shown["result"]
    assert (shown["against_version"], shown["records"], shown["done"]) == (versions["now"], 5, 5)
    assert (result["records"], result["differing"], result["cases"]) == (5, 2, 2)
    assert {
        line["kind"]: (line["now"], line["then"], line["appears"], line["vanishes"]) for line in result["kinds"]
    } == {
        "follow_up": (1, 2, 1, 0),
        "backlog_item": (2, 1, 0, 1),
    }
    (ana,) = result["owners"]
    assert (ana["owner"], ana["now"], ana["then"], ana["capacity"]) == ("ana", 1, 2, 1)
    assert (ana["days_above_now"], ana["days_above_then"]) == (0, 1)
    assert result["queue"]["missed_then"] == 0
    assert "no promise about a text" in result["promises"]["sentence"]


def test_every_number_opens_its_cases(house, shown):
    address, client = f"/v1/backtests/{shown['id']}/cases", house.client("supervisor")
    (appears,) = client.get(address, params={"change": "appears"}).json()["items"]
    assert (appears["kind"], appears["rule"], appears["owner"], appears["words"]) == (
        "follow_up",
        "low",
        "ana",
        "Words 4.",
    )
    (vanishes,) = client.get(address, params={"owner": ""}).json()["items"]
    assert (vanishes["change"], vanishes["rule"], vanishes["words"]) == ("vanishes", "idea", "Words 9.")
    first = client.get(address, params={"limit": 1}).json()
    second = client.get(address, params={"limit": 1, "cursor": first["next"]}).json()
    assert [*first["items"], *second["items"]] == [appears, vanishes]
    assert second["next"] is None


def test_another_rule_for_the_same_item_is_a_change(house, versions):
    (line, _) = done(house, versions["moved"])["result"]["kinds"]
    assert (line["kind"], line["appears"], line["vanishes"], line["changed"]) == ("follow_up", 0, 0, 1)


def test_a_version_compared_with_itself_differs_in_nothing(house, versions):
    result = done(house, versions["then"], against=versions["then"])["result"]
    assert (result["records"], result["differing"], result["cases"]) == (5, 0, 0)


def test_an_empty_period_has_no_records(house, versions):
    result = done(house, versions["then"], since="2020-01-01T00:00:00Z", until="2020-02-01T00:00:00Z")["result"]
    assert (result["records"], result["kinds"]) == (0, [])


def test_handling_times_are_ours_to_set(house, versions):
    queue = done(house, versions["then"], handling={"follow_up": 5_000})["result"]["queue"]
    assert queue["handling"]["follow_up"] == 5_000
    assert queue["missed_then"] > 0


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"until": "2020-01-01T00:00:00Z"}, "/until"),
        ({"against": 9_999}, "/against"),
        ({"since": "2020-01-01T00:00:00"}, "/since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "/since"),  # of a year that could not be read again
        ({"handling": {"follow_up": 0}}, "/handling/follow_up"),
    ],
)
def test_what_cannot_be_is_refused(house, versions, changes, pointer):
    period = {"since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}
    answer = house.client().post(f"/v1/policies/{versions['then']}/backtest", json={**period, **changes})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_cancelled_one_is_not_done_and_cannot_be_cancelled_again(house, versions):
    begun = asked(house, versions["then"])
    cancelled = house.client().post(f"/v1/backtests/{begun}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    house.drain()
    assert house.client().get(f"/v1/backtests/{begun}").json()["result"] is None
    assert house.client().post(f"/v1/backtests/{begun}/cancel").status_code == 409


def test_a_cancelled_one_stops_while_it_runs(house, versions):
    begun = asked(house, versions["then"])
    heard: list[int] = []

    def cancel(done: int, _of: int) -> None:
        heard.append(done)
        house.client().post(f"/v1/backtests/{begun}/cancel")

    job.run(house.database, begun, cancel)
    assert heard == [0]
    assert house.client().get(f"/v1/backtests/{begun}").json()["state"] == "cancelled"
    house.drain()


def test_one_whose_job_is_lost_is_taken_up_again(house, versions):
    begun = asked(house, versions["then"])
    with house.database.session() as session:
        session.execute(text("DELETE FROM procrastinate_jobs WHERE task_name = 'backtest'"))
        session.execute(text("UPDATE backtest SET updated_at = now() - interval '1 minute'"))
    recover(house.works)
    reconcile(house.works)
    house.drain()
    assert house.client().get(f"/v1/backtests/{begun}").json()["state"] == "done"


def test_one_that_keeps_ending_its_worker_fails_in_words(house, versions):
    begun = asked(house, versions["then"])
    with house.database.session() as session:
        session.execute(text("UPDATE backtest SET attempts = 3 WHERE id = :id"), {"id": begun})
    house.drain()
    shown = house.client().get(f"/v1/backtests/{begun}").json()
    assert (shown["state"], shown["reason"]) == ("failed", "It ended its worker 3 times: try a shorter period.")


def test_the_list_is_newest_first_and_of_one_version(house, versions, shown):
    begun = asked(house, versions["then"])
    house.client().post(f"/v1/backtests/{begun}/cancel")
    items = house.client("auditor").get("/v1/backtests", params={"policy_version": versions["then"]}).json()["items"]
    assert items[0]["id"] == begun
    assert shown["id"] in {item["id"] for item in items}
    assert {item["policy_version"] for item in items} == {versions["then"]}


# A rule of every kind: what each looks at has to be read, and nothing else is.
WIDE = """
name: wide
fields: {context.site: text, customer.attributes.risk: number}
thresholds: {negative: {axis: sentiment, label: negative, promise: {precision: 0.9, confidence: 0.95}}}
rules:
  - {name: words, when: 'matches(text, "(?i)refund")', then: {create: ticket, assign: desk}}
  - {name: again, when: 'count_recent("follow_up", days=30) >= 1', then: {create: follow_up, sla: soon, assign: area}}
  - {name: long-ago, when: 'days_since_last("follow_up") > 30', then: {create: follow_up, sla: soon, assign: area}}
  - {name: site, when: 'known(context.site) and context.site != "Porto"', then: {create: quality_case, assign: desk}}
  - {name: risky, when: customer.attributes.risk >= 3, then: {create: backlog_item, assign: desk}}
  - {name: late, when: 'topic("delivery") >= 0.3 and language == "en"', then: {create: quality_case, assign: desk}}
  - {name: sure, when: sentiment.negative >= threshold("negative"), then: {create: backlog_item}}
review: desk
bypass: [{name: straight, when: scores.nps <= 9, to: eva, quota: 1, reason: Because.}]
slas: {soon: {resolve: 1d, tiers: {gold: {resolve: 2h}}}}
groups:
  area: {by: customer.region, emea: {people: [jan]}, default: desk}
  desk: {people: [ana, mia], skills: {delivery: [mia]}}
"""
OLD = datetime(2019, 5, 1, tzinfo=UTC)


def truth(session: Session, policy: Policy) -> dict[UUID, dict[str, str]]:
    """The first rule of each item that routing would make of the old records, on the day they came."""
    made = {}
    rows = session.exec(
        select(Feedback, FeedbackRevision, Classification)
        .join(FeedbackRevision, FeedbackRevision.feedback_id == Feedback.id)
        .outerjoin(Classification, Classification.feedback_id == Feedback.id)
        .where(Feedback.received_at == OLD)
    ).all()
    for row, revision, read in rows:
        document, topics = (read.document, read.topics) if read else (None, None)
        whole = case_from(revision.body, document, topics, source=row.source, history=False, at=OLD)
        past = past_of(session, [policy.program], [(row.id, whole)], {})
        case = looked_at(whole, revision.body, policy.program, past.get(row.id))
        made[row.id] = {plan.kind: plan.rules[0] for plan in decide(policy, case, resolve_uncertified(policy)).plans}
    return made


def test_rules_of_every_kind_decide_as_routing_does(house, versions):
    customers = {"again": OLD - 3 * DAY, "before": OLD - 90 * DAY, "after": OLD + DAY}
    sent = [
        *(record(f"o-{name}", None, customer={"id": name, "region": "emea"}, scores={"nps": 1}) for name in customers),
        record("o-words", "Ich will mein Geld zurueck: refund me!", scores={"nps": 9}),
        record("o-late", "The parcel came two weeks late.", context={"site": "Porto"}),
        record("o-site", " ", context={"site": "Lodz"}, customer={"attributes": {"risk": 3}}),
        record("o-none", "ok", customer={"attributes": {"risk": "3"}}),
    ]
    assert house.client().post("/v1/feedback", json=sent).status_code == 202
    house.drain()
    policy = check(WIDE, default_taxonomy().labels).policy
    with house.database.session() as session:
        session.execute(text("UPDATE feedback SET received_at = :old WHERE external_id LIKE 'o-%'"), {"old": OLD})
        for customer, at in customers.items():
            session.execute(
                text("UPDATE work_item SET created_at = :at WHERE customer = :customer"),
                {"at": at, "customer": customer},
            )
        expected = truth(session, policy)
    judge = Judge(policy, {}, Arrivals(), Thresholds(Gates().over(policy), OLD))
    with psycopg.connect(house.database.conninfo, autocommit=True) as connection:
        (piece,) = lay(connection, OLD, OLD + DAY).pieces
        items = {one.feedback_id: judge.items(one.case, one.by) for one in stored(connection, Columns(policy), piece)}
    assert {UUID(one): {item.kind: item.rule for item in made} for one, made in items.items()} == expected
    fired = {item.rule: item.owner for made in items.values() for item in made}
    assert fired == {
        "words": "ana",
        "again": "jan",
        "long-ago": "jan",
        "site": "ana",
        "risky": "ana",
        "late": "mia",
        "sure": "ana",
    }
