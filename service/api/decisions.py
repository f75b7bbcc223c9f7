"""`/v1/decisions`: receipts, and the proof that a receipt still comes out the same."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlmodel import Session

from service.api import examples
from service.api.dependencies import SessionDep, StrictRoute, allow
from service.api.problems import Problem, not_found
from service.ingest.strict_json import escape
from service.people.access import Caller
from service.route.receipt import decided_on, replay
from service.route.suggestion import did_you_mean
from service.route.versions import fetch
from service.route.why_not import UnknownRule, why_not
from service.store.tables import Decision
from service.work.items import Explained, WhyClause

router = APIRouter(prefix="/v1/decisions", tags=["decisions"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]


class RuleOut(Explained):
    """What one rule said and what came of it; `because` names the rule that stood before one that was true."""

    result: Literal[True, False, "unknown"]
    outcome: Literal["fired", "superseded", "not_fired"]
    because: str | None = None


class ThresholdOut(BaseModel):
    """The value a threshold had, the certificate behind it and, where that no longer held, why: then no value."""

    value: float | None
    certified: bool
    certificate: str | None
    voided: str | None = None


class PlanOut(BaseModel):
    """A work item that was planned. `key` and `join` say which open item it would join instead."""

    kind: Literal["follow_up", "ticket", "quality_case", "backlog_item", "review"]
    rules: list[str]
    mandatory: bool
    priority: Literal["low", "normal", "high", "urgent"]
    tags: list[str]
    group: str | None
    sla: str | None
    deliver: list[str]
    key: list[tuple[str, Any]]
    join: str | None


class BypassOut(BaseModel):
    """The bypass that held: whose it is, and why."""

    name: str
    to: str
    reason: str
    clauses: list[WhyClause]


class DecisionOut(BaseModel):
    """A receipt: what was decided, by which version of what, on which values.

    `input` is the digest of the answer. Receipts of format 1 have neither it nor plans nor a bypass.
    """

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
    format: int = 1
    input: str | None = None
    plans: list[PlanOut] = []
    bypass: BypassOut | None = None


class Difference(BaseModel):
    """One place (JSON Pointer) where a replay came out otherwise."""

    pointer: str
    stored: Any
    replayed: Any


class ReplayOut(BaseModel):
    """Whether deciding again gives the same bytes; where not, what differs."""

    identical: bool | None
    differences: list[Difference] = []


class ChangeOut(BaseModel):
    """One value other than it was; null where it was, or had to be, missing."""

    name: str
    was: Any
    needed: Any


class WhyNotOut(BaseModel):
    """What became of a rule and, where it did not fire, the smallest change of one value with which it would have."""

    rule: str
    outcome: Literal["fired", "superseded", "stopped", "not_fired"]
    sentence: str
    because: str | None
    change: ChangeOut | None
    lacking: list[WhyClause]


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


@router.get(
    "/{decision_id}/why-not",
    summary="Say why a rule did not fire",
    responses=examples.answer(200, examples.WHY_NOT),
)
def get_why_not(
    session: SessionDep,
    _caller: Supervisor,
    decision_id: UUID,
    rule: Annotated[str, Query(description="the name of a rule of the policy that decided", max_length=200)],
) -> WhyNotOut:
    """The smallest change of one value that would have made a rule fire."""
    row = _row(session, decision_id)
    policy = fetch(session, row.policy_version)
    try:
        told = why_not(policy, *decided_on(row.receipt), rule)
    except UnknownRule:
        meant = did_you_mean(rule, [one.name for one in policy.rules])
        raise Problem(
            404, f"Version {row.policy_version} of the policy has no such rule{f': {meant}' if meant else '.'}"
        ) from None
    return WhyNotOut(
        rule=told.rule,
        outcome=told.outcome,
        sentence=told.sentence,
        because=told.because,
        change=ChangeOut(**asdict(told.change)) if told.change else None,
        lacking=[WhyClause.model_validate(clause.to_json()) for clause in told.lacking],
    )


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
