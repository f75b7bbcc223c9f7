"""How a file of feedback is laid out: its format, encoding, delimiter or sheet, and its columns."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from service.ingest.file_csv import delimiter_of, header
from service.ingest.file_json import json_columns
from service.ingest.file_kind import MOST_COLUMNS, UnreadableFile, format_of
from service.ingest.file_text import encoding_of
from service.ingest.file_workbook import first_sheet

__all__ = ["Layout", "UnreadableFile", "recognise"]  # the error is part of the contract of `recognise`


@dataclass(frozen=True, slots=True)
class Layout:
    """What one has to know to read a file; `notes` are sentences for whoever looks at it."""

    format: Literal["csv", "ndjson", "xlsx"]
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as it is stored."""
        return {**asdict(self), "columns": list(self.columns), "notes": list(self.notes)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Layout":
        """What `to_json` gave."""
        return cls(**{**stored, "columns": tuple(stored["columns"]), "notes": tuple(stored.get("notes", ()))})


def recognise(path: Path, name: str) -> Layout:
    """Find out how a file is laid out, by its content first and its name second.

    Args:
        path: where it lies.
        name: what whoever sent it calls it.

    Raises:
        UnreadableFile: nothing of it can be used.
    """
    match format_of(path, name):
        case "xlsx":
            return _workbook(path)
        case "ndjson":
            return Layout("ndjson", "utf-8", None, None, json_columns(path))
        case _:
            encoding = encoding_of(path)
            delimiter = delimiter_of(path, encoding)
            columns, notes = _named(header(path, encoding, delimiter)[1])
            return Layout("csv", encoding, delimiter, None, columns, notes)


def _workbook(path: Path) -> Layout:
    sheet, rows = first_sheet(path)
    (_, cells), *others = rows
    if cells is None or len(cells) > MOST_COLUMNS:
        raise UnreadableFile(f"Sheet '{sheet}' has too long a first row: at most {MOST_COLUMNS:,} columns can be read.")
    if not others:
        raise UnreadableFile(f"Sheet '{sheet}' holds only a header: add at least one row below it.")
    columns, notes = _named([str(cell) for cell in cells])
    return Layout("xlsx", None, None, sheet, columns, notes)


def _named(cells: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A name of its own for each column, and what had to be told about them."""
    names: dict[str, None] = {}
    notes: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = " ".join(cell.replace("\0", " ").encode("utf-8", "replace").decode().split())
        if not name:
            notes.append(f"Column {number} has no name: it is called 'column {number}' here.")
            name = f"column {number}"
        if name in names:
            other = next(f"{name} ({n})" for n in range(2, number + 2) if f"{name} ({n})" not in names)
            notes.append(f"Column {number} has the name of another, '{name}': it is called '{other}' here.")
            name = other
        names[name] = None
    return tuple(names), tuple(notes)
