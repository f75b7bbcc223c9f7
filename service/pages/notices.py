"""`/notices`: what somebody is told, newest first; what waits to be told, and why it waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session, col, select, update
from starlette.responses import RedirectResponse

from service.api.dependencies import CursorDep, Position, SessionDep, newest_first, paged
from service.api.problems import Problem
from service.pages.due import Due, next_due
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.people.availability import away
from service.people.sessions import SignedIn
from service.store.tables import Notice, User, WorkItem, among, now
from service.work.telling import ALERTS

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor", "product"))]
_PAGE = 50
_QUEUE = 200
_DONE: Mapping[str, str] = {"seen": "Marked as seen.", "all": "Everything is marked as seen."}
KINDS: Mapping[str, tuple[str, str]] = {
    "assigned": ("given to you", "calm"),
    "joined": ("more answers", "calm"),
    "offered": ("offered to you", "warn"),
    "accepted": ("taken over", "good"),
    "declined": ("not taken over", "warn"),
    "lapsed": ("nobody took it up", "warn"),
    "withdrawn": ("not yours any more", "calm"),
    "retracted": ("nothing left to do", "calm"),
    "revised": ("answer changed", "calm"),
    "restored": ("open again", "warn"),
    "escalated": ("escalated", "bad"),
    "owner_gone": ("its owner is gone", "bad"),
    "no_owner": ("nobody can take it", "bad"),
    "alarm": ("promise withdrawn", "bad"),
    "voided": ("promise void", "warn"),
    "to_label": ("answers to judge", "calm"),
    "to_agree": ("a second person is asked", "warn"),
}


@dataclass(frozen=True, slots=True)
class Waits:
    """A notice in the queue, and why it waits."""

    row: Notice
    why: str


@dataclass(frozen=True, slots=True)
class About:
    """The item a notice is about, as it stands now: whose it is, and what is due next."""

    owner: str | None
    due: Due


@router.get("/notices")
def show_notices(session: SessionDep, visitor: Visitor, cursor: CursorDep, done: str = "") -> Response:
    """What I was told, and what waits."""
    moment = now()
    me = session.exec(select(User).where(col(User.name) == visitor.caller.name)).one()
    rows, following = paged(_told(session, me.name, cursor), _PAGE, lambda row: (row.told_at or moment, row.id))
    waiting = session.exec(
        select(Notice)
        .where(col(Notice.person) == me.name, col(Notice.told_at).is_(None), col(Notice.dropped).is_(None))
        .order_by(col(Notice.due_at), col(Notice.harm).desc(), col(Notice.id))
        .limit(_QUEUE + 1)
    ).all()
    return page(
        "notices.html.j2",
        visitor,
        here="/notices",
        said=_DONE.get(done, ""),
        rows=rows,
        about=_about(session, rows, moment),
        until=moment.isoformat(),
        more=f"/notices?cursor={following}" if following else None,
        queue=_queue(me, waiting[:_QUEUE], moment),
        queue_is_longer=len(waiting) > _QUEUE,
        budget=me.alerts,
        kinds=KINDS,
        now=moment,
    )


@router.post("/notices/seen")
def send_seen(session: SessionDep, visitor: Visitor, form: FormDep) -> Response:
    """I have seen this one, or everything that I was told until the page was made."""
    one, until = form.text("one"), form.text("until")
    try:
        which = col(Notice.id) == UUID(one) if one else col(Notice.told_at) <= datetime.fromisoformat(until)
    except (ValueError, TypeError) as error:
        raise Problem(422, "The notice has no id of ours, or the page is not complete: open it again.") from error
    session.execute(
        update(Notice)
        .where(which, col(Notice.person) == visitor.caller.name, col(Notice.seen_at).is_(None))
        .values(seen_at=now())
    )
    session.commit()
    return RedirectResponse(f"/notices?done={'seen' if one else 'all'}", 303)


def _told(session: Session, name: str, cursor: Position | None) -> Sequence[Notice]:
    query = select(Notice).where(col(Notice.person) == name, col(Notice.told_at).is_not(None))
    return session.exec(newest_first(query, Notice.told_at, Notice.id, cursor, _PAGE)).all()


def _about(session: Session, rows: Sequence[Notice], at: datetime) -> dict[UUID, About]:
    ids = {row.work_item_id for row in rows if row.work_item_id is not None}
    items = session.exec(select(WorkItem).where(among(WorkItem.id, ids))) if ids else ()
    return {item.id: About(item.owner, next_due(item, at)) for item in items}


def _queue(me: User, rows: Sequence[Notice], at: datetime) -> list[Waits]:
    return [Waits(row, _why(me, row, at)) for row in rows]


def _why(me: User, row: Notice, at: datetime) -> str:
    """Why a notice is not told yet, in words."""
    if row.due_at <= at + timedelta(minutes=1):
        return "being told right now"
    if row.kind in ALERTS and me.alerts is not None:
        return f"beyond your {me.alerts} alerts a day; the worst come first"
    if away(me, at):
        return "kept until you are back"
    return "kept for your digest" if me.digest else "kept for your own hours"
