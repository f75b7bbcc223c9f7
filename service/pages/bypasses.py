"""`/bypasses`: items that went straight to a person, newest first, those first of all that nobody has reviewed."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from sqlalchemy import exists
from sqlmodel import Session, col, select

from service.api.dependencies import CursorDep, Position, SessionDep, newest_first, paged
from service.pages.inbox_lines import lines
from service.pages.render import page
from service.pages.visitor import PageRoute, enter
from service.people.sessions import SignedIn
from service.store.tables import WorkItem, WorkItemEvent, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
Shown = Literal["open", "all"]
_PAGE = 50


@router.get("/bypasses")
def show_bypasses(session: SessionDep, visitor: Visitor, cursor: CursorDep, show: Shown = "open") -> Response:
    """What went past the groups, for somebody to say whether that was right."""
    moment = now()
    rows, following = paged(_items(session, show, cursor), _PAGE, lambda row: (row.created_at, row.id))
    return page(
        "bypasses.html.j2",
        visitor,
        here="/inbox",
        show=show,
        lines=lines(session, rows, moment),
        rows={row.id: row for row in rows},
        more=f"/bypasses?show={show}&cursor={following}" if following else None,
        now=moment,
    )


def _items(session: Session, show: Shown, cursor: Position | None) -> list[WorkItem]:
    query = select(WorkItem).where(col(WorkItem.bypass).is_not(None), col(WorkItem.status) != "retracted")
    if show == "open":
        said = exists().where(
            col(WorkItemEvent.work_item_id) == col(WorkItem.id), col(WorkItemEvent.type) == "review_bypass"
        )
        query = query.where(~said)
    return list(session.exec(newest_first(query, WorkItem.created_at, WorkItem.id, cursor, _PAGE)))
