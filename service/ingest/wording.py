"""What pydantic finds, in words for whoever sent the payload: where it is (JSON Pointer) and what to do."""

from collections.abc import Iterable, Mapping

from pydantic_core import ErrorDetails

from service.ingest.source import Wrong
from service.ingest.strict_json import escape

MOST = 20  # of one record: enough to mend it, while a record of a million wrong fields gets a short answer
_TIME = "A time is written as 2026-11-20T10:00:00Z (RFC 3339)."
_PLAIN: Mapping[str, str] = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is unknown here: remove it, or put it into `context`.",
    "model_type": "An object is needed here.",
    "model_attributes_type": "An object is needed here.",
    "dict_type": "An object is needed here.",
    "list_type": "A list is needed here.",
    "string_type": "A text is needed here.",
    "int_type": "A whole number is needed here.",
    "int_from_float": "A whole number is needed here.",
    "bool_type": "True or false is needed here.",
    "union_tag_not_found": "This field is required.",
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
}


def told(found: Iterable[ErrorDetails], place: str = "") -> list[Wrong]:
    """The first errors of one record or body that stands at `place` in what was sent."""
    return [Wrong(place + pointer(error["loc"]), sentence(error)) for error, _ in zip(found, range(MOST), strict=False)]


def pointer(steps: Iterable[int | str]) -> str:
    """A place as JSON Pointer (RFC 6901)."""
    return "".join(f"/{escape(step)}" for step in steps)


def sentence(found: ErrorDetails) -> str:
    """One finding as a sentence."""
    detail = found["msg"].removeprefix("Value error, ")
    return _PLAIN.get(found["type"], f"{detail[:1].upper()}{detail[1:]}.")
