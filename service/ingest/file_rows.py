"""The rows of a file, one at a time and in bounded memory, numbered as a person sees them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from service.ingest.file_csv import header, records
from service.ingest.file_json import json_cells, json_lines
from service.ingest.file_layout import Layout
from service.ingest.file_workbook import sheet_rows


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the header, or one line of JSON.

    `number`: the header's row is 1 where nothing stands above it; a line of JSON has its own number, from 1.
    `cells`: by column; what is empty may be missing.
    `wrong`: why the row cannot be read; the next one may well be.
    `typed`: a text was chosen to be one, as in JSON and Excel; elsewhere all cells are texts for want of types.
    """

    number: int
    cells: Mapping[str, object]
    wrong: str | None = None
    typed: bool = False


def rows(path: Path, layout: Layout, after: int = 0) -> Iterator[Row]:
    """The rows with a number above `after`; blank ones are left out, but counted.

    Raises:
        UnreadableFile: a workbook that could not be read to its end.
    """
    match layout.format:
        case "ndjson":
            return _of_json(path, after)
        case "xlsx":
            return _of_workbook(path, layout, after)
        case _:
            return _of_text(path, layout, after)


def _of_text(path: Path, layout: Layout, after: int) -> Iterator[Row]:
    encoding, columns = layout.encoding or "utf-8", layout.columns
    begin = max(after, header(path, encoding, layout.delimiter)[0])
    width = len(columns)
    broken = False  # the rest of a broken record may come, until a whole one does
    for number, record in enumerate(records(path, encoding, layout.delimiter), 1):
        cells = record.cells
        wrong = record.wrong
        if len(cells) != width and not wrong and any(cells):
            wrong = _misshapen(cells, width, after_broken=broken)
        broken = bool(wrong) or (broken and len(cells) != width)
        if number <= begin:
            continue
        if wrong:
            yield Row(number, {}, wrong)
        elif any(cells):
            yield Row(number, dict(zip(columns, cells, strict=False)))


def _misshapen(cells: list[str], width: int, *, after_broken: bool) -> str | None:
    """Why a record does not fit the header; cells missing at its end are taken for empty ones."""
    if any(cells[width:]):
        return (
            f"This row has {len(cells):,} cells, but the header names {width:,}: put quotes around a text that holds"
            " the character between two cells."
        )
    if after_broken and len(cells) < width:
        return f"This row has {len(cells):,} of {width:,} cells: it seems to be the rest of a row with a broken quote."
    return None


def _of_json(path: Path, after: int) -> Iterator[Row]:
    for number, line in enumerate(json_lines(path), 1):
        if number > after and line != b"":
            cells, wrong = json_cells(line)
            yield Row(number, cells, wrong, typed=True)


def _of_workbook(path: Path, layout: Layout, after: int) -> Iterator[Row]:
    found = sheet_rows(path, layout.sheet or "")
    next(found, None)  # the header
    for number, cells in found:
        if number <= after:
            continue
        if cells is None:
            yield Row(number, {}, "The cells of this row have more than a million characters: shorten them.")
        else:
            yield Row(number, dict(zip(layout.columns, cells, strict=False)), typed=True)
