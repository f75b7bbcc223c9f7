"""`/v1/work-items`: the follow-ups, tickets, cases, ideas and reviews people work on."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy import tuple_
from sqlmodel import col, select

from service.api import examples
from service.api.dependencies import CursorDep, LimitDep, Page, SessionDep, StrictRoute, allow, paged
from service.api.problems import not_found
from service.api.shapes import WorkItemOut, work_items_out
from service.ingest.record import Moment
from service.people.access import Caller
from service.review import happens
from service.store.tables import WorkItem, now
from service.work.events import Event

router = APIRouter(prefix="/v1/work-items", tags=["work items"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]

_EVENTS = {name: {"value": example} for name, example in examples.EVENTS.items()}
_BODY = {"requestBody": {"content": {"application/json": {"examples": _EVENTS}}}}


@router.get("", summary="List work items", responses=examples.answer(200, examples.page(examples.WORK_ITEM)))
def list_work_items(
    session: SessionDep,
    _caller: Supervisor,
    cursor: CursorDep,
    limit: LimitDep = 50,
    kind: Literal["follow_up", "ticket", "quality_case", "backlog_item", "review"] | None = None,
    status: Literal["open", "acknowledged", "waiting", "resolved", "retracted"] | None = None,
    owner: Annotated[str | None, Query(max_length=128)] = None,
    due_before: Moment | None = None,
) -> Page[WorkItemOut]:
    """Work items, newest first."""
    query = select(WorkItem).order_by(col(WorkItem.created_at).desc(), col(WorkItem.id).desc()).limit(limit + 1)
    if kind is not None:
        query = query.where(col(WorkItem.kind) == kind)
    if status is not None:
        query = query.where(col(WorkItem.status) == status)
    if owner is not None:
        query = query.where(col(WorkItem.owner) == owner)
    if due_before is not None:
        query = query.where(col(WorkItem.due_at) < due_before)
    if cursor is not None:
        query = query.where(tuple_(col(WorkItem.created_at), col(WorkItem.id)) < (cursor.at, cursor.id))
    rows, following = paged(session.exec(query).all(), limit, lambda row: (row.created_at, row.id))
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

    To judge is to answer each rule that the machine left open: `rules` holds true or false for every rule under
    `why`. Each true makes the item that rule plans (at most one of a kind for a feedback record), and the review is
    resolved. The answers are no blind labels: they are never used to measure the classifier.
    """
    row = session.get(WorkItem, item_id, with_for_update=True)
    if row is None:
        raise not_found("work item")
    happens(session, row, event, actor=caller.name, at=now())
    session.commit()
    return work_items_out(session, [row], now())[0]
