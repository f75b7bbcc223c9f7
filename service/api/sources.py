"""`/v1/sources`: where feedback comes from."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from service.api import examples
from service.api.dependencies import LimitDep, SessionDep, StrictRoute, Wiring, WiringDep, allow
from service.api.problems import not_found
from service.ingest.sources import KnownSource, find_source, sources
from service.people.access import Caller

router = APIRouter(prefix="/v1/sources", tags=["sources"], route_class=StrictRoute)
Admin = Annotated[Caller, Depends(allow())]
After = Annotated[str, Query(max_length=64, description="`next` of the page before")]


class SourceOut(BaseModel):
    """A source: where its records are sent to, and when the newest of them came. Secrets are never shown."""

    name: str
    kind: str
    address: str
    settings: dict[str, Any]
    created_at: datetime
    newest_at: datetime | None


class SourcePage(BaseModel):
    """All sources by name, a page at a time."""

    items: list[SourceOut]
    next: str | None


def push_address(request: Request, parts: Wiring) -> str:
    """Where records are sent to, as whoever asks can reach it."""
    return f"{(parts.public_url or str(request.base_url)).rstrip('/')}/v1/feedback"


@router.get("", summary="List sources", responses=examples.answer(200, examples.page(examples.SOURCE)))
def list_sources(
    request: Request, parts: WiringDep, session: SessionDep, _caller: Admin, limit: LimitDep = 50, cursor: After = ""
) -> SourcePage:
    """All sources by name; one comes into being with its first record."""
    found = sources(session, after=cursor, limit=limit + 1)
    following = found[limit - 1].name if len(found) > limit else None
    address = push_address(request, parts)
    return SourcePage(items=[_out(one, address) for one in found[:limit]], next=following)


@router.get("/{name}", summary="Show a source", responses=examples.answer(200, examples.SOURCE))
def get_source(request: Request, parts: WiringDep, session: SessionDep, _caller: Admin, name: str) -> SourceOut:
    """One source."""
    found = find_source(session, name)
    if found is None:
        raise not_found("source")
    return _out(found, push_address(request, parts))


def _out(found: KnownSource, address: str) -> SourceOut:
    return SourceOut(
        name=found.name,
        kind=found.kind,
        address=address,
        settings=dict(found.settings),
        created_at=found.created_at,
        newest_at=found.newest_at,
    )
