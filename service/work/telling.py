"""The `tell` job: what is due is told, at most as many alerts a day as a person set, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import structlog
from sqlmodel import Session, col, func, select

from service.deliver import notify
from service.people.availability import away, day_of, opening, substitute_for
from service.store.database import Database, is_outage
from service.store.tables import Notice, User, WorkItem, among
from service.work.notices import PRESSING, News, dated, moot, tell

log = structlog.get_logger(__name__)

ALERTS = frozenset({"assigned", "joined"})  # new work: what a person's budget counts
_UNTOLD = (col(Notice.told_at).is_(None), col(Notice.dropped).is_(None))


class Ranked(Protocol):
    """What waits in a queue."""

    harm: float
    created_at: datetime


Waiting = TypeVar("Waiting", bound=Ranked)


@dataclass(frozen=True, slots=True)
class Day(Generic[Waiting]):
    """What is told today, and what is left for another day; the worst first, of equals the oldest."""

    today: tuple[Waiting, ...]
    left: tuple[Waiting, ...]


def plan_day(queue: Sequence[Waiting], room: int | None) -> Day[Waiting]:
    """Share a queue out: the `room` worst are told today, the rest is left; None is room for everything."""
    ranked = sorted(queue, key=lambda one: (-one.harm, one.created_at))
    most = len(ranked) if room is None else max(room, 0)
    return Day(tuple(ranked[:most]), tuple(ranked[most:]))


def waiting_for(session: Session, at: datetime) -> list[str]:
    """Everybody for whom something is due to be told."""
    found = (
        select(Notice.person)
        .join(User, col(User.name) == col(Notice.person))
        .where(*_UNTOLD, col(Notice.due_at) <= at, col(User.active))
        .distinct()
    )
    return list(session.exec(found.order_by(col(Notice.person))))


def tell_due(database: Database, at: datetime) -> None:
    """Tell everybody what is due, each in a transaction of their own: what fails for one holds up nobody else."""
    with database.session() as session:
        people = waiting_for(session, at)
    for name in people:
        try:
            with database.session() as session:
                tell_person(session, name, at)
        except Exception as error:
            if is_outage(error):
                raise
            log.exception("person.not_told", person=name)


def tell_person(session: Session, name: str, at: datetime) -> None:
    """Tell somebody what is due, and date anew what is not to be told now after all; the caller commits.

    What has come to nothing while it waited is dropped, with the reason. Whoever holds the account's row does all this:
    of two workers the second leaves it to the first.
    """
    account = select(User).where(col(User.name) == name, col(User.active))
    user = session.exec(account.with_for_update(key_share=True, skip_locked=True)).first()
    if user is None:
        return
    due = _due(session, user, at)
    ready = [row for row in due if not _put_off(user, row, at)]
    if away(user, at):
        _tell_substitute(session, user, [row for row in due if row.kind == "escalated" and row not in ready], at)
    queue = [row for row in ready if row.kind in ALERTS]
    day = plan_day(queue, _room(session, user, at) if queue else None)
    _, tomorrow = day_of(user, at)
    for row in day.left:
        row.due_at = dated(user, row.kind, tomorrow)
    told = [*(row for row in ready if row.kind not in ALERTS), *day.today]
    for row in told:
        row.told_at = at
    session.add_all(due)
    if user.destination is not None:
        for batch in _batches(user, told):
            notify.send(session, user.destination, batch, at)


def _due(session: Session, user: User, at: datetime) -> Sequence[Notice]:
    """What is due and is still worth telling; the items of what is sent are held before any notice is changed."""
    query = select(Notice).where(col(Notice.person) == user.name, *_UNTOLD, col(Notice.due_at) <= at)
    found = session.exec(query.order_by(col(Notice.due_at), col(Notice.id))).all()
    about = select(WorkItem).where(among(WorkItem.id, {row.work_item_id for row in found if row.work_item_id}))
    if user.destination is not None:
        about = about.order_by(col(WorkItem.id)).with_for_update(key_share=True)
    items = {item.id: item for item in session.exec(about)}
    for row in found:
        row.dropped = None if row.work_item_id is None else moot(row, items[row.work_item_id])
    session.add_all(found)
    return [row for row in found if row.dropped is None]


def _put_off(user: User, row: Notice, at: datetime) -> bool:
    """Date a notice anew that must not be told now: settings have changed since it was dated, or it is late."""
    if row.any_hour:
        return False
    moment = dated(user, row.kind, row.due_at)
    if moment <= at:
        moment = opening(user, at)
    if moment <= at:
        return False
    row.due_at = moment
    return True


def _tell_substitute(session: Session, user: User, rows: Sequence[Notice], at: datetime) -> None:
    """Tell whoever stands in what does not wait for somebody who went away in the meantime."""
    people = {one.name: one for one in session.exec(select(User))} if rows else {}
    found = substitute_for(user.name, people, at).person
    if found is None:
        return
    tell(
        session,
        [
            News(
                found,
                row.kind,
                f"{row.words} ({user.name} is away)",
                f"{row.once_key}:{found}",
                row.work_item_id,
                row.harm,
                row.level,
            )
            for row in rows
        ],
        at,
    )


def _room(session: Session, user: User, at: datetime) -> int | None:
    """How many alerts may still be told today; None: any number."""
    if user.alerts is None:
        return None
    today, tomorrow = day_of(user, at)
    told = select(func.count()).where(
        col(Notice.person) == user.name,
        col(Notice.kind).in_(ALERTS),
        col(Notice.told_at) >= today,
        col(Notice.told_at) < tomorrow,
    )
    return user.alerts - session.exec(told).one()


def _batches(user: User, told: Sequence[Notice]) -> list[list[Notice]]:
    """What is sent together: the digest, and everything else on its own."""
    digest = [row for row in told if user.digest is not None and row.kind not in PRESSING]
    alone = [[row] for row in told if row not in digest]
    return [digest, *alone] if digest else alone
