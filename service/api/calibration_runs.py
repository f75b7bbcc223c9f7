"""`/v1/calibration/runs`: blind labels judged once, and what they prove or what is missing."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlmodel import select

from calibration.metrics.reliability import ReliabilityBin
from calibration.promise import Promise
from service.api import run_examples as examples
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
from service.api.problems import not_found
from service.lab.runs import run as runs
from service.lab.runs.run_result import (
    Agreement,
    CertifiedThreshold,
    LabelResult,
    Metrics,
    Promised,
    RefusedThreshold,
    RunResult,
)
from service.people.access import Caller
from service.store.lab_tables import CalibrationRun
from service.store.tables import now

router = APIRouter(prefix="/v1/calibration/runs", tags=["calibration"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]
Admin = Annotated[Caller, Depends(allow())]
Name = Annotated[str, Field(min_length=1, max_length=256)]
Share = Annotated[float, Field(ge=0.5, lt=1)]


class PromiseIn(BaseModel):
    """At least `precision` of what passes is right, said with `confidence`."""

    model_config = ConfigDict(extra="forbid")

    precision: Share
    confidence: Share


class RunIn(BaseModel):
    """What to prove: of one label or of all that policies ask about, for one source or for all.

    `comment` is the reason that a certificate will give; `seed` makes a run repeatable to the last digit.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.RUN_ASKED]})

    axis: Name
    label: Name | None = None
    promise: PromiseIn
    source: Name | None = None
    comment: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**53)] | None = None


class RunningOut(BaseModel):
    """A run that has begun."""

    id: UUID


class RunListed(BaseModel):
    """A run in a list; `headline` is null until it is done."""

    id: UUID
    axis: str
    label: str | None
    source: str | None
    promise: Promised
    comment: str | None
    state: Literal["running", "done", "failed"]
    reason: str | None
    headline: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None


class RunOut(RunListed):
    """A run with its result, null until it is done; the four of its parts that are asked for most, by label."""

    thresholds: dict[str, CertifiedThreshold | RefusedThreshold]
    metrics: dict[str, Metrics | None]
    agreement: dict[str, Agreement]
    reliability: dict[str, tuple[ReliabilityBin, ...]]
    result: RunResult | None


@router.post("", status_code=202, summary="Start a calibration run", responses=answer(202, examples.RUNNING))
def create_run(session: SessionDep, caller: Admin, body: RunIn) -> RunningOut:
    """Let a worker judge the blind labels there are; what they prove takes effect, or waits for a second person."""
    promise = Promise(body.promise.precision, body.promise.confidence)
    wanted = runs.Wanted(body.axis, body.label, promise, body.source, body.comment, body.seed)
    row = runs.begin(session, wanted, by=caller.name, at=now())
    session.commit()
    return RunningOut(id=row.id)


@router.get("", summary="List calibration runs", responses=answer(200, page(examples.RUN_LISTED)))
def list_runs(
    session: SessionDep,
    _caller: Supervisor,
    cursor: CursorDep,
    axis: Annotated[str | None, Query(max_length=200)] = None,
    label: Annotated[str | None, Query(max_length=200)] = None,
    limit: LimitDep = 50,
) -> Page[RunListed]:
    """Runs, newest first; those of an axis, or that were asked about one label."""
    query = narrowed(select(CalibrationRun), (CalibrationRun.axis, axis), (CalibrationRun.label, label))
    newest = newest_first(query, CalibrationRun.created_at, CalibrationRun.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.created_at, row.id))
    return Page(items=[_listed(row) for row in rows], next=following)


@router.get("/{run_id}", summary="Show a calibration run", responses=answer(200, examples.RUN))
def get_run(session: SessionDep, _caller: Supervisor, run_id: UUID) -> RunOut:
    """What was proved and what was refused, with everything it rests on but the words."""
    row = session.get(CalibrationRun, run_id)
    if row is None:
        raise not_found("calibration run")
    result = RunResult.model_validate(row.result) if row.result is not None else None
    labels: tuple[LabelResult, ...] = result.labels if result else ()
    return RunOut(
        **_listed(row).model_dump(),
        thresholds={one.label: one.threshold for one in labels},
        metrics={one.label: one.metrics for one in labels},
        agreement={one.label: one.agreement for one in labels},
        reliability={one.label: one.reliability for one in labels},
        result=result,
    )


def _listed(row: CalibrationRun) -> RunListed:
    promise = Promised(precision=row.precision, confidence=row.confidence)
    own = row.model_dump(include=set(RunListed.model_fields))
    return RunListed(**own, promise=promise, headline=row.result["headline"] if row.result else None)
