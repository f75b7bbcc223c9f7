"""`/sources`: where feedback comes from, how each source stands, and how to push to it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from service.api.dependencies import SessionDep, WiringDep
from service.api.sources import push_address
from service.ingest.backlog import LONGEST, MOST_WAITING
from service.ingest.sources import COUNTED, SourceStanding, standings
from service.pages.render import page
from service.pages.visitor import PageRoute, enter
from service.people.sessions import SignedIn
from service.standing import Amount
from service.store.tables import now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Operator = Annotated[SignedIn, Depends(enter())]
A_PAGE = 50


@router.get("/sources")
def show_sources(
    request: Request,
    parts: WiringDep,
    session: SessionDep,
    visitor: Operator,
    after: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Every source and how it stands."""
    found = standings(session, after=after, limit=A_PAGE + 1)
    shown = found[:A_PAGE]
    return page(
        "sources.html.j2",
        visitor,
        here="/sources",
        sources=shown,
        records=_records,
        following=f"/sources?after={shown[-1].source.name}" if len(found) > A_PAGE else None,
        address=push_address(request, parts),
        most_waiting=MOST_WAITING // 2,
        seconds=LONGEST,
        now=now(),
    )


def _records(standing: SourceStanding) -> str:
    return str(Amount(min(standing.records, COUNTED), standing.records > COUNTED))
