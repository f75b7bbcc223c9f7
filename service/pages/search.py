"""`/search`: an id leads straight to what it names; a customer or words lead to the records that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep
from service.pages.found import SHOWN, Group, Scope, by_customer, by_external_id, by_words
from service.pages.render import page
from service.pages.visitor import PageRoute, enter
from service.people.access import Caller
from service.people.sessions import SignedIn
from service.store.tables import Decision, Delivery, Feedback, Import, WorkItem, WorkItemEvidence, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("source", "supervisor", "product"))]
Asked = Annotated[str, Query(max_length=1_000), AfterValidator(str.strip)]


@dataclass(frozen=True, slots=True)
class Named:
    """A group of records and how the page calls it."""

    title: str
    group: Group


@router.get("/search")
def search(session: SessionDep, visitor: Visitor, q: Asked = "") -> Response:
    """Where an id leads, or the records that fit."""
    named = _id(q)
    place = _place(session, visitor.caller, named) if named else None
    if place:
        return RedirectResponse(place, 303)
    scope = Scope(visitor.caller.source)
    groups = _groups(session, q[:200], scope) if q else []
    return page(
        "search.html.j2",
        visitor,
        here="/search",
        query=q[:200],
        named=named,
        groups=[one for one in groups if one.group.records],
        notes=[one.group.note for one in groups if one.group.note],
        shown=SHOWN,
        now=now(),
    )


def _groups(session: Session, query: str, scope: Scope) -> list[Named]:
    return [
        Named("Called exactly this by its source", by_external_id(session, query, scope)),
        Named("From the customer with this id", by_customer(session, query, scope)),
        Named("With these words", by_words(session, query, scope)),
    ]


def _id(query: str) -> UUID | None:
    try:
        return UUID(query)
    except ValueError:
        return None


def _place(session: Session, caller: Caller, named: UUID) -> str | None:
    """The page of what this is the id of, as far as this person may open it."""
    if session.get(Feedback, named):
        return f"/feedback/{named}"
    if decision := session.get(Decision, named):
        return f"/feedback/{decision.feedback_id}#decision"
    if item := session.get(WorkItem, named):
        return _item(session, caller, item)
    if delivery := session.get(Delivery, named):
        return _item(session, caller, session.get_one(WorkItem, delivery.work_item_id))
    if not caller.may("source", reading=True):
        return None
    return f"/imports/{named}" if session.get(Import, named) else None


def _item(session: Session, caller: Caller, item: WorkItem) -> str | None:
    """Its own page, or for those who may not open it the story of the record behind it."""
    if item.kind == "backlog_item" and caller.may("supervisor", "product", reading=True):
        return f"/backlog/{item.id}"
    if caller.may("supervisor", reading=True):
        return f"/work-items/{item.id}"
    behind: Sequence[UUID] = session.exec(
        select(WorkItemEvidence.feedback_id)
        .where(col(WorkItemEvidence.work_item_id) == item.id)
        .order_by(col(WorkItemEvidence.feedback_id).desc())
        .limit(1)
    ).all()
    return f"/feedback/{behind[0]}" if behind else None
