"""Corrections: where people said that a routing was wrong. For finding bugs and for training; they never certify."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Boolean, String, func, literal, text
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from service.classify import words
from service.store.tables import Decision, Feedback, FeedbackRevision, WorkItem, WorkItemEvent, among

Kind = Literal["wrong_routing", "review"]
KINDS: Mapping[str, Kind] = {"wrong_routing": "wrong_routing", "judge": "review"}  # by type of event
WITHDRAWN = "This feedback was withdrawn."
_IS_CORRECTION = text("work_item_event.type IN ('judge', 'wrong_routing')")  # as its index says it


@dataclass(frozen=True, slots=True)
class Correction:
    """What one person said of one item: that its routing was wrong, or (of a review) which rules were right.

    `rule` made the item. `axis` and `label` are what heed had said, `right` what it should have been, each None where
    that was left open. `rules` holds the answers of a review. `text` is what the customer wrote, its answers with a
    blank line between them.
    """

    at: datetime
    by: str
    kind: Kind
    item_id: UUID
    item_kind: str
    title: str
    rule: str
    feedback_id: UUID
    source: str
    text: str
    axis: str | None = None
    label: str | None = None
    right: str | None = None
    comment: str | None = None
    rules: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often the same was said of a rule: that what heed found (`axis`, `label`) was wrong, or an answer in review.

    `said_yes` is None where the routing was called wrong.
    """

    rule: str
    number: int
    axis: str | None = None
    label: str | None = None
    said_yes: bool | None = None


def events() -> SelectOfScalar[WorkItemEvent]:
    """The event of every correction, to be filtered and ordered by whoever lists them."""
    return select(WorkItemEvent).where(_IS_CORRECTION)


def corrections(session: Session, found: Sequence[WorkItemEvent]) -> list[Correction]:
    """These events as corrections, in their order, with the words of the record that made each item."""
    behind = session.exec(select(WorkItem).where(among(WorkItem.id, {event.work_item_id for event in found})))
    items = {item.id: item for item in behind}
    records = _records(session, {item.decision_id for item in items.values()})
    told = ((event, items[event.work_item_id]) for event in found)
    return [_correction(event, item, *records[item.decision_id]) for event, item in told]


def counts(session: Session) -> list[Counted]:
    """How often what was said of which rule, the most frequent first."""
    told = [*_counted_wrong(session), *_counted_answers(session)]
    return sorted(told, key=lambda one: (-one.number, one.rule, one.axis or "", one.label or ""))


def corrected(session: Session, axis: str) -> frozenset[UUID]:
    """The records that a correction or a judged review speaks of, on this axis or on none in particular."""
    about = col(WorkItemEvent.data)["axis"].as_string()
    found = session.exec(
        select(Decision.feedback_id)
        .join(WorkItem, col(WorkItem.decision_id) == col(Decision.id))
        .join(WorkItemEvent, col(WorkItemEvent.work_item_id) == col(WorkItem.id))
        .where(_IS_CORRECTION, (about == axis) | about.is_(None))
    )
    return frozenset(found)


def _records(session: Session, decisions: set[UUID]) -> dict[UUID, tuple[UUID, str, str]]:
    """By decision: the record, its source, and its words as they were decided on, unless it was withdrawn."""
    found = session.exec(
        select(Decision.id, Feedback, FeedbackRevision.body)
        .join(Feedback, col(Feedback.id) == col(Decision.feedback_id))
        .join(
            FeedbackRevision,
            (col(FeedbackRevision.feedback_id) == col(Decision.feedback_id))
            & (col(FeedbackRevision.revision) == col(Decision.revision)),
        )
        .where(among(Decision.id, decisions))
    )
    return {
        decision: (feedback.id, feedback.source, WITHDRAWN if feedback.withdrawn_at else words(body))
        for decision, feedback, body in found
    }


def _correction(event: WorkItemEvent, item: WorkItem, feedback_id: UUID, source: str, said: str) -> Correction:
    return Correction(
        at=event.at,
        by=event.actor,
        kind=KINDS[event.type],
        item_id=item.id,
        item_kind=item.kind,
        title=item.title,
        rule=item.rule,
        feedback_id=feedback_id,
        source=source,
        text=said,
        axis=event.data.get("axis"),
        label=event.data.get("label"),
        right=event.data.get("right"),
        comment=event.data.get("comment"),
        rules=event.data.get("rules", {}),
    )


def _counted_wrong(session: Session) -> Iterator[Counted]:
    axis, label = (col(WorkItemEvent.data)[name].as_string() for name in ("axis", "label"))
    found = session.exec(
        select(WorkItem.rule, axis, label, func.count())
        .join(WorkItemEvent, col(WorkItemEvent.work_item_id) == col(WorkItem.id))
        .where(col(WorkItemEvent.type) == "wrong_routing")
        .group_by(col(WorkItem.rule), axis, label)
    )
    for rule, about, said, number in found:
        yield Counted(rule, number, about, said)


def _counted_answers(session: Session) -> Iterator[Counted]:
    answer = func.jsonb_each(col(WorkItemEvent.data)["rules"]).table_valued("key", "value").lateral()
    rule, said = answer.c.key.cast(String), answer.c.value.cast(Boolean)
    found = session.execute(
        select(rule, said, func.count())
        .select_from(WorkItemEvent)
        .join(answer, literal(value=True))
        .where(col(WorkItemEvent.type) == "judge")
        .group_by(rule, said)
    )
    for name, yes, number in found:
        yield Counted(name, number, said_yes=yes)
