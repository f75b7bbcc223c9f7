"""What people are told: noted once, dated to their hours; on the pages, and by a destination of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, literal
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update
from uuid_utils.compat import uuid7

from service.people.availability import digest, opening
from service.store import jobs
from service.store.tables import Notice, User, WorkItem

_ASKING = frozenset({"assigned", "joined", "offered", "escalated"})  # somebody is to do something
PRESSING = frozenset({"escalated", "offered"})  # a clock runs: these wait for no digest


@dataclass(frozen=True, slots=True)
class News:
    """Something a person is to be told about an item, once; `any_hour`: also outside their hours."""

    person: str
    kind: str
    words: str
    once_key: str
    item: UUID | None = None
    harm: float = 0
    level: int | None = None
    any_hour: bool = False


def tell(session: Session, news: Sequence[News], at: datetime) -> None:
    """Note what people are to be told from `at` on; the caller commits.

    Who has no open account is told nothing: there is nowhere they could read it. What has been noted under the same
    `once_key` is not noted again.
    """
    if not news:
        return
    people = _accounts(session, {one.person for one in news})
    found = [_row(one, people[one.person], at) for one in news if one.person in people]
    rows = sorted(found, key=lambda row: row.once_key)  # two workers with the same news wait in no circle
    if not rows:
        return
    session.flush()  # the items first
    noted = insert(Notice).on_conflict_do_nothing(index_elements=["once_key"])
    session.connection().execute(noted, [row.model_dump() for row in rows])
    if any(row.due_at <= at for row in rows):
        jobs.defer(session, "tell")  # without a key: two transactions would wait for each other's


def _accounts(session: Session, names: set[str]) -> dict[str, User]:
    named = col(User.name) == any_(literal(sorted(names), ARRAY(Text())))
    return {user.name: user for user in session.exec(select(User).where(named, col(User.active)))}


def _row(one: News, user: User, at: datetime) -> Notice:
    return Notice(
        id=uuid7(),
        person=one.person,
        work_item_id=one.item,
        kind=one.kind,
        words=one.words,
        level=one.level,
        harm=one.harm,
        any_hour=one.any_hour,
        once_key=one.once_key,
        created_at=at,
        due_at=at if one.any_hour else dated(user, one.kind, at),
    )


def dated(user: User, kind: str, at: datetime) -> datetime:
    """When somebody is told of something that waits since `at`: within their hours, and with their digest."""
    return opening(user, at) if kind in PRESSING else digest(user, at)


def moot(notice: Notice, item: WorkItem) -> str | None:
    """Why somebody need not be told any more of what waited for their hours, in words; None where they are told."""
    if notice.kind not in _ASKING:
        return None
    if item.status in {"resolved", "retracted"}:
        return f"The item was {item.status} before this could be told."
    if notice.kind == "offered" and item.offered_to != notice.person:
        return "The item was no longer offered when this could be told."
    if notice.kind in {"assigned", "joined"} and item.owner != notice.person:
        return "The item was somebody else's when this could be told."
    return None


def see(session: Session, notice_id: UUID, at: datetime) -> Notice | None:
    """Note that somebody has seen what they were told, the first time; None where there is no such notice."""
    row = session.get(Notice, notice_id, with_for_update=True)
    if row is not None and row.seen_at is None:
        row.seen_at = at
        session.add(row)
    return row


def see_item(session: Session, person: str, item: UUID, at: datetime) -> None:
    """Who does something about an item has seen what they were told of it; the caller commits."""
    session.execute(
        update(Notice)
        .where(
            col(Notice.work_item_id) == item,
            col(Notice.person) == person,
            col(Notice.told_at).is_not(None),
            col(Notice.seen_at).is_(None),
        )
        .values(seen_at=at)
    )
