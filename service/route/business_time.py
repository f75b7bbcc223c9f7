"""Business time: the hours of a calendar as instants, over holidays and changes of the clocks. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate, groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from service.route.clocks import DAYS, Calendar, Duration
from service.route.public_holidays import holidays_of

_DAY = timedelta(days=1)
_NOTHING = timedelta(0)
_FURTHEST = 100  # years; checking a policy refuses what takes longer than ten
_LAST = 9_998  # the last year a moment may lie in; Python knows one more, which the days around a year need


class NeverOpen(ValueError):
    """A calendar is not open for as long as was asked of it."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Open without a break from `opens` to `closes`, end exclusive; a clock that reads `midnight` + x shows x."""

    opens: datetime
    closes: datetime
    day: date
    midnight: datetime


class _Year:
    """The open spans of the days of one year, in their order, and how much open time there was up to each one's end."""

    def __init__(self, spans: list[_Span]) -> None:
        self.spans = spans
        self.opens = [span.opens for span in spans]
        self.after = list(accumulate(span.closes - span.opens for span in spans))
        self.total = self.after[-1] if spans else _NOTHING
        by_day = groupby(sorted(spans, key=lambda span: (span.day, span.opens)), key=attrgetter("day"))
        self.of_day: dict[date, tuple[_Span, ...]] = {day: tuple(found) for day, found in by_day}
        self.days: list[date] = list(self.of_day)

    def until(self, at: datetime) -> timedelta:
        """The open time of this year before `at`."""
        found = bisect_right(self.opens, at) - 1
        return _NOTHING if found < 0 else self.after[found] - max(self.spans[found].closes - at, _NOTHING)

    def reached(self, open_time: timedelta) -> datetime:
        """The first moment before which there was this much open time, which is more than none and at most all."""
        found = bisect_left(self.after, open_time)
        return self.spans[found].closes - (self.after[found] - open_time)


class PlainTime:
    """Time that never stops: the calendar `always`."""

    def add(self, start: datetime, duration: Duration) -> datetime:
        return start + duration.elapsed()

    def later(self, start: datetime, open_time: timedelta) -> datetime:
        return start + open_time

    def earlier(self, end: datetime, open_time: timedelta) -> datetime:
        return end - open_time

    def between(self, start: datetime, end: datetime) -> timedelta:
        return max(end - start, _NOTHING)

    def next_open(self, at: datetime) -> datetime:
        return at


class BusinessTime:
    """The open time of a calendar.

    Open are all instants at which a clock on the wall, in the calendar's zone, reads an hour of the weekday's hours, on
    a day that is no public holiday. An hour that is shown twice, when clocks go back, counts twice; one that is skipped
    does not count. Moments may be given in any zone and are answered in UTC.

    Raises:
        NeverOpen: by every method that looks for a moment, where there is none within a hundred years.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.zone = ZoneInfo(calendar.zone)
        self._laid: dict[int, _Year] = {}  # as they are asked for; two threads that lay the same year lay it alike

    def add(self, start: datetime, duration: Duration) -> datetime:
        """Count a duration from `start`.

        Minutes and hours are so much open time; what ends exactly at closing stays at closing. `2d` is two working
        days later (days with any open time) at the same time of day. A start outside the hours first moves to the
        next opening; one exactly at closing stays there. Where the day that is reached is closed at that time, it is
        the last moment of that day's hours before it, or the day's opening if it is before all of them. A time that
        the day shows twice is the first of the two.
        """
        if duration.unit != "d":
            return self.later(start, duration.elapsed())
        begun = self._beginning(start.astimezone(UTC))
        span = begun[1]
        day = self._working_day(span.day, duration.amount)
        return _at_time_of_day(self._year(day.year).of_day[day], begun[0] - span.midnight)

    def later(self, start: datetime, open_time: timedelta) -> datetime:
        """The first moment with this much open time between it and `start`; with none, the next open moment."""
        start = start.astimezone(UTC)
        if open_time <= _NOTHING:
            return self.next_open(start)
        first = self._year_of(start)
        wanted = open_time + self._year(first).until(start)
        for year in self._years(first):
            if wanted <= year.total:
                return year.reached(wanted)
            wanted -= year.total
        raise NeverOpen

    def earlier(self, end: datetime, open_time: timedelta) -> datetime:
        """The first moment with this much open time, more than none, between it and `end`."""
        end = end.astimezone(UTC)
        if open_time <= _NOTHING:
            return end
        last = self._year_of(end)
        wanted = self._year(last).until(end) - open_time
        for number in range(last - 1, max(last - _FURTHEST, 0), -1):
            if wanted > _NOTHING:
                return self._year(number + 1).reached(wanted)
            wanted += self._year(number).total
        raise NeverOpen

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The open time from `start` to `end`; none where the end lies before the start."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if end <= start:
            return _NOTHING
        first, last = self._year_of(start), self._year_of(end)
        whole = sum((self._year(number).total for number in range(first, last)), _NOTHING)
        return whole + self._year(last).until(end) - self._year(first).until(start)

    def next_open(self, at: datetime) -> datetime:
        """`at` itself where it is open, else the next opening."""
        at = at.astimezone(UTC)
        return max(at, self._next(at).opens)

    def _next(self, at: datetime) -> _Span:
        """The span that holds `at`, else the next one."""
        for year in self._years(self._year_of(at)):
            found = bisect_right(year.opens, at) - 1
            if found >= 0 and at < year.spans[found].closes:
                return year.spans[found]
            if found + 1 < len(year.spans):
                return year.spans[found + 1]
        raise NeverOpen

    def _beginning(self, at: datetime) -> tuple[datetime, _Span]:
        """From when on days are counted, and the span it belongs to."""
        span = self._next(at)
        if span.opens <= at:
            return at, span
        year = self._year((at - timedelta(microseconds=1)).astimezone(self.zone).year)
        ended = bisect_left(year.opens, at) - 1
        if ended >= 0 and year.spans[ended].closes == at:
            return at, year.spans[ended]
        return span.opens, span

    def _working_day(self, first: date, number: int) -> date:
        """The working day so many after `first`, which is one."""
        wanted = number + bisect_left(self._year(first.year).days, first)
        for year in self._years(first.year):
            if wanted < len(year.days):
                return year.days[wanted]
            wanted -= len(year.days)
        raise NeverOpen

    def _year_of(self, at: datetime) -> int:
        return at.astimezone(self.zone).year

    def _years(self, first: int) -> Iterator[_Year]:
        return (self._year(number) for number in range(first, min(first + _FURTHEST, _LAST + 1)))

    def _year(self, number: int) -> _Year:
        laid = self._laid.get(number)
        if laid is None:
            laid = self._laid[number] = _Year(list(self._spans(number)))
        return laid

    def _spans(self, year: int) -> Iterator[_Span]:
        """Lay the hours of a year's days over each stretch of time in which the zone's offset stays the same."""
        free = holidays_of(self.calendar.holidays, year)
        begin, end = (datetime(number, 1, 1, tzinfo=UTC) for number in (year, year + 1))
        for starts, ends, offset in _stretches(self.zone, begin - 2 * _DAY, end + 2 * _DAY):
            first, last = (starts + offset).date(), (ends + offset).date()
            for number in range((last - first).days + 1):
                day = first + number * _DAY
                if day.year == year and day not in free:
                    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - offset
                    yield from self._spans_of(day, midnight, starts, ends)

    def _spans_of(self, day: date, midnight: datetime, starts: datetime, ends: datetime) -> Iterator[_Span]:
        for opens, closes in self._hours[day.weekday()]:
            begin, end = max(midnight + opens, starts), min(midnight + closes, ends)
            if begin < end:
                yield _Span(begin, end, day, midnight)

    @cached_property
    def _hours(self) -> list[list[tuple[timedelta, timedelta]]]:
        return [
            [
                (timedelta(minutes=hours.opens), timedelta(minutes=hours.closes))
                for hours in self.calendar.hours.get(day, ())
            ]
            for day in DAYS
        ]


Time = PlainTime | BusinessTime
PLAIN_TIME = PlainTime()


def time_on(calendar: Calendar | None) -> Time:
    """The time that counts on a calendar whose zone is a real one; None is the calendar `always`."""
    return PLAIN_TIME if calendar is None else _business_time(calendar.model_dump_json())


@lru_cache(maxsize=128)
def _business_time(calendar: str) -> BusinessTime:
    return BusinessTime(Calendar.model_validate_json(calendar))


def _at_time_of_day(spans: tuple[_Span, ...], time: timedelta) -> datetime:
    for span in spans:
        if span.opens <= span.midnight + time < span.closes:
            return span.midnight + time
    before = [span.closes for span in spans if span.closes <= span.midnight + time]
    return before[-1] if before else spans[0].opens


def _stretches(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The stretches of constant offset from `begin` to `end`; no zone changes twice within six hours."""
    starts, at, step = begin, begin, timedelta(hours=6)
    while at < end:
        ahead = min(at + step, end)
        if _offset(zone, ahead) != _offset(zone, at):
            change = _change(zone, at, ahead)
            yield starts, change, _offset(zone, at)
            starts = change
        at = ahead
    yield starts, end, _offset(zone, at)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the offset changes between these two moments."""
    old = _offset(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or _NOTHING
