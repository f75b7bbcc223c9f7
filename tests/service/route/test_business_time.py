"""Business time: readable cases, what must hold for any calendar, and a slow oracle that steps through the minutes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.route.business_time import PLAIN_TIME, BusinessTime, NeverOpen, time_on
from service.route.clocks import DAYS, Calendar, Duration, Interval
from service.route.public_holidays import known_holidays

MINUTE = timedelta(minutes=1)


def calendar(zone: str, hours: dict[str, str], free: str | None = None) -> Calendar:
    """`{"mon fri": "09:00-12:30 13:00-17:00"}`: days and hours as one writes them, apart by spaces."""
    open_on = {
        day: tuple(Interval.from_text(one) for one in written.split())
        for days, written in hours.items()
        for day in days.split()
    }
    return Calendar(zone=zone, hours=open_on, holidays=free)


WEEK = "mon tue wed thu fri"
ALL_WEEK = " ".join(DAYS)
OFFICE = calendar("Europe/Warsaw", {WEEK: "09:00-12:30 13:00-17:00"}, "PL")
NIGHTS = calendar("Europe/Warsaw", {ALL_WEEK: "00:00-24:00"})


@pytest.mark.parametrize(
    ("on", "start", "duration", "due"),
    [
        # Monday, 23 November 2026, an ordinary week
        (OFFICE, "2026-11-23 09:00", "30m", "2026-11-23 09:30"),
        (OFFICE, "2026-11-23 12:00", "1h", "2026-11-23 13:30"),  # over lunch
        (OFFICE, "2026-11-23 15:00", "2h", "2026-11-23 17:00"),  # ends at closing and stays there
        (OFFICE, "2026-11-23 16:00", "2h", "2026-11-24 10:00"),
        (OFFICE, "2026-11-27 16:30", "1h", "2026-11-30 09:30"),  # over a weekend
        (OFFICE, "2026-11-28 03:00", "4h", "2026-11-30 13:30"),  # begins on a Saturday
        (OFFICE, "2026-11-10 16:30", "1h", "2026-11-12 09:30"),  # 11 November is free in Poland
        (OFFICE, "2026-11-23 10:15", "2d", "2026-11-25 10:15"),
        (OFFICE, "2026-11-27 10:15", "1d", "2026-11-30 10:15"),
        (OFFICE, "2026-11-09 10:15", "2d", "2026-11-12 10:15"),
        (OFFICE, "2026-11-23 20:00", "1d", "2026-11-25 09:00"),  # after hours: it begins on Tuesday at nine
        (OFFICE, "2026-11-23 12:45", "1d", "2026-11-24 13:00"),  # at lunch: it begins at one
        (OFFICE, "2026-11-23 12:30", "1d", "2026-11-24 12:30"),  # at closing is not after it
        (OFFICE, "2026-11-23 17:00", "1d", "2026-11-24 17:00"),
        # a time at which the day that is reached is closed: its last moment before, else its opening
        (calendar("UTC", {"mon": "09:00-20:00", "tue": "09:00-17:00"}), "2026-11-23 19:00", "1d", "2026-11-24 17:00"),
        (calendar("UTC", {"mon": "06:00-20:00", "tue": "09:00-17:00"}), "2026-11-23 07:00", "1d", "2026-11-24 09:00"),
        (calendar("UTC", {"mon": "09:00-24:00", "tue": "09:00-24:00"}), "2026-11-24 00:00", "1d", "2026-11-25 00:00"),
        # 25 October 2026, 03:00 is 02:00 again; 29 March 2026, 02:00 is 03:00
        (NIGHTS, "2026-10-25 00:00", "4h", "2026-10-25 03:00"),
        (NIGHTS, "2026-03-29 00:00", "4h", "2026-03-29 05:00"),
        (NIGHTS, "2026-10-24 02:30", "1d", "2026-10-25 02:30"),  # the first of two
        (NIGHTS, "2026-10-24 03:00", "1d", "2026-10-25 03:00"),
        (NIGHTS, "2026-03-28 02:30", "1d", "2026-03-29 03:00"),  # there is no such time: where the gap begins
        # 29 March has no such hour, so it is no working day
        (calendar("Europe/Warsaw", {"sun": "02:00-03:00"}), "2026-03-22 02:30", "1d", "2026-04-05 02:30"),
        # Samoa had no 30 December 2011
        (calendar("Pacific/Apia", {ALL_WEEK: "09:00-17:00"}), "2011-12-29 16:00", "2h", "2011-12-31 10:00"),
        (calendar("Pacific/Apia", {ALL_WEEK: "09:00-17:00"}), "2011-12-29 16:00", "1d", "2011-12-31 16:00"),
    ],
)
def test_due_times(on, start, duration, due):
    zone = ZoneInfo(on.zone)
    found = time_on(on).add(datetime.fromisoformat(start).replace(tzinfo=zone), Duration.from_text(duration))
    assert found.astimezone(zone).replace(tzinfo=None) == datetime.fromisoformat(due)


def test_an_hour_that_is_shown_twice_counts_twice():
    zone = ZoneInfo("Europe/Warsaw")
    day = datetime(2026, 10, 25, tzinfo=zone)
    early = time_on(calendar("Europe/Warsaw", {"sun": "02:00-03:00"}))
    assert early.between(day, day + timedelta(days=1)) == timedelta(hours=2)
    assert early.between(datetime(2026, 3, 29, tzinfo=zone), datetime(2026, 3, 30, tzinfo=zone)) == timedelta(0)


def test_always_is_the_plain_clock():
    start = datetime(2026, 3, 29, tzinfo=UTC)
    assert time_on(None) is PLAIN_TIME
    assert PLAIN_TIME.add(start, Duration.from_text("2d")) == start + timedelta(hours=48)
    assert PLAIN_TIME.between(start, start + MINUTE) == MINUTE
    assert PLAIN_TIME.next_open(start) == start


def test_what_is_never_open_does_not_hang():
    sundays = time_on(calendar("UTC", {}))
    with pytest.raises(NeverOpen):
        sundays.add(datetime(2026, 1, 1, tzinfo=UTC), Duration.from_text("1m"))


def test_time_ends_with_the_last_year_a_moment_may_lie_in():
    mondays = time_on(calendar("Pacific/Kiritimati", {"mon": "09:00-17:00"}))
    assert mondays.next_open(datetime(9998, 12, 20, tzinfo=UTC)).date().isoformat() == "9998-12-20"
    with pytest.raises(NeverOpen):
        mondays.next_open(datetime(9998, 12, 31, 23, tzinfo=UTC))


@pytest.mark.parametrize("name", ["PL", "DE-BY", "GB-ENG", "US-CA"])
def test_known_holidays(name):
    assert known_holidays(name) == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("UK", r"no holidays of UK.* did you mean GB\?$"),
        ("UK-ENG", r"did you mean GB-ENG\?$"),
        ("Germany", r"did you mean DE\?$"),
        ("united kingdom", r"did you mean GB\?$"),
        ("pl", r"did you mean PL\?$"),
        ("XX", r"such as DE-BY$"),
        ("DE-BAY", r"DE has no part BAY; did you mean BY\?$"),
        ("DE-XX", r"DE has no part XX; its parts are BB, BE"),
        ("PL-", r"PL has no part ; its parts are"),
        ("MC-X", r"MC has no part X; write MC$"),
    ],
)
def test_unknown_holidays(name, told):
    with pytest.raises(ValueError, match=told):
        known_holidays(name)


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=400)).map(
    lambda passed: datetime(2025, 12, 1, tzinfo=UTC) + passed
)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(hours=90)), st.sampled_from([OFFICE, NIGHTS]))
def test_what_was_added_lies_between(start, open_time, on):
    time = time_on(on)
    end = time.later(start, open_time)
    assert time.between(start, end) == open_time
    assert time.between(time.earlier(end, open_time), end) == open_time
    assert open_time == timedelta(0) or time.later(time.earlier(end, open_time), open_time) == end
    assert time.later(start, open_time + MINUTE) > end
    assert time.next_open(time.next_open(start)) == time.next_open(start)


# The oracle. It knows no spans, years or offsets: it reads the clock on the wall minute by minute.

ZONES = {
    "Australia/Lord_Howe": "AU",
    "Africa/Casablanca": "MA",
    "Europe/Warsaw": "PL",
    "America/New_York": "US",
    "America/St_Johns": "CA",
    "Asia/Kolkata": "IN",
    "Pacific/Auckland": "NZ",
    "Asia/Kathmandu": "NP",
    "Pacific/Chatham": "NZ",
    "Pacific/Apia": "WS",
    "America/Havana": "CU",
}
DAYS_SEEN = 10


class Beyond(Exception):
    """The answer lies outside what the oracle has stepped through."""


class Read(NamedTuple):
    """A minute and what the wall says of it: the day, the minutes since its midnight, open or not."""

    at: datetime
    day: int
    minute: int
    open: bool


def step(on: Calendar, start: datetime) -> list[Read]:
    zone = ZoneInfo(on.zone)
    near = range(start.year - 1, start.year + 2)
    named = holidays.country_holidays(on.holidays, years=near) if on.holidays else {}
    free = {day.toordinal() for day in named}
    hours = [on.hours.get(day, ()) for day in DAYS]
    read = []
    for number in range(DAYS_SEEN * 24 * 60):
        at = start + number * MINUTE
        wall = at.astimezone(zone)
        minute = wall.hour * 60 + wall.minute
        day = wall.toordinal()
        is_open = day not in free and any(one.opens <= minute < one.closes for one in hours[wall.weekday()])
        read.append(Read(at, day, minute, is_open))
    return read


def stepped_next_open(read: list[Read], first: int) -> datetime:
    return next((one.at for one in read[first:] if one.open), None) or _beyond()


def stepped_add(read: list[Read], first: int, minutes: int) -> datetime:
    for one in read[first:]:
        minutes -= one.open
        if minutes == 0:
            return one.at + MINUTE
    return _beyond()


def stepped_days(read: list[Read], first: int, days: int) -> datetime:
    begun = first if read[first].open or not read[first - 1].open else first - 1
    while not read[begun].open:
        begun += 1
        if begun == len(read):
            _beyond()
    wanted = read[begun].minute + (1 if begun == first - 1 else 0)
    seen = sorted({one.day for one in read if one.open and one.day >= read[begun].day})
    if len(seen) <= days + 1:  # the last day may be seen in part
        _beyond()
    that_day = [one for one in read if one.open and one.day == seen[days]]
    same_time = [one.at for one in that_day if one.minute == wanted]
    before = [one.at + MINUTE for one in that_day if one.minute < wanted]
    return same_time[0] if same_time else before[-1] if before else that_day[0].at


def _beyond():
    raise Beyond


def some_hours(random: Random) -> str:
    if random.random() < 0.15:
        return "00:00-24:00"
    edges = sorted(random.sample(range(24 * 60 + 1), 2 * random.randint(1, 3)))
    written = [f"{edge // 60:02}:{edge % 60:02}" for edge in edges]
    return " ".join(f"{opens}-{closes}" for opens, closes in zip(written[::2], written[1::2], strict=True))


def changes(zone: str) -> list[datetime]:
    """Days of four years before which the wall ran ahead of, or behind, where it runs after them."""
    days = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(4 * 365)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    return [day for day, old, new in zip(days, offsets, offsets[1:], strict=False) if old != new]


def some_calendars(random: Random) -> Iterator[tuple[Calendar, datetime]]:
    """Calendars, most with their nights open now and then, and a week near a change, a feast or neither."""
    near = {zone: changes(zone) for zone in ZONES}
    while True:
        for zone, country in ZONES.items():
            hours = {day: some_hours(random) for day in DAYS if random.random() < 0.8}
            feast = datetime(random.randint(2025, 2028), *random.choice([(1, 1), (5, 1), (12, 25)]), tzinfo=UTC)
            any_day = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=random.randint(0, 1_400))
            middle = random.choice([*near[zone], feast, any_day] if random.random() < 0.7 else [feast, any_day])
            start = middle - timedelta(days=random.randint(1, 4), minutes=random.randint(0, 1_440))
            if hours:
                yield calendar(zone, hours, random.choice([country, None])), start


def compare(random: Random, time: BusinessTime, read: list[Read]) -> None:
    first, last = sorted(random.sample(range(60, len(read)), 2))
    first = min(first, len(read) // 2)
    at, minutes, days = read[first].at, random.choice([1, 15, 30, 60, 90, 240, 480, 1_500]), random.randint(1, 3)
    told = f"{time.calendar!r} from {at.isoformat()}"
    expected = stepped_add(read, first, minutes)
    assert time.add(at, Duration(amount=minutes, unit="m")) == expected, f"{minutes}m: {told}"
    expected = stepped_days(read, first, days)
    assert time.add(at, Duration(amount=days, unit="d")) == expected, f"{days}d: {told}"
    expected = sum(one.open for one in read[first:last]) * MINUTE
    assert time.between(at, read[last].at) == expected, f"to {read[last].at}: {told}"
    assert time.next_open(at) == stepped_next_open(read, first), told


def compared(cases: int, each: int, seed: int) -> set[str]:
    """Compare so many cases, `each` of them per calendar; the zones that were seen."""
    random, zones = Random(seed), set[str]()  # noqa: S311 - cases, no secrets
    for on, start in some_calendars(random):
        read, time = step(on, start), BusinessTime(on)
        for _ in range(min(each, cases)):
            try:
                compare(random, time, read)
            except Beyond:
                continue
            cases, zones = cases - 1, zones | {on.zone}
        if cases <= 0:
            return zones
    raise AssertionError


def test_the_oracle_agrees_in_500_cases():
    assert compared(500, each=25, seed=1) == set(ZONES)


@pytest.mark.faults
def test_the_oracle_agrees_in_10_000_cases():
    assert compared(10_000, each=4, seed=2) == set(ZONES)
