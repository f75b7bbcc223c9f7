"""The clocks a policy defines: service levels and the calendars they run on."""

import re
from collections.abc import Collection
from zoneinfo import ZoneInfo, available_timezones

from service.route.clocks import ALWAYS, DAYS, TARGETS, Calendar, Duration, Escalation, Interval, Sla, days_from_text
from service.route.definitions import each
from service.route.findings import Findings
from service.route.marked import Listing, Marked, Scalar, Table
from service.route.section import Section, is_null, parsed
from service.route.suggestion import did_you_mean

OWNER_MANAGER = "owner.manager"


def read_slas(
    table: Table | None, calendars: Collection[str], groups: Collection[str], findings: Findings
) -> dict[str, Sla]:
    """Read `slas`. Only the calendar `always` runs; any other is refused where it is named."""

    def read(key: Scalar, part: Table) -> Sla:
        section = Section(part, findings, ("calendar", *TARGETS, "escalate"))
        calendar = section.text("calendar") or ALWAYS
        if calendar in calendars:
            findings.error(section.mark("calendar"), "business hours are not available yet; use `always`")
        elif calendar != ALWAYS:
            meant = did_you_mean(calendar, [*calendars, ALWAYS])
            findings.error(section.mark("calendar"), f"calendar {calendar} is not defined", meant)
        targets = {name: section.parsed(name, Duration.from_text) for name in TARGETS}
        if all(section.table.get(name) is None for name in TARGETS):
            findings.error(key.mark, f"{key.text} has no target: name one of {', '.join(TARGETS)}")
        if section.table.get("escalate") is not None:
            findings.warn(section.mark("escalate"), "`escalate` is recorded but not acted on yet")
        steps = [_escalation(item, groups, findings) for item in section.items("escalate")]
        return Sla(calendar=calendar, **targets, escalate=tuple(step for step in steps if step is not None))

    return each(table, findings, read)


def _escalation(part: Marked, groups: Collection[str], findings: Findings) -> Escalation | None:
    if not isinstance(part, Table):
        findings.error(part.mark, "a step is written as {after: 4h, to: owner.manager}")
        return None
    section = Section(part, findings, ("after", "to"), ("after", "to"))
    after, to = section.parsed("after", Duration.from_text), section.text("to")
    if to is not None and to != OWNER_MANAGER and to not in groups:
        detail = f"group {to} is not defined; `to` names a group or {OWNER_MANAGER}"
        findings.error(section.mark("to"), detail, did_you_mean(to, [*groups, OWNER_MANAGER]))
    return None if after is None or to is None else Escalation(after=after, to=to)


def read_calendars(table: Table | None, findings: Findings) -> dict[str, Calendar]:
    """Read `calendars`: zone, hours by weekday, public holidays."""

    def read(key: Scalar, part: Table) -> Calendar | None:
        if key.text == ALWAYS:
            findings.error(key.mark, "the calendar `always` is built in")
        section = Section(part, findings, ("zone", "hours", "holidays"), ("zone", "hours"))
        zone, holidays = section.parsed("zone", _zone), section.parsed("holidays", _holidays)
        hours = _hours(section.section("hours"), findings)
        return None if zone is None else Calendar(zone=zone, hours=hours, holidays=holidays)

    return each(table, findings, read)


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError):
        meant = did_you_mean(text, available_timezones())
        raise ValueError(f"there is no time zone {text}{'; ' + meant if meant else ''}") from None
    return text


def _holidays(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", text):
        raise ValueError("holidays is a country, with its region where needed, such as PL or DE-BY")
    return text


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
