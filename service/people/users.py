"""People with an account: made by an admin at the command line, each with one role or several."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlmodel import Session, col, select

from service.people.access import ROLES, other_spelling
from service.people.passwords import hashed
from service.store import audit
from service.store.tables import User, UserSession


class InvalidUser(Exception):
    """An account cannot be made or changed as asked; the message says why."""


class NobodyCalled(InvalidUser):
    """Nobody has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is nobody called {name!r}: `heed users list` shows who there is.")


def add_user(session: Session, *, name: str, roles: Sequence[str], password: str, actor: str) -> User:
    """Make an account.

    Raises:
        InvalidUser: the name is taken or unusable, or a role is none.
        WeakPassword: too short or too long.
    """
    if not 1 <= len(name) <= 128 or not name.isprintable() or name != name.strip():
        raise InvalidUser("A name has 1 to 128 printable characters, without spaces around it.")
    wrong = [role for role in roles if role not in ROLES]
    if wrong or not roles:
        said = f"There is no role {wrong[0]!r}" if wrong else "Somebody without a role may do nothing"
        raise InvalidUser(f"{said}: choose from {', '.join(ROLES)}.")
    if session.exec(select(User).where(col(User.name) == name)).first() is not None:
        raise InvalidUser(f"There is already somebody called {name!r}: choose another name.")
    if (other := other_spelling(session, name)) is not None:
        raise InvalidUser(f"There is a {other!r} already: write it so, or choose another name.")
    row = User(name=name, roles=list(dict.fromkeys(roles)), password_hash=hashed(password))
    session.add(row)
    audit.record(session, actor, "user.created", name, roles=row.roles)
    return row


def set_password(session: Session, *, name: str, password: str, actor: str) -> None:
    """Give somebody another password: they are signed out everywhere, and an account that had to wait is open again.

    Raises:
        NobodyCalled: nobody has that name.
        WeakPassword: too short or too long.
    """
    row = locked(session, name)
    row.password_hash, row.failures, row.locked_until = hashed(password), 0, None
    session.add(row)
    sign_out_everywhere(session, row)
    audit.record(session, actor, "user.password_set", name)


def activate(session: Session, *, name: str, actor: str) -> User:
    """Let somebody sign in again.

    Raises:
        NobodyCalled: nobody has that name.
    """
    row = locked(session, name)
    if not row.active:
        row.active, row.failures, row.locked_until = True, 0, None
        session.add(row)
        audit.record(session, actor, "user.activated", name)
    return row


def locked(session: Session, name: str) -> User:
    """An account, held until the transaction ends.

    Raises:
        NobodyCalled: nobody has that name.
    """
    row = session.exec(select(User).where(col(User.name) == name).with_for_update()).first()
    if row is None:
        raise NobodyCalled(name)
    return row


def sign_out_everywhere(session: Session, user: User) -> None:
    """End all sessions of somebody."""
    session.exec(delete(UserSession).where(col(UserSession.user_id) == user.id))


def list_users(session: Session) -> Sequence[User]:
    """Everybody with an account, by name."""
    return session.exec(select(User).order_by(col(User.name))).all()
