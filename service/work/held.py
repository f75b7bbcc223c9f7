"""Items under change: locked, with what belongs to them, so that what happens to them is noted and sent after them.

Everybody takes locks in one order, so that nobody waits in a circle: an account; feedback records by id; join keys;
work items by id; the lock of `Staff`; notices by their key; the audit chain. What a later step needs of an earlier
kind is held before (`service.review.take`).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select
from uuid_utils.compat import uuid7

from service.store.tables import Delivery, WorkItem, WorkItemEvent, WorkItemEvidence, among

Operation = Literal["create", "update", "comment"]


@dataclass(slots=True)
class Held:
    """A locked item, or one that is just being made.

    `sequence` is that of the newest line of its history; `answers` is how many have ever stood behind it, `standing`
    how many do today; `destinations` is where it was sent.
    """

    row: WorkItem
    sequence: int
    answers: int
    standing: int
    destinations: tuple[str, ...]

    def note(
        self, kind: str, data: Mapping[str, object], *, actor: str, at: datetime, once_key: str | None = None
    ) -> WorkItemEvent:
        """The next line of its history."""
        self.sequence += 1
        self.row.version += 1
        return WorkItemEvent(
            work_item_id=self.row.id,
            sequence=self.sequence,
            type=kind,
            actor=actor,
            data=dict(data),
            once_key=once_key,
            at=at,
        )

    def send(self, *operations: Operation, at: datetime) -> list[Delivery]:
        """Tell every destination that has the item of the newest line of its history."""
        return [
            _delivery(self.row.id, name, operation, self.sequence, at)
            for name in self.destinations
            for operation in operations
        ]

    def send_first(self, names: Collection[str], at: datetime) -> list[Delivery]:
        """Send the item to those of these destinations that do not have it yet."""
        added = [name for name in dict.fromkeys(names) if name not in self.destinations]
        self.destinations = (*self.destinations, *added)
        return [_delivery(self.row.id, name, "create", 1, at) for name in added]


def _delivery(item: UUID, destination: str, operation: Operation, sequence: int, at: datetime) -> Delivery:
    delivery_id = uuid7()
    return Delivery(
        id=delivery_id,
        work_item_id=item,
        destination=destination,
        operation=operation,
        sequence=sequence,
        idempotency_key=str(delivery_id),
        next_at=at,
        created_at=at,
    )


def hold(session: Session, ids: Collection[UUID]) -> dict[UUID, Held]:
    """Lock these items, in the order of their ids, and read what belongs to them: four queries, however many."""
    if not ids:
        return {}
    locked = select(WorkItem).where(among(WorkItem.id, ids)).order_by(col(WorkItem.id)).with_for_update(key_share=True)
    rows = session.exec(locked.execution_options(populate_existing=True)).all()
    item = col(WorkItemEvent.work_item_id)
    last: dict[UUID, int] = dict(
        session.exec(select(item, func.max(WorkItemEvent.sequence)).where(item.in_(ids)).group_by(item)).all()
    )
    behind = col(WorkItemEvidence.work_item_id)
    standing = func.count().filter(col(WorkItemEvidence.ended_at).is_(None))
    answers = {
        item_id: (every, now)
        for item_id, every, now in session.exec(
            select(behind, func.count(), standing).where(behind.in_(ids)).group_by(behind)
        )
    }
    sent: dict[UUID, list[str]] = {}
    for item_id, name in session.exec(
        select(Delivery.work_item_id, Delivery.destination)
        .where(among(Delivery.work_item_id, ids), col(Delivery.operation) == "create")
        .order_by(col(Delivery.id))
    ):
        sent.setdefault(item_id, []).append(name)
    return {
        row.id: Held(row, last.get(row.id, 0), *answers.get(row.id, (0, 0)), tuple(sent.get(row.id, ())))
        for row in rows
    }
