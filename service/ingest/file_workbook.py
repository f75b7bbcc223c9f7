"""Rows of an Excel workbook (.xlsx): checked as an archive first, then read by a process with little memory."""

import json
import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from datetime import date, datetime, time
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from service.ingest import workbook_process
from service.ingest.file_kind import UnreadableFile

MOST_ENTRIES = 1_000
MOST_UNPACKED = 50_000_000
MOST_RATIO = 100
_RATIO_FROM = 1_000_000  # a small part may well be all alike
_PIECE = 1 << 16
_STORED, _DEFLATED = 0, 8
_LOCAL_HEADER = 30
_AS_CSV = "save it as CSV"
_MOMENTS: dict[str, Callable[[str], object]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}


def check_archive(path: Path) -> None:
    """Refuse an archive that could unpack to more than it should, without unpacking it to anywhere.

    Raises:
        UnreadableFile: it is no workbook, damaged, locked, or grows too much.
    """
    try:
        with ZipFile(path) as archive:
            entries = archive.infolist()
    except (BadZipFile, LargeZipFile, ValueError, NotImplementedError, OSError) as error:
        raise UnreadableFile(f"The workbook is damaged: open it in Excel and {_AS_CSV}.") from error
    _check_names([entry.filename for entry in entries])
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFile(f"The workbook is locked with a password: take it off, or {_AS_CSV}.")
    with path.open("rb") as file:
        left = MOST_UNPACKED
        for entry in entries:
            file.seek(entry.header_offset)
            lengths = file.read(_LOCAL_HEADER)[26:30]
            file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
            left -= _unpacked(entry, file.read, left)


def _check_names(names: list[str]) -> None:
    if len(names) > MOST_ENTRIES:
        raise UnreadableFile(f"The workbook has {len(names):,} parts, more than {MOST_ENTRIES:,}: {_AS_CSV}.")
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise UnreadableFile(f"The workbook has a part that points outside of it: {_AS_CSV}.")
    if "xl/workbook.xml" not in names:
        binary = "xl/workbook.bin" in names
        seems = "a binary workbook (.xlsb)" if binary else "a zip archive without a workbook (.xlsx)"
        raise UnreadableFile(f"The file seems to be {seems}: {_AS_CSV if binary else 'unpack it, or save it as CSV'}.")


def _unpacked(entry: ZipInfo, read: Any, left: int) -> int:  # noqa: ANN401 (bytes of a file, by count)
    """How many bytes a part really unpacks to; what the directory says is only compared with it."""
    if entry.compress_type not in {_STORED, _DEFLATED}:
        raise UnreadableFile(f"The workbook is packed in an unusual way: {_AS_CSV}.")
    size, packed, inflater = 0, entry.compress_size, zlib.decompressobj(-zlib.MAX_WBITS)
    while packed > 0 and (piece := read(min(_PIECE, packed))):
        packed -= len(piece)
        if entry.compress_type == _STORED:
            size += len(piece)
        while entry.compress_type == _DEFLATED and piece:
            size += _inflated(inflater, piece)
            piece = inflater.unconsumed_tail
            if size > left:
                break
        if size > left:
            raise UnreadableFile(f"The workbook unpacks to more than {MOST_UNPACKED // 10**6} MB: {_AS_CSV}.")
        if size > max(_RATIO_FROM, MOST_RATIO * entry.compress_size):
            raise UnreadableFile(f"The workbook unpacks to over {MOST_RATIO} times its size: {_AS_CSV}.")
    if size != entry.file_size:
        raise UnreadableFile(f"The workbook is damaged: its parts are not as long as it says: {_AS_CSV}.")
    return size


def _inflated(inflater: Any, piece: bytes) -> int:  # noqa: ANN401 (zlib names no type for it)
    try:
        return len(inflater.decompress(piece, _PIECE))
    except zlib.error as error:
        raise UnreadableFile(f"The workbook is damaged: open it in Excel and {_AS_CSV}.") from error


def first_sheet(path: Path) -> tuple[str, list[tuple[int, list[object] | None]]]:
    """The first sheet with content, and its first two rows that are not empty.

    Raises:
        UnreadableFile: no sheet has any, or the workbook cannot be read.
    """
    check_archive(path)
    with closing(_answers(path)) as answers:
        sheet = next(answers, None)
        if not isinstance(sheet, str):
            raise UnreadableFile("The workbook is empty: fill a sheet with a header and at least one row.")
        return sheet, [_row(answer) for answer, _ in zip(answers, range(2), strict=False)]


def sheet_rows(path: Path, sheet: str) -> Iterator[tuple[int, list[object] | None]]:
    """The rows of a sheet that are not empty, by number; None stands for cells too long to be kept.

    Raises:
        UnreadableFile: the workbook cannot be read.
    """
    check_archive(path)
    with closing(_answers(path, sheet)) as answers:
        next(answers, None)
        yield from map(_row, answers)


def _answers(path: Path, *sheet: str) -> Generator[Any, None, None]:
    """What the process says, line by line. It runs alone, since a hostile workbook can make a reader abort."""
    command = [sys.executable, "-P", workbook_process.__file__, str(path), *sheet]
    with Popen(command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL) as process:  # noqa: S603 (our own program)
        try:
            assert process.stdout is not None  # noqa: S101 (mypy: a pipe was asked for)
            for line in process.stdout:
                answer = json.loads(line)
                if answer is None:
                    return
                yield answer
            raise UnreadableFile(f"The workbook cannot be read, or needs too much memory: {_AS_CSV}.")
        except ValueError as error:
            raise UnreadableFile(f"The workbook cannot be read, or needs too much memory: {_AS_CSV}.") from error
        finally:
            process.kill()


def _row(answer: Any) -> tuple[int, list[object] | None]:  # noqa: ANN401 (JSON)
    number, cells = answer
    return number, None if cells is None else [_cell(cell) for cell in cells]


def _cell(cell: Any) -> object:  # noqa: ANN401 (JSON)
    return _MOMENTS[cell[0]](cell[1]) if isinstance(cell, list) else cell
