"""New work items: what a decision planned, as rows, in words taken from the answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session, SQLModel

from service.deliver import draft
from service.route.case import Case
from service.route.decide import Decision, Plan
from service.route.policy import Policy
from service.route.versions import SYSTEM
from service.store import jobs
from service.store.tables import Delivery, WorkItem, WorkItemEvent, WorkItemEvidence
from service.work import timers
from service.work.assignment import Assigner
from service.work.backlog import Voice, weigh
from service.work.harm import harm_of
from service.work.held import Held
from service.work.items import created_event, new_item, review_reason


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decided answer: what was said, what follows by which receipt, under which policy, and by whose word."""

    feedback_id: UUID
    revision: int
    body: Mapping[str, Any]
    case: Case
    decision_id: UUID
    decision: Decision
    policy: Policy
    assigner: Assigner
    by: str = SYSTEM

    @property
    def at(self) -> datetime:
        """When: clocks start then."""
        return self.case.now


@dataclass(frozen=True, slots=True)
class Words:
    """How an item presents itself."""

    title: str
    body: str


def words_of(ruling: Ruling, plan: Plan) -> Words:
    """The title and the text of a planned item, taken from the answer."""
    said = [draft.Said(answer.get("question"), answer["text"]) for answer in ruling.body.get("verbatims", [])]
    scores, customer = ruling.body.get("scores", {}), ruling.body.get("customer", {})
    first = next((answer.text for answer in said if answer.text.strip()), "")
    tags = () if ruling.case.withheld else ruling.case.tags
    return Words(
        draft.title(plan.kind, scores, tags, first),
        draft.body(said, scores, customer.get("id"), customer.get("tier"), _reason(plan, ruling)),
    )


def _reason(plan: Plan, ruling: Ruling) -> draft.Reason:
    rule = next(outcome for outcome in ruling.decision.rules if outcome.rule == plan.rules[0])
    clauses = tuple(draft.Clause(clause.text, clause.value, clause.result) for clause in rule.clauses)
    case = ruling.case
    note = review_reason(case.abstain, degraded=case.degraded) if plan.kind == "review" else None
    return draft.Reason(rule.rule, clauses, note)


def item_of(ruling: Ruling, plan: Plan) -> tuple[WorkItem, Sequence[str]]:
    """The row of a planned item, assigned, and what is to be said of its owner."""
    case, words = ruling.case, words_of(ruling, plan)
    assigned = ruling.assigner.assign(plan, case, ruling.decision.bypass)
    item = new_item(
        plan,
        ruling.policy,
        assigned,
        case,
        title=words.title,
        body=words.body,
        decision_id=ruling.decision_id,
        at=ruling.at,
    )
    item.harm = harm_of(plan, ruling.decision, case)
    if plan.kind == "backlog_item":
        weight = weigh([Voice(case.customer.id, case.customer.account_value)])
        item.voices, item.account_value, item.score = weight.voices, weight.account_value, weight.score
    return item, assigned.notes


@dataclass(frozen=True, slots=True)
class Made:
    """A new item and all rows that begin with it."""

    held: Held
    rows: tuple[SQLModel, ...]


def make(ruling: Ruling, plan: Plan) -> Made:
    """Make a planned item: itself, the answer behind it, the first line of its history, its deliveries."""
    item, notes = item_of(ruling, plan)
    held = Held(item, sequence=1, answers=1, standing=1, destinations=())
    sent = held.send_first(plan.deliver, ruling.at)
    reason = ruling.decision.bypass.reason if item.bypass is not None and ruling.decision.bypass is not None else None
    return Made(held, (item, evidence_of(ruling, item), created_event(item, ruling.by, notes, reason), *sent))


def evidence_of(ruling: Ruling, item: WorkItem) -> WorkItemEvidence:
    """That this answer stands behind an item."""
    return WorkItemEvidence(
        work_item_id=item.id, feedback_id=ruling.feedback_id, kind=item.kind, decision_id=ruling.decision_id
    )


def store(session: Session, rows: Sequence[SQLModel], later: Collection[UUID] = ()) -> None:
    """Insert rows of items, defer jobs of clocks and deliveries, those of `later` behind all; the caller commits."""
    for kind in (WorkItem, WorkItemEvidence, WorkItemEvent, Delivery):  # parents first
        values = [row.model_dump() for row in rows if isinstance(row, kind)]
        if values:
            session.connection().execute(insert(kind), values)  # past the ORM, which has nothing to add
    timers.defer_ticks(session, [row for row in rows if isinstance(row, WorkItem)])
    for row in rows:
        if isinstance(row, Delivery):
            priority = jobs.LATER if row.id in later else None
            jobs.defer(session, "deliver", priority=priority, delivery=str(row.id), once=f"deliver:{row.id}")
