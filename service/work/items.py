"""Work items as rows: made from a decision's plans, moved by events, and why they exist."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, cast
from uuid import UUID

from pydantic import BaseModel
from sqlmodel import Session
from uuid_utils.compat import uuid7

from service.route.business_time import PLAIN_TIME
from service.route.case import Case
from service.route.decide import Plan
from service.route.expression import ThresholdOf, operand_text
from service.route.policy import Policy
from service.route.versions import SYSTEM
from service.store import jobs
from service.store.tables import WorkItem, WorkItemEvent, now
from service.work.assignment import Assigned
from service.work.clock_start import start
from service.work.events import Event, Resume, Wait
from service.work.join_key import join_key
from service.work.lifecycle import Item, Status, happen, next_due
from service.work.snapshot import clocks, snapshot
from service.work.ticking import catch_up, history_of, schedule


class WhyClause(BaseModel):
    """One clause of a rule, the value it looked at and what it said."""

    text: str
    value: Any
    result: Literal[True, False, "unknown"]


class Explained(BaseModel):
    """A rule, clause by clause."""

    rule: str
    clauses: list[WhyClause]


class Why(Explained):
    """A rule that made this item; on a review item also why a machine must not decide."""

    reason: str | None = None


def new_item(
    plan: Plan,
    policy: Policy,
    assigned: Assigned,
    case: Case,
    *,
    title: str,
    body: str,
    decision_id: UUID,
    at: datetime,
) -> WorkItem:
    """The row of a planned item; its targets are fixed now, so that a later policy moves no running clock."""
    started = start(policy, plan, tier=case.customer.tier, zone=assigned.zone, at=at)
    return WorkItem(
        id=uuid7(),
        kind=plan.kind,
        mandatory=plan.mandatory,
        title=title,
        body=body,
        priority=plan.priority,
        owner=assigned.owner,
        owner_group=assigned.group,
        tags=list(plan.tags),
        rule=plan.rules[0],
        decision_id=decision_id,
        customer=case.customer.id,
        join_key=join_key(plan, case),
        bypass=assigned.bypass,
        sla=started.snapshot.model_dump(mode="json") if started.snapshot else None,
        due_at=min(started.due.values(), default=None),
        acknowledge_due_at=started.due.get("acknowledge"),
        contact_due_at=started.due.get("contact"),
        resolve_due_at=started.due.get("resolve"),
        tick_at=started.tick_at,
        created_at=at,
    )


def created_event(item: WorkItem, actor: str, notes: Sequence[str] = (), reason: str | None = None) -> WorkItemEvent:
    """The first line of an item's history; `notes` say why it is not whom one would expect, `reason` why a bypass."""
    data: dict[str, Any] = {"rule": item.rule, "owner": item.owner, "owner_group": item.owner_group}
    if item.bypass is not None:
        data |= {"bypass": item.bypass, "reason": reason}
    said = [*notes, *item.sla["notes"]] if item.sla else list(notes)
    if said:
        data["notes"] = said
    return WorkItemEvent(
        work_item_id=item.id,
        sequence=1,
        type="created",
        actor=actor,
        data=data,
        once_key="created",
        at=item.created_at,
    )


def record_event(
    session: Session,
    row: WorkItem,
    event: Event,
    *,
    actor: str,
    at: datetime,
    noted: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Move an item (its row locked by the caller) and write the event, with what is `noted`, into its history.

    Raises:
        Impossible: the item's state does not allow it; nothing is changed.
    """
    history, kept = history_of(session, row), snapshot(row)
    acknowledge, contact, resolve = clocks(row)
    before = Item(
        status=cast(Status, row.status),
        mandatory=row.mandatory,
        owner=row.owner,
        offered_to=row.offered_to,
        contacted=any(one.type == "contact_attempt" for one in history),
        acknowledge=acknowledge,
        contact=contact,
        resolve=resolve,
        paused_at=row.paused_at,
        wait_until=row.wait_until,
        outcome=row.outcome,
        root_cause=row.root_cause,
        time=kept.time if kept else PLAIN_TIME,
    )
    after = happen(before, event, at)
    catch_up(session, row, history, at)
    _take_over(row, after)
    row.version += 1
    data = event.model_dump(mode="json", exclude={"type"}, exclude_none=True) | dict(noted)
    sequence = history[-1].sequence + 1 if history else 1
    history.append(
        WorkItemEvent(work_item_id=row.id, sequence=sequence, type=event.type, actor=actor, data=data, at=at)
    )
    session.add_all([history[-1], row])
    schedule(session, row, history)
    session.flush()
    if isinstance(event, Wait) and event.until is not None:
        jobs.defer(session, "wake", item=str(row.id), at=event.until)


def locked(session: Session, item_id: UUID) -> WorkItem | None:
    """An item as it stands now, held until the transaction ends; None where there is none."""
    return session.get(WorkItem, item_id, with_for_update={"key_share": True}, populate_existing=True)


def wake(session: Session, item_id: UUID) -> None:
    """Resume an item whose time to wait is over; one that was resumed, or told to wait longer, is left alone."""
    row = locked(session, item_id)
    at = now()
    if row is not None and row.status == "waiting" and row.wait_until is not None and row.wait_until <= at:
        record_event(session, row, Resume(type="resume", comment="The time to wait is over."), actor=SYSTEM, at=at)


def _take_over(row: WorkItem, item: Item) -> None:
    row.status, row.owner, row.offered_to = item.status, item.owner, item.offered_to
    row.offer_due_at = row.offer_due_at if item.offered_to is not None else None
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
    is_review = row.kind == "review"
    named: Sequence[str] = told["review"] if is_review else [row.rule]
    return [
        Why(
            rule=rule["rule"],
            clauses=[WhyClause(**clause) for clause in rule["clauses"]],
            reason=_reason(told, rule) if is_review else None,
        )
        for rule in told["rules"]
        if rule["rule"] in named
    ]


def _reason(told: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    """Why a person is asked about a rule of a receipt: a promise it hangs on holds no longer, or what was read."""
    case, asked = told["case"], [clause["text"] for clause in rule["clauses"]]
    if not case["abstain"] and not case["degraded"]:
        for name, threshold in told["thresholds"].items():
            if threshold.get("voided") and any(operand_text(ThresholdOf(name=name)) in one for one in asked):
                return str(threshold["voided"])
    return review_reason(case["abstain"], degraded=case["degraded"])


_ABSTAINED = {
    "language": "The text is in a language the classifier does not know.",
    "short": "The text is too short to be judged.",
    "empty": "There is no text to judge.",
    "quote": "The text only quotes somebody else.",
    "out-of-domain": "The text is unlike anything the classifier knows.",
}


def review_reason(abstain: str | None, *, degraded: bool) -> str:
    """Why a person is asked, in one sentence."""
    if degraded:
        return "The classifier is not at its best right now, so nothing is decided on what the text says."
    return _ABSTAINED.get(abstain or "", "The threshold this rule asks for has no value that may be used.")
