"""Answers that are edited, completed or withdrawn: what becomes of the items they stand behind. Never a second one.

An item follows its newest answer. It is retracted where no answer asks for it any more and nobody has resolved it;
where others still stand behind it, only this one ends. Its owner, and the clocks that run, stay as they are.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from sqlmodel import Session, SQLModel, col, select

from service.route.decide import Plan
from service.route.policy import Priority
from service.store import audit
from service.store.tables import (
    Decision,
    Feedback,
    FeedbackRevision,
    WorkItem,
    WorkItemEvent,
    WorkItemEvidence,
    among,
    now,
)
from service.work import notices
from service.work.held import Held, hold
from service.work.join_key import joined_priority
from service.work.lifecycle import UNRESOLVED
from service.work.making import Ruling, item_of, store, words_of
from service.work.voices import reweigh

Evidence = Mapping[UUID, Mapping[str, WorkItemEvidence]]  # by feedback record, by kind of item
Reason = Literal["edited", "withdrawn"]
_NO_LONGER_NEEDED: Mapping[Reason, str] = {
    "edited": "The customer changed the answer, so this is no longer needed",
    "withdrawn": "The customer withdrew the answer, so this is no longer needed",
}
_COUNTS_NO_MORE: Mapping[Reason, str] = {
    "edited": "The customer changed an answer, which no longer asks for this",
    "withdrawn": "The customer withdrew an answer behind this",
}
_NEWLY_MADE = (
    *("rule", "decision_id", "title", "body", "tags", "priority", "mandatory", "owner", "owner_group", "bypass"),
    *("join_key", "harm", "sla", "due_at", "acknowledge_due_at", "contact_due_at", "resolve_due_at", "tick_at"),
)


@dataclass(slots=True)
class Changed:
    """What follows from an answer that changed: rows to store, what owners are told, items whose clocks begin anew."""

    rows: list[SQLModel] = field(default_factory=list)
    news: list[notices.News] = field(default_factory=list)
    begun: list[WorkItem] = field(default_factory=list)

    def add(self, other: "Changed") -> None:
        """And what follows from another."""
        self.rows.extend(other.rows)
        self.news.extend(other.news)
        self.begun.extend(other.begun)


def evidence_of_records(session: Session, ids: Collection[UUID]) -> dict[UUID, dict[str, WorkItemEvidence]]:
    """Behind which item of each kind these records stand, or have stood."""
    found: dict[UUID, dict[str, WorkItemEvidence]] = {}
    for row in session.exec(select(WorkItemEvidence).where(among(WorkItemEvidence.feedback_id, ids))):
        found.setdefault(row.feedback_id, {})[row.kind] = row
    return found


def answers_before(session: Session, evidence: Evidence) -> dict[UUID, Mapping[str, Any]]:
    """What was said in the revision that was decided last, of records that stand behind items."""
    if not evidence:
        return {}
    of = col(FeedbackRevision.feedback_id)
    found = session.exec(
        select(FeedbackRevision.feedback_id, FeedbackRevision.body)
        .join(Feedback, col(Feedback.id) == of)
        .join(Decision, (col(Decision.feedback_id) == of) & (col(Decision.revision) == col(FeedbackRevision.revision)))
        .where(among(FeedbackRevision.feedback_id, evidence), col(FeedbackRevision.revision) < col(Feedback.revision))
        .order_by(of, col(FeedbackRevision.revision))
    )
    return dict(found.all())


def reconcile(
    ruling: Ruling, before: Mapping[str, WorkItemEvidence], held: Mapping[UUID, Held], said: Mapping[str, Any]
) -> Changed:
    """Bring the items of a record in line with its newest decision; `said` is the answer they were made of.

    A kind that hangs on a person's judgement is left alone: it is asked for again under review.
    """
    plans: dict[str, Plan] = {plan.kind: plan for plan in ruling.decision.plans}
    hanging = {rule.then.create for rule in ruling.policy.rules if rule.name in ruling.decision.review}
    changed = Changed()
    for kind, evidence in sorted(before.items()):
        item, plan = held[evidence.work_item_id], plans.get(kind)
        stands = evidence.ended_at is None and item.row.status != "retracted"
        if plan is not None:
            changed.add((_revise if item.row.status != "retracted" else _restore)(item, evidence, ruling, plan, said))
            evidence.decision_id, evidence.ended_at = ruling.decision_id, None
        elif stands and kind in hanging:
            changed.add(_annotate(item, ruling, said, "somebody has to judge it again"))
        elif stands:
            changed.add(_end(item, evidence, "edited", actor=ruling.by, at=ruling.at))
    return changed


def _revise(item: Held, evidence: WorkItemEvidence, ruling: Ruling, plan: Plan, said: Mapping[str, Any]) -> Changed:
    """The answer asks for the item as before: an unresolved one follows it."""
    if evidence.ended_at is not None:
        item.standing += 1
    if item.row.status not in UNRESOLVED:
        return _annotate(item, ruling, said, "this was done before and stays as it is")
    before = item.row.priority
    _follow(item, evidence, ruling, plan)
    told = {**_source(ruling), "changes": changes(said, ruling.body)}
    if item.row.priority != before:
        told["priority"] = [before, item.row.priority]
    event = item.note("revised", told, actor=ruling.by, at=ruling.at)
    return _told(item, event, ruling, plan.deliver, f"The customer changed the answer{_what(told)}")


def _annotate(item: Held, ruling: Ruling, said: Mapping[str, Any], why: str) -> Changed:
    """The item stays as it is, and its history tells that an answer changed."""
    told = {**_source(ruling), "changes": changes(said, ruling.body)}
    event = item.note("revised", told, actor=ruling.by, at=ruling.at)
    if ruling.case.history:
        return Changed([event])
    word = f"The customer changed the answer{_what(told)}; {why}"
    return Changed([event, *item.send("comment", at=ruling.at)], _news(item, "revised", word))


def _told(item: Held, event: WorkItemEvent, ruling: Ruling, deliver: Sequence[str], word: str) -> Changed:
    """Tell destinations and the owner of a change; one that does not have the item yet gets it."""
    if ruling.case.history:
        return Changed([event])
    known = item.send("update", "comment", at=ruling.at)
    first = item.send_first(deliver, ruling.at)
    return Changed([event, *known, *first], _news(item, event.type, word))


def _follow(item: Held, evidence: WorkItemEvidence, ruling: Ruling, plan: Plan) -> None:
    """Give the item the words and the priority of the newest answer.

    Only its own: an answer that joined it changes no word of it. Where several answers stand behind it, the priority
    only rises, for the others ask for it too.
    """
    row = item.row
    if item.standing == 1:
        row.priority = plan.priority
    else:
        row.priority = joined_priority(cast(Priority, row.priority), plan.priority, item.answers + 1)
    row.mandatory = row.mandatory or plan.mandatory
    if row.decision_id == evidence.decision_id:
        words = words_of(ruling, plan)
        row.title, row.body, row.tags = words.title, words.body, list(plan.tags)
        row.rule, row.decision_id = plan.rules[0], ruling.decision_id


def _restore(item: Held, evidence: WorkItemEvidence, ruling: Ruling, plan: Plan, said: Mapping[str, Any]) -> Changed:
    """The answer asks again for what was retracted: the same item is open again, with clocks that start now."""
    row = item.row
    fresh, notes = item_of(ruling, plan)
    for name in _NEWLY_MADE:
        setattr(row, name, getattr(fresh, name))
    row.status, row.paused_at = "open", None
    row.acknowledge_met_at = row.contact_met_at = row.resolve_met_at = None
    if evidence.ended_at is not None:
        item.standing += 1
    told = {**_source(ruling), "changes": changes(said, ruling.body), "rule": row.rule, "owner": row.owner}
    if notes:
        told["notes"] = list(notes)
    event = item.note("restored", told, actor=ruling.by, at=ruling.at)
    word = f"The customer changed the answer again{_what(told)}, so this is needed after all"
    changed = _told(item, event, ruling, plan.deliver, word)
    changed.begun.append(row)
    return changed


def _end(item: Held, evidence: WorkItemEvidence, reason: Reason, *, actor: str, at: datetime) -> Changed:
    """The answer stands behind the item no longer: without another one the item is retracted, unless it is resolved."""
    row = item.row
    told: dict[str, object] = {"feedback_id": str(evidence.feedback_id), "reason": reason}
    retracted = item.standing <= 1 and row.status in UNRESOLVED
    if retracted:
        row.status, row.paused_at = "retracted", row.paused_at or at
        row.due_at = row.tick_at = row.wait_until = row.offered_to = row.offer_due_at = None
    evidence.ended_at, item.standing = at, item.standing - 1
    event = item.note("retracted" if retracted else "answer_ended", told, actor=actor, at=at)
    sent = item.send(*(("update", "comment") if retracted else ("comment",)), at=at)
    word = (_NO_LONGER_NEEDED if retracted else _COUNTS_NO_MORE)[reason]
    return Changed([event, *sent], _news(item, "retracted" if retracted else "revised", word))


def _what(told: Mapping[str, Any]) -> str:
    """What an edit changed, for the owner: ` (NPS 1 instead of 5, other words, priority urgent instead of high)`."""
    changed = told["changes"]
    pairs = [(name.upper(), *pair) for name, pair in changed.get("scores", {}).items()]
    parts = [f"{name} {_or_nothing(new)} instead of {_or_nothing(old)}" for name, old, new in pairs]
    parts += ["other words"] if changed.get("words") else []
    parts += ["priority {1} instead of {0}".format(*told["priority"])] if "priority" in told else []
    return f" ({', '.join(parts)})" if parts else ""


def _or_nothing(score: float | None) -> str:
    return "nothing" if score is None else f"{score:g}"


def _source(ruling: Ruling) -> dict[str, object]:
    return {
        "feedback_id": str(ruling.feedback_id),
        "revision": ruling.revision,
        "decision_id": str(ruling.decision_id),
    }


def _news(item: Held, kind: str, word: str) -> list[notices.News]:
    row = item.row
    if row.owner is None:
        return []
    once = f"{kind}:{row.id}:{item.sequence}"
    return [notices.News(row.owner, kind, f"{word}: {row.title}", once, row.id, row.harm)]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, object]:
    """What differs between two answers: each score with both its values, and whether the words do.

    >>> changes({"scores": {"nps": 3}}, {"scores": {"nps": 9}, "verbatims": [{"text": "All is well."}]})
    {'scores': {'nps': [3, 9]}, 'words': True}
    """
    one, other = before.get("scores", {}), after.get("scores", {})
    scores = {name: [one.get(name), other.get(name)] for name in sorted({*one, *other})}
    told: dict[str, object] = {}
    if differing := {name: pair for name, pair in scores.items() if pair[0] != pair[1]}:
        told["scores"] = differing
    if before.get("verbatims", []) != after.get("verbatims", []):
        told["words"] = True
    return told


def items_of(evidence: Evidence) -> set[UUID]:
    """The items that these records stand behind, or have stood."""
    return {one.work_item_id for kinds in evidence.values() for one in kinds.values()}


def withdraw(session: Session, row: Feedback, *, actor: str) -> None:
    """Withdraw a record (its row locked by the caller): it takes no further step, and stands behind nothing any more.

    A withdrawn record stays so: withdrawing it again changes nothing, and a later revision is `stale`.
    """
    if row.withdrawn_at is not None:
        return
    at = now()
    row.stage, row.stage_since, row.withdrawn_at, row.reason = "withdrawn", at, at, None
    session.add(row)
    evidence = evidence_of_records(session, [row.id])
    held = hold(session, items_of(evidence))
    changed = Changed()
    for one in evidence.get(row.id, {}).values():
        item = held[one.work_item_id]
        if one.ended_at is None and item.row.status != "retracted":
            changed.add(_end(item, one, "withdrawn", actor=actor, at=at))
    store(session, changed.rows)
    notices.tell(session, changed.news, at)
    reweigh(session, [row.id])
    audit.record(session, actor, "feedback.withdrawn", str(row.id))
