"""`/v1/calibration/corrections`: where people said that a routing was wrong."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict
from sqlmodel import col

from service.api import examples
from service.api.dependencies import CursorDep, LimitDep, Page, SessionDep, StrictRoute, allow, newest_first, paged
from service.ingest.record import Moment
from service.lab.labels.corrections import Correction, corrections, events
from service.people.access import Caller
from service.store.tables import WorkItemEvent

router = APIRouter(prefix="/v1/calibration/corrections", tags=["calibration"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]

CORRECTION: dict[str, Any] = {
    "at": "2026-11-21T10:20:00Z",
    "by": "ana",
    "kind": "wrong_routing",
    "work_item": examples.WORK_ITEM["id"],
    "work_item_kind": "ticket",
    "title": "Parcel came two weeks late and broken.",
    "rule": "negative-text-ticket",
    "feedback_id": examples.STORY["id"],
    "source": "store-survey",
    "text": "Parcel came two weeks late and broken. Just what I needed!",
    "axis": "sentiment",
    "label": "negative",
    "right": "positive",
    "comment": "It is irony: they liked it.",
    "rules": {},
}


class CorrectionOut(BaseModel):
    """What one person said: that a routing was wrong (`axis` and `label` are what heed found), or how a review ended.

    `rules` holds the answers of a review, by rule. `text` is what the customer wrote.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [CORRECTION]})

    at: datetime
    by: str
    kind: Literal["wrong_routing", "review"]
    work_item: UUID
    work_item_kind: str
    title: str
    rule: str
    feedback_id: UUID
    source: str
    text: str
    axis: str | None
    label: str | None
    right: str | None
    comment: str | None
    rules: dict[str, bool]


@router.get("", summary="List corrections", responses=examples.answer(200, examples.page(CORRECTION)))
def list_corrections(
    session: SessionDep,
    _caller: Supervisor,
    cursor: CursorDep,
    limit: LimitDep = 50,
    axis: Literal["sentiment", "topic", "type", "urgency"] | None = None,
    since: Moment | None = None,
) -> Page[CorrectionOut]:
    """What people corrected, newest first; `axis` leaves out what was said of no axis.

    They help to find bugs, to train and to choose what to label next. They were given by people who had seen what heed
    found, so they never certify anything.
    """
    query = events()
    if axis is not None:
        query = query.where(col(WorkItemEvent.data)["axis"].as_string() == axis)
    if since is not None:
        query = query.where(col(WorkItemEvent.at) >= since)
    newest = newest_first(query, WorkItemEvent.at, WorkItemEvent.work_item_id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.at, row.work_item_id))
    return Page(items=[_out(one) for one in corrections(session, rows)], next=following)


def _out(one: Correction) -> CorrectionOut:
    return CorrectionOut(
        at=one.at,
        by=one.by,
        kind="review" if one.kind == "review" else "wrong_routing",
        work_item=one.item_id,
        work_item_kind=one.item_kind,
        title=one.title,
        rule=one.rule,
        feedback_id=one.feedback_id,
        source=one.source,
        text=one.text,
        axis=one.axis,
        label=one.label,
        right=one.right,
        comment=one.comment,
        rules=dict(one.rules),
    )
