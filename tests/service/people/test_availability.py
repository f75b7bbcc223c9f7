"""Who is there, who stands in, and what of a person's settings is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select
from work_rows import person

from service.people.availability import StandIn, digest, opening, present, substitute_for
from service.people.preferences import InvalidPreferences, Preferences, change, hours_as_text, hours_from_text
from service.people.users import NobodyCalled
from service.route.clocks import DAYS
from service.store.tables import AuditEvent, Destination, User

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)  # a Friday
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("settings", "there"),
    [
        ({}, True),
        ({"active": False}, False),
        ({"absent_from": NOW}, False),
        ({"absent_from": NOW + HOUR}, True),
        ({"absent_from": NOW - HOUR, "absent_until": NOW}, True),
        ({"absent_from": NOW - HOUR, "absent_until": NOW + HOUR}, False),
    ],
)
def test_who_is_there(settings, there):
    assert present(User(name="ana", **settings), NOW) is there


def test_a_circle_of_substitutes_ends():
    away = {"absent_from": NOW}
    people = {name: User(name=name, substitute=after, **away) for name, after in (("a", "b"), ("b", "c"), ("c", "b"))}

    assert substitute_for("a", people, NOW).person is None
    people["c"].absent_from = None
    assert substitute_for("a", people, NOW) == StandIn("c", ("a is away", "b is away"))


hours = st.dictionaries(
    st.sampled_from(DAYS), st.sampled_from([("09:00-17:00",), ("08:15-12:00", "13:00-24:00")]), min_size=1
)


@given(written=hours)
def test_hours_are_read_as_they_are_written(written):
    read = hours_from_text(written)
    assert hours_from_text(hours_as_text(read)) == read
    assert [day for day in DAYS if day in read] == list(read)


def test_equal_days_that_follow_each_other_are_one_range():
    written = {"mon-fri": ["09:00-17:00"], "sun": ["10:00-12:00"]}
    assert hours_as_text(hours_from_text(written)) == written


@given(
    written=st.one_of(st.none(), hours),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001 (hypothesis adds the zone itself)
    zone=st.sampled_from(["UTC", "Europe/Warsaw", "Australia/Lord_Howe", "Africa/Casablanca"]),
    time=st.sampled_from([None, "02:30", "09:00", "23:59"]),
    away_for=st.one_of(st.none(), st.integers(1, 90)),
)
def test_nobody_is_told_too_early_outside_their_hours_or_while_away(written, at, zone, time, away_for):
    absence = {} if away_for is None else {"absent_from": at, "absent_until": at + timedelta(days=away_for)}
    user = User(name="ana", zone=zone, hours=written and hours_from_text(written), digest=time, **absence)
    moment = digest(user, at)

    assert moment >= at
    assert opening(user, moment) == moment
    assert digest(user, moment) == moment  # asked again when it has come, it is still the moment
    assert present(user, moment)
    assert moment - at <= timedelta(days=9 + (away_for or 0))


@pytest.fixture
def house_of_three(database):
    with database.session() as session:
        person(session, "ana", manager="eva", zone="Europe/Warsaw")
        person(session, "eva", manager="max")
        person(session, "max")
        session.add(Destination(name="desk", kind="webhook"))
    return database


@pytest.mark.parametrize(
    ("wanted", "pointer", "detail"),
    [
        ({"zone": "Europe/Warsau"}, "/zone", "there is no time zone Europe/Warsau; did you mean Europe/Warsaw?"),
        ({"zone": "../etc/passwd"}, "/zone", "there is no time zone ../etc/passwd"),
        ({"zone": ""}, "/zone", "there is no time zone "),
        ({"hours": {"mo-fr": ["09:00-17:00"]}}, "/hours", "days are mon, tue, wed, .*, or a range such as mon-fri"),
        ({"hours": {"mon": ["9-17"]}}, "/hours", "hours are written as 09:00-12:30"),
        ({"hours": {"mon": ["17:00-09:00"]}}, "/hours", "these hours end before they begin"),
        ({"hours": {"mon-tue": ["09:00-17:00"], "tue": ["16:00-18:00"]}}, "/hours", "hours overlap on tue"),
        ({"hours": {"mon": []}}, "/hours", "no day has hours: leave them out"),
        ({"digest": "9 o'clock"}, "/digest", "a time of day is written as 09:00"),
        ({"digest": "24:00"}, "/digest", "a time of day is written as 09:00"),
        ({"substitute": "ana"}, "/substitute", "nobody is their own substitute: name somebody else"),
        ({"substitute": "evaa"}, "/substitute", "nobody is called evaa; did you mean eva?"),
        ({"manager": "zoe"}, "/manager", "nobody is called zoe"),
        ({"absent_from": NOW, "absent_until": NOW}, "/absent_until", "an absence ends after it begins: give a later"),
        ({"absent_until": NOW - 900 * 24 * HOUR}, "/absent_until", "this lies in the past"),
        ({"destination": "desc"}, "/destination", "destination desc is not set up; did you mean desk?"),
        ({"alerts": 0}, "/alerts", "a whole number from 1 to 1000"),
        ({"alerts": 1001}, "/alerts", "a whole number from 1 to 1000"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(house_of_three, wanted, pointer, detail):
    with house_of_three.session() as session:
        given_ = Preferences.model_construct(_fields_set=set(wanted), **wanted)
        with pytest.raises(InvalidPreferences, match=detail) as refused:
            change(session, "ana", given_, by="ana")
        assert [place for place, _ in refused.value.errors] == [pointer]


def test_managers_make_no_circle(house_of_three):
    with house_of_three.session() as session:
        with pytest.raises(InvalidPreferences, match="max is managed by ana is managed by eva is managed by max"):
            change(session, "max", Preferences(manager="ana"), by="ada")
        with pytest.raises(InvalidPreferences, match="nobody is their own manager"):
            change(session, "max", Preferences(manager="max"), by="ada")


def test_a_change_leaves_the_rest_alone_null_takes_away_and_all_is_on_record(house_of_three):
    with house_of_three.session() as session:
        change(session, "ana", Preferences(alerts=5, hours={"mon": ["09:00-17:00"]}), by="ada")
        row = change(session, "ana", Preferences(manager=None), by="ada")
        assert (row.manager, row.zone, row.alerts) == (None, "Europe/Warsaw", 5)
        assert row.hours == {"mon": [{"opens": 540, "closes": 1020}]}
        found = select(AuditEvent).where(col(AuditEvent.action) == "user.changed")
        noted = session.exec(found.order_by(col(AuditEvent.sequence))).all()
        assert [(one.actor, one.object, one.data) for one in noted] == [
            ("ada", "ana", {"changed": ["alerts", "hours"]}),
            ("ada", "ana", {"changed": ["manager"]}),
        ]
        with pytest.raises(NobodyCalled, match="nobody called 'zoe'"):
            change(session, "zoe", Preferences(), by="ada")


def test_an_absence_without_a_beginning_begins_now(house_of_three):
    with house_of_three.session() as session:
        wanted = Preferences.model_validate({"absent_until": (datetime.now(UTC) + HOUR).isoformat()})
        row = change(session, "ana", wanted, by="ana")
        assert not present(row, datetime.now(UTC))
        assert present(row, datetime.now(UTC) + 2 * HOUR)
