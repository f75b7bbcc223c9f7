"""What people are told, when, and how much of it a day. Time is passed, never waited for."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import col, select
from work_rows import item, person

from service.deliver import notify, outbox
from service.people.preferences import Preferences, change, hours_from_text
from service.route.policy import People, Policy
from service.store.tables import Delivery, Destination, Notice, User
from service.work.notices import News, see, tell
from service.work.telling import plan_day, tell_due, tell_person, waiting_for

FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY_NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OFFICE = hours_from_text({"mon-fri": ["09:00-17:00"]})
POLICY = Policy(name="t", rules=(), groups={"desk": People(people=("ana",))})


def news(key: str, kind: str = "assigned", who: str = "ana", **more: object) -> News:
    return News(who, kind, f"words of {key}", key, **more)


def said(session, at: datetime, *several: News) -> dict[str, datetime]:
    """Tell, and give when each is due."""
    tell(session, several, at)
    return {row.once_key: row.due_at for row in session.exec(select(Notice))}


def told_at(session) -> dict[str, datetime | None]:
    return {row.once_key: row.told_at for row in session.exec(select(Notice).execution_options(populate_existing=True))}


def test_the_same_thing_is_noted_once_and_a_stranger_is_told_nothing(database):
    with database.session() as session:
        person(session, "ana")
        person(session, "old", active=False)
        first = said(session, FRIDAY, news("a"), news("a"), news("b", who="nobody"), news("c", who="old"))
        assert first == said(session, FRIDAY + HOUR, news("a")) == {"a": FRIDAY}


@pytest.mark.parametrize(
    ("settings", "kind", "any_hour", "at", "due"),
    [
        ({}, "assigned", False, FRIDAY, FRIDAY),
        ({"hours": OFFICE}, "assigned", False, FRIDAY, FRIDAY),
        ({"hours": OFFICE}, "escalated", False, FRIDAY + 8 * HOUR, MONDAY_NINE),
        ({"hours": OFFICE}, "escalated", True, FRIDAY + 8 * HOUR, FRIDAY + 8 * HOUR),
        # ten in London is five in New York, and nine there is two in the afternoon
        ({"hours": OFFICE, "zone": "America/New_York"}, "assigned", False, FRIDAY, FRIDAY + 4 * HOUR),
        ({"digest": "09:00"}, "assigned", False, FRIDAY, FRIDAY + 23 * HOUR),
        ({"digest": "09:00", "hours": OFFICE}, "assigned", False, FRIDAY, MONDAY_NINE),
        ({"digest": "17:30", "hours": OFFICE}, "joined", False, FRIDAY, MONDAY_NINE),
        ({"digest": "09:00"}, "escalated", False, FRIDAY, FRIDAY),
        ({"digest": "09:00"}, "offered", False, FRIDAY, FRIDAY),
        ({"absent_from": FRIDAY, "absent_until": MONDAY_NINE}, "assigned", False, FRIDAY, MONDAY_NINE),
        ({"absent_from": FRIDAY + HOUR, "hours": OFFICE}, "assigned", False, FRIDAY, FRIDAY),
        ({"absent_from": FRIDAY}, "assigned", False, FRIDAY, FRIDAY + DAY),  # an absence without end: asked daily
        (
            {"absent_from": FRIDAY, "absent_until": FRIDAY + 5 * HOUR, "digest": "16:00"},
            "assigned",
            False,
            FRIDAY,
            FRIDAY + 6 * HOUR,
        ),
    ],
)
def test_when_somebody_is_told(database, settings, kind, any_hour, at, due):
    with database.session() as session:
        person(session, "ana", **settings)
        assert said(session, at, news("a", kind, any_hour=any_hour)) == {"a": due}
        tell_person(session, "ana", due - timedelta(seconds=1))
        assert told_at(session) == {"a": None}
        tell_person(session, "ana", due)
        expected = None if settings == {"absent_from": FRIDAY} else due
        assert told_at(session) == {"a": expected}


@pytest.mark.parametrize(
    ("kind", "changed", "dropped"),
    [
        ("escalated", {}, None),
        ("escalated", {"status": "resolved"}, "The item was resolved before this could be told."),
        ("assigned", {"status": "retracted"}, "The item was retracted before this could be told."),
        ("joined", {"owner": "bob"}, "The item was somebody else's when this could be told."),
        ("offered", {"offered_to": "bob"}, "The item was no longer offered when this could be told."),
        ("offered", {"offered_to": "ana"}, None),
        ("retracted", {"status": "retracted", "owner": "bob"}, None),
    ],
)
def test_what_came_to_nothing_while_it_waited_is_dropped_with_the_reason(database, kind, changed, dropped):
    with database.session() as session:
        person(session, "ana", hours=OFFICE)
        row = item(session, POLICY, FRIDAY)
        said(session, FRIDAY + 8 * HOUR, news("a", kind, item=row.id))
        for name, value in changed.items():
            setattr(row, name, value)
        tell_person(session, "ana", MONDAY_NINE)
        (told,) = session.exec(select(Notice)).all()
        assert (told.dropped, told.told_at) == (dropped, None if dropped else MONDAY_NINE)
        assert waiting_for(session, MONDAY_NINE) == []


def test_nobody_is_told_late_at_night_what_a_worker_missed_by_day(database):
    with database.session() as session:
        person(session, "ana", hours=OFFICE)
        said(session, FRIDAY, news("a"), news("b", "escalated", any_hour=True))
        tell_person(session, "ana", FRIDAY + 12 * HOUR)
        assert told_at(session) == {"a": None, "b": FRIDAY + 12 * HOUR}
        tell_person(session, "ana", MONDAY_NINE)
        assert told_at(session)["a"] == MONDAY_NINE


def test_who_changes_their_settings_is_told_by_the_new_ones(database):
    with database.session() as session:
        person(session, "ana", absent_from=FRIDAY, absent_until=FRIDAY + 900 * DAY)
        said(session, FRIDAY, news("a"))
        change(session, "ana", Preferences(absent_from=None, absent_until=None), by="ana")
        later = datetime.now(UTC) + HOUR
        tell_person(session, "ana", later)
        assert told_at(session) == {"a": later}


def test_an_escalation_goes_on_to_the_substitute_of_who_went_away_before_it_was_told(database):
    with database.session() as session:
        person(session, "ana", hours=OFFICE, substitute="jan", absent_from=MONDAY_NINE - HOUR)
        person(session, "jan")
        session.add(_noted("late", "escalated", MONDAY_NINE))
        session.add(_noted("work", "assigned", MONDAY_NINE))
        session.flush()
        tell_person(session, "ana", MONDAY_NINE)
        rows = {row.once_key: row for row in session.exec(select(Notice))}
        assert set(rows) == {"late", "work", "late:jan"}
        assert (rows["late:jan"].person, rows["late:jan"].words) == ("jan", "words of late (ana is away)")
        assert rows["late:jan"].due_at == MONDAY_NINE
        assert rows["late"].told_at is None
        assert rows["late"].due_at == MONDAY_NINE + DAY


def _noted(key: str, kind: str, at: datetime) -> Notice:
    told = news(key, kind)
    return Notice(person="ana", kind=kind, words=told.words, once_key=key, created_at=FRIDAY, due_at=at)


@dataclass
class Queued:
    harm: float
    created_at: datetime
    arrives: int


@given(
    harms=st.lists(st.tuples(st.integers(0, 6), st.sampled_from([0.0, 1.0, 2.5, 9.0])), max_size=40),
    budget=st.integers(1, 5),
)
def test_over_days_nothing_is_dropped_the_budget_holds_and_the_worst_goes_first(harms, budget):
    arriving = [Queued(harm, FRIDAY + number * HOUR, day) for number, (day, harm) in enumerate(harms)]
    queue: list[Queued] = []
    shown: list[Queued] = []
    for today in range(7 + len(harms)):
        queue += [one for one in arriving if one.arrives == today]
        day = plan_day(queue, budget)
        assert Counter(map(id, queue)) == Counter(map(id, (*day.today, *day.left)))
        assert len(day.today) == min(budget, len(queue))
        assert all(one.harm >= other.harm for one in day.today for other in day.left)
        assert [one.harm for one in day.today] == sorted((one.harm for one in day.today), reverse=True)
        shown += day.today
        queue = list(day.left)
    assert Counter(map(id, shown)) == Counter(map(id, arriving))


def test_beyond_the_budget_new_work_waits_ranked_by_harm_and_dated_to_the_next_opening(database):
    with database.session() as session:
        person(session, "ana", alerts=2, hours=OFFICE)
        said(session, FRIDAY, *(news(f"n{harm}", harm=harm) for harm in (1.0, 2.0, 3.0, 4.0, 5.0)))
        tell_person(session, "ana", FRIDAY)
        assert [key for key, at in told_at(session).items() if at] == ["n4.0", "n5.0"]
        waits = said(session, FRIDAY + HOUR, news("worst", harm=9), news("call", "escalated"), news("offer", "offered"))
        tell_person(session, "ana", FRIDAY + HOUR)
        told = told_at(session)
        assert (told["call"], told["offer"], told["worst"]) == (FRIDAY + HOUR, FRIDAY + HOUR, None)
        assert {waits[key] for key in ("n1.0", "n2.0", "n3.0")} == {MONDAY_NINE}
        for day, expected in ((0, ["n3.0", "worst"]), (1, ["n1.0", "n2.0"]), (2, [])):
            at = MONDAY_NINE + day * DAY
            tell_person(session, "ana", at)
            assert sorted(key for key, moment in told_at(session).items() if moment == at) == expected


@pytest.fixture
def desk_of_ana(database, vault, desk):
    """Ana, her own destination, and an item to be told of."""
    with database.session() as session:
        sealed = outbox.seal_secrets(vault, "anas", [desk.secret])
        settings = {"base_url": desk.url}
        session.add(
            Destination(name="anas", kind="webhook", settings=settings, secrets=sealed.data, key_id=sealed.key_id)
        )
        person(session, "ana", destination="anas")
        return item(session, POLICY, FRIDAY).id


def test_without_a_digest_each_is_sent_on_its_own_and_with_one_all_together(database, desk_of_ana, works):
    with database.session() as session:
        said(session, FRIDAY, news("a", item=desk_of_ana), news("b", "joined", item=desk_of_ana), news("off", "left"))
    tell_due(database, FRIDAY)
    with database.session() as session:
        assert [row.sequence for row in session.exec(select(Delivery).order_by(col(Delivery.sequence)))] == [1, 2]
        session.execute(text("""UPDATE "user" SET digest = '09:00'"""))
    with database.session() as session:
        said(
            session,
            FRIDAY + HOUR,
            news("c", item=desk_of_ana, harm=1),
            news("d", "joined", item=desk_of_ana, harm=5),
            news("e", "escalated", item=desk_of_ana, level=2),
        )
    tell_due(database, FRIDAY + 2 * HOUR)
    tell_due(database, FRIDAY + DAY)
    with database.session() as session:
        sent = session.exec(select(Delivery).order_by(col(Delivery.sequence))).all()
        assert [(row.operation, row.destination, row.work_item_id) for row in sent] == [
            ("notify", "anas", desk_of_ana)
        ] * 4
        shown = [notify.notification(session, row.id, "https://heed.example.com/") for row in sent]
        assert [[one.words for one in told.notices] for told in shown] == [
            ["words of a"],
            ["words of b"],
            ["words of e"],
            ["words of d", "words of c"],
        ]
        escalated = shown[2].notices[0]
        assert (shown[2].person, escalated.kind, escalated.level, escalated.due_at) == ("ana", "escalated", 2, FRIDAY)
        assert escalated.url == f"https://heed.example.com/work-items/{desk_of_ana}"
        about_nothing = session.exec(select(Notice).where(col(Notice.once_key) == "off")).one()
        assert (about_nothing.told_at, about_nothing.delivery_id) == (FRIDAY, None)


def test_it_goes_the_way_of_every_delivery(database, desk_of_ana, drain):
    with database.session() as session:
        said(session, FRIDAY, news("a", item=desk_of_ana))
    drain()
    with database.session() as session:
        (row,) = session.exec(select(Delivery)).all()
        assert (row.state, row.operation, row.last_error) == ("delivered", "notify", None)


def test_two_workers_tell_once(database, desk_of_ana):
    with database.session() as session:
        session.exec(select(User)).one().alerts = 3
        said(session, FRIDAY, *(news(f"n{number}", item=desk_of_ana, harm=number) for number in range(5)))
    together = Barrier(2)

    def work(_: int) -> None:
        together.wait()
        tell_due(database, FRIDAY)

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(work, range(2)))
    tell_due(database, FRIDAY)
    with database.session() as session:
        assert sorted(key for key, at in told_at(session).items() if at) == ["n2", "n3", "n4"]
        assert len(session.exec(select(Delivery)).all()) == 3


def test_what_fails_for_one_person_holds_up_nobody_else(database):
    with database.session() as session:
        person(session, "ana", zone="Nowhere/Atall", alerts=1)  # as no way of ours could have set it
        person(session, "eva")
        session.add(_noted("a", "assigned", FRIDAY))
        said(session, FRIDAY, news("e", who="eva"))
    tell_due(database, FRIDAY)
    with database.session() as session:
        assert told_at(session) == {"a": None, "e": FRIDAY}


def test_what_was_seen_stays_seen(database):
    with database.session() as session:
        person(session, "ana")
        said(session, FRIDAY, news("a"))
        row = session.exec(select(Notice)).one()
        assert see(session, row.id, FRIDAY).seen_at == see(session, row.id, FRIDAY + HOUR).seen_at == FRIDAY
