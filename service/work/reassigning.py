"""Everything somebody has given to somebody else, or spread over a group, in one transaction."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, func, select
from uuid_utils.compat import uuid7

from service.route.policy import Policy
from service.route.receipt import decided_on
from service.route.versions import active
from service.store.tables import Decision, User, WorkItem, WorkItemEvent, among
from service.work import notices
from service.work.assignment import Assigner
from service.work.handing import withdrawn
from service.work.lifecycle import UNRESOLVED
from service.work.staff import Staff

_BATCH = 500
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: `owner`'s open items, of one kind or all, to a person or a group of the active policy."""

    owner: str
    to: str
    kind: str | None
    comment: str
    actor: str


@dataclass(slots=True)
class Reassigned:
    """How many items changed hands, the first ids of them, and how many stayed because nobody could take them."""

    count: int = 0
    left: int = 0
    items: list[UUID] = field(default_factory=list)


def reassign(session: Session, order: Order, at: datetime) -> Reassigned:
    """Give away all that somebody has open, each item with its event, each new owner told once; the caller commits.

    A name that is both somebody's account and a group is the person. Of a group each item goes to whom a new one would
    go to, capacity and absence included; where nobody can take it, it stays.
    """
    done = Reassigned()
    new_owners: defaultdict[str, list[WorkItem]] = defaultdict(list)
    policy = _policy_of_group(session, order.to)
    news: list[notices.News] = []
    for rows in _batches(session, order):
        staff = Staff(session, at)  # anew for each batch: it reads what the last one gave
        owners = _owners(session, order, policy, rows, staff)
        moved = [row for row in rows if row.id in owners]
        done.left += len(rows) - len(moved)
        done.count += len(moved)
        done.items += [row.id for row in moved][: SHOWN - len(done.items)]
        news += [*_move(session, order, moved, owners, at), *staff.news]
        for row in moved:
            new_owners[owners[row.id]].append(row)
    news += [_news(order, owner, rows) for owner, rows in new_owners.items() if owner != order.actor]
    notices.tell(session, news, at)
    return done


def _policy_of_group(session: Session, name: str) -> Policy | None:
    """The active policy where it has a group of this name and nobody's account has it; else None."""
    if session.exec(select(User.id).where(col(User.name) == name)).first() is not None:
        return None
    policy = active(session).policy
    return policy if name in policy.groups else None


def _batches(session: Session, order: Order) -> Iterator[Sequence[WorkItem]]:
    """Somebody's open items, in the order of their ids; all are held before the first is given away."""
    query = select(WorkItem.id).where(col(WorkItem.owner) == order.owner, col(WorkItem.status).in_(UNRESOLVED))
    if order.kind is not None:
        query = query.where(col(WorkItem.kind) == order.kind)
    ids = session.exec(query.order_by(col(WorkItem.id)).with_for_update(key_share=True)).all()
    for start in range(0, len(ids), _BATCH):
        rows = select(WorkItem).where(among(WorkItem.id, ids[start : start + _BATCH])).order_by(col(WorkItem.id))
        yield session.exec(rows.execution_options(populate_existing=True)).all()


def _owners(
    session: Session, order: Order, policy: Policy | None, rows: Sequence[WorkItem], staff: Staff
) -> Mapping[UUID, str]:
    """Who gets which item; those that nobody can take are left out."""
    if policy is None:
        return {row.id: order.to for row in rows}
    staff.leave_out(order.owner)
    assigner = Assigner(session, policy, staff.at, staff)
    decisions = {row.decision_id for row in rows}
    receipts = dict(session.exec(select(Decision.id, Decision.receipt).where(among(Decision.id, decisions))).all())
    owners: dict[UUID, str] = {}
    for row in rows:
        owner = assigner.place(order.to, decided_on(receipts[row.decision_id])[0]).owner
        if owner is not None and owner != order.owner:
            owners[row.id] = owner
            if row.kind != "backlog_item":
                staff.give(owner)
    return owners


def _move(
    session: Session, order: Order, rows: Sequence[WorkItem], owners: Mapping[UUID, str], at: datetime
) -> list[notices.News]:
    """Give the items away; what those are told to whom some of them were offered."""
    last = dict(
        session.exec(
            select(WorkItemEvent.work_item_id, func.max(WorkItemEvent.sequence))
            .where(among(WorkItemEvent.work_item_id, [row.id for row in rows]))
            .group_by(col(WorkItemEvent.work_item_id))
        ).all()
    )
    news: list[notices.News] = []
    for row in rows:
        owner = owners[row.id]
        data = {"owner": owner, "comment": order.comment, "from": order.owner}
        if row.offered_to is not None:
            data["withdrawn"] = row.offered_to
            news += [withdrawn(row, row.offered_to)] if row.offered_to != owner else []
        session.add(
            WorkItemEvent(
                work_item_id=row.id,
                sequence=last.get(row.id, 0) + 1,
                type="assign",
                actor=order.actor,
                data=data,
                at=at,
            )
        )
        row.owner, row.offered_to, row.offer_due_at, row.version = owner, None, None, row.version + 1
        session.add(row)
    session.flush()
    return news


def _news(order: Order, owner: str, rows: Sequence[WorkItem]) -> notices.News:
    many = f"{len(rows)} item" + ("s" if len(rows) > 1 else "")
    return notices.News(
        owner,
        "assigned",
        f"{order.actor} gave you {many} that {order.owner} had: {order.comment}",
        f"reassigned:{uuid7()}",
        harm=max(row.harm for row in rows),
    )
