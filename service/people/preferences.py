"""A person's settings: where and when they are told things, who manages them, who stands in for them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict
from sqlmodel import Session, col, select, update

from service.ingest.record import Moment, Short
from service.people.users import InvalidUser, locked
from service.route.clocks import DAYS, Interval, days_from_text
from service.route.suggestion import did_you_mean
from service.store import audit
from service.store.tables import Destination, Notice, User, now

MOST_ALERTS = 1_000


class Preferences(BaseModel):
    """What is to be set; what is left out stays as it is, and null takes it away.

    Attributes:
        manager: who hears of it when they miss a promise.
        zone: where they are: `Europe/Warsaw`.
        hours: when they may be told something, as in policies: `{"mon-fri": ["09:00-17:00"]}`; none: at any time.
        absent_from: away from this moment on.
        absent_until: back at this moment; none: until they say so.
        substitute: who is told in their place while they are away.
        destination: where they are told things, beside the pages.
        digest: told once a day at this time, all together: `09:00`; none: one by one.
        alerts: of new work they are told so many times a day at most; the rest waits, the worst first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    manager: Short | None = None
    zone: Short | None = None
    hours: dict[str, list[Short]] | None = None
    absent_from: Moment | None = None
    absent_until: Moment | None = None
    substitute: Short | None = None
    destination: Short | None = None
    digest: Short | None = None
    alerts: int | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What was written down, null or not, in the order of the fields."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}


class InvalidPreferences(InvalidUser):
    """Settings that cannot be; `errors` names each as (JSON Pointer, words)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{pointer.strip('/')}: {detail}" for pointer, detail in errors))
        self.errors = tuple(errors)


def change(session: Session, name: str, wanted: Preferences, by: str) -> User:
    """Change somebody's settings; what waits to be told to them is dated anew. The caller commits.

    Raises:
        NobodyCalled: nobody has that name.
        InvalidPreferences: with everything that is wrong; nothing is changed.
    """
    row = locked(session, name)
    given = wanted.given
    problems = [*_wrong(session, row, given)]
    if problems:
        raise InvalidPreferences(problems)
    for field, value in given.items():
        setattr(row, field, value if field != "hours" or value is None else hours_from_text(value))
    if row.absent_until is not None and row.absent_from is None:
        row.absent_from = now()
    session.add(row)
    session.execute(
        update(Notice)
        .where(col(Notice.person) == name, col(Notice.told_at).is_(None), col(Notice.dropped).is_(None))
        .values(due_at=now())
    )
    audit.record(session, by, "user.changed", name, changed=sorted(given))
    return row


def hours_from_text(written: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Read hours as policies write them; the answer is `Calendar.hours` as JSON.

    Raises:
        ValueError: in words, with the day.
    """
    open_on: dict[str, list[Interval]] = {}
    for days, spans in written.items():
        for day in days_from_text(days):
            for span in map(Interval.from_text, spans):
                if any(span.opens < other.closes and other.opens < span.closes for other in open_on.get(day, [])):
                    raise ValueError(f"hours overlap on {day}")
                open_on.setdefault(day, []).append(span)
    if not open_on:
        raise ValueError("no day has hours: leave them out (null) to be told at any time")
    return {
        day: [span.model_dump() for span in sorted(open_on[day], key=lambda span: span.opens)]
        for day in DAYS
        if day in open_on
    }


def hours_as_text(hours: Mapping[str, Sequence[Mapping[str, int]]]) -> dict[str, list[str]]:
    """Write hours as a person would: equal days that follow each other as one range, `{"mon-fri": [...]}`."""
    written = {day: [f"{_clock(one['opens'])}-{_clock(one['closes'])}" for one in hours[day]] for day in hours}
    told: dict[str, list[str]] = {}
    first: str | None = None
    for day, following in zip(DAYS, (*DAYS[1:], ""), strict=True):
        if day not in written:
            continue
        first = first or day
        if written.get(following) != written[day]:
            told[day if first == day else f"{first}-{day}"] = written[day]
            first = None
    return told


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _wrong(session: Session, row: User, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything that cannot be, as (pointer, words)."""
    for field, check in _CHECKS.items():
        if given.get(field) is not None and (detail := check(given[field])):
            yield f"/{field}", detail
    starts, ends = (given.get(field, getattr(row, field)) for field in ("absent_from", "absent_until"))
    if ends is not None and ends <= (starts or now()) and given.keys() & {"absent_from", "absent_until"}:
        later = "an absence ends after it begins" if starts else "this lies in the past"
        yield "/absent_until", f"{later}: give a later moment, or leave it out"
    if (name := given.get("destination")) is not None:
        yield from _wrong_destination(session, name)
    managers: dict[str, str | None] = dict(session.exec(select(User.name, User.manager)).all())
    for field in ("manager", "substitute"):
        if given.get(field) is not None:
            yield from _wrong_person(field, row.name, given[field], managers)


def _wrong_destination(session: Session, name: str) -> Iterator[tuple[str, str]]:
    known = session.exec(select(Destination.name)).all()
    if name not in known:
        yield "/destination", _not_there(f"destination {name} is not set up", did_you_mean(name, known))


def _wrong_person(field: str, own: str, name: str, managers: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    if name not in managers:
        yield f"/{field}", _not_there(f"nobody is called {name}", did_you_mean(name, managers))
    elif name == own:
        yield f"/{field}", f"nobody is their own {field}: name somebody else"
    elif field == "manager":
        chain = [name]
        while (above := managers.get(chain[-1])) is not None and above not in chain:
            chain.append(above)
        if own in chain:
            yield "/manager", f"this leads in a circle: {' is managed by '.join([own, *chain[: chain.index(own) + 1]])}"


def _not_there(said: str, meant: str | None) -> str:
    return f"{said}; {meant}" if meant else said


def _zone(text: str) -> str | None:
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError):
        return _not_there(f"there is no time zone {text[:64]}", did_you_mean(text, available_timezones()))
    return None


def _hours(written: Mapping[str, Sequence[str]]) -> str | None:
    try:
        hours_from_text(written)
    except ValueError as error:
        return str(error)
    return None


def _digest(text: str) -> str | None:
    if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        return None
    return "a time of day is written as 09:00"


def _alerts(number: int) -> str | None:
    return None if 1 <= number <= MOST_ALERTS else f"a whole number from 1 to {MOST_ALERTS}"


_CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "zone": _zone,
    "hours": _hours,
    "digest": _digest,
    "alerts": _alerts,
}
