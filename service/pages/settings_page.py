"""`/settings`: one's own hours, time zone, absence and substitute; where and how often one is told something."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.pages.words import reader_zone
from service.people.preferences import (
    MOST_ALERTS,
    InvalidPreferences,
    Preferences,
    change,
    hours_as_text,
    hours_from_text,
)
from service.people.sessions import SignedIn
from service.route.clocks import DAYS
from service.store.tables import Destination, User

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor", "product"))]
DAY_NAMES: Mapping[str, str] = dict(
    zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)
_TEXTS = ("zone", "substitute", "destination", "digest")
_MOMENTS = ("absent_from", "absent_until")


@router.get("/settings")
def show_settings(session: SessionDep, visitor: Visitor, done: str = "") -> Response:
    """What is set."""
    row = _own(session, visitor)
    return _shown(session, visitor, _typed_of(row), said="Saved." if done == "saved" else "")


@router.post("/settings")
def send_settings(session: SessionDep, visitor: Visitor, form: FormDep) -> Response:
    """Set all of it; on an error nothing is changed and nothing typed is lost."""
    typed = {name: form.text(name) for name in (*_TEXTS, *_MOMENTS, "alerts", *(f"hours-{day}" for day in DAYS))}
    wanted, wrong = _read(typed, _own(session, visitor).zone)
    try:
        change(session, visitor.caller.name, Preferences.model_validate(wanted), by=visitor.caller.name)
    except InvalidPreferences as error:
        wrong = {pointer[1:]: _sentence(detail) for pointer, detail in error.errors} | wrong
    if wrong:
        session.rollback()
        return _shown(session, visitor, typed, wrong, status=422)
    session.commit()
    return RedirectResponse("/settings?done=saved", 303)


def _own(session: Session, visitor: SignedIn) -> User:
    return session.exec(select(User).where(col(User.name) == visitor.caller.name)).one()


def _typed_of(row: User) -> dict[str, str]:
    """A person's settings as a form shows them."""
    typed = {name: getattr(row, name) or "" for name in _TEXTS} | {"alerts": str(row.alerts or "")}
    for name in _MOMENTS:
        moment: datetime | None = getattr(row, name)
        typed[name] = "" if moment is None else f"{moment.astimezone(reader_zone(row.zone)):%Y-%m-%dT%H:%M}"
    for day in DAYS:
        written = hours_as_text({day: row.hours[day]}) if row.hours and day in row.hours else {}
        typed[f"hours-{day}"] = ", ".join(written.get(day, ()))
    return typed


def _read(typed: Mapping[str, str], stored_zone: str | None) -> tuple[dict[str, Any], dict[str, str]]:
    """What is wanted, and a sentence by field for what cannot be read."""
    wrong: dict[str, str] = {}
    wanted: dict[str, Any] = {name: typed[name] or None for name in _TEXTS}
    if typed["alerts"]:
        wanted["alerts"] = int(typed["alerts"]) if typed["alerts"].isdecimal() and len(typed["alerts"]) < 10 else None
        if not wanted["alerts"]:
            wrong["alerts"] = f"A whole number from 1 to {MOST_ALERTS:,}, or nothing for any number."
    else:
        wanted["alerts"] = None
    for name in _MOMENTS:
        try:
            wanted[name] = _moment(typed[name], typed["zone"] or stored_zone)
        except (ValueError, OverflowError):
            wrong[name] = "Give a day and a time, or leave it empty."
    hours = {day: _spans(typed[f"hours-{day}"]) for day in DAYS if typed[f"hours-{day}"]}
    for day, spans in hours.items():
        try:
            hours_from_text({day: spans})
        except ValueError as error:
            wrong[f"hours-{day}"] = _sentence(str(error))
    if not any(name.startswith("hours-") for name in wrong):
        wanted["hours"] = hours or None
    return wanted, wrong


def _spans(text: str) -> list[str]:
    """`9:00 - 12:30, 13:30-17:00` as spans: people write blanks, and leave the first nought out."""
    spans = [part.replace(" ", "").replace("–", "-") for part in text.split(",")]
    return ["-".join(time.rjust(5, "0") if ":" in time else time for time in span.split("-")) for span in spans if span]


def _moment(text: str, zone: str | None) -> str | None:
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=reader_zone(zone))).isoformat()


def _sentence(detail: str) -> str:
    return f"{detail[:1].upper()}{detail[1:].rstrip('.')}."


def _shown(
    session: Session,
    visitor: SignedIn,
    typed: Mapping[str, str],
    wrong: Mapping[str, str] | None = None,
    *,
    status: int = 200,
    said: str = "",
) -> Response:
    row = _own(session, visitor)
    return page(
        "settings.html.j2",
        visitor,
        status=status,
        here="/settings",
        said=said,
        typed=typed,
        wrong=wrong or {},
        days=DAY_NAMES,
        manager=row.manager,
        zones=_zones(),
        others=session.exec(
            select(User.name).where(col(User.active), col(User.name) != row.name).order_by(col(User.name)).limit(1_000)
        ).all(),
        destinations=session.exec(select(Destination.name).order_by(col(Destination.name)).limit(200)).all(),
        writes=visitor.caller.may("supervisor", "product", reading=False),
    )


def _zones() -> Sequence[str]:
    """The time zones people know by a city, for choosing one."""
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
