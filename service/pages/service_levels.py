"""`/service-levels`: how well the promises to customers were kept, by team and owner; each number opens its items."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, case
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from service.api.dependencies import CursorDep, Position, SessionDep, newest_first, paged
from service.pages.attainment import (
    MOST_OWNERS,
    PROMISES,
    Kept,
    Promise,
    State,
    attained,
    by_team,
    everybody,
    in_order,
    in_state,
    promised,
    when_missed,
)
from service.pages.inbox_lines import lines
from service.pages.render import page
from service.pages.share import FEW
from service.pages.visitor import PageRoute, enter
from service.people.sessions import SignedIn
from service.store.tables import WorkItem, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
Days = Literal["7", "30", "90"]
NAMES = {"acknowledge": "Acknowledged", "contact": "Contacted", "resolve": "Finished"}
_TITLES = {
    "kept": "{} in time",
    "missed": "Not {} in time",
    "running": "Still to be {}",
    "at_risk": "At risk: still to be {}",
}
_PAGE = 50


class Chosen(BaseModel):
    """The items behind a number. `team` and `owner` are None for every one, empty for those who have none."""

    model_config = ConfigDict(frozen=True)

    days: Days = "30"
    promise: Promise = "acknowledge"
    state: State = "missed"
    team: Annotated[str | None, Field(max_length=128)] = None
    owner: Annotated[str | None, Field(max_length=128)] = None

    def address(self, **changes: str) -> str:
        """The address of these items, or with these changes."""
        kept = {name: value for name, value in self.model_dump().items() if value is not None}
        return f"/service-levels/items?{urlencode({**kept, **changes})}"

    @property
    def inbox(self) -> str:
        """Where the open work of this kind is done; empty where the inbox has no such list."""
        if self.state == "kept" or self.team == "" or self.owner == "":
            return ""
        asked = {"due": "" if self.state == "running" else self.state, "team": self.team, "owner": self.owner}
        return f"/inbox?{urlencode({name: value for name, value in asked.items() if value})}"


@router.get("/service-levels")
def show_service_levels(session: SessionDep, visitor: Visitor, days: Days = "30") -> Response:
    """Each promise, kept and missed, for everybody, each team and each owner."""
    moment = now()
    found = attained(session, moment - timedelta(days=int(days)), moment)
    owners = in_order([one for one in found if one.owner is not None])
    whole = everybody(found)
    return page(
        "service_levels.html.j2",
        visitor,
        here="/service-levels",
        days=days,
        whole=whole,
        teams=by_team(found),
        owners=owners[:MOST_OWNERS],
        left_out=max(len(owners) - MOST_OWNERS, 0),
        promises=[promise for promise in PROMISES if getattr(whole, promise) != Kept()],
        names=NAMES,
        few=FEW,
        opened=Chosen(days=days).address,
    )


@router.get("/service-levels/items")
def show_items(
    session: SessionDep, visitor: Visitor, cursor: CursorDep, chosen: Annotated[Chosen, Query()]
) -> Response:
    """The items behind one number, newest first."""
    moment = now()
    found = _items(session, chosen, cursor, moment)
    rows, following = paged(found, _PAGE, lambda row: (row.created_at, row.id))
    return page(
        "service_level_items.html.j2",
        visitor,
        here="/service-levels",
        chosen=chosen,
        title=_TITLES[chosen.state].format(
            NAMES[chosen.promise] if chosen.state == "kept" else NAMES[chosen.promise].lower()
        ),
        lines=lines(session, rows, moment),
        made={row.id: row.created_at for row in rows},
        more=chosen.address(cursor=following) if following else None,
        now=moment,
    )


def _items(session: Session, chosen: Chosen, cursor: Position | None, moment: datetime) -> list[WorkItem]:
    since = moment - timedelta(days=int(chosen.days))
    query = select(WorkItem).where(*promised(since), in_state(chosen.promise, chosen.state, moment))
    team: Mapped[Any] | ColumnElement[Any] = col(WorkItem.owner_group)
    owner: Mapped[Any] | ColumnElement[Any] = col(WorkItem.owner)
    if chosen.state == "missed":  # it counts for whose the item was then
        then = when_missed()
        query = query.join(then, then.c.promise == chosen.promise, isouter=True)
        team = case((then.c.promise.is_not(None), then.c.team), else_=team)
        owner = case((then.c.promise.is_not(None), then.c.owner), else_=owner)
    for column, name in ((team, chosen.team), (owner, chosen.owner)):
        if name is not None:
            query = query.where(column == name if name else column.is_(None))
    return list(session.exec(newest_first(query, WorkItem.created_at, WorkItem.id, cursor, _PAGE)))
