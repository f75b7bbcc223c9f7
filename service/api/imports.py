"""`/v1/imports`: files of feedback, taken in by whichever worker is free."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlmodel import col, select
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from service.api import examples
from service.api.dependencies import (
    CursorDep,
    LimitDep,
    Page,
    SessionDep,
    StrictRoute,
    WiringDep,
    allow,
    newest_first,
    paged,
)
from service.api.problems import Problem, not_found
from service.api.shapes import ImportListed, ImportOut, import_out
from service.ingest.import_job import begin_upload
from service.ingest.importing import Asked, ask
from service.ingest.record import is_source_name
from service.ingest.rehearsal import WAITING
from service.ingest.strict_json import NotJson, NotText, parse
from service.people.access import Caller
from service.store.tables import Import

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=StrictRoute)
Importer = Annotated[Caller, Depends(allow("source"))]

_FIELDS = frozenset({"file", "source", "mapping", "history"})
_MAPPING: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])


class ImportingOut(BaseModel):
    """An import that has begun."""

    id: UUID


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "source"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV, NDJSON or XLSX, up to 200 MB",
                        },
                        "source": {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,64}$"},
                        "mapping": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "JSON: our field to the file's column, complete; guessed without it",
                        },
                        "history": {
                            "type": "string",
                            "enum": ["true", "false"],
                            "description": "of the past: starts no clocks, sends nothing",
                        },
                    },
                },
                "example": examples.UPLOAD,
            }
        },
    }
}


@dataclass(frozen=True, slots=True)
class _Form:
    """The fields of an upload, each of its kind."""

    file: UploadFile
    source: str
    mapping: dict[str, str] | None
    history: bool


class _Parser(MultiPartParser):
    """Refuses a form that breaks off: half a file must not be taken for a whole one."""

    _whole = False

    def on_end(self) -> None:
        """The closing boundary is there."""
        self._whole = True

    async def parse(self) -> FormData:
        """Read the form."""
        form = await super().parse()
        if not self._whole:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("It breaks off before its closing boundary.")
        return form


async def _form(request: Request, _caller: Importer) -> AsyncIterator[FormData]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Problem(415, f"This address takes multipart/form-data, not {kind[:80] or 'a body of no kind'}.")
    try:
        form = await _Parser(request.headers, request.stream(), max_files=1, max_fields=8).parse()
    except (MultiPartException, LookupError, ValueError) as error:
        told = error.message if isinstance(error, MultiPartException) else "Invalid multipart data."
        raise Problem(400, f"The form cannot be read. {told}") from error
    try:
        yield form
    finally:
        await form.close()


FormDep = Annotated[FormData, Depends(_form, scope="function")]


@router.post(
    "",
    status_code=202,
    summary="Import a file",
    responses=examples.answer(202, examples.IMPORTING),
    openapi_extra=_BODY,
)
def create_import(session: SessionDep, parts: WiringDep, caller: Importer, form: FormDep) -> ImportingOut:
    """Take in a file of up to 200 MB: it is looked at now, and its rows are stored by a worker."""
    sent = _fields(form)
    if caller.source not in {None, sent.source}:
        detail = f"This key is bound to source '{caller.source}'."
        raise Problem(403, f"{detail} Nothing was stored.", errors=[{"pointer": "/source", "detail": detail}])
    with NamedTemporaryFile(prefix="heed-upload-") as file:
        shutil.copyfileobj(sent.file.file, file, 1_000_000)
        file.flush()
        asked = _asked(Path(file.name), sent)
        begun = begin_upload(session, parts.vault, asked, Path(file.name), by=caller.name)
        session.commit()
    return ImportingOut(id=begun.id)


def _asked(path: Path, sent: _Form) -> Asked:
    return ask(path, sent.file.filename or "", source=sent.source, mapping=sent.mapping, history=sent.history)


def _fields(form: FormData) -> _Form:
    wrong = [(name, "This field is unknown here: remove it.") for name in form if name not in _FIELDS]
    wrong += [(name, "This field stands twice: send it once.") for name in form if len(form.getlist(name)) > 1]
    file, source = form.get("file"), form.get("source")
    if not isinstance(file, UploadFile):
        wrong.append(("file", "A file is needed here."))
    if not isinstance(source, str) or not is_source_name(source):
        wrong.append(("source", "A source's name is needed here: 1 to 64 letters, digits, dots, underscores, hyphens."))
    history = form.get("history", "false")
    if history not in {"true", "false"}:
        wrong.append(("history", "True or false is needed here."))
    mapping, fault = _mapping(form.get("mapping"))
    if fault:
        wrong.append(("mapping", fault))
    if wrong or not isinstance(file, UploadFile) or not isinstance(source, str):
        errors = [{"pointer": f"/{name[:60]}", "detail": detail} for name, detail in wrong]
        raise Problem(422, "Nothing was stored: mend what is listed and send it again.", errors=errors)
    return _Form(file, source, mapping, history == "true")


def _mapping(sent: UploadFile | str | None) -> tuple[dict[str, str] | None, str]:
    """The mapping, None where none was sent; and what is wrong with it."""
    if sent is None:
        return None, ""
    needed = 'A JSON object is needed here, our field to your column: {"external_id": "id"}.'
    if not isinstance(sent, str):
        return None, needed
    try:
        return _MAPPING.validate_python(parse(sent.encode())), ""
    except (NotJson, NotText, UnicodeError) as error:
        return None, str(error).replace("The body", "The mapping")
    except ValidationError:
        return None, needed


@router.get("", summary="List imports", responses=examples.answer(200, examples.page(examples.IMPORT_LISTED)))
def list_imports(session: SessionDep, caller: Importer, cursor: CursorDep, limit: LimitDep = 50) -> Page[ImportListed]:
    """Imports, newest first."""
    query = select(Import).where(col(Import.state) != WAITING)
    if caller.source is not None:
        query = query.where(col(Import.source) == caller.source)
    newest = newest_first(query, Import.created_at, Import.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.created_at, row.id))
    return Page(
        items=[ImportListed(**row.model_dump(include=set(ImportListed.model_fields))) for row in rows], next=following
    )


@router.get("/{import_id}", summary="Show an import", responses=examples.answer(200, examples.IMPORT))
def get_import(session: SessionDep, caller: Importer, import_id: UUID) -> ImportOut:
    """How far an import has come, and which rows it rejected."""
    row = session.get(Import, import_id)
    if row is None or row.state == WAITING or (caller.source is not None and row.source != caller.source):
        raise not_found("import")
    return import_out(row)
