"""`/v1/backlog`: what customers ask for, how many of them and what their accounts are worth, in their own words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import RowMapping, text
from sqlmodel import Session, col, select

from service.api import examples
from service.api.dependencies import CursorDep, LimitDep, Page, SessionDep, StrictRoute, allow, newest_first, paged
from service.api.problems import not_found
from service.people.access import Caller
from service.store.tables import WorkItem

router = APIRouter(prefix="/v1/backlog", tags=["backlog"], route_class=StrictRoute)
Viewer = Annotated[Caller, Depends(allow("supervisor", "product"))]
Status = Literal["open", "acknowledged", "waiting", "resolved", "retracted"]
# Written out, not sent along: a prepared statement uses a partial index only where it knows the value.
IS_BACKLOG = col(WorkItem.kind) == text("'backlog_item'")
MOST_EVIDENCE = 50  # records of an item whose words are told, the newest


class FactorsOut(BaseModel):
    """What the score is made of: distinct customers, the value of their accounts together, the newest voice."""

    voices: int
    account_value: float
    newest: datetime | None


class EvidenceOut(BaseModel):
    """What one customer wrote: one answer of one record."""

    feedback_id: UUID
    text: str
    question: str | None
    source: str
    received_at: datetime


class BacklogItemOut(BaseModel):
    """Something customers ask for; `id` is the work item's."""

    id: UUID
    title: str
    status: Status
    tags: list[str]
    score: float
    factors: FactorsOut
    evidence: list[EvidenceOut]
    work_item_id: UUID
    owner: str | None
    rule: str
    created_at: datetime


@router.get("", summary="List the backlog", responses=examples.answer(200, examples.page(examples.BACKLOG_ITEM)))
def list_backlog(
    session: SessionDep,
    _caller: Viewer,
    cursor: CursorDep,
    limit: LimitDep = 50,
    tag: Annotated[str | None, Query(max_length=128)] = None,
    status: Status | None = None,
) -> Page[BacklogItemOut]:
    """Backlog items, newest first; each with the words of at most 50 records, the newest."""
    query = select(WorkItem).where(IS_BACKLOG)
    if tag is not None:
        query = query.where(col(WorkItem.tags).contains([tag]))
    if status is not None:
        query = query.where(col(WorkItem.status) == status)
    newest = newest_first(query, WorkItem.created_at, WorkItem.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.created_at, row.id))
    return Page(items=backlog_out(session, rows), next=following)


@router.get("/{item_id}", summary="Show a backlog item", responses=examples.answer(200, examples.BACKLOG_ITEM))
def get_backlog_item(session: SessionDep, _caller: Viewer, item_id: UUID) -> BacklogItemOut:
    """One item, what its score is made of and the words behind it."""
    row = session.get(WorkItem, item_id)
    if row is None or row.kind != "backlog_item":
        raise not_found("backlog item")
    return backlog_out(session, [row])[0]


def backlog_out(session: Session, rows: Sequence[WorkItem]) -> list[BacklogItemOut]:
    """Items with the words behind them, in one query however many they are."""
    heard = _evidence(session, [row.id for row in rows])
    return [
        BacklogItemOut(
            **row.model_dump(include={"id", "title", "status", "tags", "score", "owner", "rule", "created_at"}),
            factors=FactorsOut(
                voices=row.voices,
                account_value=row.account_value,
                newest=max((one["received_at"] for one in heard[row.id]), default=None),
            ),
            evidence=[EvidenceOut.model_validate({**one}) for one in heard[row.id] if one["text"] is not None],
            work_item_id=row.id,
        )
        for row in rows
    ]


# The newest records of each item, and every answer of theirs; a record of scores only has none.
_EVIDENCE = text(
    "SELECT item.id AS item_id, heard.feedback_id, heard.source, heard.received_at,"
    " answer.value ->> 'text' AS text, answer.value ->> 'question' AS question"
    " FROM unnest(CAST(:ids AS uuid[])) AS item (id)"
    " CROSS JOIN LATERAL ("
    " SELECT f.id AS feedback_id, f.revision, f.source, f.received_at"
    " FROM work_item_evidence e JOIN feedback f ON f.id = e.feedback_id"
    " WHERE e.work_item_id = item.id ORDER BY f.received_at DESC, f.id DESC LIMIT :most"
    " ) heard"
    " JOIN feedback_revision r ON r.feedback_id = heard.feedback_id AND r.revision = heard.revision"
    " LEFT JOIN LATERAL jsonb_array_elements(r.body -> 'verbatims') WITH ORDINALITY AS answer (value, place) ON true"
    " ORDER BY heard.received_at DESC, heard.feedback_id DESC, answer.place"
)


def _evidence(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, list[RowMapping]]:
    found: dict[UUID, list[RowMapping]] = defaultdict(list)
    if ids:
        for row in session.execute(_EVIDENCE, {"ids": list(ids), "most": MOST_EVIDENCE}).mappings():
            found[row["item_id"]].append(row)
    return found
