"""`/inbox`: the open work of the supervisors in due order, to be taken up, given away and searched."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep
from service.api.problems import Problem
from service.csv_out import cell, utc
from service.deliver.plain_text import one_line
from service.pages import words
from service.pages.assignees import nobody_called, people
from service.pages.inbox_filters import MOST, Filters, Lost, every, find, heads, midnight_after, sources
from service.pages.inbox_lines import lines
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.review import happens, take
from service.store.tables import WorkItem, now
from service.work.events import Acknowledge, Assign
from service.work.lifecycle import UNRESOLVED, Impossible
from service.work.notices import see_item

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
Asked = Annotated[Filters, Query()]

CSV_ROWS = 10_000
_COLUMNS = ("Id", "Kind", "Status", "Priority", "Must be done", "What", "Owner", "Due", "Made", "Rule", "Tags")
_DONE = {"acknowledge": "acknowledged", "assign": "assigned"}
_CHOICES: Mapping[str, Sequence[tuple[str, str]]] = {
    "kind": (("", "any"), *((kind, words.kind(kind)) for kind in ("follow_up", "ticket", "quality_case", "review"))),
    "status": (("", "any"), *((status, words.status(status)) for status in UNRESOLVED)),
    "priority": (("", "any"), ("urgent", "urgent"), ("high", "high"), ("normal", "normal"), ("low", "low")),
    "due": (("", "any time"), ("missed", "missed"), ("at_risk", "at risk"), ("today", "still today")),
}
_NAMES = {
    "kind": "Kind",
    "status": "Status",
    "owner": "Owner",
    "team": "Team",
    "priority": "Priority",
    "source": "Source",
    "due": "Due",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """An item that could not be changed, by its title, and why."""

    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a bulk action; `owner` and `chosen` keep what was typed and ticked."""

    said: str = ""
    refused: Sequence[Refused] = ()
    wrong: str = ""
    owner: str = ""
    chosen: frozenset[str] = frozenset()


@router.get("/inbox")
def show_inbox(session: SessionDep, visitor: Visitor, filters: Asked) -> Response:
    """Open work, what is due first at the top."""
    done = _DONE.get(filters.done)
    whom = f" to {one_line(filters.to, 128)}" if filters.to and filters.to in people(session) else ""
    said = f"{words.many(filters.many, 'item')} {done}{whom}." if done and filters.many else ""
    return _shown(session, visitor, filters, Told(said))


@router.post("/inbox")
def send_inbox(session: SessionDep, visitor: Visitor, form: FormDep, filters: Asked) -> Response:
    """Take up or give away the items that were ticked, or the one whose button was pressed."""
    one = form.text("one")
    action = "acknowledge" if one else form.text("what")
    chosen = [one] if one else form.texts("item")
    owner = visitor.caller.name if form.text("owner") == "me" else form.text("owner")
    if action not in _DONE:
        raise Problem(422, "Choose what to do with the items: take them up, or give them to somebody.")
    kept = frozenset(chosen)
    if not chosen:
        return _shown(session, visitor, filters, Told(wrong="Tick at least one item first.", owner=owner), 422)
    wrong = _wrong_owner(session, owner) if action == "assign" else None
    if wrong:
        return _shown(session, visitor, filters, Told(wrong=wrong, owner=owner, chosen=kept), 422)
    event = Acknowledge(type="acknowledge") if action == "acknowledge" else Assign(type="assign", owner=owner)
    refused = [told for item in _ids(chosen) if (told := _try(session, item, event, visitor.caller.name))]
    went = len(kept) - len(refused)
    if refused:
        whom = f" to {one_line(owner, 128)}" if action == "assign" else ""
        said = f"{went} {_DONE[action]}{whom}; {len(refused)} could not be."
        return _shown(session, visitor, filters, Told(said, refused), 409)
    to = owner if action == "assign" else ""
    return RedirectResponse(filters.address(done=action, many=str(went), to=to, after=filters.after), 303)


@router.get("/inbox.csv")
def save_inbox(session: SessionDep, visitor: Visitor, filters: Asked) -> Response:
    """The same list for a spreadsheet, at most 10,000 lines."""
    whole = filters.model_copy(update={"after": ""})
    found = every(session, whole, visitor.caller.name, *_today(visitor), CSV_ROWS)
    file = io.StringIO(newline="")
    out = csv.writer(file)
    out.writerow(_COLUMNS)
    out.writerows([cell(text) for text in _row(item)] for item in found)
    headers = {"Content-Disposition": 'attachment; filename="inbox.csv"', "X-Content-Type-Options": "nosniff"}
    return Response("\ufeff" + file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _row(item: WorkItem) -> Sequence[str]:
    return (
        str(item.id),
        words.kind(item.kind),
        words.status(item.status),
        item.priority,
        "yes" if item.mandatory else "no",
        item.title,
        item.owner or "",
        utc(item.due_at),
        utc(item.created_at),
        item.rule,
        ", ".join(item.tags),
    )


def _wrong_owner(session: Session, owner: str) -> str | None:
    if not 1 <= len(owner) <= 128:
        return "Say who is to have them: a name of at most 128 characters."
    return nobody_called(owner, people(session))


def _ids(texts: Sequence[str]) -> list[UUID]:
    """The ids in one order for everybody, so that two people's actions never wait for each other in a circle."""
    try:
        return sorted({UUID(text) for text in texts})
    except ValueError as error:
        raise Problem(422, "One of the ticked items has no id of ours: open the inbox again.") from error


def _try(session: Session, item: UUID, event: Acknowledge | Assign, actor: str) -> Refused | None:
    row = take(session, item)
    if row is None or row.kind == "backlog_item":
        session.rollback()
        return Refused("An item", "it is not there any more")
    try:
        happens(session, row, event, actor=actor, at=now())
        see_item(session, actor, item, now())
    except Impossible:
        told = Refused(row.title, f"it is {words.status(row.status)} already")
        session.rollback()
        return told
    session.commit()
    return None


def _today(visitor: SignedIn) -> tuple[datetime, datetime]:
    """This moment, and the end of the reader's day."""
    moment = now()
    return moment, midnight_after(moment.astimezone(words.reader_zone(visitor.zone)))


def _shown(session: Session, visitor: SignedIn, filters: Filters, told: Told, status: int = 200) -> Response:
    moment, midnight = _today(visitor)
    try:
        found = find(session, filters, visitor.caller.name, moment, midnight)
    except Lost as error:
        raise Problem(422, str(error)) from error
    return page(
        "inbox.html.j2",
        visitor,
        status=status,
        here="/inbox",
        said=told.said,
        told=told,
        filters=filters,
        removable=_removable(filters),
        choices=_CHOICES,
        heads=heads(session, visitor.caller.name, moment, midnight),
        most=MOST,
        lines=lines(session, found.items, moment),
        more=filters.address(after=found.following) if found.following else None,
        looked_through=found.looked_through,
        writes=visitor.caller.may("supervisor", reading=False),
        people=people(session),
        sources=sources(session),
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter that is set, in words, and the address without it."""

    name: str
    said: str
    without: str


def _removable(filters: Filters) -> list[Chosen]:
    told = {"me": "mine", "nobody": "nobody's"}
    spoken = []
    for name in filters.chosen:
        value = getattr(filters, name)
        said = dict(_CHOICES.get(name, ())).get(value) or (told.get(value, value) if name == "owner" else value)
        spoken.append(Chosen(_NAMES.get(name, "Words"), said, filters.address(**{name: ""})))
    return spoken
