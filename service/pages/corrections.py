"""`/corrections`: where people said that a routing was wrong: how often of which rule, in whose words; a file of it."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session

from service.api.dependencies import CursorDep, Position, SessionDep, newest_first, paged
from service.csv_out import cell, utc
from service.lab.labels.corrections import Correction, Counted, corrections, counts, events
from service.pages.render import page
from service.pages.visitor import PageRoute, enter
from service.people.sessions import SignedIn
from service.store.tables import WorkItemEvent, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
IN_A_FILE = 10_000
_PAGE = 50
_BATCH = 200
_COLUMNS = (
    "When",
    "Who",
    "What they said",
    "About",
    "It should be",
    "Why",
    "Rule",
    "Source",
    "The customer's words",
    "Feedback",
    "Item",
)


@router.get("/corrections")
def show_corrections(session: SessionDep, visitor: Visitor, cursor: CursorDep) -> Response:
    """How often what was called wrong, and every one of them, newest first."""
    found, following = _some(session, cursor, _PAGE)
    return page(
        "corrections.html.j2",
        visitor,
        here="/inbox",
        counted=[(one, said_of(one)) for one in counts(session)],
        lines=[(one, said(one)) for one in found],
        more=f"/corrections?cursor={following}" if following else None,
        in_a_file=IN_A_FILE,
        now=now(),
    )


@router.get("/corrections.csv")
def download_corrections(session: SessionDep, _visitor: Visitor) -> Response:
    """The newest of them as a file for a spreadsheet; nothing in it can run as a formula."""
    out = StringIO()
    table = csv.writer(out)
    table.writerow(_COLUMNS)
    for one in _filed(session):
        table.writerow(map(cell, _cells(one)))
    headers = {"Content-Disposition": 'attachment; filename="corrections.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def said(one: Correction) -> str:
    """What somebody said, in words: `sentiment negative is wrong, it should be positive`, `yes to late-parcels`."""
    if one.kind == "review":
        return "in review: " + "; ".join(f"{'yes' if answer else 'no'} to {rule}" for rule, answer in one.rules.items())
    right = f", it should be {one.right}" if one.right else ""
    return f"{_about(one.axis, one.label)} is wrong{right}"


def said_of(one: Counted) -> str:
    """What was said so often, in words."""
    if one.said_yes is None:
        return f"{_about(one.axis, one.label)} is wrong"
    return "in review a person said yes" if one.said_yes else "in review a person said no"


def _about(axis: str | None, label: str | None) -> str:
    return " ".join(word for word in (axis, label) if word) or "the routing"


def _some(session: Session, cursor: Position | None, limit: int) -> tuple[list[Correction], str | None]:
    newest = newest_first(events(), WorkItemEvent.at, WorkItemEvent.work_item_id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.at, row.work_item_id))
    return corrections(session, rows), following


def _filed(session: Session) -> Iterator[Correction]:
    place: Position | None = None
    for _ in range(IN_A_FILE // _BATCH):
        found, following = _some(session, place, _BATCH)
        yield from found
        session.expunge_all()
        if not following:
            return
        place = Position(found[-1].at, found[-1].item_id)


def _cells(one: Correction) -> list[str]:
    return [
        utc(one.at),
        one.by,
        said(one),
        ":".join(word for word in (one.axis, one.label) if word),
        one.right or "",
        one.comment or "",
        one.rule,
        one.source,
        one.text,
        str(one.feedback_id),
        str(one.item_id),
    ]
