"""`/v1/work-items`: the follow-ups, tickets, cases, ideas and reviews people work on."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import exists
from sqlmodel import col, select

from service.api import examples
from service.api.dependencies import CursorDep, LimitDep, Page, SessionDep, StrictRoute, allow, newest_first, paged
from service.api.problems import Problem, not_found
from service.api.shapes import WorkItemOut, work_items_out
from service.ingest.record import Moment
from service.people.access import Caller
from service.review import happens, take
from service.store.tables import WorkItem, WorkItemEvent, now
from service.work.events import Event
from service.work.reassigning import SHOWN, Order, reassign

Kind = Literal["follow_up", "ticket", "quality_case", "backlog_item", "review"]
router = APIRouter(prefix="/v1/work-items", tags=["work items"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]

Name = Annotated[str, Field(min_length=1, max_length=128)]


class ReassignIn(BaseModel):
    """Whose open items go to whom: a person, or a group of the active policy; `kind` takes those of one kind only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: Annotated[Name, Field(alias="from")]
    to: Name
    kind: Kind | None = None
    comment: Annotated[str, Field(min_length=1, max_length=4_000)]


class ReassignedOut(BaseModel):
    """How many items changed hands, the first 200 of them, and how many stayed as nobody in the group can take them."""

    reassigned: int
    left: int
    items: Annotated[list[UUID], Field(max_length=SHOWN)]


_EVENTS = {name: {"value": example} for name, example in examples.EVENTS.items()}
_BODY = {"requestBody": {"content": {"application/json": {"examples": _EVENTS}}}}


@router.get("", summary="List work items", responses=examples.answer(200, examples.page(examples.WORK_ITEM)))
def list_work_items(
    session: SessionDep,
    _caller: Supervisor,
    cursor: CursorDep,
    limit: LimitDep = 50,
    *,
    kind: Kind | None = None,
    status: Literal["open", "acknowledged", "waiting", "resolved", "retracted"] | None = None,
    owner: Annotated[str | None, Query(max_length=128)] = None,
    due_before: Moment | None = None,
    bypass: Annotated[str | None, Query(max_length=200)] = None,
    reviewed: bool | None = None,
) -> Page[WorkItemOut]:
    """Work items, newest first.

    `bypass` gives those that went straight to a person, by the bypass of that name or, with `any`, by whichever;
    `reviewed=false` those of them of which nobody has said yet whether that was fitting.
    """
    query = select(WorkItem)
    if kind is not None:
        query = query.where(col(WorkItem.kind) == kind)
    if status is not None:
        query = query.where(col(WorkItem.status) == status)
    if owner is not None:
        query = query.where(col(WorkItem.owner) == owner)
    if due_before is not None:
        query = query.where(col(WorkItem.due_at) < due_before)
    if bypass is not None or reviewed is not None:
        query = query.where(col(WorkItem.bypass).is_not(None))
    if bypass not in {None, "any"}:
        query = query.where(col(WorkItem.bypass) == bypass)
    if reviewed is not None:
        said = exists().where(
            col(WorkItemEvent.work_item_id) == col(WorkItem.id), col(WorkItemEvent.type) == "review_bypass"
        )
        query = query.where(said if reviewed else ~said)
    newest = newest_first(query, WorkItem.created_at, WorkItem.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.created_at, row.id))
    return Page(items=work_items_out(session, rows, now()), next=following)


@router.get("/{item_id}", summary="Show a work item", responses=examples.answer(200, examples.WORK_ITEM))
def get_work_item(session: SessionDep, _caller: Supervisor, item_id: UUID) -> WorkItemOut:
    """One item with its evidence, its clocks, its reasons and its history."""
    row = session.get(WorkItem, item_id)
    if row is None:
        raise not_found("work item")
    return work_items_out(session, [row], now())[0]


@router.post(
    "/{item_id}/events",
    status_code=201,
    summary="Record what was done about a work item",
    responses=examples.answer(201, examples.WORK_ITEM, conflict="The item cannot take this event as it stands"),
    openapi_extra=_BODY,
)
def add_event(session: SessionDep, caller: Supervisor, item_id: UUID, event: Event) -> WorkItemOut:
    """Acknowledge, assign, record a contact attempt, wait, resume, resolve or reopen; judge an item of kind `review`.

    `wrong_routing` is possible in every state: it changes nothing, and is kept under `/v1/calibration/corrections`.

    To judge is to answer each rule that the machine left open: `rules` holds true or false for every rule under
    `why`. Each true makes the item that rule plans (at most one of a kind for a feedback record), and the review is
    resolved. The answers are no blind labels: they are never used to measure the classifier.
    """
    row = take(session, item_id)
    if row is None:
        raise not_found("work item")
    happens(session, row, event, actor=caller.name, at=now())
    session.commit()
    return work_items_out(session, [row], now())[0]


@router.post(
    "/reassign",
    summary="Give all that somebody has open to somebody else",
    responses=examples.answer(200, examples.REASSIGNED),
    openapi_extra={"requestBody": {"content": {"application/json": {"example": examples.REASSIGNMENT}}}},
)
def reassign_work_items(session: SessionDep, caller: Supervisor, order: ReassignIn) -> ReassignedOut:
    """Every open item changes hands in one step, each with its event; the new owner is told once.

    `to` a group gives each item to whom a new one would go to, capacity and absence included. An offer that waited to
    be accepted ends.
    """
    if order.owner == order.to:
        wrong = {"pointer": "/to", "detail": f"These are {order.to}'s items already: name somebody else."}
        raise Problem(422, "Nothing was changed: mend what is listed and send it again.", errors=[wrong])
    done = reassign(session, Order(order.owner, order.to, order.kind, order.comment, caller.name), now())
    session.commit()
    return ReassignedOut(reassigned=done.count, left=done.left, items=done.items)
