"""Lines of JSON (NDJSON) as cells: what is nested gets dotted names, such as `scores.nps`."""

import json
from collections.abc import Iterator
from pathlib import Path

from service.ingest.file_kind import MOST_COLUMNS, MOST_IN_RECORD, UnreadableFile
from service.ingest.strict_json import NotJson, NotText, parse

_BOM = b"\xef\xbb\xbf"
_LONG = "This line has more than a million characters: shorten it, or split it into several records."


class _Twice(Exception):
    """Two values of one line have the same dotted name."""


def json_lines(path: Path) -> Iterator[bytes | None]:
    """Every line in turn, without white space around it; None for one that is too long to be kept."""
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        while line := file.readline(MOST_IN_RECORD):
            if len(line) < MOST_IN_RECORD:
                yield line.strip()
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(MOST_IN_RECORD)
            yield None


def json_cells(line: bytes | None) -> tuple[dict[str, object], str | None]:
    """The cells of one line, or no cells and what is wrong with it."""
    if line is None:
        return {}, _LONG
    try:
        value = parse(line)
        return (_flat(value), None) if isinstance(value, dict) else ({}, "An object is needed here: {...}.")
    except (NotJson, NotText) as error:
        return {}, str(error).replace("The body", "The line")
    except _Twice as error:
        return {}, f"The name `{error}` stands twice in this line: send it once."


def _flat(value: dict[str, object]) -> dict[str, object]:
    cells: dict[str, object] = {}
    _flatten(value, "", cells)
    return cells


def _flatten(value: object, name: str, cells: dict[str, object]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if name else key, cells)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _flatten(inner, f"{name}.{index}", cells)
    elif name in cells:
        raise _Twice(name[:60])
    else:
        cells[name] = value


def json_columns(path: Path) -> tuple[str, ...]:
    """The names that any line of the file has, in the order in which they first come.

    The whole file is read, since a field that comes late must not be lost; a line that cannot be read has no names.

    Raises:
        UnreadableFile: no line is an object, or there are too many names.
    """
    names: dict[str, None] = {}
    for line in json_lines(path):
        if line:
            names.update(dict.fromkeys(_names(line)))
        if len(names) > MOST_COLUMNS:
            raise UnreadableFile(f"The lines have more than {MOST_COLUMNS:,} different names: write fewer.")
    if not names:
        raise UnreadableFile('No line of the file is a JSON object: write one record per line, such as {"id": "r-1"}.')
    return tuple(names)


def _names(line: bytes) -> list[str]:
    try:
        value = json.loads(line)
        return list(_flat(value)) if isinstance(value, dict) else []
    except (ValueError, RecursionError, _Twice):
        return []
