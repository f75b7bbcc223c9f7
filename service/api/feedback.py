"""`/v1/feedback`: survey platforms push here; everybody else reads what became of it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, col, select

from models.prediction import DocumentClassification
from service.api import examples
from service.api.decisions import DecisionOut, decision_out
from service.api.dependencies import (
    CursorDep,
    InboundDep,
    LimitDep,
    Page,
    SessionDep,
    StrictRoute,
    WiringDep,
    allow,
    newest_first,
    paged,
    require_json,
)
from service.api.problems import Problem, not_found
from service.api.shapes import DeliveryOut, WorkItemOut, work_items_out
from service.ingest import quarantine
from service.ingest.catalog import SOURCES
from service.ingest.intake import Refused
from service.ingest.record import FeedbackRecord, Moment, SourceName
from service.ingest.source import Received
from service.lab.labels import slots
from service.people.access import Caller
from service.store.tables import (
    Classification,
    Decision,
    Feedback,
    FeedbackRevision,
    WorkItem,
    WorkItemEvidence,
    now,
)
from service.telemetry import INGESTED
from service.work.revising import withdraw

router = APIRouter(prefix="/v1/feedback", tags=["feedback"], route_class=StrictRoute)
Pusher = Annotated[Caller, Depends(allow("source"))]
Viewer = Annotated[Caller, Depends(allow("source", "supervisor", "product"))]
Admin = Annotated[Caller, Depends(allow())]
State = Literal["received", "classified", "routed", "quarantined", "withdrawn"]


class IngestedOut(BaseModel):
    """What became of one record."""

    id: UUID
    source: str
    external_id: str
    status: Literal["new", "duplicate", "revision", "stale"]


class IngestOut(BaseModel):
    """One result per record, in the order sent."""

    results: list[IngestedOut]


class FeedbackOut(BaseModel):
    """A feedback record in a list."""

    id: UUID
    source: str
    external_id: str
    revision: int
    state: State
    reason: str | None
    received_at: datetime


class StoryOut(BaseModel):
    """Everything about one feedback record, from the words to the deliveries."""

    id: UUID
    state: State
    reason: str | None
    received_at: datetime
    feedback: dict[str, Any]
    revisions: list[int]
    classification: DocumentClassification | None
    decision: DecisionOut | None
    work_items: list[WorkItemOut]
    deliveries: list[DeliveryOut]


_RECORD = {"$ref": "#/components/schemas/FeedbackRecord"}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_RECORD, {"type": "array", "items": _RECORD, "minItems": 1, "maxItems": 1000}]},
                "examples": {"one": {"value": examples.RECORD}, "list": {"value": [examples.RECORD]}},
            }
        },
    }
}


@router.post(
    "",
    status_code=202,
    summary="Send feedback",
    responses=examples.answer(202, examples.INGESTED, conflict="A revision is stored with other content")
    | {429: {"description": "So much waits that no more is taken: send it again after `Retry-After`"}},
    openapi_extra=_BODY,
)
def push(request: Request, parts: WiringDep, caller: Pusher, inbound: InboundDep) -> IngestOut:
    """Store one record or a list of up to 1,000. Durable when answered; a list is stored whole or not at all."""
    require_json(request)
    received = [item for item in SOURCES["api"].parse(inbound) if isinstance(item, Received)]
    place = "/{}" if inbound.raw.lstrip().startswith(b"[") else ""
    _own_source(caller, [item.record for item in received], place)
    outcome = parts.intake.submit(received)
    if isinstance(outcome, Refused):
        raise _conflicts(outcome, place)
    for settled in outcome:
        INGESTED.labels(settled.status).inc()
    return IngestOut(
        results=[
            IngestedOut(id=one.id, source=one.record.source, external_id=one.record.external_id, status=one.status)
            for one in outcome
        ]
    )


def _own_source(caller: Caller, records: list[FeedbackRecord], place: str) -> None:
    if caller.source is None:
        return
    foreign = [index for index, record in enumerate(records) if record.source != caller.source]
    if foreign:
        detail = f"This key is bound to source '{caller.source}'."
        errors = [{"pointer": f"{place.format(index)}/source", "detail": detail} for index in foreign]
        raise Problem(403, f"{detail} Nothing was stored.", errors=errors)


def _conflicts(refused: Refused, place: str) -> Problem:
    errors = [
        {
            "pointer": place.format(one.index),
            "detail": f"Revision {one.record.revision} of {one.record.external_id!r} is stored,"
            " or stands earlier in this list, with other content.",
        }
        for one in refused.conflicts
    ]
    return Problem(
        409,
        "Nothing was stored: send changed content under a higher `revision`, or the same content again.",
        "conflicting-revision",
        errors,
    )


@router.get("", summary="List feedback", responses=examples.answer(200, examples.page(examples.LISTED)))
def list_feedback(
    session: SessionDep,
    caller: Viewer,
    cursor: CursorDep,
    limit: LimitDep = 50,
    state: State | None = None,
    source: Annotated[SourceName | None, Query()] = None,
    label: Annotated[
        str | None, Query(pattern=r"^(sentiment|topic|urgency):.{1,64}$", description="axis:label", max_length=80)
    ] = None,
    since: Annotated[Moment | None, Query(description="received at this moment or later")] = None,
) -> Page[FeedbackOut]:
    """Feedback records, newest first."""
    query = select(Feedback)
    if caller.source is not None:
        query = query.where(col(Feedback.source) == caller.source)
    if state is not None:
        query = query.where(col(Feedback.stage) == state)
    if source is not None:
        query = query.where(col(Feedback.source) == source)
    if since is not None:
        query = query.where(col(Feedback.received_at) >= since)
    if label is not None:
        query = query.where(_labelled(*label.split(":", 1)))
    newest = newest_first(query, Feedback.received_at, Feedback.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.received_at, row.id))
    return Page(items=[_listed(row) for row in rows], next=following)


def _labelled(axis: str, label: str) -> ColumnElement[bool]:
    wanted = {"topics": [{"label": label}]} if axis == "topic" else {axis: {"label": label}}
    return exists().where(
        col(Classification.feedback_id) == col(Feedback.id),
        col(Classification.revision) == col(Feedback.revision),
        col(Classification.document).contains(wanted),
    )


def _listed(row: Feedback) -> FeedbackOut:
    return FeedbackOut(**row.model_dump(include=set(FeedbackOut.model_fields) - {"state"}), state=row.stage)


@router.get("/{feedback_id}", summary="Tell the story of a record", responses=examples.answer(200, examples.STORY))
def get_story(session: SessionDep, caller: Viewer, feedback_id: UUID) -> StoryOut:
    """The story of one record: the words, what was read in them, what was decided and why, what was made and sent."""
    return story_of(session, find_feedback(session, caller, feedback_id))


def story_of(session: Session, row: Feedback) -> StoryOut:
    """Everything that became of a record, read from what is stored."""
    revisions = session.exec(
        select(FeedbackRevision.revision)
        .where(col(FeedbackRevision.feedback_id) == row.id)
        .order_by(col(FeedbackRevision.revision))
    ).all()
    submitted_at, body = session.exec(
        select(FeedbackRevision.submitted_at, FeedbackRevision.body).where(
            col(FeedbackRevision.feedback_id) == row.id, col(FeedbackRevision.revision) == row.revision
        )
    ).one()
    read = session.exec(
        select(Classification)
        .where(col(Classification.feedback_id) == row.id, col(Classification.revision) == row.revision)
        .order_by(col(Classification.created_at).desc())
    ).first()
    decided = session.exec(
        select(Decision)
        .where(
            col(Decision.feedback_id) == row.id,
            col(Decision.revision) == row.revision,
            col(Decision.mode).in_(("live", "history")),
        )
        .order_by(col(Decision.decided_at).desc())
    ).first()
    items = session.exec(
        select(WorkItem)
        .join(WorkItemEvidence, col(WorkItemEvidence.work_item_id) == col(WorkItem.id))
        .where(col(WorkItemEvidence.feedback_id) == row.id)
        .order_by(col(WorkItem.created_at), col(WorkItem.id))
    ).all()
    shown = work_items_out(session, items, now())
    identity = {"source": row.source, "external_id": row.external_id, "revision": row.revision}
    return StoryOut(
        id=row.id,
        state=row.stage,
        reason=row.reason,
        received_at=row.received_at,
        feedback={**identity, "submitted_at": submitted_at, **body},
        revisions=list(revisions),
        classification=DocumentClassification.model_validate(read.document) if read else None,
        decision=decision_out(decided) if decided else None,
        work_items=shown,
        deliveries=[delivery for item in shown for delivery in item.deliveries],
    )


@router.post(
    "/{feedback_id}/retry",
    status_code=202,
    summary="Retry a quarantined record",
    responses=examples.answer(202, examples.RETRIED, conflict="The record is not quarantined"),
)
def retry(session: SessionDep, caller: Admin, feedback_id: UUID) -> FeedbackOut:
    """Let a quarantined record try again, from the beginning."""
    row = quarantine.retry(session, feedback_id, actor=caller.name)
    if row is None:
        raise not_found("feedback record")
    session.commit()
    return _listed(row)


@router.delete("/{feedback_id}", summary="Withdraw feedback", responses=examples.answer(200, examples.WITHDRAWN))
def withdraw_feedback(session: SessionDep, caller: Pusher, feedback_id: UUID) -> StoryOut:
    """Withdraw a record: what it alone asked for is retracted, the story stays. Again: the same answer.

    A later revision of it is `stale`.
    """
    find_feedback(session, caller, feedback_id)
    row = session.get_one(Feedback, feedback_id, with_for_update={"key_share": True}, populate_existing=True)
    withdraw(session, row, actor=caller.name)
    slots.withdraw(session, feedback_id, now())
    session.commit()
    return story_of(session, row)


def find_feedback(session: Session, caller: Caller, feedback_id: UUID) -> Feedback:
    """A record this caller may see; 404 for any other."""
    row = session.get(Feedback, feedback_id)
    if row is None or (caller.source is not None and row.source != caller.source):
        raise not_found("feedback record")
    return row
