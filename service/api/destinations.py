"""`/v1/destinations`: the systems where people work, set up by an admin."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from uuid_utils.compat import uuid7

from service.api import examples
from service.api.dependencies import LimitDep, SessionDep, StrictRoute, WiringDep, allow
from service.api.problems import Problem, not_found
from service.deliver.catalog import check_settings, new_secret, open_destination
from service.deliver.destination import Call, Rejected, TryLater
from service.deliver.outbox import open_secrets, seal_secrets, send_waiting
from service.people.access import Caller
from service.store import audit
from service.store.tables import Destination, now
from service.store.vault import Unreadable, Vault

router = APIRouter(prefix="/v1/destinations", tags=["destinations"], route_class=StrictRoute)
Admin = Annotated[Caller, Depends(allow())]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Secrets = Annotated[list[SecretStr], Field(max_length=4)]


class DestinationIn(BaseModel):
    """A destination to set up. Without `secrets` heed makes one, where the kind allows it, and shows it once."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.DESTINATION]})

    name: Name
    kind: Annotated[str, Field(max_length=64)]
    secrets: Secrets = []
    settings: dict[str, Any] = {}


class DestinationPatch(BaseModel):
    """What to change; `enabled: true` brings back a destination that was switched off."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.CHANGE]})

    secrets: Secrets | None = None
    settings: dict[str, Any] | None = None
    enabled: bool | None = None


class DestinationOut(BaseModel):
    """A destination; `secret` only in the answer that made it."""

    name: str
    kind: str
    address: str | None
    secret: str | None = None
    settings: dict[str, Any]
    enabled: bool
    disabled_reason: str | None


class DestinationPage(BaseModel):
    """All destinations by name, a page at a time."""

    items: list[DestinationOut]
    next: str | None


class TestOut(BaseModel):
    """Whether a test call went through, and what came back if not."""

    ok: bool
    detail: str | None


def _out(row: Destination, secret: str | None = None) -> DestinationOut:
    return DestinationOut(
        name=row.name,
        kind=row.kind,
        address=row.settings.get("base_url"),
        secret=secret,
        settings=row.settings,
        enabled=row.disabled_at is None,
        disabled_reason=row.disabled_reason,
    )


def _found(row: Destination | None) -> Destination:
    if row is None:
        raise not_found("destination")
    return row


def _locked(session: Session, name: str) -> Destination:
    return _found(session.get(Destination, name, with_for_update=True))


def _secrets(vault: Vault, row: Destination) -> list[str]:
    try:
        return open_secrets(vault, row)
    except Unreadable as error:
        raise Problem(409, f"The secrets of '{row.name}' cannot be read: set them again. {error}") from error


@router.post(
    "",
    status_code=201,
    summary="Set up a destination",
    responses=examples.answer(201, examples.DESTINATION_MADE, conflict="A destination of that name is set up already"),
)
def create_destination(parts: WiringDep, session: SessionDep, caller: Admin, body: DestinationIn) -> DestinationOut:
    """Set up a destination; deliveries that waited for it start at once."""
    given = [secret.get_secret_value() for secret in body.secrets]
    made = None if given else new_secret(body.kind)
    secrets = given if made is None else [made]
    check_settings(body.kind, body.settings, secrets, parts.http)
    sealed = seal_secrets(parts.vault, body.name, secrets)
    row = Destination(name=body.name, kind=body.kind, settings=body.settings, secrets=sealed.data, key_id=sealed.key_id)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        detail = f"A destination named '{body.name}' is already set up: change it with PATCH."
        raise Problem(409, detail) from error
    send_waiting(session, body.name)
    audit.record(session, caller.name, "destination.created", body.name, kind=body.kind)
    session.commit()
    return _out(row, made)


@router.get("", summary="List destinations", responses=examples.answer(200, examples.page(examples.DESTINATION_SHOWN)))
def list_destinations(session: SessionDep, _caller: Admin, limit: LimitDep = 50, cursor: str = "") -> DestinationPage:
    """All destinations by name; secrets are never shown again."""
    query = select(Destination).where(col(Destination.name) > cursor).order_by(col(Destination.name))
    rows = session.exec(query.limit(limit + 1)).all()
    following = rows[limit - 1].name if len(rows) > limit else None
    return DestinationPage(items=[_out(row) for row in rows[:limit]], next=following)


@router.get("/{name}", summary="Show a destination", responses=examples.answer(200, examples.DESTINATION_SHOWN))
def get_destination(session: SessionDep, _caller: Admin, name: str) -> DestinationOut:
    """One destination."""
    return _out(_found(session.get(Destination, name)))


@router.patch(
    "/{name}",
    summary="Change a destination",
    responses=examples.answer(200, examples.DESTINATION_SHOWN, conflict="Its stored secrets cannot be read"),
)
def change_destination(
    parts: WiringDep, session: SessionDep, caller: Admin, name: str, body: DestinationPatch
) -> DestinationOut:
    """Change settings or secrets, or switch on again; what is not given stays."""
    row = _locked(session, name)
    secrets = [one.get_secret_value() for one in body.secrets] if body.secrets else _secrets(parts.vault, row)
    settings = row.settings if body.settings is None else body.settings
    check_settings(row.kind, settings, secrets, parts.http)
    sealed = seal_secrets(parts.vault, name, secrets)
    row.settings, row.secrets, row.key_id = settings, sealed.data, sealed.key_id
    if body.enabled is not None:
        row.disabled_at = None if body.enabled else now()
        row.disabled_reason = None if body.enabled else f"switched off by {caller.name}"
    session.add(row)
    if row.disabled_at is None:
        send_waiting(session, name)
    changed = sorted(body.model_dump(exclude_none=True))
    audit.record(session, caller.name, "destination.changed", name, changed=changed)
    session.commit()
    return _out(row)


@router.delete("/{name}", status_code=204, summary="Remove a destination")
def delete_destination(session: SessionDep, caller: Admin, name: str) -> None:
    """Remove a destination; deliveries to it wait until one of that name is set up again."""
    session.delete(_locked(session, name))
    audit.record(session, caller.name, "destination.deleted", name)
    session.commit()


@router.post(
    "/{name}/test",
    summary="Test a destination",
    responses=examples.answer(200, examples.TRIED, conflict="Its stored secrets cannot be read"),
)
def try_destination(parts: WiringDep, session: SessionDep, _caller: Admin, name: str) -> TestOut:
    """Make a harmless call and say whether it went through."""
    row = _found(session.get(Destination, name))
    destination = open_destination(row.kind, row.settings, _secrets(parts.vault, row), parts.http)
    session.rollback()  # no connection is held while somebody else's machine takes its time
    at = now()
    try:
        destination.test(Call(str(uuid7()), at, at))
    except (Rejected, TryLater) as refusal:
        return TestOut(ok=False, detail=refusal.detail)
    return TestOut(ok=True, detail=None)
