"""A look at the stored records a condition would be true for, while its rule is still being written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session

from service.decisions import case_from
from service.route.case import Case
from service.route.certificates import Gate, ReadBy, resolved
from service.route.expression import Expression
from service.route.program import Program
from service.route.sql import RECORDS, loosened, sql_of
from service.store.tables import now
from service.work.past import looked_at, past_of

MOST_LOOKED_AT = 20_000
_RECORD = (
    "f.id, f.source, f.history, f.received_at, r.body, c.document, c.topics,"
    " c.classifier, c.model_digest, c.calibrator, c.taxonomy, c.preparation"
)


@dataclass(frozen=True, slots=True)
class Preview:
    """How many records of those looked at a condition is true for, and the newest of them, newest first.

    `more` says whether the period holds more records than were looked at, the newest being looked at first.
    """

    matching: int
    looked_at: int
    more: bool
    newest: tuple[UUID, ...]


def preview(
    session: Session,
    tree: Expression,
    thresholds: Mapping[str, Gate],
    since: datetime,
    limit: int = 10,
    most: int = MOST_LOOKED_AT,
) -> Preview:
    """Ask the newest records since a moment (aware, inclusive) that were not withdrawn, as of when each came in.

    Thresholds have the values that their gates give them now.
    The database answers; what only RE2 can tell is asked again here, of the records the rest of the condition allows.
    """
    at = now()
    asked = sql_of(loosened(tree), thresholds, at)
    exact = sql_of(tree, thresholds, at).exact
    seen = (
        "(SELECT * FROM feedback WHERE received_at >= :since AND withdrawn_at IS NULL"
        " ORDER BY received_at DESC, id DESC LIMIT :most)"
    )
    given = {"since": since, "most": most + 1}
    there = int(session.execute(text(f"SELECT count(*) FROM {seen} f"), given).scalar_one())  # noqa: S608 - our own words
    columns = "f.id" if exact else _RECORD
    rows = session.execute(
        text(
            f"SELECT {columns} FROM {seen} f {RECORDS} WHERE {asked.text} ORDER BY f.received_at DESC, f.id DESC"  # noqa: S608 - our own words and parameters
        ),
        {**given, **asked.parameters, "most": most},
    ).all()
    found = [row.id for row in rows] if exact else _confirmed(session, tree, thresholds, at, rows)
    return Preview(len(found), min(there, most), there > most, tuple(found[:limit]))


def _confirmed(
    session: Session, tree: Expression, thresholds: Mapping[str, Gate], at: datetime, rows: Sequence[Row[Any]]
) -> list[UUID]:
    program = Program([tree])
    cases = [
        (
            row.id,
            case_from(row.body, row.document, row.topics, source=row.source, history=row.history, at=row.received_at),
        )
        for row in rows
    ]
    past = past_of(session, [program], cases, {})
    answers = zip(cases, rows, strict=True)
    return [
        feedback_id
        for (feedback_id, case), row in answers
        if program.fires(looked_at(case, row.body, program, past.get(feedback_id)), _values(thresholds, case, row, at))
    ]


def _values(thresholds: Mapping[str, Gate], case: Case, row: Row[Any], at: datetime) -> dict[str, float | None]:
    by = ReadBy.stored(row.classifier, row.model_digest, row.calibrator, row.taxonomy, row.preparation)
    return {name: one.value for name, one in resolved(thresholds, case, by, at).items()}
