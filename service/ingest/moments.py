"""Times as people and programs write them, read in the one way they can be read."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from service.ingest.cells import TwoWays, Unusable, shown

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?P<second>:\d\d(?:[.,]\d{1,9})?)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)"
_WHEN = rf"(?:(?:[Tt]|,? (?:at )?){_CLOCK}(?: ?{_ZONE})?)?"
_DAYS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d){_WHEN}",
        rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}){_WHEN}",
        rf"(?P<year>\d{{4}})/(?P<month>\d\d)/(?P<day>\d\d){_WHEN}",
        rf"(?:[A-Za-z]{{3,9}},? )?(?P<day>\d{{1,2}})\.?[ -](?P<name>\w{{3,9}})\.?[ -](?P<year>\d{{4}}){_WHEN}",
        rf"(?:[A-Za-z]{{3,9}},? )?(?P<name>\w{{3,9}})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}}){_WHEN}",
        rf"[A-Za-z]{{3}} (?P<name>\w{{3}}) (?P<day>\d\d) {_CLOCK} {_ZONE} (?P<year>\d{{4}})",
    )
)
_EITHER = re.compile(
    rf"(?P<one>\d{{1,2}})(?P<between>[/-])(?P<other>\d{{1,2}})(?P=between)(?P<year>\d{{4}}){_WHEN}", re.ASCII
)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        ("jan", "feb", "mar mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"), 1
    )
    for name in names.split()
}


def moment(value: object) -> str:
    """A time as RFC 3339; one without a zone is in UTC.

    Raises:
        Unusable: it is no time, or can be read in two ways (`11/02/2026`).
    """
    match value:
        case str():
            written = value.strip()
            if found := _RFC_3339.fullmatch(written):  # nearly all are, and pydantic reads them soon
                return written if found[1] else f"{written}Z"
            return _read(written)
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
        case date():
            return f"{value.isoformat()}T00:00:00Z"
        case _:
            raise _no_time(value)


def _no_time(value: object) -> Unusable:
    return Unusable(f"A time is written as 2026-11-20T10:00:00Z (RFC 3339), not {shown(value)}.")


def _read(written: str) -> str:
    for pattern in _DAYS:
        if found := pattern.fullmatch(written):
            parts = found.groupdict()
            month = parts["month"] if "month" in parts else _MONTHS.get(parts["name"][:3].lower())
            if month is None:
                break
            return _rfc_3339(int(parts["year"]), int(month), int(parts["day"]), found)
    if found := _EITHER.fullmatch(written):
        return _rfc_3339(int(found["year"]), *_month_and_day(found), found)
    raise _no_time(written)


def _month_and_day(found: re.Match[str]) -> tuple[int, int]:
    first, second, year = int(found["one"]), int(found["other"]), found["year"]
    if first != second and first <= 12 and second <= 12:
        raise TwoWays(
            f"The date {shown(found[0])} can be read in two ways: write {year}-{first:02}-{second:02}"
            f" or {year}-{second:02}-{first:02}."
        )
    return (first, second) if second > 12 else (second, first)


def _rfc_3339(year: int, month: int, day: int, found: re.Match[str]) -> str:
    try:
        date(year, month, day)
    except ValueError:
        raise Unusable(f"There is no such day: {shown(found[0])}.") from None
    hour, half = int(found["hour"] or 0), found["half"]
    if hour > 23 or int(found["minute"] or 0) > 59 or (half and not 1 <= hour <= 12):
        raise Unusable(f"There is no such time of day: {shown(found[0])}.")
    if half:
        hour = hour % 12 + (12 if half in "pP" else 0)
    second = (found["second"] or ":00").replace(",", ".")
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{found['minute'] or '00'}{second}{_zone(found['zone'])}"


def _zone(zone: str | None) -> str:
    if zone is None or zone[0] not in "+-":
        return "Z"
    return f"{zone[:3]}:{zone[3:].lstrip(':') or '00'}"
