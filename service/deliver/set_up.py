"""Setting up, changing, removing and trying out destinations: what every way to an installation shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from uuid_utils.compat import uuid7

from service.deliver.catalog import check_settings, new_secret, open_destination
from service.deliver.destination import Call, Rejected, TryLater
from service.deliver.http import Client
from service.deliver.outbox import open_secrets, seal_secrets, send_waiting
from service.store import audit
from service.store.tables import Destination, now
from service.store.vault import Unreadable, Vault


class Taken(Exception):
    """A destination of this name is set up already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A destination named '{name}' is already set up: change it with PATCH.")
        self.name = name


class SecretsUnreadable(Exception):
    """A destination's stored secrets were sealed under another key, or altered; the message says what to do."""


@dataclass(frozen=True)
class Change:
    """What is to change; None stays as it is. `enabled` switches on again, or off."""

    secrets: Sequence[str] | None = None
    settings: Mapping[str, Any] | None = None
    enabled: bool | None = None

    def named(self) -> list[str]:
        """What it changes, for the audit chain."""
        return sorted(name for name, value in vars(self).items() if value is not None)


def all_destinations(session: Session) -> Sequence[Destination]:
    """Every destination, by name."""
    return session.exec(select(Destination).order_by(col(Destination.name))).all()


def set_up(
    session: Session,
    vault: Vault,
    http: Client,
    *,
    name: str,
    kind: str,
    settings: Mapping[str, Any],
    secrets: Sequence[str],
    actor: str,
) -> tuple[Destination, str | None]:
    """Make a destination, and a secret where none was given and its kind allows it; what waited for it starts.

    Returns:
        the row, and the secret of our making: nobody can ask for it again.

    Raises:
        InvalidDestination: it could not be opened.
        Taken: there is one of this name.
    """
    made = None if secrets else new_secret(kind)
    used = secrets if made is None else [made]
    check_settings(kind, settings, used, http)
    sealed = seal_secrets(vault, name, used)
    row = Destination(name=name, kind=kind, settings=dict(settings), secrets=sealed.data, key_id=sealed.key_id)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Taken(name) from error
    send_waiting(session, name)
    audit.record(session, actor, "destination.created", name, kind=kind)
    return row, made


def change(session: Session, vault: Vault, http: Client, row: Destination, wanted: Change, *, actor: str) -> None:
    """Change a destination that is locked; what waited for it starts, unless it is switched off.

    One that cannot work can always be switched off.

    Raises:
        InvalidDestination: it could not be opened with this.
        SecretsUnreadable: its secrets are needed, and cannot be read.
    """
    if wanted != Change(enabled=False):
        secrets = wanted.secrets or readable_secrets(vault, row)
        settings = row.settings if wanted.settings is None else dict(wanted.settings)
        check_settings(row.kind, settings, secrets, http)
        sealed = seal_secrets(vault, row.name, secrets)
        row.settings, row.secrets, row.key_id = settings, sealed.data, sealed.key_id
    if wanted.enabled is not None:
        row.disabled_at = None if wanted.enabled else now()
        row.disabled_reason = None if wanted.enabled else f"switched off by {actor}"
    session.add(row)
    if row.disabled_at is None:
        send_waiting(session, row.name)
    audit.record(session, actor, "destination.changed", row.name, changed=wanted.named())


def remove(session: Session, row: Destination, *, actor: str) -> None:
    """Remove a destination that is locked; deliveries to it wait until one of that name is set up again."""
    session.delete(row)
    audit.record(session, actor, "destination.deleted", row.name)


def try_out(vault: Vault, http: Client, row: Destination) -> str | None:
    """Make a harmless call; None where it went through, else what came back. Hold no connection meanwhile.

    Raises:
        SecretsUnreadable, InvalidDestination: no call can be made.
    """
    destination = open_destination(row.kind, row.settings, readable_secrets(vault, row), http)
    at = now()
    try:
        destination.test(Call(str(uuid7()), at, at))
    except (Rejected, TryLater) as refusal:
        return refusal.detail
    return None


def readable_secrets(vault: Vault, row: Destination) -> list[str]:
    """A destination's secrets in clear.

    Raises:
        SecretsUnreadable: they were sealed under another key, or altered.
    """
    try:
        return open_secrets(vault, row)
    except Unreadable as error:
        raise SecretsUnreadable(f"The secrets of '{row.name}' cannot be read: set them again. {error}") from error
