"""`/v1/destinations`: the systems where people work, set up by an admin."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictBool
from sqlmodel import Session, col, select

from service.api import examples
from service.api.dependencies import LimitDep, SessionDep, StrictRoute, WiringDep, allow
from service.api.problems import not_found
from service.deliver.set_up import Change, change, remove, set_up, try_out
from service.people.access import Caller
from service.store.tables import Destination

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
    enabled: StrictBool | None = None


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


def find_destination(session: Session, name: str) -> Destination:
    """A destination by its name; 404 where there is none."""
    return _there(session.get(Destination, name))


def lock_destination(session: Session, name: str) -> Destination:
    """The same, held until the transaction ends."""
    return _there(session.get(Destination, name, with_for_update=True))


def _there(row: Destination | None) -> Destination:
    if row is None:
        raise not_found("destination")
    return row


def _clear(secrets: list[SecretStr] | None) -> list[str] | None:
    return None if secrets is None else [secret.get_secret_value() for secret in secrets]


@router.post(
    "",
    status_code=201,
    summary="Set up a destination",
    responses=examples.answer(201, examples.DESTINATION_MADE, conflict="A destination of that name is set up already"),
)
def create_destination(parts: WiringDep, session: SessionDep, caller: Admin, body: DestinationIn) -> DestinationOut:
    """Set up a destination; deliveries that waited for it start at once."""
    row, made = set_up(
        session,
        parts.vault,
        parts.http,
        name=body.name,
        kind=body.kind,
        settings=body.settings,
        secrets=_clear(body.secrets) or [],
        actor=caller.name,
    )
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
    return _out(find_destination(session, name))


@router.patch(
    "/{name}",
    summary="Change a destination",
    responses=examples.answer(200, examples.DESTINATION_SHOWN, conflict="Its stored secrets cannot be read"),
)
def change_destination(
    parts: WiringDep, session: SessionDep, caller: Admin, name: str, body: DestinationPatch
) -> DestinationOut:
    """Change settings or secrets, or switch on again; what is not given stays."""
    row = lock_destination(session, name)
    wanted = Change(_clear(body.secrets), body.settings, body.enabled)
    change(session, parts.vault, parts.http, row, wanted, actor=caller.name)
    session.commit()
    return _out(row)


@router.delete("/{name}", status_code=204, summary="Remove a destination")
def delete_destination(session: SessionDep, caller: Admin, name: str) -> None:
    """Remove a destination; deliveries to it wait until one of that name is set up again."""
    remove(session, lock_destination(session, name), actor=caller.name)
    session.commit()


@router.post(
    "/{name}/test",
    summary="Test a destination",
    responses=examples.answer(200, examples.TRIED, conflict="Its stored secrets cannot be read"),
)
def try_destination(parts: WiringDep, session: SessionDep, _caller: Admin, name: str) -> TestOut:
    """Make a harmless call and say whether it went through."""
    row = find_destination(session, name)
    session.expunge(row)
    session.rollback()  # no connection is held while somebody else's machine takes its time
    refusal = try_out(parts.vault, parts.http, row)
    return TestOut(ok=refusal is None, detail=refusal)
