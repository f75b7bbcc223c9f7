"""The web process: every route, wired by hand from the parts it is given."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api import classify, decisions, deliveries, destinations, feedback, health, policies, work_items
from service.api.dependencies import Wiring
from service.api.door import Door
from service.api.problems import MEDIA_TYPE, install
from service.ingest.record import FeedbackRecord
from service.version import VERSION

_DESCRIPTION = """heed turns what customers write into the follow-up it deserves.

Every error is an `application/problem+json` (RFC 9457) with a stable `type`, and `errors` that say where."""


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
    for module in (feedback, classify, work_items, deliveries, decisions, policies, destinations, health):
        app.include_router(module.router)
    install(app)
    app.add_middleware(Door)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document["components"]["schemas"]
        record = FeedbackRecord.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= record.pop("$defs", {})
        schemas["FeedbackRecord"] = record
        schemas["Problem"] = _PROBLEM
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        for path in document["paths"].values():
            for operation in path.values():
                _describe_errors(operation)
        app.openapi_schema = document
    return app.openapi_schema


def _describe_errors(operation: dict[str, Any]) -> None:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = operation["responses"]
    responses.pop("422", None)
    if "security" in operation:
        for status, meaning in _ERRORS.items():
            responses.setdefault(status, {"description": meaning, "content": content})


_ERRORS = {
    "400": "Not readable",
    "401": "No key, or a bad one",
    "403": "A key of the wrong role",
    "404": "Not there",
    "408": "The body came in too slowly",
    "409": "The state of things does not allow it",
    "413": "Larger than 10 MB",
    "415": "Not a kind of body this address takes",
    "422": "Readable, but wrong",
    "503": "Try again after `Retry-After`",
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "example": "conflicting-revision"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "example": {"pointer": "/12/scores/nps", "detail": "at most 10"}},
        },
    },
}
