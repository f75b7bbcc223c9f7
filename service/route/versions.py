"""Policies in the database: published once and never changed, and which of them decide, for whom."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from service.route.absent import absent
from service.route.activation import Activation, Mode, Scope, onlookers, taker
from service.route.canonical import canonical
from service.route.case import Case
from service.route.findings import PolicyWarning
from service.route.in_force import end, for_everyone, in_force, stored
from service.route.policy import Policy
from service.route.policy_document import check
from service.store import audit
from service.store.tables import Policy as PolicyRow
from service.store.tables import PolicyActivation, now

_LOCK = 0x68656566  # any constant: shared by every decision, held alone by an activation
_NUMBERING = 0x68656567  # another: one version is numbered at a time
DEFAULT_POLICY = Path(__file__).with_name("default_policy.yaml")
SYSTEM = "heed"
_EVERYBODY = Scope()
_KEPT: dict[str, Policy] = {}  # by digest, so that no version is rebuilt twice in a process
_KEEPING = Lock()
_MOST_KEPT = 32


class UnknownVersion(Exception):
    """No policy of this version was ever published."""


class OwnPolicy(Exception):
    """Nobody approves their own policy."""


class NotNow(Exception):
    """The activations in force do not allow this."""


@dataclass(frozen=True, slots=True)
class Published:
    """A stored version, and what its author should know about it."""

    version: int
    warnings: tuple[PolicyWarning, ...]


@dataclass(frozen=True, slots=True)
class Active:
    """A policy that decides or looks on, and its version."""

    version: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class Deciding:
    """The policies that decide now: for each record one that is live, and those that only look on."""

    everyone: Active
    in_force: tuple[Activation, ...] = ()
    policies: Mapping[int, Policy] | None = None

    def live(self, case: Case) -> Active:
        """The policy that decides this case: the newest staged one that takes it, else the one for everyone."""
        staged = taker(self.in_force, case)
        return self.everyone if staged is None else self._policy(staged.version)

    def shadows(self, case: Case) -> tuple[Active, ...]:
        """The policies whose plans for this case are stored and have no effect."""
        decides = self.live(case).version
        return tuple(self._policy(version) for version in onlookers(self.in_force, case, decides))

    def _policy(self, version: int) -> Active:
        return Active(version, (self.policies or {})[version])


def publish(
    session: Session, document: bytes | str, topics: Collection[str], *, by: str, comment: str | None = None
) -> Published:
    """Check a policy document and store it as the next version, a draft; it decides nothing until it is activated.

    Raises:
        InvalidPolicy: with every error, its line and column.
    """
    checked = check(document, topics)
    source = document if isinstance(document, str) else document.decode()
    version = add(session, checked.policy, source, by=by, comment=comment)
    return Published(version, (*checked.warnings, *absent(session, checked.policy, source)))


def add(session: Session, policy: Policy, source: str, *, by: str, comment: str | None = None) -> int:
    """Store a checked policy, with the `source` it was read from, as the next version, a draft; its number."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _NUMBERING})
    version = 1 + (session.exec(select(func.max(PolicyRow.version))).one() or 0)
    digest = digest_of(policy)
    session.add(
        PolicyRow(
            version=version,
            name=policy.name,
            document=source,
            tree=policy.canonical,
            digest=digest,
            comment=comment,
            created_by=by,
        )
    )
    audit.record(session, by, "policy.published", str(version), name=policy.name, digest=digest)
    return version


def digest_of(policy: Policy) -> str:
    """SHA-256 (hex) of what a policy says, however its document is laid out."""
    return hashlib.sha256(canonical(policy.canonical).encode()).hexdigest()


def activate(
    session: Session,
    version: int,
    *,
    by: str,
    comment: str | None = None,
    need_approval: bool = False,
    mode: Mode = "live",
    share: float = 1.0,
    scope: Scope = _EVERYBODY,
) -> None:
    """Let a version decide from now on: it waits for decisions under way, and later ones wait for it.

    Live, with neither share nor scope, it decides for everyone: all other live activations end, and shadow ones of
    the same version. With one of them it takes only the records inside, beside the version for everyone. As a shadow
    it decides beside, without effect. An activation ends the earlier one of the same version and mode.

    Raises:
        UnknownVersion: it was never published.
        OwnPolicy: its author may not activate it where approval is needed.
        NotNow: it decides for everyone already, so that there is nothing to try with it.
    """
    alone(session)
    row = _approved(session, version, by, need_approval=need_approval)
    at = now()
    wanted = Activation(version, mode, share, scope, at)
    own = col(PolicyActivation.policy_version) == version
    if wanted.for_everyone:
        end(session, (col(PolicyActivation.mode) == "live") | own, at)
    elif active_version(session) == version:
        raise NotNow(f"Version {version} decides for everyone already: there is nothing to try with it.")
    else:
        end(session, own & (col(PolicyActivation.mode) == mode), at)
    session.add(
        PolicyActivation(
            policy_version=version,
            mode=mode,
            share=share,
            scope=stored(scope),
            from_at=at,
            by=by,
            comment=comment,
            approved_by=by if row.created_by != by else None,
        )
    )
    audit.record(
        session, by, "policy.activated", str(version), comment=comment, mode=mode, share=share, scope=stored(scope)
    )


def deactivate(session: Session, version: int, *, by: str, comment: str | None = None) -> None:
    """End what a version does beside the one for everyone: its staged and its shadow activation.

    Raises:
        UnknownVersion: it was never published.
        NotNow: it decides for everyone, or neither decides nor looks on.
    """
    alone(session)
    _row(session, version)
    own = col(PolicyActivation.policy_version) == version
    if active_version(session) == version:
        raise NotNow(f"Version {version} decides for everyone: activate another one, or roll back.")
    if not end(session, own, now()):
        raise NotNow(f"Version {version} is not in force: there is nothing to end.")
    audit.record(session, by, "policy.deactivated", str(version), comment=comment)


def rollback(session: Session, *, by: str, comment: str | None = None, need_approval: bool = False) -> int:
    """Let the version that decided for everyone before decide for everyone again; its number.

    A second rollback takes the first one back.

    Raises:
        NotNow: no other version ever decided for everyone.
        OwnPolicy: its author may not activate it where approval is needed.
    """
    alone(session)
    before = decided_before(session)
    if before is None:
        raise NotNow("No other version decided for everyone before: there is nothing to go back to.")
    activate(session, before, by=by, comment=comment, need_approval=need_approval)
    return before


def decided_before(session: Session) -> int | None:
    """Which version decided for everyone before the one that does now; None where none did."""
    return session.exec(
        select(PolicyActivation.policy_version)
        .where(for_everyone(), col(PolicyActivation.policy_version) != active_version(session))
        .order_by(col(PolicyActivation.from_at).desc(), col(PolicyActivation.id).desc())
    ).first()


def alone(session: Session) -> None:
    """Wait for decisions under way; later ones wait until the caller's transaction ends."""
    session.execute(text("SET LOCAL lock_timeout = '10s'"))
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _row(session: Session, version: int) -> PolicyRow:
    row = session.get(PolicyRow, version)
    if row is None:
        raise UnknownVersion(f"There is no policy of version {version}.")
    return row


def _approved(session: Session, version: int, by: str, *, need_approval: bool) -> PolicyRow:
    row = _row(session, version)
    if need_approval and row.created_by == by:
        raise OwnPolicy("Nobody approves their own policy: another admin has to activate it.")
    return row


def active_version(session: Session) -> int:
    """Which version decides for everyone now."""
    return session.exec(
        select(PolicyActivation.policy_version).where(for_everyone(), col(PolicyActivation.to_at).is_(None))
    ).one()


def active(session: Session) -> Active:
    """The policy that decides for everyone now; it stays so until the caller's transaction ends."""
    return deciding(session).everyone


def deciding(session: Session) -> Deciding:
    """The policies that decide now; they stay so until the caller's transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK})
    found = in_force(session)
    policies = _fetched(session, {one.version for one in found})
    everyone = next(one.version for one in found if one.for_everyone)
    return Deciding(Active(everyone, policies[everyone]), found, policies)


def fetch(session: Session, version: int) -> Policy:
    """A published version, rebuilt from its tree.

    Raises:
        UnknownVersion: it was never published.
    """
    found = _fetched(session, {version})
    if version not in found:
        raise UnknownVersion(f"There is no policy of version {version}.")
    return found[version]


def _fetched(session: Session, numbers: Collection[int]) -> dict[int, Policy]:
    wanted = col(PolicyRow.version).in_(numbers)
    digests = dict(session.exec(select(PolicyRow.version, PolicyRow.digest).where(wanted)).all())
    return {version: _kept(session, version, digest) for version, digest in digests.items()}


def _kept(session: Session, version: int, digest: str) -> Policy:
    """What a version says, rebuilt once in a process: the digest stands for all of it."""
    policy = _KEPT.get(digest)
    if policy is None:
        policy = Policy.from_canonical(_row(session, version).tree)
        with _KEEPING:
            while len(_KEPT) >= _MOST_KEPT:
                del _KEPT[next(iter(_KEPT))]
            _KEPT[digest] = policy
    return policy


def ensure_default(session: Session, topics: Collection[str]) -> None:
    """Give a fresh database version 1, `default`, and let it decide."""
    if _empty(session):  # looked at before the lock too: whoever just starts must not wait for decisions under way
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if _empty(session):
        published = publish(session, DEFAULT_POLICY.read_text(), topics, by=SYSTEM, comment="shipped with heed")
        activate(session, published.version, by=SYSTEM, comment="shipped with heed")


def _empty(session: Session) -> bool:
    return session.exec(select(func.count()).select_from(PolicyRow)).one() == 0
