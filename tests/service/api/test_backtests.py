"""Backtests over HTTP: what a draft would have made of what was stored, beside the version that decides."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import record
from sqlalchemy import text

from service.backtest import job
from service.pipeline import reconcile, recover

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


def test_a_draft_is_compared_with_what_decides(house, versions):
    shown = done(house, versions["then"])
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


def test_every_number_opens_its_cases(house, versions):
    shown = done(house, versions["then"])
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


def test_the_list_is_newest_first_and_of_one_version(house, versions):
    begun = asked(house, versions["moved"])
    house.drain()
    items = house.client("auditor").get("/v1/backtests", params={"policy_version": versions["moved"]}).json()["items"]
    assert items[0]["id"] == begun
    assert {item["policy_version"] for item in items} == {versions["moved"]}
