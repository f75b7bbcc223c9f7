"""The step from a classified record to its work items: build the case, decide, write the receipt and what follows."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlmodel import Session, SQLModel, col, select
from uuid_utils.compat import uuid7

from service.route.case import Case, Customer, Scores
from service.route.certificates import Gates, ReadBy, gates
from service.route.decide import Decision, Plan
from service.route.decide import decide as judge
from service.route.receipt import Mode, Provenance, calendars_of, receipt
from service.route.versions import Active, Deciding, deciding
from service.store.tables import Classification, Delivery, Feedback, FeedbackRevision, among, now
from service.store.tables import Decision as DecisionRow
from service.work import notices, timers
from service.work.assignment import Assigner
from service.work.held import hold
from service.work.joining import Placed, joinable, lock_keys, news_of, place
from service.work.making import Ruling, store
from service.work.past import looked_at, past_of
from service.work.revising import Changed, Evidence, answers_before, evidence_of_records, items_of, reconcile
from service.work.staff import Staff
from service.work.voices import reweigh


@dataclass(frozen=True, slots=True)
class Pending:
    """A classified record that waits for its decision."""

    feedback: Feedback
    body: Mapping[str, Any]
    digest: str
    classification: Classification | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as its policies see it: the one that decides, and those that only look on."""

    pending: Pending
    case: Case
    live: Active
    shadows: tuple[Active, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """A record and what its live policy decided."""

    pending: Pending
    ruling: Ruling


def decide(session: Session, ids: Sequence[UUID]) -> None:
    """Decide those of these records that still wait for it; rows, items and deliver jobs in one transaction."""
    policies = deciding(session)
    pending = _pending(session, ids)
    at = now()
    evidence = evidence_of_records(session, [one.feedback.id for one in pending])
    staff = Staff(session, at)
    receipts, decided = _judged(session, _seen(policies, pending, at), evidence, staff, gates(session))
    if receipts:
        session.connection().execute(insert(DecisionRow), [row.model_dump() for row in receipts])
    _carry_out(session, decided, evidence, staff)
    session.execute(
        text("UPDATE feedback SET stage = 'routed', stage_since = :at, attempts = 0 WHERE id = ANY(:ids)"),
        {"at": at, "ids": [one.feedback.id for one in pending]},
    )
    session.commit()


def _seen(policies: Deciding, pending: Sequence[Pending], at: datetime) -> list[Seen]:
    cases = ((one, case_of(one, at)) for one in pending)
    return [Seen(one, case, policies.live(case), policies.shadows(case)) for one, case in cases]


def _judged(
    session: Session, seen: Sequence[Seen], evidence: Evidence, staff: Staff, standing: Gates
) -> tuple[list[DecisionRow], list[Decided]]:
    """The receipts of every policy that looks at these records, and what the live ones decided."""
    programs = {active.version: active.policy.program for one in seen for active in (one.live, *one.shadows)}
    past = past_of(session, programs.values(), [(one.pending.feedback.id, one.case) for one in seen], evidence)
    assigners = dict[int, Assigner]()
    receipts, decided = list[DecisionRow](), list[Decided]()
    for one in seen:
        row, body = one.pending.feedback, one.pending.body
        for active in (*one.shadows, one.live):  # the live one last: it is what follows
            mode: Mode = "shadow" if active is not one.live else "history" if row.history else "live"
            case = looked_at(one.case, body, programs[active.version], past.get(row.id))
            made, decision = _receipted(one.pending, case, active, mode, standing)
            receipts.append(made)
        assigner = assigners.setdefault(one.live.version, Assigner(session, one.live.policy, staff.at, staff))
        ruling = Ruling(row.id, row.revision, body, case, made.id, decision, one.live.policy, assigner)
        decided.append(Decided(one.pending, ruling))
    return receipts, decided


def _carry_out(session: Session, decided: Sequence[Decided], before: Evidence, staff: Staff) -> None:
    """Make, join, revise and retract items as was decided, and tell whom it concerns."""
    keys = lock_keys(session, _new_plans(decided, before))
    held = hold(session, {*items_of(before), *keys})
    said, open_items = answers_before(session, before), joinable(keys, held)
    changed, placed, rows = Changed(), list[Placed](), list[SQLModel]()
    later: set[UUID] = set()  # what was imported delays no delivery of what was pushed
    weighed = {feedback_id for feedback_id, kinds in before.items() if "backlog_item" in kinds}
    for one in decided:
        ruling = one.ruling
        follows = reconcile(ruling, before.get(ruling.feedback_id, {}), held, said.get(ruling.feedback_id, {}))
        changed.add(follows)
        new = [place(plan, ruling, open_items) for _, plan in _new_plans([one], before)]
        placed.extend(new)
        if any(found.joined and found.held.row.kind == "backlog_item" for found in new):
            weighed.add(ruling.feedback_id)
        mine = [*follows.rows, *(row for found in new for row in found.rows)]
        if one.pending.feedback.import_id is not None:
            later.update(row.id for row in mine if isinstance(row, Delivery))
        rows.extend(mine)
    store(session, rows, later)
    timers.defer_ticks_again(session, changed.begun)
    notices.tell(session, [*changed.news, *news_of(placed), *staff.news], staff.at)
    reweigh(session, weighed)


def _new_plans(decided: Sequence[Decided], before: Evidence) -> list[tuple[Ruling, Plan]]:
    """The plans for a kind of item that the record does not stand behind yet."""
    return [
        (one.ruling, plan)
        for one in decided
        for plan in one.ruling.decision.plans
        if plan.kind not in before.get(one.ruling.feedback_id, {})
    ]


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


def _receipted(one: Pending, case: Case, active: Active, mode: Mode, standing: Gates) -> tuple[DecisionRow, Decision]:
    """The row of a decision under one policy, and what it decided."""
    read = one.classification
    decision = judge(active.policy, case, standing.resolve(active.policy, case, read_by(read) if read else None))
    provenance = Provenance(
        id=str(uuid7()),
        feedback_id=str(one.feedback.id),
        revision=one.feedback.revision,
        policy_version=active.version,
        classifier=read.classifier if read else None,
        calibrator=read.calibrator if read else None,
        taxonomy=read.taxonomy if read else None,
        calendar=calendars_of(active.policy, decision),
        mode=mode,
        decided_at=case.now,
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
        decided_at=case.now,
    )
    return row, decision


def read_by(row: Classification) -> ReadBy:
    """What a stored classification was made by."""
    return ReadBy.stored(row.classifier, row.model_digest, row.calibrator, row.taxonomy, row.preparation)


def case_of(one: Pending, at: datetime) -> Case:
    """All that a rule may look at, taken from the stored rows."""
    read, row = one.classification, one.feedback
    document, topics = (read.document, read.topics) if read else (None, None)
    return case_from(one.body, document, topics, source=row.source, history=row.history, at=at)


def case_from(
    body: Mapping[str, Any],
    document: Mapping[str, Any] | None,
    topics: Mapping[str, float] | None,
    *,
    source: str,
    history: bool,
    at: datetime,
) -> Case:
    """The case of an answer `body` and what the classifier made of it, None for both where it read nothing."""
    if document and document["abstain"] and document["abstain"]["reason"] == "empty":
        document = None  # a blank answer is no text: nobody has to look at it
    customer = body.get("customer", {})
    return Case(
        source=source,
        now=at,
        scores=Scores(**body.get("scores", {})),
        sentiment=document["sentiment"]["probabilities"] if document else None,
        types=document["type"]["probabilities"] if document else None,
        urgency=document["urgency"]["probabilities"] if document else None,
        topics=topics if document else None,
        tags=tuple(topic["label"] for topic in document["topics"]) if document else (),
        language=document["language"]["code"] if document else body.get("language"),
        abstain=document["abstain"]["reason"] if document and document["abstain"] else None,
        degraded=document["degraded"] if document else False,
        customer=Customer(
            id=customer.get("id"),
            tier=customer.get("tier"),
            region=customer.get("region"),
            account_value=customer.get("account_value"),
            attributes=customer.get("attributes", {}),
        ),
        context=body.get("context", {}),
        history=history,
    )
