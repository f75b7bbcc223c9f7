"""Records of delimited text: the delimiter recognised, a broken record told and left behind."""

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from service.ingest.file_kind import MOST_COLUMNS, UnreadableFile
from service.ingest.file_text import Lines, TooLong, open_text

DELIMITERS: Sequence[str] = (",", ";", "\t", "|")
_ONE_COLUMN = "\ud800"  # half of a pair, which no text holds: every line is one cell
_HINT = re.compile(r"sep=([,;|:^~\t])\r?\n")  # the first line that Excel takes for the delimiter
_NOT_UTF8 = "The row that begins in line {:,} of the file holds a byte that is not UTF-8: type the letter there again."
_SAMPLE = 1_000_000
_SAMPLE_RECORDS = 200


def delimiter_of(path: Path, encoding: str) -> str | None:
    """The delimiter that divides the first records most steadily; None where there is one column only."""
    with open_text(path, encoding) as file:
        sample = file.read(_SAMPLE)
        whole = not file.read(1)
    if hint := _HINT.match(sample):
        return hint[1]
    scores = [(*_steadiness(sample, delimiter, whole=whole), delimiter) for delimiter in DELIMITERS]
    steady, width, best = max(scores, key=lambda score: score[:2])
    return best if steady and width > 1 else None


def _steadiness(sample: str, delimiter: str, *, whole: bool) -> tuple[float, int]:
    """The share of records as wide as the header, and how wide that is."""
    widths: list[int] = []
    try:
        for cells in csv.reader(StringIO(sample, newline=""), delimiter=delimiter):
            if any(cells):
                widths.append(len(cells))
            if len(widths) > _SAMPLE_RECORDS:
                break
        else:
            widths = widths if whole or len(widths) < 2 else widths[:-1]
    except csv.Error:
        pass  # a cell too long: what came before it will do
    if not widths or widths[0] < 2:
        return 0.0, 1
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


class Record(NamedTuple):
    """The cells of one record, or none and what is wrong with it."""

    cells: list[str]
    wrong: str | None = None


def records(path: Path, encoding: str, delimiter: str | None) -> Iterator[Record]:
    """Every record in turn, blank ones included.

    Memory stays bounded: a record is at most a million characters, a cell as long as `csv` allows.
    """
    with open_text(path, encoding) as file:
        lines = Lines(file)
        reader = csv.reader(lines, delimiter=delimiter or _ONE_COLUMN, strict=True)
        while True:
            lines.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, TooLong) as error:
                wrong = _told(error, lines.line)
                lines.go_back()
                yield Record([], wrong)
                continue
            if lines.broken:
                yield Record([], _NOT_UTF8.format(lines.line))
            else:
                yield Record(cells)


def _told(error: Exception, line: int) -> str:
    match str(error):
        case "unexpected end of data":
            return f"The quote that opens in line {line:,} of the file is never closed: close it, or remove it."
        case told if "expected after" in told:
            return (
                f"A quote in the row that begins in line {line:,} of the file closes before its cell ends:"
                " write a quote inside a cell twice."
            )
        case _:
            return (
                f"The row that begins in line {line:,} of the file is too long, or a quote that opens there is never"
                " closed: shorten the text, or close the quote."
            )


def header(path: Path, encoding: str, delimiter: str | None) -> tuple[int, list[str]]:
    """The number of the header's record and its cells.

    Raises:
        UnreadableFile: there is no header, or nothing after it.
    """
    found = (
        (number, record)
        for number, record in enumerate(records(path, encoding, delimiter), 1)
        if record.wrong or (any(record.cells) and not (number == 1 and _is_hint(record.cells)))
    )
    (number, first), second = next(found, (0, None)), next(found, None)
    if first is None:
        raise UnreadableFile("The file is empty: choose one with a header and at least one row.")
    if first.wrong:
        raise UnreadableFile(f"The header, the first row of the file, cannot be read. {first.wrong}")
    if len(first.cells) > MOST_COLUMNS:
        raise UnreadableFile(f"The file has {len(first.cells):,} columns: at most {MOST_COLUMNS:,} can be read.")
    if second is None:
        raise UnreadableFile("The file holds only a header: add at least one row below it.")
    return number, first.cells


def _is_hint(cells: list[str]) -> bool:
    return cells[0] == "sep=" and not any(cells[1:])
