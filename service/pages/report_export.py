"""A run to take along: one page that needs nothing else, and every count as JSON."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from markupsafe import Markup
from sqlmodel import Session

from service.api.dependencies import SessionDep
from service.api.problems import Problem, not_found
from service.lab.runs.last_run import LabelFinding, result_of
from service.lab.runs.run_result import RunResult
from service.lab.watch.light_words import title
from service.pages.render import asset, page
from service.pages.report_figures import figures
from service.pages.visitor import PageRoute, enter
from service.people.sessions import SignedIn
from service.store.lab_tables import CalibrationRun

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]


@router.get("/reports/runs/{run_id}/result.json")
def send_result(session: SessionDep, _visitor: Visitor, run_id: UUID) -> Response:
    """Every figure and every count, so that anybody can compute it again; no customer's words."""
    row, result = _finished(session, run_id)
    told = json.dumps(result.model_dump(mode="json"), ensure_ascii=False, indent=2, allow_nan=False)
    return Response(told, media_type="application/json", headers=_attached(row, "json"))


@router.get("/reports/runs/{run_id}/report.html")
def send_report(session: SessionDep, visitor: Visitor, run_id: UUID) -> Response:
    """The run as a page that needs nothing else: no script, nothing fetched."""
    row, result = _finished(session, run_id)
    told = page(
        "report_export.html.j2",
        visitor,
        run=row,
        result=result,
        drawn=[
            (one, title(result.axis, one.label), figures(LabelFinding(row, result, one), None, None, certified=False))
            for one in result.labels
        ],
        sheet=Markup(_sheet()),  # noqa: S704 (our own style sheet)
    )
    told.headers.update(_attached(row, "html"))
    return told


def _finished(session: Session, run_id: UUID) -> tuple[CalibrationRun, RunResult]:
    row = session.get(CalibrationRun, run_id)
    if row is None:
        raise not_found("run")
    if row.result is None:
        raise Problem(409, "This run has found nothing yet: look again when it is done.")
    result = result_of(row)
    if result is None:
        raise Problem(409, "Another version of heed wrote this run down: start a new one to have it as a page.")
    return row, result


def _sheet() -> str:
    found = asset("heed.css")
    return "" if found is None else found[0].decode()


def _attached(row: CalibrationRun, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="heed-{row.axis}-{row.created_at:%Y-%m-%d}.{ending}"'}
