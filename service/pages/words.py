"""How pages say things: moments, kinds and states in plain words; strangers' text made inert."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from service.deliver.plain_text import one_line, visible
from service.lab.watch.light_words import ended
from service.route.phrases import KINDS, language, number, sure

STATUSES: Mapping[str, str] = {
    "open": "open",
    "acknowledged": "in progress",
    "waiting": "waiting for the customer",
    "resolved": "done",
    "retracted": "withdrawn",
}
STAGES: Mapping[str, str] = {
    "received": "being read",
    "classified": "being decided",
    "routed": "decided",
    "quarantined": "set aside",
    "withdrawn": "withdrawn",
}

_BDI, _END = Markup("<bdi>"), Markup("</bdi>")


def quoted(text: object) -> Markup:
    """A stranger's words: escaped, hidden characters made visible, and unable to turn the line around them."""
    return _BDI + visible(str(text)) + _END  # adding escapes as format does, in a tenth of the time


def first_words(text: str, limit: int = 140) -> Markup:
    """The beginning of a stranger's words on one line."""
    return _BDI + one_line(text, limit) + _END


def span_of(time: timedelta) -> str:
    """A length of time in at most two units: `1 h 20 m`, `3 d`, `under a minute`.

    >>> span_of(timedelta(minutes=80)), span_of(timedelta(days=3, minutes=5)), span_of(timedelta(seconds=9))
    ('1 h 20 m', '3 d', 'under a minute')
    """
    minutes = int(abs(time).total_seconds() // 60)
    days, hours, left = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days >= 7:
        return f"{days} d"
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{left} m" if left and not days else ""]
    return " ".join(part for part in parts if part) or "under a minute"


def due(at: datetime | None, now: datetime) -> str:
    """`due in 1 h 20 m`, `missed by 2 h`, or that nothing is due."""
    if at is None:
        return "no due time"
    return f"due in {span_of(at - now)}" if at >= now else f"missed by {span_of(now - at)}"


def ago(at: datetime | None, now: datetime) -> str:
    """`3 m ago`; `never` where there is no moment."""
    return "never" if at is None else f"{span_of(now - at)} ago"


def moment(at: datetime | None, zone: str | None = None) -> Markup:
    """A moment in the reader's zone as a `<time>` element: `Sat 22 Nov 2026, 14:05`."""
    if at is None:
        return Markup("")
    local = _local(at, zone)
    return _time(at, f"{local:%a} {local.day} {local:%b %Y, %H:%M}" + ("" if zone else " UTC"))


def day_and_time(at: datetime, zone: str | None = None) -> Markup:
    """A moment that is not far, in the reader's zone: `Sat 22 Nov, 14:05`."""
    local = _local(at, zone)
    return _time(at, f"{local:%a} {local.day} {local:%b, %H:%M}" + ("" if zone else " UTC"))


def time_of_day(at: datetime, zone: str | None = None) -> Markup:
    """A moment of today in the reader's zone: `14:05`."""
    return _time(at, f"{_local(at, zone):%H:%M}" + ("" if zone else " UTC"))


def reader_zone(name: str | None) -> ZoneInfo:
    """The time zone of somebody who reads a page: UTC where they have none, or none that this machine knows."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _local(at: datetime, zone: str | None) -> datetime:
    return at.astimezone(reader_zone(zone))


def _time(at: datetime, shown: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), shown)


def many(count: int, one: str, more: str | None = None) -> str:
    """`1 record`, `3,200 records`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def kind(name: str) -> str:
    """A kind of work item as people call it."""
    return KINDS.get(name, name)


def status(name: str) -> str:
    """A status as people call it."""
    return STATUSES.get(name, name)


def stage(name: str) -> str:
    """How far a feedback record has come."""
    return STAGES.get(name, name)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "quoted": quoted,
    "first_words": first_words,
    "due": due,
    "ago": ago,
    "moment": moment,
    "day_and_time": day_and_time,
    "time_of_day": time_of_day,
    "sure": sure,
    "number": number,
    "many": many,
    "kind": kind,
    "status": status,
    "stage": stage,
    "span_of": span_of,
    "language": language,
    "ended": ended,
}
