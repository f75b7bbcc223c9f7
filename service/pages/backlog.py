"""`/backlog`: what customers ask for, in their words and by its weight; one item with everything behind it; a file."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from models.prediction import DocumentClassification, SpanOut
from service.api.backlog import MOST_EVIDENCE, BacklogItemOut, EvidenceOut, backlog_out
from service.api.dependencies import SessionDep
from service.api.problems import Problem
from service.csv_out import cell, utc
from service.deliver.plain_text import one_line
from service.pages import item_forms
from service.pages.backlog_order import Wanted, find, tags
from service.pages.correction_form import beliefs_said
from service.pages.glance import LONGEST, Glance, glance
from service.pages.inbox_filters import sources
from service.pages.item_forms import Filled, InvalidForm
from service.pages.marks import Quote, legend, quote_of
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.pages.words import STATUSES, status
from service.people.sessions import SignedIn
from service.review import happens, take
from service.store.tables import Classification, Decision, Feedback, WorkItem, among, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor", "product"))]
Supervisor = Annotated[SignedIn, Depends(enter("supervisor"))]
WantedDep = Annotated[Wanted, Query()]
IN_A_FILE = 10_000  # items
_BATCH = 200
_ASKS = frozenset({("type", "suggestion")})
_ORDERS = (("score", "Highest score"), ("newest", "Newest"), ("value", "Highest account value"))
_STATUSES = (("", "Still open"), ("all", "All"), *STATUSES.items())


@dataclass(frozen=True, slots=True)
class Line:
    """An item in the list, and what is asked for in a customer's words."""

    item: BacklogItemOut
    asks: Glance | None


@dataclass(frozen=True, slots=True)
class Heard:
    """A record behind an item: its answers with marks."""

    feedback_id: UUID
    source: str
    received_at: datetime
    quotes: list[Quote]


@router.get("/backlog")
def show_backlog(session: SessionDep, visitor: Visitor, wanted: WantedDep) -> Response:
    """The list, in the order and with the filters of the address."""
    rows, after = find(session, wanted)
    return page(
        "backlog.html.j2",
        visitor,
        here="/backlog",
        wanted=wanted,
        lines=_lines(session, backlog_out(session, rows)),
        following=wanted.address(after=after) if after else None,
        orders=_ORDERS,
        statuses=_STATUSES,
        tags=[("", "Anything"), *((tag, tag) for tag in tags(session, wanted.tag))],
        sources=[("", "Any source"), *((name, name) for name in sources(session))],
        in_a_file=IN_A_FILE,
        now=now(),
    )


@router.get("/backlog.csv")
def download_backlog(session: SessionDep, _visitor: Visitor, wanted: WantedDep) -> Response:
    """The same list as a file for a spreadsheet; nothing in it can run as a formula."""
    out = StringIO()
    table = csv.writer(out)
    table.writerow(_COLUMNS)
    for line in _filed(session, wanted):
        table.writerow(map(cell, _cells(line)))
    headers = {"Content-Disposition": 'attachment; filename="backlog.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/backlog/{item_id}")
def show_item(session: SessionDep, visitor: Visitor, item_id: UUID, done: str = "") -> Response:
    """One item: the words behind it, what its score is made of, where it came from."""
    return _shown(session, visitor, _idea(session.get(WorkItem, item_id)), said=item_forms.done(done, None))


@router.post("/backlog/{item_id}")
def say_wrong(session: SessionDep, visitor: Supervisor, form: FormDep, item_id: UUID) -> Response:
    """Keep that its routing is wrong; without a word of why, everything typed stays."""
    row = _idea(take(session, item_id))
    if form.text("type") != "wrong_routing":
        raise Problem(422, "An idea can only be called wrong here: open it again and use its button.")
    try:
        event = item_forms.read_event(form, visitor.zone, [])
    except InvalidForm as wrong:
        return _shown(session, visitor, row, item_forms.filled(form).with_errors(wrong.errors), status=422)
    happens(session, row, event, actor=visitor.caller.name, at=now())
    session.commit()
    return RedirectResponse(f"/backlog/{item_id}?done={event.type}", 303)


def _idea(row: WorkItem | None) -> WorkItem:
    if row is None or row.kind != "backlog_item":
        raise Problem(404, "There is no such idea in the backlog: the address may be mistyped.")
    return row


def _shown(
    session: Session, visitor: SignedIn, row: WorkItem, filled: Filled | None = None, status: int = 200, said: str = ""
) -> Response:
    (item,) = backlog_out(session, [row])
    spans = _spans(session, {one.feedback_id for one in item.evidence})
    return page(
        "backlog_item.html.j2",
        visitor,
        status=status,
        here="/backlog",
        said=said,
        item=item,
        asks=_lines(session, [item])[0].asks,
        heard=_heard(item.evidence, spans),
        beliefs=legend([span for found in spans.values() for span in found]),
        most=MOST_EVIDENCE,
        full=row,
        works=visitor.caller.may("supervisor", reading=False),
        filled=filled or Filled(),
        beliefs_said=beliefs_said(_read(session, row)),
        now=now(),
    )


def _read(session: Session, row: WorkItem) -> DocumentClassification | None:
    """What the record that made an item was read as when it was decided on."""
    made = session.get_one(Decision, row.decision_id)
    read = session.exec(
        select(Classification.document)
        .where(col(Classification.feedback_id) == made.feedback_id, col(Classification.revision) == made.revision)
        .order_by(col(Classification.created_at).desc())
    ).first()
    return DocumentClassification.model_validate(read) if read else None


def _lines(session: Session, items: Sequence[BacklogItemOut]) -> list[Line]:
    newest = [item.evidence[0].feedback_id for item in items if item.evidence]
    spans = _spans(session, newest)
    return [Line(item, _asks(item.evidence, spans)) for item in items]


def _asks(evidence: Sequence[EvidenceOut], spans: dict[UUID, list[SpanOut]]) -> Glance | None:
    if not evidence:
        return None
    first = evidence[0].feedback_id
    texts = [one.text for one in evidence if one.feedback_id == first]
    return glance(texts, [span.model_dump() for span in spans.get(first, [])], _ASKS)


def _heard(evidence: Sequence[EvidenceOut], spans: dict[UUID, list[SpanOut]]) -> list[Heard]:
    found = []
    for _, group in groupby(evidence, key=lambda one: one.feedback_id):
        answers = list(group)
        first = answers[0]
        quotes = [
            quote_of(one.question, one.text, [s for s in spans.get(one.feedback_id, []) if s.verbatim == place])
            for place, one in enumerate(answers)
        ]
        found.append(Heard(first.feedback_id, first.source, first.received_at, quotes))
    return found


def _spans(session: Session, ids: Sequence[UUID] | set[UUID]) -> dict[UUID, list[SpanOut]]:
    """What was marked in the newest answers of these records."""
    found = session.exec(
        select(Classification.feedback_id, col(Classification.document)["spans"])
        .join(Feedback, col(Feedback.id) == col(Classification.feedback_id))
        .where(among(Classification.feedback_id, ids), col(Classification.revision) == col(Feedback.revision))
        .order_by(col(Classification.created_at))
    )
    return {feedback_id: [SpanOut.model_validate(span) for span in spans] for feedback_id, spans in found}


_COLUMNS = ("Idea", "Tags", "State", "Score", "Voices", "Account value", "Newest voice", "Source", "Made", "Id")


def _filed(session: Session, wanted: Wanted) -> Iterator[Line]:
    for _ in range(IN_A_FILE // _BATCH):
        rows, after = find(session, wanted, _BATCH)
        yield from _lines(session, backlog_out(session, rows))
        session.expunge_all()
        if not after:
            return
        wanted = wanted.model_copy(update={"after": after})


def _cells(line: Line) -> list[str]:
    item, asks = line.item, line.asks
    return [
        f"{asks.before}{asks.marked}{asks.after}" if asks else one_line(item.title, LONGEST),
        ", ".join(item.tags),
        status(item.status),
        f"{item.score:.2f}",
        str(item.factors.voices),
        f"{item.factors.account_value:.2f}",
        utc(item.factors.newest),
        item.evidence[0].source if item.evidence else "",
        utc(item.created_at),
        str(item.id),
    ]
