"""Signing in to the pages: a password for a cookie, the cookie for a caller; what is stored opens nothing."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, literal
from sqlmodel import Session, col, select

from service.people.access import Caller
from service.people.passwords import matches
from service.store import audit
from service.store.tables import Notice, User, UserSession, now
from service.store.vault import Vault

LASTS = timedelta(hours=12)  # a working day; then everybody signs in again
_COUNTED = 100  # notices that were not seen; of more nobody cares how many
_FREE_FAILURES = 5  # wrong passwords in a row before an account has to wait
_LONGEST_WAIT = timedelta(minutes=15)
_WRONG = "The name or the password is wrong."


class WrongPassword(Exception):
    """No such name, or not its password: nobody learns which."""


class Locked(Exception):
    """Too many wrong passwords in a row; `seconds` says how long the account waits."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passwords: wait {seconds} seconds, then try again.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sits at the page, in which time zone, and the token that each of their forms has to carry.

    `news` is how much they were told and have not seen, counted up to 100; `cards` what waits to be labelled by them.
    """

    caller: Caller
    csrf: str
    zone: str | None = None
    news: int = 0
    cards: int = 0


def sign_in(session: Session, vault: Vault, name: str, password: str) -> str:
    """Check a password and begin a session; the answer is the cookie, of which only a digest is kept.

    The caller commits, also on an error: failures are counted.

    Raises:
        WrongPassword: unknown name, wrong password, or an account that was closed.
        Locked: five wrong ones in a row; every further one doubles the wait, up to 15 minutes.
        TooBusy: too many passwords are being checked at once.
    """
    user = session.exec(select(User).where(col(User.name) == name, col(User.active))).first()
    _refuse_locked(user)
    right = matches(password, user.password_hash if user else None)
    if user is None:
        raise WrongPassword(_WRONG)
    session.refresh(user, with_for_update=True)  # of guesses made side by side each one counts
    _refuse_locked(user)
    if not right:
        _count_failure(session, user)
        raise WrongPassword(_WRONG)
    user.failures, user.locked_until = 0, None
    at, token = now(), secrets.token_urlsafe(32)
    session.add(user)
    session.exec(delete(UserSession).where(col(UserSession.expires_at) < at))
    session.add(UserSession(digest=_digest(vault, token), user_id=user.id, created_at=at, expires_at=at + LASTS))
    audit.record(session, user.name, "user.signed_in", user.name)
    return token


def _refuse_locked(user: User | None) -> None:
    if user is not None and user.locked_until is not None and user.locked_until > (at := now()):
        raise Locked(int((user.locked_until - at).total_seconds()) + 1)


def _count_failure(session: Session, user: User) -> None:
    user.failures += 1
    beyond = user.failures - _FREE_FAILURES
    if beyond >= 0:
        user.locked_until = now() + min(timedelta(seconds=30 * 2 ** min(beyond, 10)), _LONGEST_WAIT)
        audit.record(session, user.name, "user.locked", user.name, failures=user.failures)
    session.add(user)


def signed_in(session: Session, vault: Vault, token: str) -> SignedIn | None:
    """Who this cookie belongs to; None for an unknown, ended or expired one."""
    unseen = (
        select(literal(1))
        .where(col(Notice.person) == col(User.name), col(Notice.told_at).is_not(None), col(Notice.seen_at).is_(None))
        .limit(_COUNTED)
    )
    news = select(func.count()).select_from(unseen.correlate(User).lateral()).scalar_subquery()
    found = session.exec(
        select(User, news)
        .join(UserSession, col(UserSession.user_id) == col(User.id))
        .where(
            col(UserSession.digest) == _digest(vault, token),
            col(UserSession.expires_at) > now(),
            col(User.active),
        )
    ).first()
    if found is None:
        return None
    user, unseen_notices = found
    return SignedIn(Caller(user.name, frozenset(user.roles)), vault.digest(f"csrf {token}"), user.zone, unseen_notices)


def sign_out(session: Session, vault: Vault, token: str) -> None:
    """End a session, if it is one; a cookie kept somewhere opens nothing any more."""
    who = signed_in(session, vault, token)
    session.exec(delete(UserSession).where(col(UserSession.digest) == _digest(vault, token)))
    if who is not None:
        audit.record(session, who.caller.name, "user.signed_out", who.caller.name)


def _digest(vault: Vault, token: str) -> str:
    return vault.digest(f"session {token}")
