"""`/review/flags`: what reviewers want somebody to look at, for those who run heed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from service.api.dependencies import CursorDep, SessionDep, newest_first, paged
from service.lab.labels.flags import flagged, flags
from service.pages import axis_words
from service.pages.render import page
from service.pages.visitor import PageRoute, enter
from service.people.sessions import SignedIn
from service.store.lab_tables import HumanLabel
from service.store.tables import now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("admin"))]  # no reviewer: it shows what colleagues answered
_PAGE = 50


@router.get("/review/flags")
def show_flags(session: SessionDep, visitor: Visitor, cursor: CursorDep) -> Response:
    """The notes, newest first, each with its text and who wrote it."""
    newest = newest_first(flagged(), HumanLabel.at, HumanLabel.id, cursor, _PAGE)
    rows, following = paged(session.exec(newest).all(), _PAGE, lambda row: (row.at, row.id))
    return page(
        "flags.html.j2",
        visitor,
        here="/review",
        flags=flags(session, rows),
        names=axis_words.NAMES,
        answered=axis_words.answer,
        more=f"/review/flags?cursor={following}" if following else None,
        now=now(),
    )
