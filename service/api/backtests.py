"""`/v1/backtests`: what a version of the policy would have made of a past period, beside another."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, select

from service.api import backtest_examples as examples
from service.api.dependencies import (
    CursorDep,
    LimitDep,
    Page,
    SessionDep,
    StrictRoute,
    allow,
    narrowed,
    newest_first,
    paged,
)
from service.api.examples import answer, page
from service.api.problems import Problem, not_found
from service.backtest import job
from service.backtest.cases import Chosen, cases
from service.backtest.result import Change, Result
from service.ingest.record import Moment
from service.people.access import Caller
from service.store.tables import Backtest

router = APIRouter(tags=["backtests"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]
Admin = Annotated[Caller, Depends(allow())]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Kind = Literal["follow_up", "ticket", "quality_case", "backlog_item", "review"]
Minutes = Annotated[int, Field(ge=1, le=10_000)]


class BacktestIn(BaseModel):
    """The period: records received from `since` to before `until`, and with what to compare.

    Without `against` it is the version that decides now; `handling` is how many minutes of work an item takes.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.BACKTEST_ASKED]})

    since: Moment
    until: Moment
    against: Version | None = None
    handling: dict[Kind, Minutes] = Field(default_factory=dict)


class BacktestingOut(BaseModel):
    """A backtest that has begun."""

    id: UUID


class BacktestListed(BaseModel):
    """A backtest in a list: how far it has come, in records."""

    id: UUID
    policy_version: int
    against_version: int
    since: datetime
    until: datetime
    state: Literal["running", "done", "failed", "cancelled"]
    reason: str | None
    records: int
    done: int
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class BacktestOut(BacktestListed):
    """A backtest, with its result when it is done."""

    result: Result | None


class CaseOut(BaseModel):
    """An item that appears, vanishes, or is made by another rule or for another person; `words` begin the answer."""

    feedback_id: UUID
    change: Change
    kind: Kind
    rule: str
    owner: str | None
    day: date
    words: str | None


@router.post(
    "/v1/policies/{version}/backtest",
    status_code=202,
    summary="Backtest a policy",
    responses=answer(202, examples.BACKTESTING),
)
def create_backtest(session: SessionDep, caller: Admin, version: Version, body: BacktestIn) -> BacktestingOut:
    """Let a worker find out what this version would have made of a past period; nothing is changed by it."""
    handling = {str(kind): minutes for kind, minutes in body.handling.items()}
    wanted = job.Wanted(version, body.since, body.until, body.against, handling)
    try:
        row = job.begin(session, wanted, by=caller.name)
    except job.InvalidBacktest as error:
        detail = str(error)
        raise Problem(422, detail, errors=[{"pointer": f"/{error.field}", "detail": detail}]) from error
    job.defer(session, row.id)
    session.commit()
    return BacktestingOut(id=row.id)


@router.get("/v1/backtests", summary="List backtests", responses=answer(200, page(examples.BACKTEST_LISTED)))
def list_backtests(
    session: SessionDep,
    _caller: Supervisor,
    cursor: CursorDep,
    policy_version: Annotated[Version | None, Query()] = None,
    limit: LimitDep = 50,
) -> Page[BacktestListed]:
    """Backtests, newest first; of one version where `policy_version` is given."""
    query = narrowed(select(Backtest), (Backtest.policy_version, policy_version))
    newest = newest_first(query, Backtest.created_at, Backtest.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.created_at, row.id))
    shown = [BacktestListed(**row.model_dump(include=set(BacktestListed.model_fields))) for row in rows]
    return Page(items=shown, next=following)


@router.get("/v1/backtests/{backtest_id}", summary="Show a backtest", responses=answer(200, examples.BACKTEST))
def get_backtest(session: SessionDep, _caller: Supervisor, backtest_id: UUID) -> BacktestOut:
    """How far a backtest has come, and its result when it is done."""
    return _shown(_row(session, backtest_id))


@router.post(
    "/v1/backtests/{backtest_id}/cancel",
    summary="Cancel a backtest",
    responses=answer(200, examples.BACKTEST_CANCELLED, conflict="It has ended already"),
)
def cancel_backtest(session: SessionDep, caller: Admin, backtest_id: UUID) -> BacktestOut:
    """End a backtest that runs; the worker stops within two seconds."""
    _row(session, backtest_id)
    cancelled = job.cancel(session, backtest_id, by=caller.name)
    session.commit()
    row = _row(session, backtest_id)
    session.refresh(row)
    if not cancelled:
        raise Problem(409, f"This backtest has ended already: it is {row.state}.")
    return _shown(row)


@router.get(
    "/v1/backtests/{backtest_id}/cases",
    summary="List the cases behind a backtest",
    responses=answer(200, page(examples.BACKTEST_CASE)),
)
def list_cases(
    session: SessionDep,
    _caller: Supervisor,
    backtest_id: UUID,
    change: Annotated[Change | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
    rule: Annotated[str | None, Query(max_length=200)] = None,
    owner: Annotated[str | None, Query(max_length=200, description="empty: of nobody")] = None,
    day: Annotated[date | None, Query(description="of UTC, when the record was received")] = None,
    cursor: Annotated[int, Query(ge=0, lt=2**63, description="`next` of the page before")] = 0,
    limit: LimitDep = 50,
) -> Page[CaseOut]:
    """What differs, oldest record first; each number of the result counts some of these."""
    _row(session, backtest_id)
    found = cases(session, backtest_id, Chosen(change, kind, rule, owner, day), after=cursor, limit=limit + 1)
    following = str(found[limit - 1].number) if len(found) > limit else None
    shown = [CaseOut.model_validate(one, from_attributes=True) for one in found[:limit]]
    return Page(items=shown, next=following)


def _row(session: Session, backtest_id: UUID) -> Backtest:
    row = session.get(Backtest, backtest_id)
    if row is None:
        raise not_found("backtest")
    return row


def _shown(row: Backtest) -> BacktestOut:
    return BacktestOut(**row.model_dump(include=set(BacktestOut.model_fields)))
