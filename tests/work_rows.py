"""Rows of people and of one work item, made past the road: for tests of what happens to an item later."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session
from uuid_utils.compat import uuid7

from service.route.case import Case
from service.route.clocks import Escalation
from service.route.decide import decide
from service.route.policy import Policy
from service.route.receipt import Provenance, receipt
from service.store.tables import Decision, Feedback, Source, User, WorkItem, WorkItemEvent
from service.store.tables import Policy as PolicyRow
from service.work.snapshot import Snapshot

VERSION = 77


def person(session: Session, name: str, **settings: Any) -> User:
    """An account; a supervisor's unless told otherwise."""
    row = User(name=name, **{"roles": ["supervisor"], **settings})
    session.add(row)
    session.flush()
    return row


def item(
    session: Session,
    policy: Policy,
    at: datetime,
    *,
    owner: str | None = "ana",
    group: str | None = "desk",
    escalate: tuple[Escalation, ...] = (),
    **changes: Any,
) -> WorkItem:
    """An item that was to be acknowledged at `at`, and an hour before was made under this policy."""
    if session.get(PolicyRow, VERSION) is None:
        session.add(Source(name="shop", kind="api"))
        session.add(
            PolicyRow(version=VERSION, name="t", document="", tree=policy.canonical, digest="t", created_by="test")
        )
        session.flush()
    feedback_id, decision_id, made = uuid7(), uuid7(), at - timedelta(hours=1)
    session.add(Feedback(id=feedback_id, source="shop", external_id=str(feedback_id), revision=1, stage="routed"))
    session.flush()
    session.add(_decision(decision_id, feedback_id, policy, made))
    session.flush()
    kept = Snapshot(name="quick", first_due={"acknowledge": at}, at_risk={"acknowledge": at}, escalate=escalate)
    given = {
        "kind": "ticket",
        "title": "Ticket: late",
        "body": "",
        "owner": owner,
        "owner_group": group,
        "rule": "r",
        "decision_id": decision_id,
        "sla": kept.model_dump(mode="json"),
        "due_at": at,
        "acknowledge_due_at": at,
        "created_at": made,
    }
    row = WorkItem(**{**given, **changes})
    session.add(row)
    session.flush()
    session.add(WorkItemEvent(work_item_id=row.id, sequence=1, type="created", actor="heed", once_key="created"))
    session.flush()
    return row


def _decision(decision_id: UUID, feedback_id: UUID, policy: Policy, at: datetime) -> Decision:
    case = Case("shop", at)
    provenance = Provenance(str(decision_id), str(feedback_id), 1, VERSION, None, None, None, None, "live", at)
    return Decision(
        id=decision_id,
        feedback_id=feedback_id,
        revision=1,
        policy_version=VERSION,
        mode="live",
        receipt=receipt(decide(policy, case, {}), case, provenance),
        digest="t",
        decided_at=at,
    )
