"""`/v1/people` and `/v1/notices`: people's settings, kept by an admin, and what people were told."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel
from sqlmodel import col, select

from service.api import people_examples as examples
from service.api.dependencies import CursorDep, LimitDep, Page, SessionDep, StrictRoute, allow, newest_first, paged
from service.api.examples import answer, page
from service.api.problems import not_found
from service.people.access import Caller
from service.people.availability import away
from service.people.preferences import Preferences, change, hours_as_text
from service.store.tables import Notice, User, now
from service.work.notices import see

router = APIRouter(prefix="/v1", tags=["people"], route_class=StrictRoute)
Admin = Annotated[Caller, Depends(allow())]
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]
After = Annotated[str, Query(max_length=128, description="`next` of the page before")]
Wanted = Annotated[Preferences, Body(openapi_examples={"settings": {"value": examples.PREFERENCES}})]


class PersonOut(BaseModel):
    """Somebody with an account, and their settings; `away` says whether they are absent now."""

    name: str
    roles: list[str]
    active: bool
    away: bool
    created_at: datetime
    manager: str | None
    zone: str | None
    hours: dict[str, list[str]] | None
    absent_from: datetime | None
    absent_until: datetime | None
    substitute: str | None
    destination: str | None
    digest: str | None
    alerts: int | None


class PersonPage(BaseModel):
    """Everybody by name, a page at a time."""

    items: list[PersonOut]
    next: str | None


class NoticeOut(BaseModel):
    """Something somebody is told: from `due_at` on, and since `told_at` once it was.

    `dropped` says why it never will be: it came to nothing while it waited for their hours.
    """

    id: UUID
    person: str
    kind: str
    words: str
    level: int | None
    work_item_id: UUID | None
    created_at: datetime
    due_at: datetime
    told_at: datetime | None
    dropped: str | None
    seen_at: datetime | None
    acknowledged_at: datetime | None
    delivery_id: UUID | None


def _person(row: User) -> PersonOut:
    settings: dict[str, Any] = row.model_dump(include=set(Preferences.model_fields) - {"hours"})
    hours = None if row.hours is None else hours_as_text(row.hours)
    return PersonOut(
        name=row.name,
        roles=row.roles,
        active=row.active,
        away=away(row, now()),
        created_at=row.created_at,
        hours=hours,
        **settings,
    )


@router.get("/people", summary="List people", responses=answer(200, page(examples.PERSON)))
def list_people(session: SessionDep, _caller: Admin, limit: LimitDep = 50, cursor: After = "") -> PersonPage:
    """Everybody with an account, by name, with their settings; never their passwords."""
    query = select(User).where(col(User.name) > cursor).order_by(col(User.name)).limit(limit + 1)
    found = session.exec(query).all()
    following = found[limit - 1].name if len(found) > limit else None
    return PersonPage(items=[_person(row) for row in found[:limit]], next=following)


@router.patch("/people/{name}", summary="Change somebody's settings", responses=answer(200, examples.PERSON))
def change_person(session: SessionDep, caller: Admin, name: str, wanted: Wanted) -> PersonOut:
    """Change where and when somebody is told things, who manages them and who stands in for them.

    What is left out stays as it is; null takes it away. Without `hours` somebody may be told at any time; without
    `digest` they are told one by one; without `alerts` of all new work at once.
    """
    row = change(session, name, wanted, by=caller.name)
    session.commit()
    return _person(row)


@router.get("/notices", summary="List what people were told", responses=answer(200, page(examples.NOTICE)))
def list_notices(
    session: SessionDep,
    _caller: Supervisor,
    cursor: CursorDep,
    limit: LimitDep = 50,
    person: Annotated[str | None, Query(max_length=128)] = None,
) -> Page[NoticeOut]:
    """What people were told, and what waits to be told, newest first."""
    query = select(Notice)
    if person is not None:
        query = query.where(col(Notice.person) == person)
    newest = newest_first(query, Notice.created_at, Notice.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.created_at, row.id))
    return Page(items=[NoticeOut(**row.model_dump()) for row in rows], next=following)


@router.post(
    "/notices/{notice_id}/seen",
    summary="Note that somebody has seen what they were told",
    responses=answer(200, {**examples.NOTICE, "seen_at": "2026-11-20T10:05:00Z"}),
)
def see_notice(session: SessionDep, _caller: Supervisor, notice_id: UUID) -> NoticeOut:
    """Seen once, seen for good: a second time changes nothing."""
    row = see(session, notice_id, now())
    if row is None:
        raise not_found("notice")
    session.commit()
    return NoticeOut(**row.model_dump())
