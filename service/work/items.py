"""Work items as rows: made from a decision's plans, moved by events, and why they exist."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from pydantic import BaseModel
from sqlmodel import Session, col, func, select
from uuid_utils.compat import uuid7

from service.route.decide import Plan
from service.route.policy import Policy
from service.store.tables import WorkItem, WorkItemEvent
from service.work.events import Event
from service.work.lifecycle import Clock, Item, Status, happen, next_due


class WhyClause(BaseModel):
    """One clause of a rule, the value it looked at and what it said."""

    text: str
    value: Any
    result: Literal[True, False, "unknown"]


class Why(BaseModel):
    """A rule that made this item, clause by clause."""

    rule: str
    clauses: list[WhyClause]


def new_item(plan: Plan, policy: Policy, *, title: str, body: str, decision_id: UUID, at: datetime) -> WorkItem:
    """The row of a planned item; its targets are fixed now, so that a later policy moves no running clock."""
    sla = policy.slas.get(plan.sla) if plan.sla else None
    first = {target: due.isoformat() for target, due in plan.due.items()}
    snapshot = {"name": plan.sla, "first_due": first, **sla.model_dump(mode="json")} if sla else None
    return WorkItem(
        id=uuid7(),
        kind=plan.kind,
        mandatory=plan.mandatory,
        title=title,
        body=body,
        priority=plan.priority,
        owner=plan.owner,
        owner_group=plan.group,
        tags=list(plan.tags),
        rule=plan.rules[0],
        decision_id=decision_id,
        join_key=json.dumps([value for _, value in plan.key]) if plan.key else None,
        sla=snapshot,
        due_at=min(plan.due.values(), default=None),
        acknowledge_due_at=plan.due.get("acknowledge"),
        contact_due_at=plan.due.get("contact"),
        resolve_due_at=plan.due.get("resolve"),
        created_at=at,
    )


def created_event(item: WorkItem) -> WorkItemEvent:
    """The first line of an item's history."""
    data = {"rule": item.rule, "owner": item.owner, "owner_group": item.owner_group}
    return WorkItemEvent(
        work_item_id=item.id,
        sequence=1,
        type="created",
        actor="heed",
        data=data,
        once_key="created",
        at=item.created_at,
    )


def clocks(row: WorkItem) -> tuple[Clock | None, Clock | None, Clock | None]:
    """The acknowledge, contact and resolve promises of an item."""
    return (
        _clock(row, "acknowledge", row.acknowledge_due_at, row.acknowledge_met_at),
        _clock(row, "contact", row.contact_due_at, row.contact_met_at),
        _clock(row, "resolve", row.resolve_due_at, row.resolve_met_at),
    )


def _clock(row: WorkItem, target: str, due_at: datetime | None, met_at: datetime | None) -> Clock | None:
    if due_at is None:
        return None
    first = row.sla["first_due"][target] if row.sla else due_at.isoformat()
    return Clock(due_at, met_at, stood=due_at - datetime.fromisoformat(first))


def record_event(session: Session, row: WorkItem, event: Event, *, actor: str, at: datetime) -> None:
    """Move an item (its row locked by the caller) and write the event into its history.

    Raises:
        Impossible: the item's state does not allow it; nothing is changed.
    """
    last, contacts = session.exec(
        select(
            func.max(WorkItemEvent.sequence),
            func.count().filter(col(WorkItemEvent.type) == "contact_attempt"),
        ).where(col(WorkItemEvent.work_item_id) == row.id)
    ).one()
    acknowledge, contact, resolve = clocks(row)
    before = Item(
        status=cast(Status, row.status),
        mandatory=row.mandatory,
        owner=row.owner,
        contacted=contacts > 0,
        acknowledge=acknowledge,
        contact=contact,
        resolve=resolve,
        paused_at=row.paused_at,
        wait_until=row.wait_until,
        outcome=row.outcome,
        root_cause=row.root_cause,
    )
    _take_over(row, happen(before, event, at))
    row.version += 1
    data = event.model_dump(mode="json", exclude={"type"}, exclude_none=True)
    session.add(
        WorkItemEvent(work_item_id=row.id, sequence=(last or 0) + 1, type=event.type, actor=actor, data=data, at=at)
    )
    session.add(row)
    session.flush()


def _take_over(row: WorkItem, item: Item) -> None:
    row.status, row.owner = item.status, item.owner
    row.paused_at, row.wait_until = item.paused_at, item.wait_until
    row.outcome, row.root_cause = item.outcome, item.root_cause
    row.due_at = next_due(item)
    for name, clock in (("acknowledge", item.acknowledge), ("contact", item.contact), ("resolve", item.resolve)):
        if clock is not None:
            setattr(row, f"{name}_due_at", clock.due_at)
            setattr(row, f"{name}_met_at", clock.met_at)


def why(row: WorkItem, receipt: str) -> list[Why]:
    """The rules of the receipt that made this item; for a review item, those a person has to judge."""
    told = json.loads(receipt)
    named: Sequence[str] = told["review"] if row.kind == "review" else [row.rule]
    return [
        Why(rule=rule["rule"], clauses=[WhyClause(**clause) for clause in rule["clauses"]])
        for rule in told["rules"]
        if rule["rule"] in named
    ]
