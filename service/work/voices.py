"""Who stands behind backlog items, read from their evidence, and the weight of it kept on the item."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session, col, select, update

from service.store.tables import Feedback, FeedbackRevision, WorkItem, WorkItemEvidence, among
from service.work.backlog import Voice, weigh


def reweigh(session: Session, feedback_ids: Collection[UUID]) -> None:
    """Weigh again the backlog items that these records stand behind, by the records' newest answers."""
    if not feedback_ids:
        return
    behind = select(WorkItemEvidence.work_item_id).where(
        among(WorkItemEvidence.feedback_id, feedback_ids), col(WorkItemEvidence.kind) == "backlog_item"
    )
    customer = col(FeedbackRevision.body)["customer"]
    found = session.exec(
        select(WorkItemEvidence.work_item_id, customer["id"].astext, customer["account_value"].as_float())
        .join(Feedback, col(Feedback.id) == col(WorkItemEvidence.feedback_id))
        .join(FeedbackRevision, col(FeedbackRevision.feedback_id) == col(Feedback.id))
        .where(
            col(WorkItemEvidence.work_item_id).in_(behind),
            col(WorkItemEvidence.ended_at).is_(None),
            col(FeedbackRevision.revision) == col(Feedback.revision),
        )
        .order_by(col(Feedback.received_at), col(Feedback.id))
    )
    voices: dict[UUID, list[Voice]] = defaultdict(list)
    for item_id, name, value in found:
        voices[item_id].append(Voice(name, value))
    for item_id, heard in sorted(voices.items()):
        weight = weigh(heard)
        kept = {"voices": weight.voices, "account_value": weight.account_value, "score": weight.score}
        session.execute(update(WorkItem).where(col(WorkItem.id) == item_id).values(**kept))
