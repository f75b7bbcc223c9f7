"""`/v1/decisions`: receipts, and the proof that a receipt still comes out the same."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlmodel import Session

from service.api import examples
from service.api.dependencies import SessionDep, StrictRoute, allow
from service.api.problems import not_found
from service.ingest.strict_json import escape
from service.people.access import Caller
from service.route.receipt import replay
from service.route.versions import fetch
from service.store.tables import Decision
from service.work.items import Explained

router = APIRouter(prefix="/v1/decisions", tags=["decisions"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]


class RuleOut(Explained):
    """What one rule said and what came of it."""

    result: Literal[True, False, "unknown"]
    outcome: Literal["fired", "superseded", "not_fired"]


class ThresholdOut(BaseModel):
    """The value a threshold had, and the certificate behind it."""

    value: float | None
    certified: bool
    certificate: str | None


class DecisionOut(BaseModel):
    """A receipt: what was decided, by which version of what, on which values."""

    id: UUID
    feedback_id: UUID
    revision: int
    policy_version: int
    classifier: str | None
    calibrator: str | None
    taxonomy: str | None
    calendar: str | None
    thresholds: dict[str, ThresholdOut]
    case: dict[str, Any]
    rules: list[RuleOut]
    review: list[str]
    mode: Literal["live", "shadow", "history"]
    decided_at: datetime


class Difference(BaseModel):
    """One place (JSON Pointer) where a replay came out otherwise."""

    pointer: str
    stored: Any
    replayed: Any


class ReplayOut(BaseModel):
    """Whether deciding again gives the same bytes; where not, what differs."""

    identical: bool | None
    differences: list[Difference] = []


def decision_out(row: Decision) -> DecisionOut:
    """A stored receipt as the API shows it."""
    return DecisionOut.model_validate(json.loads(row.receipt))


@router.get("/{decision_id}", summary="Show a decision", responses=examples.answer(200, examples.DECISION))
def get_decision(session: SessionDep, _caller: Supervisor, decision_id: UUID) -> DecisionOut:
    """One receipt."""
    return decision_out(_row(session, decision_id))


@router.post("/{decision_id}/replay", summary="Replay a decision", responses=examples.answer(200, examples.REPLAYED))
def replay_decision(session: SessionDep, _caller: Supervisor, decision_id: UUID) -> ReplayOut:
    """Decide again from what the receipt holds, and compare byte for byte."""
    return replayed(session, _row(session, decision_id))


def replayed(session: Session, row: Decision) -> ReplayOut:
    """Whether a receipt still comes out the same; nothing is stored."""
    again = replay(row.receipt, fetch(session, row.policy_version))
    if again == row.receipt:
        return ReplayOut(identical=True)
    return ReplayOut(identical=False, differences=_differences(json.loads(row.receipt), json.loads(again)))


def _differences(stored: object, replayed: object, pointer: str = "") -> list[Difference]:
    if isinstance(stored, dict) and isinstance(replayed, dict):
        steps = sorted(stored.keys() | replayed.keys())
        pairs = [(step, stored.get(step), replayed.get(step)) for step in steps]
    elif isinstance(stored, list) and isinstance(replayed, list) and len(stored) == len(replayed):
        pairs = [(str(step), one, other) for step, (one, other) in enumerate(zip(stored, replayed, strict=True))]
    else:
        return [] if stored == replayed else [Difference(pointer=pointer, stored=stored, replayed=replayed)]
    return [found for step, one, other in pairs for found in _differences(one, other, f"{pointer}/{escape(step)}")]


def _row(session: Session, decision_id: UUID) -> Decision:
    row = session.get(Decision, decision_id)
    if row is None:
        raise not_found("decision")
    return row
