"""JSON read strictly (RFC 8259, I-JSON RFC 7493): no NaN, no double keys, no broken text, bounded depth."""

import json
from codecs import BOM_UTF8
from collections import Counter
from typing import Any, NoReturn

MAX_DEPTH = 64
MAX_NAMES = 10_000  # in one object: checking a million unknown ones would take seconds


class NotJson(Exception):
    """The body cannot be read at all; the message says where and why."""


class NotText(Exception):
    """A string holds what no database text can: NUL, or half of a surrogate pair. `pointer` says where."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.detail = detail


def _no_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not a JSON value: send a number or null.")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in {float("inf"), float("-inf")}:
        raise NotJson(f"The number {digits[:30]} is too large for any computer's arithmetic: send it as a text.")
    return number


def _whole(digits: str) -> int:
    if len(digits) > 100:
        raise NotJson(f"The number {digits[:30]}... has {len(digits)} digits: no field needs more than 100.")
    return int(digits)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_NAMES:
        raise NotJson(f"An object here has {len(pairs):,} names: {MAX_NAMES:,} are the most.")
    found = dict(pairs)
    if len(found) < len(pairs):
        double, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise NotJson(f"The key {double[:60]!r} stands twice in one object: send it once.")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
)


def parse(raw: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    """Read one JSON value.

    Raises:
        NotJson: not UTF-8, not JSON, NaN or Infinity, a double key, or deeper than 64 levels.
        NotText: readable, but a string holds NUL or an unpaired surrogate.
    """
    if not raw:
        raise NotJson("The body is empty: send JSON.")
    if raw.startswith(BOM_UTF8):
        raise NotJson("The body begins with a byte order mark: send the JSON without it.")
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotJson(f"The body is not UTF-8: byte {error.start} cannot be read. Send it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise NotJson(f"The body is not JSON: {error.msg}, line {error.lineno} column {error.colno}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    _check_depth(value)
    # Only an escape can bring these in, so that nearly every body is spared the walk.
    if b"\\u0000" in raw or b"\\ud" in raw or b"\\uD" in raw:
        _check_texts(value)
    return value


def _too_deep() -> NotJson:
    return NotJson(f"The body is nested deeper than {MAX_DEPTH} levels: send it flatter.")


def _check_depth(value: object) -> None:
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        inside = (inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer))
        level = [inner for inner in inside if isinstance(inner, (dict, list))]
        if not level:
            return
    raise _too_deep()


def escape(part: str | int) -> str:
    """One step of a JSON Pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def _check_texts(value: object, pointer: str = "") -> None:
    match value:
        case str():
            _check_text(value, pointer)
        case dict():
            for key, inner in value.items():
                _check_text(key, pointer)
                _check_texts(inner, f"{pointer}/{escape(key)}")
        case list():
            for index, inner in enumerate(value):
                _check_texts(inner, f"{pointer}/{index}")


def _check_text(text: str, pointer: str) -> None:
    if "\0" in text:
        raise NotText(pointer, "The text holds a NUL character (\\u0000): remove it.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise NotText(pointer, "The text holds half of a surrogate pair (\\ud800-\\udfff): send whole characters.")
