"""The lines of the inbox: what was said, why it is here, when it is due and who has it; in four queries a page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from service.pages.due import Due, next_due
from service.pages.glance import Glance, glance, looked_at
from service.pages.reasons import clause_in_short
from service.store.tables import Classification, Decision, FeedbackRevision, WorkItem, among
from service.work.items import Why, why

_NAMED = 2  # clauses that are told; the rest is counted


@dataclass(frozen=True, slots=True)
class Line:
    """One item as the inbox shows it; `words` is None where the customer wrote nothing."""

    id: UUID
    kind: str
    status: str
    priority: str
    mandatory: bool
    title: str
    words: Glance | None
    why: str
    due: Due
    owner: str | None


def lines(session: Session, rows: Sequence[WorkItem], now: datetime) -> list[Line]:
    """The lines of these items, in their order."""
    decided = {
        row.id: row
        for row in session.exec(select(Decision).where(among(Decision.id, {one.decision_id for one in rows})))
    }
    feedback = {(one.feedback_id, one.revision) for one in decided.values()}
    said = _said(session, feedback)
    spans = _spans(session, feedback)
    return [_line(row, decided[row.decision_id], said, spans, now) for row in rows]


Answer = tuple[UUID, int]  # a record and its revision


def _said(session: Session, answers: set[Answer]) -> dict[Answer, list[str]]:
    found = session.exec(
        select(FeedbackRevision.feedback_id, FeedbackRevision.revision, FeedbackRevision.body["verbatims"]).where(
            among(FeedbackRevision.feedback_id, {one for one, _ in answers})
        )
    ).all()
    return {(one, revision): [answer["text"] for answer in verbatims or ()] for one, revision, verbatims in found}


def _spans(session: Session, answers: set[Answer]) -> dict[Answer, list[Mapping[str, Any]]]:
    found = session.exec(
        select(Classification.feedback_id, Classification.revision, Classification.document["spans"])
        .where(among(Classification.feedback_id, {one for one, _ in answers}))
        .order_by(col(Classification.created_at))
    ).all()
    return {(one, revision): spans or [] for one, revision, spans in found}


def _line(
    row: WorkItem,
    decision: Decision,
    said: Mapping[Answer, list[str]],
    spans: Mapping[Answer, list[Mapping[str, Any]]],
    now: datetime,
) -> Line:
    answer = (decision.feedback_id, decision.revision)
    reasons = why(row, decision.receipt)
    asked = looked_at([clause.text for rule in reasons for clause in rule.clauses if clause.result is not False])
    withheld = json.loads(decision.receipt)["case"]["abstain"] is not None
    return Line(
        id=row.id,
        kind=row.kind,
        status=row.status,
        priority=row.priority,
        mandatory=row.mandatory,
        title=row.title,
        words=glance(said.get(answer, []), [] if withheld else spans.get(answer, []), asked),
        why=why_in_short(reasons),
        due=next_due(row, now),
        owner=row.owner,
    )


def why_in_short(reasons: Sequence[Why]) -> str:
    """The reason of an item in a few words: `NPS is 3 (6 or less)`; for a review, why a person is asked."""
    asked = next((rule.reason for rule in reasons if rule.reason), None)
    if asked:
        return f"A person decides: {asked[:1].lower()}{asked[1:]}"
    held = [clause for rule in reasons for clause in rule.clauses if clause.result is True]
    open_ones = [clause for rule in reasons for clause in rule.clauses if clause.result == "unknown"]
    told = [clause_in_short(one.text, one.value, one.result) for one in (held or open_ones)]
    more = [f"{len(told) - _NAMED} more"] if len(told) > _NAMED else []
    return "; ".join([*told[:_NAMED], *more]) or (f"by the rule {reasons[0].rule}" if reasons else "")
