"""News of the lab: what those in charge, and those who label, are told once."""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from service.store.tables import Notice, User
from service.work import notices
from service.work.notices import News

IN_CHARGE = frozenset({"admin", "supervisor"})
AGREE = frozenset({"admin"})
REVIEWERS = frozenset({"reviewer"})


def tell(session: Session, who: Collection[str], kind: str, words: str, key: str, at: datetime) -> bool:
    """Tell everybody with one of these roles, once for each key; whether that was news. The caller commits."""
    people = session.exec(select(User).where(col(User.active))).all()
    news = [News(one.name, kind, words, f"{key}:{one.name}") for one in people if set(one.roles) & set(who)]
    noted = select(Notice.id).where(col(Notice.once_key).in_([one.once_key for one in news]))
    if session.exec(noted.limit(1)).first() is not None:
        return False
    notices.tell(session, news, at)
    return bool(news)
