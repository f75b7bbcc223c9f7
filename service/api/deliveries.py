"""`/v1/deliveries`: what was sent where, what failed, and once more."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlmodel import select

from service.api import examples
from service.api.dependencies import (
    CursorDep,
    LimitDep,
    Page,
    SessionDep,
    StrictRoute,
    allow,
    narrowed,
    newest_first,
    paged,
)
from service.api.problems import not_found
from service.api.shapes import DeliveryOut, delivery_out
from service.deliver import dead_letters
from service.people.access import Caller
from service.store.tables import Delivery

router = APIRouter(prefix="/v1/deliveries", tags=["deliveries"], route_class=StrictRoute)
Admin = Annotated[Caller, Depends(allow())]


@router.get("", summary="List deliveries", responses=examples.answer(200, examples.page(examples.DELIVERY)))
def list_deliveries(
    session: SessionDep,
    _caller: Admin,
    cursor: CursorDep,
    limit: LimitDep = 50,
    state: Literal["pending", "delivered", "dead"] | None = None,
    destination: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[DeliveryOut]:
    """Deliveries, newest first; `state=dead` is the dead-letter list."""
    query = narrowed(select(Delivery), (Delivery.state, state), (Delivery.destination, destination))
    newest = newest_first(query, Delivery.created_at, Delivery.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.created_at, row.id))
    return Page(items=[delivery_out(row) for row in rows], next=following)


@router.post(
    "/{delivery_id}/replay",
    summary="Send a dead delivery again",
    responses=examples.answer(200, examples.SENT_AGAIN, conflict="The delivery is not dead"),
)
def replay_delivery(session: SessionDep, caller: Admin, delivery_id: UUID) -> DeliveryOut:
    """Send a dead delivery once more, under the same idempotency key."""
    row = dead_letters.replay(session, delivery_id, actor=caller.name)
    if row is None:
        raise not_found("delivery")
    session.commit()
    return delivery_out(row)
