"""The step from a classified record to its work items: build the case, decide, write the receipt and what follows."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlmodel import Session, SQLModel, col, select
from uuid_utils.compat import uuid7

from service.deliver import draft
from service.route.case import Case, Customer, Scores
from service.route.clocks import ALWAYS
from service.route.decide import Decision, Plan, resolve_uncertified
from service.route.decide import decide as judge
from service.route.policy import Policy
from service.route.receipt import Mode, Provenance, receipt
from service.route.versions import SYSTEM, Active, deciding
from service.store import jobs
from service.store.tables import (
    Classification,
    Delivery,
    Feedback,
    FeedbackRevision,
    WorkItem,
    WorkItemEvent,
    WorkItemEvidence,
    among,
    now,
)
from service.store.tables import Decision as DecisionRow
from service.work import notices
from service.work.assignment import Assigner
from service.work.backlog import Voice, weigh
from service.work.items import created_event, new_item, review_reason
from service.work.voices import reweigh


@dataclass(frozen=True, slots=True)
class Pending:
    """A classified record that waits for its decision."""

    feedback: Feedback
    body: Mapping[str, Any]
    digest: str
    classification: Classification | None


@dataclass(frozen=True, slots=True)
class Made:
    """What a new item follows from: the answer, its decision, under which policy, when, and by whose word."""

    feedback_id: UUID
    decision_id: UUID
    decision: Decision
    policy: Policy
    assigner: Assigner
    at: datetime
    by: str = SYSTEM


def decide(session: Session, ids: Sequence[UUID]) -> None:
    """Decide those of these records that still wait for it; rows, items and deliver jobs in one transaction."""
    policies = deciding(session)
    pending = _pending(session, ids)
    made = existing_kinds(session, [one.feedback.id for one in pending])
    at = now()
    assigners: dict[int, Assigner] = {}
    rows: list[SQLModel] = []
    later: set[UUID] = set()  # what was imported delays no delivery of what was pushed
    for one in pending:
        case = case_of(one, at)
        active = policies.live(case)
        assigner = assigners.setdefault(active.version, Assigner(session, active.policy, at))
        decided = _decided(one, case, active, assigner, made.get(one.feedback.id, set()))
        rows.extend(decided)
        rows.extend(_receipted(one, case, shadow, "shadow", at)[0] for shadow in policies.shadows(case))
        if one.feedback.import_id is not None:
            later.update(row.id for row in decided if isinstance(row, Delivery))
    store(session, rows, later)
    notices.tell(session, [_assigned(row) for row in rows if isinstance(row, WorkItem) and row.owner], at)
    reweigh(session, [one.feedback.id for one in pending if "backlog_item" in made.get(one.feedback.id, ())])
    session.execute(
        text("UPDATE feedback SET stage = 'routed', stage_since = :at, attempts = 0 WHERE id = ANY(:ids)"),
        {"at": at, "ids": [one.feedback.id for one in pending]},
    )
    session.commit()


def _assigned(item: WorkItem) -> notices.News:
    return notices.News(
        item.owner or "", "assigned", item.title, f"assigned:{item.id}:{item.owner}", item.id, item.harm
    )


def store(session: Session, rows: Sequence[SQLModel], later: Collection[UUID] = ()) -> None:
    """Insert rows of decisions and defer the jobs of deliveries, those of `later` behind all; the caller commits."""
    for kind in (DecisionRow, WorkItem, WorkItemEvidence, WorkItemEvent, Delivery):  # parents first
        values = [row.model_dump() for row in rows if isinstance(row, kind)]
        if values:
            session.connection().execute(insert(kind), values)  # past the ORM, which has nothing to add
    for row in rows:
        if isinstance(row, Delivery):
            priority = jobs.LATER if row.id in later else None
            jobs.defer(session, "deliver", priority=priority, delivery=str(row.id), once=f"deliver:{row.id}")


def _pending(session: Session, ids: Sequence[UUID]) -> list[Pending]:
    """Lock, in the order of their ids, the records that wait, and read their newest answer and classification."""
    found = session.exec(
        select(Feedback)
        .where(among(Feedback.id, ids), col(Feedback.stage) == "classified")
        .order_by(col(Feedback.id))
        .with_for_update(key_share=True)
    ).all()
    waiting = [row.id for row in found]
    answers = {
        feedback_id: (body, digest)
        for feedback_id, body, digest in session.exec(
            select(FeedbackRevision.feedback_id, FeedbackRevision.body, FeedbackRevision.digest)
            .join(Feedback, col(Feedback.id) == col(FeedbackRevision.feedback_id))
            .where(among(Feedback.id, waiting), col(FeedbackRevision.revision) == col(Feedback.revision))
        )
    }
    read = {
        row.feedback_id: row
        for row in session.exec(
            select(Classification)
            .join(Feedback, col(Feedback.id) == col(Classification.feedback_id))
            .where(among(Feedback.id, waiting), col(Classification.revision) == col(Feedback.revision))
            .order_by(col(Classification.created_at))
        )
    }
    return [Pending(row, *answers[row.id], read.get(row.id)) for row in found]


def existing_kinds(session: Session, ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Which kinds of work item these records have made."""
    kinds: dict[UUID, set[str]] = {}
    for feedback_id, kind in session.exec(
        select(WorkItemEvidence.feedback_id, WorkItemEvidence.kind).where(among(WorkItemEvidence.feedback_id, ids))
    ):
        kinds.setdefault(feedback_id, set()).add(kind)
    return kinds


def _decided(one: Pending, case: Case, active: Active, assigner: Assigner, made: set[str]) -> list[SQLModel]:
    mode: Mode = "history" if one.feedback.history else "live"
    row, decision = _receipted(one, case, active, mode, case.now)
    rows: list[SQLModel] = [row]
    for plan in decision.plans:
        if plan.kind not in made:
            made_now = Made(one.feedback.id, row.id, decision, active.policy, assigner, case.now)
            rows.extend(item_rows(one.body, case, plan, made_now))
    return rows


def _receipted(one: Pending, case: Case, active: Active, mode: Mode, at: datetime) -> tuple[DecisionRow, Decision]:
    """The row of a decision under one policy, and what it decided."""
    decision = judge(active.policy, case, resolve_uncertified(active.policy))
    read = one.classification
    provenance = Provenance(
        id=str(uuid7()),
        feedback_id=str(one.feedback.id),
        revision=one.feedback.revision,
        policy_version=active.version,
        classifier=read.classifier if read else None,
        calibrator=read.calibrator if read else None,
        taxonomy=read.taxonomy if read else None,
        calendar=ALWAYS,
        mode=mode,
        decided_at=at,
        input=one.digest,
    )
    told = receipt(decision, case, provenance)
    row = DecisionRow(
        id=UUID(provenance.id),
        feedback_id=one.feedback.id,
        revision=one.feedback.revision,
        policy_version=active.version,
        mode=mode,
        receipt=told,
        digest=hashlib.sha256(told.encode()).hexdigest(),
        decided_at=at,
    )
    return row, decision


def case_of(one: Pending, at: datetime) -> Case:
    """All that a rule may look at, taken from the stored rows."""
    document = one.classification.document if one.classification else None
    if document and document["abstain"] and document["abstain"]["reason"] == "empty":
        document = None  # a blank answer is no text: nobody has to look at it
    customer = one.body.get("customer", {})
    return Case(
        source=one.feedback.source,
        now=at,
        scores=Scores(**one.body.get("scores", {})),
        sentiment=document["sentiment"]["probabilities"] if document else None,
        types=document["type"]["probabilities"] if document else None,
        urgency=document["urgency"]["probabilities"] if document else None,
        topics=one.classification.topics if one.classification and document else None,
        tags=tuple(topic["label"] for topic in document["topics"]) if document else (),
        language=document["language"]["code"] if document else one.body.get("language"),
        abstain=document["abstain"]["reason"] if document and document["abstain"] else None,
        degraded=document["degraded"] if document else False,
        customer=Customer(
            id=customer.get("id"),
            tier=customer.get("tier"),
            region=customer.get("region"),
            account_value=customer.get("account_value"),
            attributes=customer.get("attributes", {}),
        ),
        context=one.body.get("context", {}),
        history=one.feedback.history,
    )


def item_rows(body: Mapping[str, Any], case: Case, plan: Plan, made: Made) -> list[SQLModel]:
    """The rows of a planned item, in words taken from the answer `body`: item, evidence, first event, deliveries."""
    said = [draft.Said(answer.get("question"), answer["text"]) for answer in body.get("verbatims", [])]
    scores = body.get("scores", {})
    customer = body.get("customer", {})
    words = next((answer.text for answer in said if answer.text.strip()), "")
    assigned = made.assigner.assign(plan, case, made.decision.bypass)
    item = new_item(
        plan,
        made.policy,
        assigned,
        case,
        title=draft.title(plan.kind, scores, () if case.withheld else case.tags, words),
        body=draft.body(said, scores, customer.get("id"), customer.get("tier"), _reason(plan, case, made.decision)),
        decision_id=made.decision_id,
        at=made.at,
    )
    if plan.kind == "backlog_item":
        weight = weigh([Voice(customer.get("id"), customer.get("account_value"))])
        item.voices, item.account_value, item.score = weight.voices, weight.account_value, weight.score
    evidence = WorkItemEvidence(
        work_item_id=item.id, feedback_id=made.feedback_id, kind=plan.kind, decision_id=made.decision_id
    )
    deliveries = []
    for name in dict.fromkeys(plan.deliver):
        delivery_id = uuid7()
        deliveries.append(
            Delivery(
                id=delivery_id,
                work_item_id=item.id,
                destination=name,
                idempotency_key=str(delivery_id),
                next_at=made.at,
                created_at=made.at,
            )
        )
    return [item, evidence, created_event(item, made.by, assigned.notes), *deliveries]


def _reason(plan: Plan, case: Case, decision: Decision) -> draft.Reason:
    rule = next(outcome for outcome in decision.rules if outcome.rule == plan.rules[0])
    clauses = tuple(draft.Clause(clause.text, clause.value, clause.result) for clause in rule.clauses)
    note = review_reason(case.abstain, degraded=case.degraded) if plan.kind == "review" else None
    return draft.Reason(rule.rule, clauses, note)
