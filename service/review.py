"""What a machine must not decide: a person answers the open rules of a `review` item, and each yes makes its work."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from service.ingest.wording import pointer
from service.route import decide
from service.route.policy import Policy, Rule
from service.route.receipt import decided_on
from service.route.versions import fetch
from service.store.tables import Decision, Feedback, FeedbackRevision, WorkItem, now
from service.work import acknowledgement, handing, notices
from service.work.assignment import Assigner
from service.work.events import AcknowledgeEscalation, Event, Judge
from service.work.held import hold
from service.work.items import locked, record_event
from service.work.joining import lock_keys, news_of, place_alone
from service.work.lifecycle import UNRESOLVED, Impossible
from service.work.making import Ruling, store
from service.work.revising import evidence_of_records
from service.work.voices import reweigh


class WrongAnswers(Exception):
    """The answers do not fit the item's open rules. `errors` holds each as (JSON Pointer, words)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(detail for _, detail in errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item that a yes made, or joined."""

    id: UUID
    kind: str
    rule: str

    def to_json(self) -> dict[str, str]:
        return {"id": str(self.id), "kind": self.kind, "rule": self.rule}


@dataclass(frozen=True, slots=True)
class Judged:
    """What the answers led to; `existing` are rules answered with yes whose kind of item was there already."""

    made: tuple[NewItem, ...]
    existing: tuple[str, ...]


def open_rules(session: Session, row: WorkItem) -> list[Rule]:
    """The rules a person has to judge on a review item, in the order of the policy."""
    decision = session.get_one(Decision, row.decision_id)
    return _open(fetch(session, decision.policy_version), json.loads(decision.receipt)["review"])


def take(session: Session, item_id: UUID) -> WorkItem | None:
    """An item, held until the transaction ends so that something may happen to it; None where there is none.

    Whoever judges a review makes and joins items of its record: all that this may touch is held, in the one order in
    which everybody takes locks (`service.work.held`).
    """
    row = session.get(WorkItem, item_id)
    if row is not None and row.kind == "review" and row.status in UNRESOLVED:
        _hold_surroundings(session, row)
    return locked(session, item_id)


def _hold_surroundings(session: Session, row: WorkItem) -> None:
    feedback_id = session.get_one(Decision, row.decision_id).feedback_id
    session.get(Feedback, feedback_id, with_for_update={"key_share": True})
    session.refresh(row)  # until now its record may have been decided anew
    decision = session.get_one(Decision, row.decision_id)
    policy = fetch(session, decision.policy_version)
    ruling = _ruling(session, decision, policy, "", now())
    keys = lock_keys(session, [(ruling, decide.plan(rule, ruling.case)) for rule in open_rules(session, row)])
    behind = evidence_of_records(session, [feedback_id]).get(feedback_id, {})
    hold(session, {row.id, *keys, *(one.work_item_id for one in behind.values())})


def happens(session: Session, row: WorkItem, event: Event, *, actor: str, at: datetime) -> None:
    """Let any event happen to an item (held by the caller, see `take`); the caller commits.

    Raises:
        Impossible: the item's state does not allow it; nothing is changed.
        WrongAnswers: the answers of a `judge` do not fit the item.
    """
    if isinstance(event, Judge):
        judge(session, row, event, actor=actor, at=at)
    elif isinstance(event, AcknowledgeEscalation):
        acknowledgement.acknowledge(session, row, event, actor=actor, at=at)
    else:
        handing.happens(session, row, event, actor=actor, at=at)


def judge(session: Session, row: WorkItem, event: Judge, *, actor: str, at: datetime) -> Judged:
    """Resolve a review item (held by the caller, see `take`) with a person's answers; the caller commits.

    Each yes makes the item its rule plans, with clocks that start now: at most one of a kind for a feedback record,
    the first rule of the policy winning. The answers stay in the history; they are no blind labels.

    Raises:
        Impossible: the item is no review, or is done.
        WrongAnswers: a rule that is not open was answered, or an open one was not.
    """
    if row.kind != "review":
        raise Impossible(f"Only an item of kind review is judged; this is of kind {row.kind}.")
    decision = session.get_one(Decision, row.decision_id)
    policy = fetch(session, decision.policy_version)
    rules = _open(policy, json.loads(decision.receipt)["review"])
    _require_answers([rule.name for rule in rules], event.rules)
    wanted = [rule for rule in rules if event.rules[rule.name]]
    held = evidence_of_records(session, [decision.feedback_id]).get(decision.feedback_id, {})
    first = {rule.then.create: rule for rule in reversed(wanted) if rule.then.create not in held}
    making = [rule for rule in wanted if first.get(rule.then.create) is rule]
    ruling = _ruling(session, decision, policy, actor, at)
    placed = place_alone(session, [(ruling, decide.plan(rule, ruling.case)) for rule in making])
    made = tuple(
        NewItem(one.held.row.id, one.held.row.kind, rule.name) for one, rule in zip(placed, making, strict=True)
    )
    judged = Judged(made, tuple(rule.name for rule in wanted if rule not in making))
    noted = {"made": [item.to_json() for item in judged.made], "existing": list(judged.existing)}
    record_event(session, row, event, actor=actor, at=at, noted=noted)
    store(session, [one for part in placed for one in part.rows])
    notices.tell(session, [*news_of(placed), *ruling.assigner.staff.news], at)
    reweigh(session, [decision.feedback_id])
    return judged


def _open(policy: Policy, names: Collection[str]) -> list[Rule]:
    return [rule for rule in policy.rules if rule.name in names]


def _require_answers(names: Sequence[str], answers: Mapping[str, bool]) -> None:
    unknown = [(name, "This rule is not open on this item: leave it out.") for name in answers if name not in names]
    unanswered = [(name, "Answer with yes or no (true or false).") for name in names if name not in answers]
    if unknown or unanswered:
        raise WrongAnswers([(pointer(["rules", name]), detail) for name, detail in (*unknown, *unanswered)])


def _ruling(session: Session, decision: Decision, policy: Policy, actor: str, at: datetime) -> Ruling:
    case, thresholds = decided_on(decision.receipt)
    return Ruling(
        decision.feedback_id,
        decision.revision,
        _answer(session, decision),
        replace(case, now=at),  # clocks start when the item is made
        decision.id,
        decide.decide(policy, case, thresholds),
        policy,
        Assigner(session, policy, at),
        actor,
    )


def _answer(session: Session, decision: Decision) -> Mapping[str, Any]:
    return session.exec(
        select(FeedbackRevision.body).where(
            col(FeedbackRevision.feedback_id) == decision.feedback_id,
            col(FeedbackRevision.revision) == decision.revision,
        )
    ).one()
