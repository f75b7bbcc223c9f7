"""What a policy looks at beyond the answer itself: the words, and the items made for the customer before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from service.route.case import Case
from service.route.program import Program
from service.work.revising import Evidence

MOST = 1_000  # items of a kind, of one customer
Past = Mapping[str, tuple[datetime, ...]]

_QUERY = text(
    "SELECT wanted.customer, wanted.kind, item.id, item.created_at"
    " FROM (SELECT customer, kind FROM unnest(CAST(:customers AS varchar[])) AS customer,"
    " unnest(CAST(:kinds AS varchar[])) AS kind) AS wanted"
    " CROSS JOIN LATERAL (SELECT id, created_at FROM work_item"
    " WHERE work_item.customer = wanted.customer AND work_item.kind = wanted.kind AND status <> 'retracted'"
    " AND (CAST(:since AS timestamptz) IS NULL OR created_at >= :since)"
    " ORDER BY created_at DESC LIMIT :most) AS item"
)


def past_of(
    session: Session, programs: Collection[Program], cases: Sequence[tuple[UUID, Case]], evidence: Evidence
) -> dict[UUID, Past]:
    """When items of the kinds that these policies look at were made for each record's customer, newest first.

    Those that the record itself has made do not count, nor does what was retracted. One query, and none where no
    policy looks back.
    """
    kinds = sorted({kind for program in programs for kind in program.past_kinds})
    customers = {case.customer.id for _, case in cases if case.customer.id is not None}
    if not kinds or not customers:
        return {}
    days = [program.past_days for program in programs if program.past_kinds]
    since = None if None in days else min(case.now for _, case in cases) - timedelta(days=max(filter(None, days)))
    found: dict[tuple[str, str], list[tuple[UUID, datetime]]] = {}
    for customer, kind, item, at in session.execute(
        _QUERY, {"customers": sorted(customers), "kinds": kinds, "since": since, "most": MOST}
    ):
        found.setdefault((customer, kind), []).append((item, at))
    past: dict[UUID, Past] = {}
    for feedback_id, case in cases:
        if case.customer.id is not None:
            own = {row.work_item_id for row in evidence.get(feedback_id, {}).values()}
            past[feedback_id] = {
                kind: tuple(at for item, at in found.get((case.customer.id, kind), ()) if item not in own)
                for kind in kinds
            }
    return past


def looked_at(case: Case, body: Mapping[str, Any], program: Program, past: Past | None) -> Case:
    """The case with the words and the past, as far as this policy looks at them."""
    if program.needs_text:
        case = replace(case, text=tuple(answer["text"] for answer in body.get("verbatims", [])))
    if program.past_kinds and past is not None:
        case = replace(case, past={kind: past[kind] for kind in sorted(program.past_kinds)})
    return case
