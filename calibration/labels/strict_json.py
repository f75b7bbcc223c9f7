"""JSON files of many tasks, a list or JSON Lines, decoded strictly: each mistake is told with the task it is in."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from calibration.labels.label import Fault, InvalidLabels
from calibration.labels.node import Node, kind, shorten

_SPACE = re.compile(r"[ \t\n\r]*")


def tasks(raw: bytes, faults: list[Fault]) -> Iterator[Node]:
    """The objects of the file, counted from 1; in JSON Lines the count is that of the lines.

    Raises:
        InvalidLabels: the file is not UTF-8.

    >>> [node.row for node in tasks(b'[{"id": 1}, {"id": 2}]', [])]
    [1, 2]
    """
    content = _decoded(raw)
    strict = _Strict()
    found = _listed(content, strict.decoder) if is_list(content) else _lines(content, strict.decoder)
    for row, value in found:
        faults.extend(Fault(row, "", note) for note in strict.notes)
        strict.notes.clear()
        if isinstance(value, _Unreadable):
            faults.append(Fault(row, "", value.detail))
        elif isinstance(value, dict):
            yield Node(value, row, "", faults)
        else:
            faults.append(Fault(row, "", f"must be an object, not {kind(value)}"))


def first_object(raw: bytes) -> dict[str, object]:
    """The first task of the file, empty where there is none that can be read: enough to recognise a tool by.

    >>> first_object(b'{"text": "Late"}')
    {'text': 'Late'}
    """
    content = raw.decode("utf-8-sig", "replace").lstrip()
    read = _listed if is_list(content) else _lines
    _, value = next(read(content, _Strict().decoder), (0, None))
    return value if isinstance(value, dict) else {}


def is_json(raw: bytes) -> bool:
    """Whether the file begins as JSON of many tasks does.

    >>> is_json(b"id,text"), is_json(b' [{"id": 1}]')
    (False, True)
    """
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def is_list(content: str) -> bool:
    """Whether the file is one list; otherwise each line is a task.

    >>> is_list("[]")
    True
    """
    return content.lstrip()[:1] == "["


def parse(content: str) -> tuple[object, Sequence[str]]:
    """One value from a text that holds nothing else, and what is wrong with it.

    >>> parse('{"a": 1, "a": 2}')
    ({'a': 2}, ["has the key 'a' twice"])
    """
    strict = _Strict()
    value = _whole(content, strict.decoder)
    if isinstance(value, _Unreadable):
        return None, [value.detail]
    return value, strict.notes


def written_list(values: Iterable[object]) -> bytes:
    r"""A list with each task on its own line, in ASCII: some of the tools guess a file's encoding.

    >>> written_list([{"a": "é"}])
    b'[\n{"a": "\\u00e9"}\n]\n'
    """
    return b"[\n" + ",\n".join(json.dumps(value, allow_nan=False) for value in values).encode() + b"\n]\n"


def written_lines(values: Iterable[object]) -> bytes:
    r"""JSON Lines, in ASCII.

    >>> written_lines([{"a": 1}, {"a": 2}])
    b'{"a": 1}\n{"a": 2}\n'
    """
    return "".join(json.dumps(value, allow_nan=False) + "\n" for value in values).encode()


@dataclass(frozen=True, slots=True)
class _Unreadable:
    detail: str


class _Strict:
    """A decoder that notes what JSON leaves open or Python adds to it: a key twice, NaN, numbers without end."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constant,
            parse_float=self._float,
            parse_int=self._int,
        )

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            times = Counter(name for name, _ in pairs)
            self.notes += [f"has the key {shorten(name)} twice" for name in found if times[name] > 1]
        return found

    def _constant(self, name: str) -> None:
        self.notes.append(f"holds {name}, which is no number in JSON")

    def _float(self, digits: str) -> float:
        if math.isinf(float(digits)):
            self.notes.append(f"holds the number {shorten(digits)}, too large to read")
        return float(digits)

    def _int(self, digits: str) -> int:
        if len(digits) > 300:
            self.notes.append(f"holds the number {shorten(digits)}, too large to read")
            return 0
        return int(digits)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        detail = f"is not UTF-8 from byte {error.start + 1}, line {line}, on: save it as UTF-8"
        raise InvalidLabels([Fault(0, "", detail)]) from error


def _skip(content: str, at: int) -> int:
    space = _SPACE.match(content, at)
    return space.end() if space else at


def _value(content: str, at: int, decoder: json.JSONDecoder) -> tuple[object, int]:
    try:
        value, end = decoder.raw_decode(content, _skip(content, at))
        return value, _skip(content, end)
    except RecursionError:
        return _Unreadable("is nested too deeply"), len(content)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in content else ""
        return _Unreadable(f"is no readable JSON: {error.msg} ({line}character {error.colno})"), len(content)


def _whole(content: str, decoder: json.JSONDecoder) -> object:
    value, end = _value(content, 0, decoder)
    return value if end == len(content) else _Unreadable(f"holds more after its end, from character {end + 1} on")


def _lines(content: str, decoder: json.JSONDecoder) -> Iterator[tuple[int, object]]:
    # not splitlines(), which ends a line at characters that JSON allows inside a text
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            yield number, _whole(line, decoder)


def _listed(content: str, decoder: json.JSONDecoder) -> Iterator[tuple[int, object]]:
    """The values of one list, each decoded by itself, so that a mistake is told with the number of its task."""
    at = _skip(content, content.index("[") + 1)
    number = 0
    more = content[at : at + 1] != "]"
    while more:
        number += 1
        value, at = _value(content, at, decoder)
        yield number, value
        if isinstance(value, _Unreadable):
            return
        more = content[at : at + 1] == ","
        at += more
    end = _skip(content, at + 1)
    if content[at : at + 1] != "]":
        yield number, _Unreadable(f"is no readable JSON: neither ',' nor ']' after it (character {at + 1})")
    elif end < len(content):
        yield number, _Unreadable(f"is no readable JSON: more follows the list (character {end + 1})")
