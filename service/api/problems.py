"""Errors as `application/problem+json` (RFC 9457): our exceptions to HTTP statuses; the only file that knows both."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import Any, cast

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from service.deliver.dead_letters import NotDead
from service.deliver.destination import InvalidDestination
from service.deliver.set_up import SecretsUnreadable, Taken
from service.ingest.backlog import TooManyWaiting
from service.ingest.field_map import InvalidMap
from service.ingest.file_layout import UnreadableFile
from service.ingest.intake import Raced
from service.ingest.quarantine import NotQuarantined
from service.ingest.source import BadPayload
from service.ingest.strict_json import NotJson, NotText, escape
from service.ingest.wording import MOST, pointer, sentence
from service.lab.gates.changes import GateNotNow, InvalidChange, OwnChange, UnknownGate
from service.lab.labels.disputes import NotDisputed
from service.lab.labels.guidelines import InvalidGuideline
from service.lab.labels.labelling import AlreadySaid, InvalidLabel, LabelStays, NotYours, UnknownCard
from service.lab.labels.samples import DrawingNow, InvalidSample
from service.lab.labels.slots import UnknownSample
from service.lab.runs.run import InvalidRun
from service.people.preferences import InvalidPreferences
from service.people.users import NobodyCalled
from service.policies import BrokenExamples
from service.reading_pool import Busy, OwnShareTaken
from service.review import WrongAnswers
from service.route.findings import InvalidPolicy
from service.route.versions import NotNow, OwnPolicy, UnknownVersion
from service.store.database import is_outage
from service.work.lifecycle import Impossible

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: ("not-parseable", "The request cannot be read"),
    401: ("not-signed-in", "No valid key"),
    403: ("not-allowed", "This key may not do that"),
    404: ("not-found", "There is no such thing"),
    405: ("method-not-allowed", "This address does not take that method"),
    408: ("too-slow", "The request came in too slowly"),
    409: ("conflict", "The state of things does not allow that"),
    413: ("too-large", "The body is too large"),
    415: ("unsupported-media-type", "The body is of the wrong kind"),
    422: ("invalid", "Well-formed, but wrong"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal", "heed made a mistake"),
    503: ("unavailable", "heed cannot do that right now"),
}


@dataclass(eq=False)
class Problem(HTTPException):
    """An answer that is an error. `type` is stable; `errors` say where (JSON Pointer) and what."""

    status_code: int
    detail: str
    type: str | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The problem as a response."""
        known_type, title = _TITLES.get(self.status_code, ("error", "Something is wrong"))
        content: dict[str, Any] = {
            "type": self.type or known_type,
            "title": title,
            "status": self.status_code,
            "detail": self.detail,
            "errors": list(self.errors),
        }
        return JSONResponse(content, self.status_code, dict(self.headers), media_type=MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """404 in one word for every missing thing."""
    return Problem(404, f"There is no {what} here, or none that you may see.")


def _unavailable(detail: str, kind: str = "unavailable") -> Problem:
    return Problem(503, detail, kind, headers={"Retry-After": "2"})


def _bad_payload(error: BadPayload) -> Problem:
    errors = [{"pointer": wrong.pointer, "detail": wrong.detail} for wrong in error.errors]
    return Problem(422, "Nothing was stored: mend what is listed and send it again.", errors=errors)


def _unreadable(error: NotJson) -> Problem:
    slip = error.__cause__
    if not isinstance(slip, JSONDecodeError):
        return Problem(400, str(error))
    place = {"pointer": "", "line": slip.lineno, "column": slip.colno}
    return Problem(400, str(error), errors=[{**place, "detail": f"{slip.msg}."}])


def invalid(error: RequestValidationError, shape: object) -> Problem:
    """422 for parameters and a body that FastAPI refused; `shape` is the annotation of the body, None without one."""
    errors = [_invalid(found, error.body, shape) for found in error.errors()[:MOST]]
    return Problem(422, "Mend what is listed and send it again.", errors=errors)


def _invalid(found: ErrorDetails, body: object, shape: object) -> dict[str, str]:
    place, *steps = found["loc"]
    if place != "body":
        zone = " In an address the + of a zone is written %2B." if _lost_plus(found) else ""
        return {"pointer": "", "parameter": str(steps[0] if steps else place), "detail": sentence(found) + zone}
    detail = sentence({**found, "loc": tuple(steps)}, shape)
    if found["type"] == "missing" and not steps:
        detail = "An object is needed here."  # FastAPI takes `null` for no body
    if found["type"].startswith("union_tag"):
        steps = ["type"]
    elif isinstance(body, dict) and steps[:1] == [body.get("type")]:  # the tag of a choice, which stands nowhere
        steps = steps[1:]
    return {"pointer": pointer(steps), "detail": detail}


def _lost_plus(found: ErrorDetails) -> bool:
    """Whether this is a time whose + an address has turned into a blank."""
    return found["type"].startswith("datetime") and bool(re.search(r" \d\d:?\d\d$", str(found["input"])))


def _database(error: DBAPIError | psycopg.Error) -> Problem:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if getattr(cause, "sqlstate", None) in {"53100", "58030"}:
        return _unavailable("The database has no disk space left; nothing was stored. Try again later.", "storage-full")
    if isinstance(cause, psycopg.errors.QueryCanceled):
        return _unavailable("The database needed longer than anybody should wait: try again later, or ask for less.")
    if is_outage(error):
        return _unavailable(
            "The database does not answer right now: try again. Feedback is stored once, however often it is sent."
        )
    if isinstance(cause, psycopg.errors.UniqueViolation):
        return Problem(409, "Somebody else has just stored the same: look at it, and send yours again if need be.")
    if isinstance(cause, psycopg.DataError):
        log.warning("request.refused_by_database", exc_info=error)
        return Problem(422, "The database cannot keep a value of this request: look for unusual times and characters.")
    return mistake(error)


def mistake(error: Exception) -> Problem:
    """500, and a line in the log that the request id finds; never with the words of the error."""
    log.error("request.failed", exc_info=error)
    return Problem(500, "heed made a mistake and has written it down; the request id finds it in the log.")


def _one_field(said: str, field: str, words: str) -> Problem:
    return Problem(422, f"{said} {words}", errors=[{"pointer": f"/{field}", "detail": words}])


def _too_many(error: TooManyWaiting) -> Problem:
    return Problem(
        429,
        f"{error.waiting:,} records wait to be decided, and heed takes no more for now; nothing was stored."
        f" Send the same again in {error.again} s.",
        "too-many-waiting",
        headers={"Retry-After": str(error.again)},
    )


def _busy(error: Busy, status: int, kind: str) -> Problem:
    return Problem(
        status,
        f"{error} Nothing was read: ask for the same again in a moment.",
        kind,
        headers={"Retry-After": str(error.again)},
    )


def _policy(error: InvalidPolicy) -> Problem:
    errors = [
        {"line": one.line, "column": one.column, "detail": one.detail, "suggestion": one.suggestion}
        for one in error.errors
    ]
    return Problem(422, "The policy was not stored: mend what is listed and send it again.", "invalid-policy", errors)


_TRANSLATIONS: Mapping[type[Exception], Callable[[Any], Problem]] = {
    NotJson: _unreadable,
    NotText: lambda error: Problem(
        422, "A text cannot be kept.", errors=[{"pointer": error.pointer, "detail": error.detail}]
    ),
    BadPayload: _bad_payload,
    InvalidPolicy: _policy,
    InvalidDestination: lambda error: Problem(
        422,
        "This destination cannot work as described.",
        errors=[{"pointer": one.pointer, "detail": one.detail} for one in error.problems],
    ),
    Taken: lambda error: Problem(409, str(error)),
    SecretsUnreadable: lambda error: Problem(409, str(error)),
    NotDead: lambda error: Problem(409, str(error)),
    NotQuarantined: lambda error: Problem(409, str(error)),
    Impossible: lambda error: Problem(
        409, error.detail, error.type, [{"pointer": pointer, "detail": text} for pointer, text in error.missing]
    ),
    WrongAnswers: lambda error: Problem(
        422,
        "Every open rule of the item is answered, and no other.",
        errors=[{"pointer": pointer, "detail": text} for pointer, text in error.errors],
    ),
    InvalidPreferences: lambda error: Problem(
        422,
        "These settings cannot be.",
        errors=[{"pointer": pointer, "detail": text} for pointer, text in error.errors],
    ),
    DrawingNow: lambda error: Problem(409, str(error), "drawing-now", headers={"Retry-After": "30"}),
    InvalidSample: lambda error: _one_field("No sample was drawn.", error.field, str(error)),
    InvalidRun: lambda error: _one_field("No run was started.", error.field, str(error)),
    InvalidLabel: lambda error: _one_field("Nothing was kept.", error.field, str(error)),
    InvalidGuideline: lambda error: _one_field("Nothing was kept.", error.field, str(error)),
    UnknownCard: lambda _error: not_found("card"),
    UnknownSample: lambda _error: not_found("sample"),
    NotYours: lambda _error: not_found("card"),  # nobody can find out what cards there are
    AlreadySaid: lambda error: Problem(409, str(error), "already-said"),
    LabelStays: lambda error: Problem(409, str(error)),
    NotDisputed: lambda error: Problem(409, str(error), "not-disputed"),
    NobodyCalled: lambda error: Problem(404, str(error)),
    UnknownVersion: lambda error: Problem(404, str(error)),
    OwnPolicy: lambda error: Problem(409, str(error), "own-policy"),
    NotNow: lambda error: Problem(409, str(error)),
    BrokenExamples: lambda error: Problem(
        422,
        "The policy was not activated: its examples have to hold first.",
        "broken-examples",
        [{"pointer": "", "example": one.name, "detail": one.detail} for one in error.broken],
    ),
    UnknownGate: lambda error: Problem(404, str(error)),
    GateNotNow: lambda error: Problem(409, str(error)),
    OwnChange: lambda error: Problem(409, str(error), "own-change"),
    InvalidChange: lambda error: _one_field("Nothing was changed.", error.field, str(error)),
    TooManyWaiting: _too_many,
    OwnShareTaken: lambda error: _busy(error, 429, "too-many-texts"),
    Busy: lambda error: _busy(error, 503, "overloaded"),
    UnreadableFile: lambda error: Problem(
        422, "The file cannot be imported.", errors=[{"pointer": "/file", "detail": str(error)}]
    ),
    InvalidMap: lambda error: Problem(
        422,
        "The file cannot be imported with this mapping.",
        errors=[
            {"pointer": f"/mapping/{escape(name)}" if name else "/mapping", "detail": detail}
            for name, detail in error.problems
        ],
    ),
    Raced: lambda _error: _unavailable("Somebody else is storing the same records. Send the request again."),
    PoolTimeout: lambda _error: _unavailable("All connections to the database are in use. Send the request again."),
    DBAPIError: _database,
    psycopg.Error: _database,
}


def problem_of(error: Exception) -> Problem | None:
    """What an exception of ours means for whoever asked; None for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error
    for kind, translate in _TRANSLATIONS.items():
        if isinstance(error, kind):
            return translate(error)
    return None


def install(app: FastAPI) -> None:
    """Answer every exception the routes may raise with a problem."""
    for kind, translate in _TRANSLATIONS.items():

        def handler(_request: Request, error: Exception, to_problem: Callable[[Any], Problem] = translate) -> Response:
            return to_problem(error).response()

        app.add_exception_handler(kind, handler)

    def http_error(_request: Request, error: Exception) -> Response:
        if isinstance(error, Problem):
            return error.response()
        raised = cast(HTTPException, error)
        detail = raised.detail if raised.status_code not in {404, 405} else _TITLES[raised.status_code][1] + "."
        return Problem(raised.status_code, detail, headers=raised.headers or {}).response()

    app.add_exception_handler(HTTPException, http_error)
