"""The clocks a policy defines: service levels, whom a missed one reaches, and the calendars they run on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, cast
from zoneinfo import ZoneInfo, available_timezones

from service.route.case import KINDS
from service.route.clocks import (
    ALWAYS,
    DAYS,
    OWNER,
    TARGETS,
    Calendar,
    Duration,
    Escalation,
    Interval,
    Sla,
    Targets,
    days_from_text,
)
from service.route.definitions import each
from service.route.findings import Findings
from service.route.marked import Listing, Mark, Marked, Scalar, Table
from service.route.public_holidays import known_holidays, workdays_in_ten_years
from service.route.section import Section, is_null, parsed, plain_text
from service.route.suggestion import did_you_mean

PERSONS = ("owner", "owner.manager", "owner.manager.manager")
_STOPS = ("met", "acknowledged", "resolved")
_TEN_YEARS = timedelta(days=3652)
_AREAS = tuple(
    f"{area}/"
    for area in (
        *("Africa", "America", "Antarctica", "Arctic", "Asia"),
        *("Atlantic", "Australia", "Europe", "Indian", "Pacific"),
    )
)


@dataclass(frozen=True, slots=True)
class _Pace:
    """How far the hours of a calendar reach: open time and working days of ten years."""

    open_time: timedelta = _TEN_YEARS
    days: int = _TEN_YEARS.days

    def length(self, duration: Duration) -> timedelta:
        """A duration as open time, to compare it with others: a day is as long as the calendar's days are."""
        if duration.unit != "d":
            return duration.elapsed()
        return duration.amount * self.open_time / self.days


_ALWAYS_OPEN = _Pace()


def _pace(calendar: Calendar) -> _Pace:
    working = workdays_in_ten_years(calendar.holidays)
    minutes = [sum(span.closes - span.opens for span in calendar.hours.get(day, ())) for day in DAYS]
    days = sum(number for number, open_for in zip(working, minutes, strict=True) if open_for)
    open_for = sum(number * open_for for number, open_for in zip(working, minutes, strict=True))
    return _Pace(timedelta(minutes=open_for), days)


def read_slas(
    table: Table | None,
    named: Collection[str],
    calendars: Mapping[str, Calendar],
    groups: Collection[str],
    findings: Findings,
) -> dict[str, Sla]:
    """Read `slas`: `named` are all calendars the document names, `calendars` those without a mistake."""
    paces = {name: pace for name, calendar in calendars.items() if (pace := _pace(calendar)).days}

    def read(key: Scalar, part: Table) -> Sla:
        allowed = ("calendar", *TARGETS, "kinds", "tiers", "hand_off", "escalate")
        section = Section(part, findings, allowed)
        calendar = section.text("calendar") or ALWAYS
        if calendar not in named and calendar != ALWAYS:
            meant = did_you_mean(calendar, [*named, ALWAYS])
            findings.error(section.mark("calendar"), f"calendar {calendar} is not defined", meant)
        pace = paces.get(calendar, _ALWAYS_OPEN)
        general = _targets(section, Targets(), pace)
        sla = Sla(
            calendar=calendar,
            **general.model_dump(),
            kinds=_by_kind(section.section("kinds"), general, pace, findings),
            tiers=_by_tier(section.section("tiers"), general, pace, findings),
            hand_off=_duration(section, "hand_off", pace),
            escalate=_levels(section, groups, pace),
        )
        if not any(_is_given(section, name) for name in (*TARGETS, "kinds", "tiers")):
            _no_target(key, section)
        return sla

    return each(table, findings, read)


def _is_given(section: Section, name: str) -> bool:
    part = section.table.get(name)
    return part is not None and (not isinstance(part, Table) or bool(part.entries))


def _no_target(key: Scalar, section: Section) -> None:
    if section.table.get("escalate") is None:
        section.findings.error(key.mark, f"{key.text} has no target: name one of {', '.join(TARGETS)}")
    else:
        detail = f"{key.text} escalates a missed target, but has none: name one of {', '.join(TARGETS)}"
        section.findings.error(section.mark("escalate"), detail)


def _by_kind(table: Table | None, general: Targets, pace: _Pace, findings: Findings) -> dict[str, Targets]:
    for key, _ in table.entries if table else ():
        if key.text not in KINDS:
            detail = f"there is no kind of item {key.text}; kinds are {', '.join(KINDS)}"
            findings.error(key.mark, detail, did_you_mean(key.text, KINDS))
    return _by_tier(table, general, pace, findings)


def _by_tier(table: Table | None, general: Targets, pace: _Pace, findings: Findings) -> dict[str, Targets]:
    def read(key: Scalar, part: Table) -> Targets:
        if not part.entries:
            findings.error(part.mark, f"{key.text} has no target of its own: name one of {', '.join(TARGETS)}")
        return _targets(Section(part, findings, TARGETS), general, pace)

    return each(table, findings, read)


def _targets(section: Section, general: Targets, pace: _Pace) -> Targets:
    """Read the targets a mapping gives; where it gives none, the `general` ones hold."""
    given = Targets(
        acknowledge=_duration(section, "acknowledge", pace),
        contact=_duration(section, "contact", pace),
        resolve=_duration(section, "resolve", pace),
    )
    resolve, acknowledge = given.resolve or general.resolve, given.acknowledge or general.acknowledge
    sooner = resolve and acknowledge and pace.length(resolve) < pace.length(acknowledge)
    if sooner and given != Targets():
        mark = section.mark("resolve" if given.resolve else "acknowledge")
        section.findings.warn(
            mark, f"resolve ({_spelled(resolve)}) is sooner than acknowledge ({_spelled(acknowledge)})"
        )
    return given


def _spelled(duration: Duration | None) -> str:
    return f"{duration.amount}{duration.unit}" if duration else ""


def _duration(section: Section, key: str, pace: _Pace) -> Duration | None:
    duration = section.parsed(key, Duration.from_text)
    if duration is None or pace is _ALWAYS_OPEN:
        return duration
    out_of_reach = duration.amount > pace.days if duration.unit == "d" else duration.elapsed() > pace.open_time
    if out_of_reach:
        detail = f"{_spelled(duration)} is more than this calendar is open in ten years"
        section.findings.error(section.mark(key), detail)
    return duration


def _levels(section: Section, groups: Collection[str], pace: _Pace) -> tuple[Escalation, ...]:
    findings = section.findings
    found = [(item.mark, _level(item, groups, pace, findings)) for item in section.items("escalate")]
    levels = [(mark, level) for mark, level in found if level is not None]
    for number in range(1, len(levels)):
        _check_order(levels[number][0], levels[number][1], [level for _, level in levels[:number]], pace, findings)
    return tuple(level for _, level in levels)


def _level(part: Marked, groups: Collection[str], pace: _Pace, findings: Findings) -> Escalation | None:
    if not isinstance(part, Table):
        findings.error(part.mark, "a level is written as {after: 4h, to: owner.manager}")
        return None
    section = Section(part, findings, ("after", "to", "notice", "stop", "any_hour"), ("after", "to"))
    after, to = _duration(section, "after", pace), section.text("to")
    if to is not None and to not in PERSONS and to not in groups:
        detail = f"group {to} is not defined; `to` names a group, {', '.join(PERSONS[:-1])} or {PERSONS[-1]}"
        findings.error(section.mark("to"), detail, did_you_mean(to, [*groups, *PERSONS]))
    stop = cast("Literal['met', 'acknowledged', 'resolved'] | None", section.choice("stop", _STOPS))
    notice, any_hour = section.text("notice"), section.flag("any_hour")
    if after is None or to is None:
        return None
    return Escalation(after=after, to=to, notice=notice, stop=stop or "met", any_hour=bool(any_hour))


def _check_order(mark: Mark, level: Escalation, before: list[Escalation], pace: _Pace, findings: Findings) -> None:
    """Levels go up and go on: each later than the one before it, and to nobody who was left behind."""
    last, number = before[-1], len(before) + 1
    if level.to != last.to and level.to in [one.to for one in before]:
        told = [one.to for one in before].index(level.to) + 1
        findings.error(mark, f"the levels go in a circle: {level.to} was told at level {told} already")
    length, after = pace.length(level.after), _spelled(level.after)
    if level.to == last.to and length == pace.length(last.after):
        findings.error(mark, f"level {number} repeats the one before it: {level.to} after {after}")
    elif length <= pace.length(last.after):
        detail = f"level {number} comes after {after}, no later than level {number - 1} ({_spelled(last.after)})"
        findings.error(mark, f"{detail}: delays count from the missed target and must grow")


def read_calendars(table: Table | None, findings: Findings) -> dict[str, Calendar]:
    """Read `calendars`: zone, hours by weekday, public holidays."""

    def read(key: Scalar, part: Table) -> Calendar | None:
        if key.text == ALWAYS:
            findings.error(key.mark, "the calendar `always` is built in")
        section = Section(part, findings, ("zone", "hours", "holidays"), ("zone", "hours"))
        zone, holidays = section.parsed("zone", _zone), _holidays(part, findings)
        hours = _hours(section.section("hours"), findings)
        if zone is None:
            return None
        calendar = Calendar(zone=zone, hours=hours, holidays=holidays)
        if hours and not _pace(calendar).days:
            findings.error(key.mark, f"{key.text} is never open: its days are public holidays of {holidays}")
        return calendar

    return each(table, findings, read)


def _zone(text: str) -> str:
    if text == OWNER:
        return text
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError):
        meant = _zone_meant(text)
        detail = f"there is no time zone {text}; a time zone is written as Europe/Warsaw, or {OWNER} for the owner's"
        raise ValueError(f"{detail}; {meant}" if meant else detail) from None
    return text


def _zone_meant(text: str) -> str | None:
    """The zone of that city, or the one spelled nearly so; for the rest, such as CEST, any other would mislead."""
    zones = sorted(name for name in available_timezones() if name.startswith(_AREAS))
    city = "/" + text.casefold().replace(" ", "_")
    same = [name for name in zones if name.casefold().endswith(city)]
    return did_you_mean(same[0] if same else text, [*(zones if same or "/" in text else ()), OWNER])


def _holidays(part: Table, findings: Findings) -> str | None:
    written = part.get("holidays")
    if written is None:
        return None
    if not isinstance(written, Scalar) or is_null(written) or not written.text.strip():
        detail = "holidays are named by their country, such as PL or DE-BY; without public holidays leave the line out"
        findings.error(written.mark, detail)
        return None
    return parsed(written, known_holidays, findings) if plain_text(written, "holidays", findings) else None


def _hours(table: Table | None, findings: Findings) -> dict[str, tuple[Interval, ...]]:
    open_on: dict[str, list[Interval]] = {}
    for key, part in table.entries if table else ():
        if is_null(part) or not isinstance(part, Listing):
            findings.error(part.mark, f'hours of {key.text} are a list, such as ["09:00-17:00"]')
            continue
        days = parsed(key, days_from_text, findings) or ()
        for item in part.items:
            interval = parsed(item, Interval.from_text, findings) if isinstance(item, Scalar) else None
            if not isinstance(item, Scalar):
                findings.error(item.mark, "hours are written as 09:00-12:30")
            if interval is not None:
                _open(open_on, days, interval, item, findings)
    if table is not None and not any(part.items for _, part in table.entries if isinstance(part, Listing)):
        findings.error(table.mark, "a calendar is open on some day")
    return {day: tuple(sorted(open_on[day], key=lambda hours: hours.opens)) for day in DAYS if day in open_on}


def _open(
    open_on: dict[str, list[Interval]], days: Collection[str], new: Interval, item: Marked, findings: Findings
) -> None:
    held = [(day, other) for day in days for other in open_on.get(day, [])]
    clash = next((day for day, other in held if new.opens < other.closes and other.opens < new.closes), None)
    if clash is not None:
        findings.error(item.mark, f"these hours overlap with others on {clash}")
    for day in days:
        open_on.setdefault(day, []).append(new)
