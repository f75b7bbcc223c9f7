"""The web process: every route, wired by hand from the parts it is given."""

from itertools import product
from typing import Any

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from service.api import (
    backlog,
    backtests,
    calibration_labels,
    calibration_runs,
    classify,
    corrections,
    decisions,
    deliveries,
    destinations,
    feedback,
    gates,
    health,
    imports,
    people,
    policies,
    sources,
    work_items,
)
from service.api.dependencies import Wiring
from service.api.door import Door
from service.api.label_shapes import LabelIn
from service.api.problems import MEDIA_TYPE, install
from service.ingest.record import FeedbackRecord
from service.pages import backlog as backlog_page
from service.pages import backtests as backtests_page
from service.pages import bypasses as bypasses_page
from service.pages import corrections as corrections_page
from service.pages import deliveries as deliveries_page
from service.pages import destinations as destinations_page
from service.pages import disputes as disputes_page
from service.pages import flags as flags_page
from service.pages import guidelines as guidelines_page
from service.pages import health as health_page
from service.pages import imports as imports_page
from service.pages import inbox as inbox_page
from service.pages import notices as notices_page
from service.pages import policies as policies_page
from service.pages import (
    policy_activation,
    policy_editor,
    report_export,
    report_label,
    reports,
    service_levels,
    settings_page,
    sign_in,
)
from service.pages import review as review_page
from service.pages import search as search_page
from service.pages import sources as sources_page
from service.pages import story as story_page
from service.pages import work_item as work_item_page
from service.pages.visitor import astray
from service.reading_pool import usable_threads
from service.version import VERSION

_DESCRIPTION = """heed turns what customers write into the follow-up it deserves.

Every error is an `application/problem+json` (RFC 9457) with a stable `type`, and `errors` that say where."""


PAGES = (
    sign_in,
    inbox_page,
    work_item_page,
    backlog_page,
    bypasses_page,
    corrections_page,
    service_levels,
    policy_editor,
    policy_activation,
    backtests_page,
    policies_page,
    reports,
    report_export,
    report_label,
    notices_page,
    review_page,
    disputes_page,
    flags_page,
    guidelines_page,
    settings_page,
    story_page,
    search_page,
    imports_page,
    sources_page,
    destinations_page,
    deliveries_page,
    health_page,
)
RESOURCES = (
    feedback,
    classify,
    corrections,
    work_items,
    backlog,
    deliveries,
    decisions,
    policies,
    backtests,
    calibration_labels,
    calibration_runs,
    sources,
    destinations,
    imports,
    people,
    gates,
    health,
)


def create_app(wiring: Wiring) -> FastAPI:
    """The web application over these parts; nothing is loaded or connected before the first request."""
    app = FastAPI(
        title="heed",
        version=VERSION,
        description=_DESCRIPTION,
        redoc_url=None,
        docs_url=None,
        strict_content_type=False,
    )
    app.state.wiring = wiring
    app.state.few = CapacityLimiter(usable_threads() + 2)
    for module in (*RESOURCES, *PAGES):
        app.include_router(module.router)
    install(app)
    app.add_exception_handler(HTTPException, astray(app.exception_handlers[HTTPException]))
    app.add_middleware(Door)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document["components"]["schemas"]
        for shape in _READ_BY_THE_ROUTE:
            described = shape.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= described.pop("$defs", {})
            schemas[shape.__name__] = described
        schemas["Problem"] = _PROBLEM
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for path in document["paths"].values():
            for operation in path.values():
                _describe_errors(operation)
        _restore_examples(document["paths"])
        app.openapi_schema = document
    return app.openapi_schema


def _restore_examples(paths: dict[str, Any]) -> None:
    """Put the examples of answers in again as they are written: FastAPI leaves every null out."""
    for module in RESOURCES:
        for route in module.router.routes:
            if not isinstance(route, APIRoute):
                continue
            for status, answer in route.responses.items():
                for method, (kind, content) in product(route.methods or (), answer.get("content", {}).items()):
                    paths[route.path][method.lower()]["responses"][str(status)]["content"][kind] |= content


def _describe_errors(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    if "security" not in operation:
        return
    places = {one["in"] for one in operation.get("parameters", [])}
    possible = {"401", "403", "503"}
    possible |= {"422"} if places or "requestBody" in operation else set()
    possible |= {"404"} if "path" in places else set()
    possible |= {"400", "408", "413", "415"} if "requestBody" in operation else set()
    possible |= {"404", "409", "429"} & responses.keys()
    for status in sorted(possible):
        told = responses.setdefault(status, {"description": _ERRORS.get(status)})
        told["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation["responses"] = dict(sorted(responses.items()))


_READ_BY_THE_ROUTE: tuple[type[BaseModel], ...] = (FeedbackRecord, classify.ClassifyIn, LabelIn)
_ERRORS = {
    "400": "Not readable",
    "401": "No key, or a bad one",
    "403": "A key of the wrong role",
    "404": "Not there",
    "408": "The body came in too slowly",
    "413": "Larger than 10 MB, or a file than 200 MB",
    "415": "Not a kind of body this address takes",
    "422": "Readable, but wrong",
    "503": "Try again after `Retry-After`",
}
_ERROR = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "pointer": {"type": "string", "description": "where in the body (JSON Pointer, RFC 6901)"},
        "detail": {"type": "string", "description": "what is wrong there, and what to do"},
        "parameter": {"type": "string", "description": "the parameter of the address, where it is one"},
        "line": {"type": "integer", "description": "from 1, in a policy or an unreadable body"},
        "column": {"type": "integer", "description": "from 1, in characters"},
        "suggestion": {"type": ["string", "null"], "description": "what was probably meant"},
    },
    "example": {"pointer": "/12/scores/nps", "detail": "At most 10 is allowed here."},
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "example": "conflicting-revision"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": _ERROR,
        },
    },
}
