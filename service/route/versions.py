"""Policies in the database: published once and never changed, and which of them decides."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy import func, text
from sqlmodel import Session, col, select, update

from service.route.canonical import canonical
from service.route.case import Case
from service.route.findings import PolicyWarning
from service.route.policy import Named, People, Policy, Split
from service.route.policy_document import check
from service.store import audit
from service.store.tables import Destination, PolicyActivation, User, now
from service.store.tables import Policy as PolicyRow

_LOCK = 0x68656566  # any constant: shared by every decision, held alone by an activation
_NUMBERING = 0x68656567  # another: one version is numbered at a time
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


@dataclass(frozen=True, slots=True)
class Deciding:
    """The policies that decide now: for a record one that is live, and those that only look on."""

    everyone: Active

    def live(self, case: Case) -> Active:
        """The policy that decides this case."""
        return self.everyone

    def shadows(self, case: Case) -> tuple[Active, ...]:
        """The policies whose plans for this case are stored and have no effect."""
        return ()


def publish(
    session: Session, document: bytes | str, topics: Collection[str], *, by: str, comment: str | None = None
) -> Published:
    """Check a policy document and store it as the next version; it decides nothing until it is activated.

    Raises:
        InvalidPolicy: with every error, its line and column.
    """
    checked = check(document, topics)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _NUMBERING})
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
    return Published(version, (*checked.warnings, *_not_there_yet(session, checked.policy, source)))


def _not_there_yet(session: Session, policy: Policy, source: str) -> Iterator[PolicyWarning]:
    """Destinations and people the policy names and this installation does not know: it works, and something waits."""
    known = set(session.exec(select(Destination.name)))
    for name in sorted({name for rule in policy.rules for name in rule.then.deliver} - known):
        yield _warning(source, name, f"destination {name} is not set up: what is sent there waits until it is")
    accounts = set(session.exec(select(User.name)))
    for name in sorted(people_of(policy) - accounts):
        yield _warning(source, name, f"{name} has no account: items carry the name, and nobody can sign in to see them")


def people_of(policy: Policy) -> set[str]:
    """Everybody whom a group of the policy names."""
    return {name for group in policy.groups.values() for name in _people(group)}


def _people(group: People | Named | Split) -> Iterator[str]:
    match group:
        case People():
            yield from group.people
        case Split():
            for part in (*group.values.values(), group.default):
                yield from _people(part)


def _warning(source: str, word: str, detail: str) -> PolicyWarning:
    """A warning at the first place the document names the word."""
    found = re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", source)
    before = source[: found.start() if found else 0]
    return PolicyWarning(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1, detail)


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


def deciding(session: Session) -> Deciding:
    """The policies that decide now; they stay so until the caller's transaction ends."""
    return Deciding(active(session))


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
    if _empty(session):  # looked at before the lock too: whoever just starts must not wait for decisions under way
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if _empty(session):
        published = publish(session, DEFAULT_POLICY.read_text(), topics, by=SYSTEM, comment="shipped with heed")
        activate(session, published.version, by=SYSTEM, comment="shipped with heed")


def _empty(session: Session) -> bool:
    return session.exec(select(func.count()).select_from(PolicyRow)).one() == 0
