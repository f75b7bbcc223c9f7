"""Timers: every event once and in order, whatever the clock does, whoever dies; and the jobs that wait for them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from builders import record
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from service.pipeline import reconcile
from service.route.clocks import TARGETS
from service.store.database import Database
from service.store.tables import WorkItem
from service.work import timers
from service.work.lifecycle import Clock
from service.work.ticking import due_events, next_moment

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MINUTES = st.integers(1, 10_000).map(lambda number: timedelta(minutes=number))
CLOCK = st.builds(
    lambda risk, rest, met: Clock(START + risk + rest, START + risk, START if met else None),
    MINUTES,
    MINUTES,
    st.booleans(),
)
CLOCKS = st.dictionaries(st.sampled_from(TARGETS), CLOCK)
TICKS = st.lists(st.tuples(st.integers(-3_000, 9_000), st.booleans()), max_size=30)


def all_of(running: dict[str, Clock]) -> set[tuple[str, str]]:
    return {(kind, name) for name, clock in running.items() if clock.met_at is None for kind in ("at_risk", "missed")}


@given(CLOCKS, TICKS)
def test_any_jump_of_time_and_any_crash_leave_each_event_once_and_in_order(running, ticks):
    at, kept = START, []
    for minutes, dies in [*ticks, (30_000, False), (0, False)]:
        at += timedelta(minutes=minutes)
        found = due_events(running, [one.key for one in kept], at)
        assert all(one.moment <= at for one in found)
        if not dies:  # who dies before the commit has written nothing
            kept.extend(found)
    assert [one.moment for one in kept] == sorted(one.moment for one in kept)
    assert sorted((one.type, one.target) for one in kept) == sorted(all_of(running))
    for name in running:
        assert [one.type for one in kept if one.target == name] in ([], ["at_risk", "missed"])


@given(CLOCKS, st.lists(MINUTES.map(lambda passed: START + passed), max_size=3))
def test_whoever_looks_when_told_to_sees_everything_at_its_moment(running, others):
    waiting, said, looked = set(others), [], 0
    while (moment := next_moment(running, said, waiting)) is not None:
        found = due_events(running, said, moment)
        assert {one.moment for one in found} | (waiting & {moment}) == {moment}
        said += [one.key for one in found]
        waiting.discard(moment)
        looked += 1
    assert looked <= 2 * len(running) + len(others)
    assert len(said) == len(all_of(running))


def test_what_is_met_when_it_is_due_was_not_missed():
    running = {"resolve": Clock(START + timedelta(hours=4), START + timedelta(hours=3))}
    assert [one.type for one in due_events(running, [], START + timedelta(hours=4))] == ["at_risk"]
    assert [one.type for one in due_events(running, [], START + timedelta(hours=4, seconds=1))] == ["at_risk", "missed"]


POLICY = """
name: timers
rules:
  - {name: detractor, when: scores.nps <= 6, then: {create: follow_up, sla: quick, assign: desk}}
slas:
  quick: {acknowledge: 4h, resolve: 20h, escalate: [{after: 1h, to: desk}, {after: 2h, to: directors}]}
groups:
  desk: {people: [ana]}
  directors: {people: [mia]}
"""


@pytest.fixture
def item(admin: httpx.Client, drain: Callable[[], None]) -> dict:
    """An item whose clocks began just now."""
    version = admin.post("/v1/policies", content=POLICY).raise_for_status().json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    posted = admin.post("/v1/feedback", json=record("r-1", None, scores={"nps": 0})).raise_for_status().json()
    drain()
    (made,) = admin.get(f"/v1/feedback/{posted['results'][0]['id']}").json()["work_items"]
    return made


def tick(database: Database, item: dict, hours: float) -> datetime | None:
    """Let the clocks speak so many hours after the start; when they want to speak next."""
    with database.session() as session:
        timers.tick(session, UUID(item["id"]), datetime.fromisoformat(item["created_at"]) + timedelta(hours=hours))
    with database.session() as session:
        return session.get_one(WorkItem, UUID(item["id"])).tick_at


def told(admin: httpx.Client, item: dict) -> list[tuple[str, str | int | None]]:
    """What happened, each with its target or level."""
    events = admin.get(f"/v1/work-items/{item['id']}").json()["events"]
    return [(one["type"], one["data"].get("target", one["data"].get("level"))) for one in events]


def happen(admin: httpx.Client, item: dict, type: str, **more) -> dict:
    return admin.post(f"/v1/work-items/{item['id']}/events", json={"type": type, **more}).raise_for_status().json()


def after(item: dict, hours: float) -> datetime:
    return datetime.fromisoformat(item["created_at"]) + timedelta(hours=hours)


CREATED = ("created", None)
ACKNOWLEDGE_LATE = [("at_risk", "acknowledge"), ("missed", "acknowledge")]
LEVELS = [("escalated", 1), ("escalated", 2)]
RESOLVE_LATE = [("at_risk", "resolve"), ("missed", "resolve")]


def test_the_clocks_of_an_item_speak_one_after_the_other(item, admin, database):
    moment = timedelta(microseconds=1)
    assert tick(database, item, 1) == after(item, 3)
    assert told(admin, item) == [CREATED]
    assert tick(database, item, 3) == after(item, 4) + moment
    assert told(admin, item) == [CREATED, *ACKNOWLEDGE_LATE[:1]]
    assert tick(database, item, 4) == after(item, 4) + moment  # met now, it would be met in time
    assert tick(database, item, 4.01) == after(item, 5)
    assert told(admin, item) == [CREATED, *ACKNOWLEDGE_LATE]
    assert tick(database, item, 5) == after(item, 6)
    assert tick(database, item, 6) == after(item, 15)
    assert tick(database, item, 30) is None
    assert told(admin, item) == [CREATED, *ACKNOWLEDGE_LATE, *LEVELS, *RESOLVE_LATE]


def test_a_clock_that_jumps_loses_nothing_and_says_nothing_twice(item, admin, database):
    for hours in (100, 2, 100, 200):
        assert tick(database, item, hours) is None
    events = told(admin, item)
    assert events == [CREATED, *ACKNOWLEDGE_LATE, *RESOLVE_LATE, *LEVELS]


def test_a_tick_that_was_rolled_back_is_said_once(item, admin, database):
    with database.session() as first:
        timers.tick(first, UUID(item["id"]), after(item, 3.5))
        first.rollback()  # the first one dies before its commit
    tick(database, item, 3.5)
    tick(database, item, 3.5)
    assert told(admin, item) == [CREATED, *ACKNOWLEDGE_LATE[:1]]


def test_nothing_is_said_of_what_is_met(item, admin, database):
    happen(admin, item, "acknowledge")
    assert tick(database, item, 10) == after(item, 15)
    assert told(admin, item) == [CREATED, ("acknowledge", None)]


def test_nothing_is_said_while_an_item_waits_or_once_it_is_done(item, admin, database):
    happen(admin, item, "wait")
    assert tick(database, item, 100) is None
    happen(admin, item, "resume")
    assert tick(database, item, 1) is not None
    happen(admin, item, "resolve", outcome="done", root_cause="none")
    assert tick(database, item, 100) is None
    assert [one for one, _ in told(admin, item)] == ["created", "wait", "resume", "resolve"]


def test_an_item_that_is_asked_for_again_has_new_clocks(item, admin, database, drain):
    tick(database, item, 3.5)
    for revision, nps in ((2, 10), (3, 0)):
        admin.post("/v1/feedback", json=record("r-1", None, scores={"nps": nps}, revision=revision)).raise_for_status()
        drain()
        if nps:
            assert tick(database, item, 100) is None
    again = admin.get(f"/v1/work-items/{item['id']}").json()
    for _ in range(2):
        due = datetime.fromisoformat(again["targets"]["acknowledge"]["due_at"])
        assert tick(database, again, 3.5) == due + timedelta(microseconds=1)
    assert [one for one, _ in told(admin, item)] == ["created", "at_risk", "retracted", "restored", "at_risk"]


def jobs(database: Database) -> list[tuple[str, datetime]]:
    with database.session() as session:
        found = session.execute(
            text(
                "SELECT args ->> 'item', scheduled_at FROM procrastinate_jobs"
                " WHERE task_name = 'tick' AND status = 'todo' ORDER BY scheduled_at"
            )
        )
        return [(item, moment) for item, moment in found]


EARLIER = """
UPDATE work_item SET created_at = created_at - :passed, tick_at = tick_at - :passed,
    acknowledge_due_at = acknowledge_due_at - :passed, resolve_due_at = resolve_due_at - :passed,
    sla = sla || (SELECT jsonb_object_agg(part, (SELECT jsonb_object_agg(key, to_jsonb(value::timestamptz - :passed))
        FROM jsonb_each_text(sla -> part))) FROM unnest(ARRAY['first_due', 'at_risk']) AS part)
"""


def test_a_job_waits_for_the_first_moment_of_a_new_item(item, admin, database, drain):
    assert jobs(database) == [(item["id"], after(item, 3))]
    with database.session() as session:  # it is three and a half hours later
        passed = {"passed": timedelta(hours=3.5)}
        session.execute(text(EARLIER), passed)
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - :passed"), passed)
    drain()
    assert told(admin, item) == [CREATED, *ACKNOWLEDGE_LATE[:1]]
    assert jobs(database) == [(item["id"], after(item, 0.5) + timedelta(microseconds=1))]


def test_who_moves_an_item_defers_its_next_moment(item, admin, database):
    happen(admin, item, "acknowledge")
    assert jobs(database) == [(item["id"], after(item, 3)), (item["id"], after(item, 15))]
    happen(admin, item, "assign", owner="mia")
    assert len(jobs(database)) == 2


def test_clocks_that_begin_anew_at_a_moment_a_job_waits_for_already(item, database):
    with database.session() as session:
        timers.defer_ticks_again(session, [session.get_one(WorkItem, UUID(item["id"]))])
    assert jobs(database) == [(item["id"], after(item, 3))]


def test_a_tick_by_a_clock_that_was_set_back_comes_again_when_that_clock_is_there(item, admin, database):
    tick(database, item, 2)
    assert jobs(database) == [(item["id"], after(item, 3))]  # the job waits: nothing to do
    with database.session() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    tick(database, item, 2)  # and here it was the job itself that ran
    assert jobs(database) == [(item["id"], after(item, 4))]
    assert told(admin, item) == [CREATED]


def test_what_was_missed_before_somebody_came_is_in_the_history(item, admin, database):
    with database.session() as session:  # no worker ran for five hours
        session.execute(text(EARLIER), {"passed": timedelta(hours=5)})
    happen(admin, item, "acknowledge")
    assert told(admin, item) == [CREATED, *ACKNOWLEDGE_LATE, ("acknowledge", None)]


def test_a_moment_that_lost_its_job_is_found_again(item, admin, database, works, drain):
    with database.session() as session:
        session.execute(text(EARLIER), {"passed": timedelta(hours=5)})
        session.execute(text("DELETE FROM procrastinate_jobs"))
    reconcile(works)
    reconcile(works)
    assert len(jobs(database)) == 1
    drain()
    assert told(admin, item)[:3] == [CREATED, *ACKNOWLEDGE_LATE]
