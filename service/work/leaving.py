"""Somebody leaves: they can no longer sign in, and their open items go to whoever takes them instead."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from service.people.users import InvalidUser, locked, sign_out_everywhere
from service.route.versions import SYSTEM
from service.store import audit
from service.store.tables import User, WorkItem
from service.work import handing
from service.work.escalation import everybody, surroundings
from service.work.events import Assign, Decline
from service.work.lifecycle import UNRESOLVED
from service.work.notices import News, tell


class LastAdmin(InvalidUser):
    """Without them nobody could administer heed any more."""


def deactivate(session: Session, *, name: str, actor: str, at: datetime) -> int:
    """Close an account: its sessions end, and each open item goes to the fallback owner of its group or policy.

    Where a policy names none an admin gets it, and all admins are told. The caller commits.

    Returns:
        how many items went to somebody else.

    Raises:
        NobodyCalled: nobody has that name.
        LastAdmin: no other admin could sign in.
    """
    user = locked(session, name)
    if not user.active:
        return 0
    admins = _admins(session, name)
    if "admin" in user.roles and not admins:
        raise LastAdmin(f"{name} is the only admin who can sign in: make another first (`heed users add`).")
    user.active = False
    session.add(user)
    sign_out_everywhere(session, user)
    items = _pass_all_on(session, user, actor, at)
    audit.record(session, actor, "user.deactivated", name, items=len(items))
    if items:
        _tell_admins(session, user, items, admins, at)
    return len(items)


def left_behind(session: Session) -> Sequence[str]:
    """Whose account is closed while open items are theirs: a decision does not wait for an account that is closing."""
    theirs = select(WorkItem.id).where(col(WorkItem.owner) == col(User.name), col(WorkItem.status).in_(UNRESOLVED))
    return session.exec(select(User.name).where(~col(User.active), theirs.exists()).order_by(col(User.name))).all()


def pass_on(session: Session, name: str, at: datetime) -> int:
    """Pass on what came to somebody while their account was being closed, as `deactivate` does; how many items."""
    user = locked(session, name)
    items = [] if user.active else _pass_all_on(session, user, SYSTEM, at)
    if items:
        _tell_admins(session, user, items, _admins(session, name), at)
        audit.record(session, SYSTEM, "user.items_passed_on", name, items=len(items))
    return len(items)


def _pass_all_on(session: Session, user: User, actor: str, at: datetime) -> list[WorkItem]:
    """Give somebody's open items to others; those that somebody else has now."""
    people = everybody(session)
    return [row for row in _open_items(session, user.name) if _pass_on(session, row, user, people, actor, at)]


def _admins(session: Session, name: str) -> list[str]:
    found = select(User.name).where(col(User.active), col(User.roles).contains(["admin"]), col(User.name) != name)
    return list(session.exec(found.order_by(col(User.name))))


def _open_items(session: Session, name: str) -> Sequence[WorkItem]:
    concerned = (col(WorkItem.owner) == name) | (col(WorkItem.offered_to) == name)
    query = select(WorkItem).where(concerned, col(WorkItem.status).in_(UNRESOLVED))
    return session.exec(query.order_by(col(WorkItem.id)).with_for_update(key_share=True)).all()


def _pass_on(session: Session, row: WorkItem, user: User, people: Mapping[str, User], actor: str, at: datetime) -> bool:
    """Whether the item has another owner now; one that was only offered stays where it is."""
    gone = f"{user.name} can no longer sign in."
    if row.offered_to == user.name:
        handing.happens(session, row, Decline(type="decline", comment=gone), actor=user.name, at=at)
    instead = surroundings(session, row, people, at).instead() if row.owner == user.name else None
    if instead is None:
        return False
    handing.happens(session, row, Assign(type="assign", owner=instead, comment=gone), actor=actor, at=at)
    return True


def _tell_admins(session: Session, user: User, items: Sequence[WorkItem], admins: Sequence[str], at: datetime) -> None:
    number = "1 open item has" if len(items) == 1 else f"{len(items)} open items have"
    words = f"{user.name} can no longer sign in: {number} gone to others. Take {user.name} out of the policy's groups."
    left = f"owner_gone:{user.id}:{at.isoformat()}"
    tell(session, [News(name, "owner_gone", words, f"{left}:{name}", items[0].id) for name in admins], at)
