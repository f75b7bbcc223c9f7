"""Owners of new items: accounts, absence, capacity, skills and bypasses, as they are in the database."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import event as sql_event
from sqlmodel import col, select
from uuid_utils.compat import uuid7

from service.route.case import Case, Customer
from service.route.decide import Bypassed, Plan
from service.route.policy import Policy
from service.route.policy_document import check
from service.store.database import Database
from service.store.tables import Decision, Feedback, Notice, Source, User, WorkItem
from service.work.assignment import Assigned, Assigner
from service.work.notices import tell
from service.work.staff import Staff

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)  # a Friday
CASE = Case("s", NOW, customer=Customer(id="c-1"))
PLAN = Plan("ticket", ("r",), False, "normal", (), "desk", None, (), ())
WEEK = '{mon-fri: ["08:00-16:00"]}'
OFFICE = {day: [{"opens": 8 * 60, "closes": 16 * 60}] for day in ("mon", "tue", "wed", "thu", "fri")}
NIGHT = {day: [{"opens": 20 * 60, "closes": 24 * 60}] for day in ("mon", "tue", "wed", "thu", "fri")}


def policy(groups: str, more: str = "") -> Policy:
    head = "name: p\nrules: [{name: r, when: 'true', then: {create: ticket}}]\n"
    return check(f"{head}{more}groups: {{{groups}}}\n", ["billing", "delivery"]).policy


@pytest.fixture
def people(database: Database) -> Callable[..., None]:
    def make(*names: str, **changes) -> None:
        with database.session() as session:
            session.add_all([User(name=name, roles=["supervisor"], **changes) for name in names])
            session.commit()

    return make


@pytest.fixture
def decision(database: Database):
    """Any decision: what items of these tests follow from."""
    with database.session() as session:
        session.add(Source(name="s", kind="api"))
        session.flush()
        record = Feedback(source="s", external_id="1", revision=1)
        session.add(record)
        session.flush()
        row = Decision(
            feedback_id=record.id, revision=1, policy_version=1, mode="live", receipt="{}", digest="", decided_at=NOW
        )
        session.add(row)
        session.commit()
        return row.id


@pytest.fixture
def items(database: Database, decision) -> Callable[..., None]:
    def make(owner: str, count: int, **changes) -> None:
        with database.session() as session:
            made = {"kind": "ticket", "title": "t", "body": "b", "rule": "r", "created_at": NOW, **changes}
            session.add_all([WorkItem(owner=owner, decision_id=decision, **made) for _ in range(count)])
            session.commit()

    return make


@pytest.fixture
def assign(database: Database) -> Callable[..., Assigned]:
    def found(held: Policy, case: Case = CASE, bypassed: Bypassed | None = None, **changes) -> Assigned:
        with database.session() as session:
            assigner = Assigner(session, held, NOW)
            given = assigner.assign(replace(PLAN, **changes), case, bypassed)
            tell(session, assigner.staff.news, NOW)
            session.commit()
            return given

    return found


def test_without_any_account_the_first_name_of_the_document(assign):
    held = policy("desk: {people: [ana, jan], capacity: 1, fallback: night}, night: {people: [sam]}")

    assert assign(held) == Assigned("ana", "desk")
    assert assign(held, group=None) == Assigned(None, None)
    assert assign(held, group="gone") == Assigned(None, "gone")


def test_the_first_who_is_there_and_their_zone(assign, people):
    people("ana", absent_from=NOW, absent_until=NOW + timedelta(days=3), zone="Asia/Tokyo")
    people("jan", active=False)
    people("sam", zone="Europe/Warsaw")
    found = assign(policy("desk: {people: [ana, jan, ben, sam]}"))

    assert (found.owner, found.group, found.zone) == ("sam", "desk", "Europe/Warsaw")
    assert found.notes == ("ana is away until Mon 23 Nov; jan can no longer sign in; ben has no account; so sam",)


def test_an_absence_counts_only_while_it_lasts(assign, people):
    people("ana", absent_from=NOW - timedelta(days=3), absent_until=NOW)
    people("jan")

    assert assign(policy("desk: {people: [ana, jan]}")).owner == "ana"


def test_open_items_count_and_others_do_not(assign, people, items):
    people("ana", "jan")
    items("ana", 2, status="resolved")
    items("ana", 2, status="retracted")
    items("ana", 2, kind="backlog_item")
    items("ana", 1, status="waiting")
    items("jan", 1)
    items("jan", 1, status="acknowledged")

    assert assign(policy("desk: {people: [jan, ana], capacity: 3}")).owner == "ana"
    assert assign(policy("desk: {people: [jan, ana], capacity: 1}")).owner is None
    assert assign(policy("desk: {people: [jan, ana]}")).owner == "jan"  # nobody counts


def test_items_of_the_same_transaction_count(database, people):
    people("ana", "jan")
    held = policy("desk: {people: [ana, jan], capacity: 2, fallback: night}, night: {people: [sam, ana]}")
    people("sam")
    with database.session() as session:
        staff = Staff(session, NOW)
        first, second = Assigner(session, held, NOW, staff), Assigner(session, held, NOW, staff)
        owners = [assigner.assign(PLAN, CASE, None).owner for assigner in (first, second) * 3]

    assert owners == ["ana", "jan", "ana", "jan", "sam", "sam"]


def test_hours_are_a_preference_and_the_calendar_stands_in_for_them(assign, people):
    people("ana", hours=NIGHT, zone="UTC")
    people("jan", hours=OFFICE, zone="UTC")
    people("sam", zone="America/New_York")
    office = f"calendars: {{office: {{zone: owner, hours: {WEEK}}}}}\n"

    assert assign(policy("desk: {people: [ana, jan], capacity: 9}")).owner == "jan"
    assert assign(policy("desk: {people: [ana], capacity: 9}")).owner == "ana"
    assert assign(policy("desk: {people: [sam, jan], capacity: 9, calendar: office}", office)).owner == "jan"
    assert assign(policy("desk: {people: [ana, sam], capacity: 9, calendar: office}", office)).owner == "sam"


def test_skills_by_topic_then_by_language_then_anybody(assign, people, items):
    people("ana", "jan", "sam")
    held = policy("desk: {people: [ana, jan, sam], capacity: 1, skills: {billing: [sam], de: [jan]}}")
    billing = replace(CASE, tags=("delivery", "billing"), language="de")

    assert assign(held, billing).owner == "sam"
    assert assign(held, replace(billing, tags=("delivery",))).owner == "jan"
    assert assign(held, replace(billing, degraded=True)).owner == "jan"  # what is withheld is not acted on
    assert assign(held, CASE).owner == "ana"
    items("sam", 1)
    assert assign(held, replace(billing, language="en")).owner == "ana"


def test_what_a_group_cannot_take_goes_on_with_a_note_for_each_step(assign, people, items):
    people("ana", "jan", "sam", "kim")
    items("ana", 1)
    items("jan", 1)
    groups = (
        "desk: {people: [ana], capacity: 1, fallback: night}, night: {people: [jan], capacity: 1},"
        "rest: {people: [sam], capacity: 1}, triage: {people: [kim], capacity: 1}"
    )
    held = policy(groups, "fallback: rest\nreview: triage\n")

    assert assign(held) == Assigned(
        "sam", "rest", notes=("ana has 1 open item; so the group night", "jan has 1 open item; so the group rest")
    )
    items("sam", 1)
    assert (assign(held).owner, assign(held).group) == ("kim", "triage")


def test_where_all_are_full_nobody_owns_it_and_admins_are_told_once(assign, people, items, database):
    people("ana")
    with database.session() as session:
        session.add(User(name="ada", roles=["admin"]))
        session.commit()
    items("ana", 1)
    held = policy("desk: {people: [ana], capacity: 1}")
    found = [assign(held), assign(held)]

    assert (
        found
        == [Assigned(None, "desk", notes=("ana has 1 open item", "nobody can take it; it waits for an owner"))] * 2
    )
    assert told(database) == [("ada", "no_owner")]


def test_where_all_are_away_it_waits_for_the_first(assign, people):
    people("ana", "jan", absent_from=NOW)

    assert assign(policy("desk: {people: [ana, jan]}")) == Assigned(
        "ana", "desk", notes=("ana is away; jan is away", "nobody is there; it waits for ana")
    )


def test_somebody_who_is_gone_is_passed_over_and_an_admin_sees_it(assign, people, database):
    people("ana", active=False)
    people("sam")
    with database.session() as session:
        session.add(User(name="ada", roles=["admin"]))
        session.commit()
    held = policy("desk: {people: [ana, bob]}, rest: {people: [sam]}", "fallback: rest\n")
    found = [assign(held), assign(held)]

    assert [one.owner for one in found] == ["sam", "sam"]
    assert told(database) == [("ada", "owner_gone"), ("ada", "owner_gone")]


def told(database: Database) -> list[tuple[str, str]]:
    with database.session() as session:
        return [(row.person, row.kind) for row in session.exec(select(Notice).order_by(col(Notice.once_key)))]


KEY = "bypass: [{name: key, when: customer.account_value >= 5, to: kim, quota: 2, reason: contract}]\n"
BYPASSED = Bypassed("key", "kim", "contract", ())


def test_a_bypass_goes_straight_to_its_person_until_its_quota_is_used_up(assign, people, items):
    people("ana", "kim")
    held = policy("desk: {people: [ana]}", KEY)
    items("kim", 1, bypass="key", created_at=NOW.replace(hour=0))
    items("kim", 5, bypass="key", created_at=NOW.replace(hour=0) - timedelta(seconds=1))
    items("kim", 5, bypass="other")
    straight = assign(held, CASE, BYPASSED)
    items("kim", 1, bypass="key", status="resolved")

    assert straight == Assigned("kim", "desk", bypass="key")
    assert assign(held, CASE, BYPASSED) == Assigned(
        "ana", "desk", notes=("the bypass key has used up its 2 of today; so the group decides",)
    )


def test_the_day_of_a_quota_is_that_of_its_person(assign, people, items):
    people("kim", zone="Asia/Tokyo")  # there it is 19:00; the day began at 15:00 UTC yesterday
    held = policy("desk: {people: [ana]}", KEY)
    items("kim", 2, bypass="key", created_at=NOW - timedelta(hours=18))

    assert assign(held, CASE, BYPASSED).bypass is None


def test_a_bypass_reaches_who_stands_in_or_else_the_group(assign, people, database):
    people("ana", "lee")
    people("max", absent_from=NOW, substitute="lee")
    people("kim", absent_from=NOW, substitute="max")
    held = policy("desk: {people: [ana]}", KEY)
    found = assign(held, CASE, BYPASSED)

    assert (found.owner, found.bypass) == ("lee", "key")
    assert found.notes == ("kim is away; max is away; so lee",)
    with database.session() as session:
        session.exec(select(User).where(User.name == "lee")).one().active = False
        session.commit()
    found = assign(held, CASE, BYPASSED)
    assert (found.owner, found.bypass) == ("ana", None)
    assert found.notes[0].startswith("the bypass key reaches nobody: kim is away; max is away; lee can")


def test_a_bypass_goes_by_the_name_where_nobody_has_an_account(assign):
    assert assign(policy("desk: {people: [ana]}", KEY), CASE, BYPASSED).owner == "kim"


@pytest.mark.parametrize("bypassed", [None, BYPASSED])
def test_two_workers_never_give_away_the_last_place_twice(database, people, decision, bypassed):
    people("ana", "kim")
    held = policy("desk: {people: [ana], capacity: 2}", KEY)
    both = Barrier(2)

    def work(_: int) -> list[str | None]:
        with database.session() as session:
            assigner = Assigner(session, held, NOW)
            both.wait(20)
            found = [assigner.assign(PLAN, CASE, bypassed) for _ in range(2)]
            for one in found:
                made = {"kind": "ticket", "title": "t", "body": "b", "rule": "r", "decision_id": decision}
                session.add(WorkItem(id=uuid7(), owner=one.owner, bypass=one.bypass, created_at=NOW, **made))
            session.commit()
            return [one.bypass if bypassed else one.owner for one in found]

    with ThreadPoolExecutor(2) as pool:
        given = [one for found in pool.map(work, range(2)) for one in found]

    assert len([one for one in given if one is not None]) == 2, given


@contextmanager
def counting(database: Database, asked: list[str]) -> Iterator[None]:
    def note(*call) -> None:
        asked.append(call[2])

    sql_event.listen(database.engine, "before_cursor_execute", note)
    yield
    sql_event.remove(database.engine, "before_cursor_execute", note)


def test_without_capacity_one_query_reads_the_people_of_all_items(database, people):
    people("ana", "jan", "sam")
    held = policy("desk: {people: [ana, jan], fallback: night}, night: {people: [sam]}")
    asked: list[str] = []
    with database.session() as session:
        session.connection()
        with counting(database, asked):
            assigner = Assigner(session, held, NOW)
            owners = {assigner.assign(PLAN, CASE, None).owner for _ in range(50)}

    assert owners == {"ana"}
    assert len(asked) == 1, asked
