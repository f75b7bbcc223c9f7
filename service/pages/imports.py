"""`/imports`: files of feedback, looked at with somebody before they are taken in, and how far each has come."""

import csv
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, BinaryIO
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import or_
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from service.api.dependencies import CursorDep, Position, SessionDep, Wiring, WiringDep, newest_first, paged
from service.api.problems import Problem, not_found
from service.csv_out import cell
from service.ingest import rehearsal
from service.ingest.file_layout import UnreadableFile
from service.ingest.importing import ERRORS_KEPT, look_at
from service.ingest.record import is_source_name
from service.ingest.sources import sources
from service.pages.file_fields import chosen, columns_of, field_of, shown_rows
from service.pages.render import page
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.store.tables import Import, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Importer = Annotated[SignedIn, Depends(enter("source"))]

A_PAGE = 50
SHOWN_ERRORS = 100
DONE: Mapping[str, str] = {
    "thrown_away": "Thrown away: nothing of the file was kept.",
    "tried": "Read again with this mapping.",
    "started": "The import has begun.",
    "begun": "This file has been begun, or thrown away, already.",
}


def _mine(visitor: SignedIn, row: Import) -> bool:
    """What waits shows customers' words: to who sent it, and to whoever may read everything."""
    return row.state != rehearsal.WAITING or row.created_by == visitor.caller.name or _reads_all(visitor)


def _reads_all(visitor: SignedIn) -> bool:
    return visitor.caller.may(reading=True)


def _found(session: Session, visitor: SignedIn, import_id: UUID) -> Import:
    row = session.get(Import, import_id)
    if row is None or not _mine(visitor, row):
        raise not_found("import")
    return row


@router.get("/imports")
def show_imports(
    session: SessionDep,
    visitor: Importer,
    cursor: CursorDep,
    source: Annotated[str, Query(max_length=64)] = "",
    done: str = "",
) -> Response:
    """Files of before, and a form for the next one."""
    return _list(session, visitor, source=source, cursor=cursor, said=DONE.get(done, ""))


def _list(
    session: Session,
    visitor: SignedIn,
    *,
    status: int = 200,
    source: str = "",
    cursor: Position | None = None,
    said: str = "",
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    query = select(Import)
    if source:
        query = query.where(col(Import.source) == source)
    if not _reads_all(visitor):
        query = query.where(or_(col(Import.state) != rehearsal.WAITING, col(Import.created_by) == visitor.caller.name))
    newest = newest_first(query, Import.created_at, Import.id, cursor, A_PAGE)
    rows, following = paged(session.exec(newest).all(), A_PAGE, lambda row: (row.created_at, row.id))
    where = urlencode({"source": source, "cursor": following} if source else {"cursor": following})
    return page(
        "imports.html.j2",
        visitor,
        status=status,
        here="/imports",
        said=said,
        imports=rows,
        running=any(row.state == "running" for row in rows),
        following=f"/imports?{where}" if following else None,
        source=source,
        sources=[one.name for one in sources(session)],
        acts=visitor.caller.may("source", reading=False),
        typed=typed or {"source": source},
        wrong=wrong or {},
        now=now(),
    )


@router.post("/imports")
def send_file(parts: WiringDep, session: SessionDep, visitor: Importer, form: FormDep) -> Response:
    """Keep a file and show how it would be understood; nothing of it is feedback yet."""
    typed = form.given("source", "history")
    sent = form.file("file")
    wrong = {} if sent is not None else {"file": "Choose a file: CSV, Excel (.xlsx) or NDJSON."}
    if not is_source_name(typed.get("source", "")):
        wrong["source"] = "A name of 1 to 64 letters, digits, dots, underscores and hyphens is needed here."
    if sent is not None and not wrong:
        try:
            kept = _keep(session, parts, visitor, sent.file, sent.filename or "", typed)
        except (UnreadableFile, rehearsal.TooManyFiles) as error:
            wrong["file"] = str(error)
        else:
            return RedirectResponse(f"/imports/{kept}", 303)
    return _list(session, visitor, status=422, typed=typed, wrong=wrong)


def _keep(
    session: Session, parts: Wiring, visitor: SignedIn, sent: BinaryIO, name: str, typed: Mapping[str, str]
) -> UUID:
    with sent, NamedTemporaryFile(prefix="heed-upload-") as file:
        shutil.copyfileobj(sent, file, 1_000_000)
        file.flush()
        path = Path(file.name)
        asked = look_at(path, name, source=typed["source"], mapping=None, history="history" in typed)
        kept = rehearsal.keep(session, parts.vault, asked, path, by=visitor.caller.name)
        session.commit()
    return kept.id


@router.get("/imports/{import_id}")
def show_import(parts: WiringDep, session: SessionDep, visitor: Importer, import_id: UUID, done: str = "") -> Response:
    """How a file would be understood while it waits for a word; afterwards, how far it has come."""
    row = _found(session, visitor, import_id)
    if row.state == rehearsal.WAITING:
        return _preview(session, parts, visitor, row, said=DONE.get(done, ""))
    share = min(0.99, row.rows / row.rows_about) if row.rows_about and row.state == "running" else None
    return page(
        "import.html.j2",
        visitor,
        here="/imports",
        said=DONE.get(done, ""),
        one=row,
        share=share,
        errors=row.errors[:SHOWN_ERRORS],
        kept=ERRORS_KEPT,
        sees=visitor.caller.may("supervisor", reading=True),
        now=now(),
    )


def _preview(
    session: Session,
    parts: Wiring,
    visitor: SignedIn,
    row: Import,
    *,
    status: int = 200,
    said: str = "",
    wrong: Sequence[str] = (),
) -> Response:
    rehearsed = rehearsal.rehearse(session, parts.vault, row)
    first = [one.cells for one in rehearsed.first]
    fields, shown = shown_rows(rehearsed.first, row.mapping)
    return page(
        "import_preview.html.j2",
        visitor,
        status=status,
        here="/imports",
        said=said,
        one=row,
        rehearsed=rehearsed,
        rows=row.rows_about if rehearsed.rows == rehearsal.LOOKED_AT else rehearsed.rows,
        looked_at=rehearsal.LOOKED_AT,
        columns=columns_of(row.layout["columns"], row.mapping, first),
        fields=fields,
        shown=shown,
        problems=[*wrong, *(_sentence(*problem) for problem in rehearsed.problems)],
        acts=visitor.caller.may("source", reading=False),
        notes=row.layout.get("notes", ()),
        now=now(),
    )


def _sentence(field: str, detail: str) -> str:
    if not field:
        return "Choose a column for what people wrote, or for a score: without either there is nothing to read."
    return f"{field_of(field)}: {detail}"


@router.post("/imports/{import_id}/try")
def send_try(parts: WiringDep, session: SessionDep, visitor: Importer, form: FormDep, import_id: UUID) -> Response:
    """Read the first rows again, through the mapping as chosen."""
    _found(session, visitor, import_id)
    try:
        row, wrong = _remapped(session, form, import_id)
    except rehearsal.NotWaiting:
        return RedirectResponse(f"/imports/{import_id}?done=begun", 303)
    session.commit()
    if wrong:
        return _preview(session, parts, visitor, row, status=422, wrong=wrong)
    return RedirectResponse(f"/imports/{import_id}?done=tried", 303)


def _remapped(session: Session, form: Form, import_id: UUID) -> tuple[Import, list[str]]:
    """The import, locked, with the mapping that the form chose; and what is wrong with the choice itself."""
    row = rehearsal.waiting(session, import_id)
    mapping, wrong = chosen(row.layout["columns"], form.texts)
    row.mapping, row.history = mapping, form.text("history") == "yes"
    session.add(row)
    return row, wrong


@router.post("/imports/{import_id}/start")
def send_start(parts: WiringDep, session: SessionDep, visitor: Importer, form: FormDep, import_id: UUID) -> Response:
    """Begin, through the mapping as chosen."""
    _found(session, visitor, import_id)
    try:
        row, wrong = _remapped(session, form, import_id)
    except rehearsal.NotWaiting:
        return RedirectResponse(f"/imports/{import_id}?done=begun", 303)
    if wrong or rehearsal.problems(row, row.mapping):
        session.commit()
        return _preview(session, parts, visitor, row, status=422, wrong=wrong)
    rehearsal.start(session, row)  # under the lock that the mapping was checked under
    session.commit()
    return RedirectResponse(f"/imports/{import_id}?done=started", 303)


@router.post("/imports/{import_id}/throw-away")
def send_throw_away(session: SessionDep, visitor: Importer, _form: FormDep, import_id: UUID) -> Response:
    """Forget a file that waits."""
    _found(session, visitor, import_id)
    try:
        rehearsal.throw_away(session, rehearsal.waiting(session, import_id))
    except rehearsal.NotWaiting as error:
        raise Problem(409, "This import has begun: what is stored of it stays.") from error
    session.commit()
    return RedirectResponse("/imports?done=thrown_away", 303)


@router.get("/imports/{import_id}/errors.csv")
def get_errors(session: SessionDep, visitor: Importer, import_id: UUID) -> Response:
    """The rejected rows as a table: row, column, what is wrong."""
    row = _found(session, visitor, import_id)
    content = "".join(_table(row.errors)).encode("utf-8-sig")  # by this mark spreadsheet programs know the encoding
    headers = {"Content-Disposition": f'attachment; filename="import-errors-{import_id}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _table(errors: Sequence[Mapping[str, object]]) -> Iterator[str]:
    for values in [("row", "column", "what is wrong"), *((e["row"], e["column"] or "", e["detail"]) for e in errors)]:
        line = io.StringIO()
        csv.writer(line).writerow([cell(str(value)) for value in values])
        yield line.getvalue()
