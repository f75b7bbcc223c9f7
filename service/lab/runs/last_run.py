"""What the newest run found about a label."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlmodel import Session, col, select

from service.lab.runs.run_result import LabelResult, RunResult
from service.store.lab_tables import CalibrationRun

log = structlog.get_logger(__name__)

_LOOKED_AT = 20  # runs, the newest: a label that none of them judged has no report yet


@dataclass(frozen=True, slots=True)
class LabelFinding:
    """A finished run, and what it found about one label."""

    run: CalibrationRun
    result: RunResult
    label: LabelResult


def last_run(session: Session, axis: str, label: str) -> LabelFinding | None:
    """The newest finished run that judged the label; None where there is none."""
    rows = session.exec(
        select(CalibrationRun)
        .where(
            col(CalibrationRun.axis) == axis,
            col(CalibrationRun.state) == "done",
            col(CalibrationRun.label).is_(None) | (col(CalibrationRun.label) == label),
        )
        .order_by(col(CalibrationRun.created_at).desc(), col(CalibrationRun.id).desc())
        .limit(_LOOKED_AT)
    )
    return next((found for row in rows for found in _judged(row, label)), None)


def judged_by(session: Session, run_id: UUID, label: str) -> LabelFinding | None:
    """What this run found about the label; None where it judged it not."""
    row = session.get(CalibrationRun, run_id)
    return next(_judged(row, label), None) if row else None


def result_of(row: CalibrationRun) -> RunResult | None:
    """What a run found; None where it has found nothing yet, or another version of heed wrote it down otherwise."""
    try:
        return None if row.result is None else RunResult.model_validate(row.result)
    except ValidationError:
        log.warning("run.unreadable", run=str(row.id))
        return None


def _judged(row: CalibrationRun, label: str) -> Iterator[LabelFinding]:
    result = result_of(row)
    if result is not None:
        yield from (LabelFinding(row, result, one) for one in result.labels if one.label == label)
