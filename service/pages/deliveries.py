"""What was sent to a destination, and `/deliveries/{id}/...`: what was given up is sent again, or put away."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from service.api.dependencies import Position, SessionDep, newest_first, paged
from service.api.problems import not_found
from service.deliver import dead_letters
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.store.tables import Delivery, DeliveryAttempt, Destination, WorkItem, among

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Operator = Annotated[SignedIn, Depends(enter())]
State = Literal["pending", "delivered", "dead"]
STATES: tuple[str, ...] = ("pending", "delivered", "dead")
A_PAGE = 20


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery with what it is about and its attempts, the newest first."""

    row: Delivery
    title: str
    attempts: list[DeliveryAttempt] = field(default_factory=list)


def sent_to(session: Session, name: str, state: str, cursor: Position | None) -> tuple[list[Sent], str | None]:
    """What was sent there, newest first, and the cursor after it: each state has its own stretch of the index."""
    stretches = []
    for one in [state] if state else STATES:
        query = select(Delivery).where(col(Delivery.destination) == name, col(Delivery.state) == one)
        newest = newest_first(query, Delivery.created_at, Delivery.id, cursor, A_PAGE)
        stretches.append(session.exec(newest).all())
    found = list(islice(merge(*stretches, key=lambda row: (row.created_at, row.id), reverse=True), A_PAGE + 1))
    rows, following = paged(found, A_PAGE, lambda row: (row.created_at, row.id))
    return _told(session, rows), following


def _told(session: Session, rows: Sequence[Delivery]) -> list[Sent]:
    titles = dict(
        session.exec(
            select(WorkItem.id, WorkItem.title).where(among(WorkItem.id, {row.work_item_id for row in rows}))
        ).all()
    )
    told = {row.id: Sent(row, titles.get(row.work_item_id, "")) for row in rows}
    for attempt in session.exec(
        select(DeliveryAttempt)
        .where(among(DeliveryAttempt.delivery_id, told))
        .order_by(col(DeliveryAttempt.number).desc())
    ):
        told[attempt.delivery_id].attempts.append(attempt)
    return list(told.values())


@router.post("/deliveries/{delivery_id}/replay")
def send_replay(session: SessionDep, visitor: Operator, form: FormDep, delivery_id: UUID) -> Response:
    """Send a dead delivery again."""
    row = dead_letters.replay(session, delivery_id, actor=visitor.caller.name)
    return _back(session, form, row, "replayed")


@router.post("/deliveries/{delivery_id}/put-away")
def send_put_away(session: SessionDep, visitor: Operator, form: FormDep, delivery_id: UUID) -> Response:
    """Note that somebody has seen a dead delivery."""
    row = dead_letters.put_away(session, delivery_id, actor=visitor.caller.name)
    return _back(session, form, row, "put_away")


def _back(session: Session, form: Form, row: Delivery | None, done: str) -> Response:
    if row is None:
        raise not_found("delivery")
    session.commit()
    if form.text("back") == "health" or session.get(Destination, row.destination) is None:
        return RedirectResponse(f"/health?done={done}", 303)
    return RedirectResponse(f"/destinations/{row.destination}?done={done}", 303)
