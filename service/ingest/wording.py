"""What pydantic finds, in words for whoever sent the payload: where it is (JSON Pointer) and what to do."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from service.ingest.record import FeedbackRecord
from service.ingest.source import Wrong
from service.ingest.strict_json import escape

MOST = 20  # of one record: enough to mend it, while a record of a million wrong fields gets a short answer
_LONGEST = 60  # of what somebody sent and is told again
_TIME = "A time is written as 2026-11-20T10:00:00Z (RFC 3339)."
_OBJECT = "An object is needed here."
_WHOLE = "A whole number is needed here."
_PLAIN: Mapping[str, str] = {
    "missing": "This field is required.",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": "A list is needed here.",
    "string_type": "A text is needed here.",
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "This number is too large.",
    "bool_type": "True or false is needed here.",
    "bool_parsing": "True or false is needed here.",
    "uuid_parsing": "An id is needed here: 0199a0f0-1c00-7000-8000-000000000001 is one.",
    "uuid_type": "An id is needed here, as a text.",
    "union_tag_not_found": "This field is required.",
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "literal_error": "One of these is needed here: {expected}.",
    "greater_than": "More than {gt} is needed here.",
    "greater_than_equal": "At least {ge} is needed here.",
    "less_than_equal": "At most {le} is allowed here.",
    "string_too_short": "This text is too short: it needs {min_length} or more characters.",
    "string_too_long": "This text is too long: at most {max_length} characters are allowed here.",
    "too_short": "This list has {actual_length} entries: send at least {min_length}.",
    "too_long": "This list has {actual_length} entries: send at most {max_length}.",
}
_PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z0-9._-]{1,64}$": "1 to 64 letters, digits, dots, underscores or hyphens are allowed here.",
    r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$": "A language is written as a tag, such as en or pt-BR (BCP 47).",
    r"^(sentiment|topic|urgency):.{1,64}$": "A label is written as axis:label, such as topic:delivery; "
    "the axis is sentiment, topic or urgency.",
}


def told(found: Iterable[ErrorDetails], place: str = "") -> list[Wrong]:
    """The first errors of one feedback record that stands at `place` in what was sent."""
    first = [error for error, _ in zip(found, range(MOST), strict=False)]
    if not place and [error["type"] for error in first if not error["loc"]] == ["model_type"]:
        return [Wrong("", "Send a record (an object) or a list of them.")]
    return [Wrong(place + pointer(error["loc"]), sentence(error, FeedbackRecord)) for error in first]


def pointer(steps: Iterable[int | str]) -> str:
    """A place as JSON Pointer (RFC 6901)."""
    return "".join(f"/{escape(step)}" for step in steps)


def sentence(found: ErrorDetails, shape: object = None) -> str:
    """One finding as a sentence; `shape` is the model, or the choice of models, that `loc` leads through."""
    context = found.get("ctx", {})
    match found["type"]:
        case "extra_forbidden":
            return _unknown(found["loc"], shape)
        case "string_pattern_mismatch" if context["pattern"] in _PATTERNS:
            return _PATTERNS[context["pattern"]]
        case "union_tag_invalid":
            names = context["expected_tags"].replace("'", "")
            return f"'{context['tag'][:_LONGEST]}' is no event: one of {names} is."
    detail = found["msg"].removeprefix("Value error, ")
    plain = _PLAIN.get(found["type"])
    return plain.format_map(context) if plain else f"{detail[:1].upper()}{detail[1:]}."


def _unknown(steps: Sequence[int | str], shape: object) -> str:
    names, word = _names(shape, steps[:-1]), str(steps[-1])
    elsewhere = ", or put it into `context`" if "context" in names else ""
    close = get_close_matches(word, names, 1) if len(word) <= _LONGEST else []
    meant = f" (did you mean `{close[0]}`?)" if close else ""
    return f"This field is unknown here{meant}: remove it{elsewhere}."


def _names(shape: object, steps: Iterable[int | str]) -> list[str]:
    """The names that the object at this place may have."""
    models = _models(shape)
    for step in steps:
        if isinstance(step, int):
            continue  # an entry of a list: its models are those of the list
        inside = [model.model_fields[step].annotation for model in models if step in model.model_fields]
        # A step that is no field is the tag that chose one of several models.
        models = [inner for each in inside for inner in _models(each)] or [
            model for model in models if any(step in get_args(one.annotation) for one in model.model_fields.values())
        ]
    return sorted({name for model in models for name in model.model_fields})


def _models(shape: object) -> list[type[BaseModel]]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return [shape]
    return [model for part in get_args(shape) for model in _models(part)]
