"""Shapes that several resources and commands show: work items, deliveries, imports; made from rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlmodel import Session, col, select

from service.store.tables import Decision, Delivery, Import, WorkItem, WorkItemEvent, WorkItemEvidence, among
from service.work.items import Why, why
from service.work.lifecycle import Clock, target_state
from service.work.snapshot import clocks


class TargetOut(BaseModel):
    """A promise of the service level and how it stands."""

    due_at: datetime
    met_at: datetime | None
    state: Literal["running", "paused", "at_risk", "met", "missed"]


class TargetsOut(BaseModel):
    """The three promises; null where the service level makes none."""

    acknowledge: TargetOut | None
    contact: TargetOut | None
    resolve: TargetOut | None


class EventOut(BaseModel):
    """Something that happened to an item."""

    sequence: int
    type: str
    actor: str
    at: datetime
    data: dict[str, Any]


class DeliveryOut(BaseModel):
    """The history of one call to a destination."""

    id: UUID
    work_item_id: UUID
    destination: str
    operation: Literal["create", "update", "comment", "notify"]
    state: Literal["pending", "delivered", "dead"]
    attempts: int
    next_at: datetime | None
    external_ref: str | None
    external_url: str | None
    idempotency_key: str
    last_error: str | None
    created_at: datetime


class BypassReviewOut(BaseModel):
    """What somebody said of a bypass afterwards."""

    fitting: bool
    by: str
    at: datetime
    comment: str | None


class BypassOut(BaseModel):
    """The bypass that sent an item straight to a person, why it is there, and whether that was right."""

    name: str
    reason: str | None
    reviewed: BypassReviewOut | None


class WorkItemOut(BaseModel):
    """A piece of work, why it exists, what happened to it and where it was sent."""

    id: UUID
    kind: Literal["follow_up", "ticket", "quality_case", "backlog_item", "review"]
    status: Literal["open", "acknowledged", "waiting", "resolved", "retracted"]
    mandatory: bool
    title: str
    priority: Literal["low", "normal", "high", "urgent"]
    owner: str | None
    tags: list[str]
    rule: str
    feedback_ids: list[UUID]
    decision_id: UUID
    created_at: datetime
    due_at: datetime | None
    wait_until: datetime | None
    outcome: str | None
    root_cause: str | None
    offered_to: str | None
    offer_due_at: datetime | None
    harm: float
    bypass: BypassOut | None
    targets: TargetsOut
    why: list[Why]
    events: list[EventOut]
    deliveries: list[DeliveryOut]


class MistakeOut(BaseModel):
    """Why a row was rejected; `column` is null where it is the row as a whole."""

    row: int
    column: str | None
    detail: str


class ImportListed(BaseModel):
    """An import in a list: how far it has come."""

    id: UUID
    source: str
    file_name: str
    history: bool
    state: Literal["running", "done", "failed"]
    reason: str | None
    rows: int
    new: int
    duplicate: int
    revision: int
    stale: int
    rejected: int
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class ImportOut(ImportListed):
    """An import: how far it has come, how its file is read, and the first 1,000 errors."""

    layout: dict[str, Any]
    mapping: dict[str, str]
    errors: list[MistakeOut]


def delivery_out(row: Delivery) -> DeliveryOut:
    """A delivery as the API shows it."""
    return DeliveryOut(
        **row.model_dump(exclude={"attempt", "sequence", "external_status"}),
        attempts=row.attempt,
    )


def import_out(row: Import) -> ImportOut:
    """An import as the API shows it."""
    return ImportOut(**row.model_dump(include=set(ImportOut.model_fields)))


def work_items_out(session: Session, rows: Sequence[WorkItem], now: datetime) -> list[WorkItemOut]:
    """Items with what belongs to them, in four queries however many they are."""
    if not rows:
        return []
    ids = [row.id for row in rows]
    feedback = _by_item(
        session.exec(
            select(WorkItemEvidence)
            .where(among(WorkItemEvidence.work_item_id, ids))
            .order_by(col(WorkItemEvidence.feedback_id))
        )
    )
    events = _by_item(
        session.exec(
            select(WorkItemEvent).where(among(WorkItemEvent.work_item_id, ids)).order_by(col(WorkItemEvent.sequence))
        )
    )
    deliveries = _by_item(
        session.exec(
            select(Delivery)
            .where(among(Delivery.work_item_id, ids))
            .order_by(col(Delivery.created_at), col(Delivery.id))
        )
    )
    receipts = dict(
        session.exec(
            select(Decision.id, Decision.receipt).where(among(Decision.id, {row.decision_id for row in rows}))
        ).all()
    )
    return [
        WorkItemOut(
            **row.model_dump(include=_PLAIN),
            feedback_ids=[one.feedback_id for one in feedback[row.id]],
            bypass=_bypass(row, events[row.id]),
            targets=_targets(row, now),
            why=why(row, receipts[row.decision_id]),
            events=[EventOut(**one.model_dump(include=set(EventOut.model_fields))) for one in events[row.id]],
            deliveries=[delivery_out(one) for one in deliveries[row.id]],
        )
        for row in rows
    ]


_PLAIN = set(WorkItemOut.model_fields) - {"feedback_ids", "bypass", "targets", "why", "events", "deliveries"}


Row = TypeVar("Row", WorkItemEvidence, WorkItemEvent, Delivery)


def _by_item(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.work_item_id].append(row)
    return found


def _bypass(row: WorkItem, events: Sequence[WorkItemEvent]) -> BypassOut | None:
    if row.bypass is None:
        return None
    reason = next((one.data.get("reason") for one in events if one.type == "created"), None)
    said = next((one for one in events if one.type == "review_bypass"), None)
    reviewed = None
    if said is not None:
        data = said.data
        reviewed = BypassReviewOut(fitting=data["fitting"], by=said.actor, at=said.at, comment=data.get("comment"))
    return BypassOut(name=row.bypass, reason=reason, reviewed=reviewed)


def _targets(row: WorkItem, now: datetime) -> TargetsOut:
    def shown(clock: Clock | None) -> TargetOut | None:
        if clock is None:
            return None
        return TargetOut(due_at=clock.due_at, met_at=clock.met_at, state=target_state(clock, row.paused_at, now))

    acknowledge, contact, resolve = clocks(row)
    return TargetsOut(acknowledge=shown(acknowledge), contact=shown(contact), resolve=shown(resolve))
