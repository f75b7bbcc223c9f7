"""Policies in the database: published once and never changed, and which of them decides."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import func, text
from sqlmodel import Session, col, select, update

from service.route.canonical import canonical
from service.route.findings import PolicyWarning
from service.route.policy import Policy
from service.route.policy_document import check
from service.store import audit
from service.store.tables import Policy as PolicyRow
from service.store.tables import PolicyActivation, now

_LOCK = 0x68656566  # any constant: shared by every decision, held alone by an activation
DEFAULT_POLICY = Path(__file__).with_name("default_policy.yaml")
SYSTEM = "heed"


class UnknownVersion(Exception):
    """No policy of this version was ever published."""


class OwnPolicy(Exception):
    """Nobody approves their own policy."""


@dataclass(frozen=True, slots=True)
class Published:
    """A stored version, and what its author should know about it."""

    version: int
    warnings: tuple[PolicyWarning, ...]


@dataclass(frozen=True, slots=True)
class Active:
    """The policy that decides, and its version."""

    version: int
    policy: Policy


def publish(
    session: Session, document: bytes | str, topics: Collection[str], *, by: str, comment: str | None = None
) -> Published:
    """Check a policy document and store it as the next version; it decides nothing until it is activated.

    Raises:
        InvalidPolicy: with every error, its line and column.
    """
    checked = check(document, topics)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    version = 1 + (session.exec(select(func.max(PolicyRow.version))).one() or 0)
    source = document if isinstance(document, str) else document.decode()
    tree = checked.policy.canonical
    digest = hashlib.sha256(canonical(tree).encode()).hexdigest()
    session.add(
        PolicyRow(
            version=version,
            name=checked.policy.name,
            document=source,
            tree=tree,
            digest=digest,
            comment=comment,
            created_by=by,
        )
    )
    audit.record(session, by, "policy.published", str(version), name=checked.policy.name, digest=digest)
    return Published(version, tuple(checked.warnings))


def activate(
    session: Session, version: int, *, by: str, comment: str | None = None, need_approval: bool = False
) -> None:
    """Let a version decide everything from now on: it waits for decisions under way, and later ones wait for it.

    Raises:
        UnknownVersion: it was never published.
        OwnPolicy: its author may not activate it where approval is needed.
    """
    session.execute(text("SET LOCAL lock_timeout = '10s'"))
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    row = session.get(PolicyRow, version)
    if row is None:
        raise UnknownVersion(f"There is no policy of version {version}.")
    if need_approval and row.created_by == by:
        raise OwnPolicy("Nobody approves their own policy: another admin has to activate it.")
    at = now()
    session.execute(
        update(PolicyActivation)
        .where(col(PolicyActivation.mode) == "live", col(PolicyActivation.to_at).is_(None))
        .values(to_at=at)
    )
    approved_by = by if row.created_by != by else None
    session.add(PolicyActivation(policy_version=version, from_at=at, by=by, comment=comment, approved_by=approved_by))
    audit.record(session, by, "policy.activated", str(version), comment=comment)


def active_version(session: Session) -> int:
    """Which version decides now."""
    query = select(PolicyActivation.policy_version).where(
        col(PolicyActivation.mode) == "live", col(PolicyActivation.to_at).is_(None)
    )
    return session.exec(query).one()


def active(session: Session) -> Active:
    """The policy that decides now; it stays so until the caller's transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK})
    version = active_version(session)
    return Active(version, fetch(session, version))


def fetch(session: Session, version: int) -> Policy:
    """A published version, rebuilt from its tree.

    Raises:
        UnknownVersion: it was never published.
    """
    tree = session.exec(select(PolicyRow.tree).where(col(PolicyRow.version) == version)).first()
    if tree is None:
        raise UnknownVersion(f"There is no policy of version {version}.")
    return _rebuilt(canonical(tree))


@lru_cache(maxsize=32)
def _rebuilt(tree: str) -> Policy:
    return Policy.from_canonical(json.loads(tree))


def ensure_default(session: Session, topics: Collection[str]) -> None:
    """Give a fresh database version 1, `default`, and let it decide."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if session.exec(select(func.count()).select_from(PolicyRow)).one() == 0:
        published = publish(session, DEFAULT_POLICY.read_text(), topics, by=SYSTEM, comment="shipped with heed")
        activate(session, published.version, by=SYSTEM, comment="shipped with heed")
