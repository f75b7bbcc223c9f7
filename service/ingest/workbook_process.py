"""A program of its own: a sheet's rows as lines of JSON, with memory and time that end.

It says the sheet's name, `[number, cells]` for each row that is not empty, and `null` when all is said.
"""

import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, load_workbook

MOST_MEMORY = 1_000_000_000
MOST_SECONDS = 120  # of CPU
MOST_IN_ROW = 1_000_000


def main(path: str, sheets: list[str]) -> None:
    """Print the named sheet, or the first one with content."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    workbook = load_workbook(path)
    for name in sheets or workbook.sheet_names:
        rows = _filled(workbook, name)
        first = next(rows, None)
        if first is None:
            continue
        _say(name)
        _say(first)
        for row in rows:
            _say(row)
        break
    _say(None)


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _filled(workbook: CalamineWorkbook, name: str) -> Iterator[tuple[int, list[object] | None]]:
    try:
        sheet: CalamineSheet = workbook.get_sheet_by_name(name)
    except CalamineError:  # a sheet of charts has no cells
        return
    if sheet.start is None:
        return
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if any(cell not in {"", None} for cell in cells):
            size = sum(len(cell) for cell in cells if isinstance(cell, str))
            yield number, [_plain(cell) for cell in cells] if size <= MOST_IN_ROW else None


def _plain(cell: Any) -> object:  # noqa: ANN401 (whatever a cell holds)
    match cell:
        case datetime():
            return ["datetime", cell.isoformat()]
        case date():
            return ["date", cell.isoformat()]
        case time():
            return ["time", cell.isoformat()]
        case str() | bool() | int() | float():
            return cell
        case _:
            return str(cell)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
