"""Who may do what: six roles, and API keys of which only a keyed digest is kept."""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from sqlmodel import Session, select

from service.store import audit
from service.store.database import Database
from service.store.tables import ApiKey, User, now
from service.store.vault import Vault

Role = Literal["source", "supervisor", "product", "reviewer", "auditor", "admin"]
ROLES: tuple[str, ...] = get_args(Role)


class InvalidKeyRequest(Exception):
    """A key cannot be made as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a key carries one role, a person may have several. `source` binds a source key to one source."""

    name: str
    roles: frozenset[str]
    source: str | None = None

    def may(self, *roles: str, reading: bool) -> bool:
        """Whether one of these roles is theirs; `admin` may everything, `auditor` read everything."""
        return bool(self.roles & permitted(*roles, reading=reading))


def permitted(*roles: str, reading: bool) -> frozenset[str]:
    """Every role that may do what these roles may."""
    return frozenset({*roles, "admin", *(["auditor"] if reading else [])})


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with its secret, which is shown this once."""

    id: UUID
    name: str
    role: str
    key: str


def create_key(
    session: Session, vault: Vault, *, name: str, role: str, source: str | None = None, actor: str
) -> NewKey:
    """Make an API key: 32 random bytes behind a prefix by which leaked keys can be found.

    Raises:
        InvalidKeyRequest: unknown role, a name that is empty or reads like another, no name of a source, or one given
            to another role than `source`.
    """
    if role not in ROLES:
        raise InvalidKeyRequest(f"There is no role {role!r}: choose one of {', '.join(ROLES)}.")
    if source is not None and role != "source":
        raise InvalidKeyRequest(f"Only a key of role 'source' can be bound to a source, not one of role {role!r}.")
    if source is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", source):
        raise InvalidKeyRequest(f"No source can be called {source!r}: its name has 1 to 64 of A-Z a-z 0-9 . _ -")
    if not 1 <= len(name) <= 128 or not name.isprintable() or name != name.strip():
        raise InvalidKeyRequest("A key's name has 1 to 128 printable characters: say who or what will use it.")
    if (other := other_spelling(session, name)) is not None:
        raise InvalidKeyRequest(f"There is a {other!r} already: write it so, or choose another name.")
    key = f"heed_live_{secrets.token_urlsafe(32)}"
    row = ApiKey(name=name, digest=vault.digest(key), role=role, source=source)
    session.add(row)
    audit.record(session, actor, "key.created", str(row.id), name=name, role=role, source=source)
    return NewKey(row.id, name, role, key)


def folded(name: str) -> str:
    r"""A name as people read it: whoever is called the same but for width, case and spacing is one person.

    >>> folded("\uff21da  Byron") == folded("ada byron")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def other_spelling(session: Session, name: str) -> str | None:
    """A name of a key or an account that reads like this one and is written otherwise."""
    names = {*session.exec(select(ApiKey.name)), *session.exec(select(User.name))}
    return next((one for one in sorted(names) if one != name and folded(one) == folded(name)), None)


def revoke_key(session: Session, key_id: UUID, *, actor: str) -> bool:
    """Make a key useless from the next request on; False where there is no such live key."""
    row = session.get(ApiKey, key_id)
    if row is None or row.revoked_at is not None:
        return False
    row.revoked_at = now()
    session.add(row)
    audit.record(session, actor, "key.revoked", str(key_id), name=row.name)
    return True


def caller(database: Database, vault: Vault, key: str) -> Caller | None:
    """Who holds this key at this moment; None for an unknown or revoked one."""
    row = database.lookups.row(_HOLDER, [vault.digest(key)])
    if row is None:
        return None
    name, role, source = row
    return Caller(name, frozenset({role}), source)


_HOLDER = "SELECT name, role, source FROM api_key WHERE digest = %s AND revoked_at IS NULL"
