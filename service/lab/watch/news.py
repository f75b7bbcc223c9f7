"""News of the lab: what those in charge, and those who label, are told once."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from service.store.tables import Notice, User
from service.work import notices
from service.work.notices import News

IN_CHARGE = frozenset({"admin", "supervisor"})
REVIEWERS = frozenset({"reviewer"})


def tell(session: Session, who: Collection[str], kind: str, words: str, key: str, at: datetime) -> bool:
    """Tell everybody with one of these roles, once for each key; whether that was news. The caller commits."""
    noted = select(Notice.id).where(col(Notice.once_key).startswith(f"{key}:", autoescape=True))
    if session.exec(noted.limit(1)).first() is not None:
        return False
    people = session.exec(select(User).where(col(User.active))).all()
    told = [News(one.name, kind, words, f"{key}:{one.name}") for one in people if set(one.roles) & set(who)]
    notices.tell(session, told, at)
    return bool(told)
