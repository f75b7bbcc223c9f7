"""The text of a file: its encoding, and its lines in bounded memory."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from service.ingest.file_kind import MOST_IN_RECORD, UnreadableFile

_PIECE = 1 << 20
_MOST_AGAIN = 8 * MOST_IN_RECORD  # in all: going back must not make reading quadratic
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # in Windows-1252
_TOO_LONG = "(too long)\n"  # stands in for a line too long to be kept; compared by identity


def encoding_of(path: Path) -> str:
    """The name Python has for the file's encoding, decided on the whole of it.

    Text that is UTF-8 but for a few bytes stays UTF-8, so that only their rows are lost.

    Raises:
        UnreadableFile: neither UTF-8, nor UTF-16 with a byte order mark, nor Windows-1252.
    """
    with path.open("rb") as file:
        head = file.read(3)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _check_utf16(path)
        return "utf-16"
    utf8 = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    if _mostly_utf8(path):
        return utf8
    _check_windows(path)
    return "cp1252"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _mostly_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = broken = 0
    for piece in _pieces(path):
        text = decoder.decode(piece)
        if not text.isascii():
            whole = len(text.encode("utf-8", "ignore").decode())
            good += whole - len(text.encode("ascii", "ignore"))
            broken += len(text) - whole
    broken += len(decoder.decode(b"", final=True))
    return good >= broken


def _check_utf16(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-16")()
    read = 0
    try:
        for piece in _pieces(path):
            decoder.decode(piece)
            read += len(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"The file begins as UTF-16, but cannot be read as such near byte {read + error.start:,}: save it as UTF-8."
        ) from error


def _check_windows(path: Path) -> None:
    read = 0
    for piece in _pieces(path):
        if found := _UNDEFINED.search(piece):
            raise UnreadableFile(
                f"Byte {read + found.start():,} of the file (0x{found[0].hex()}) is neither UTF-8 nor Windows-1252:"
                " save the file as UTF-8."
            )
        read += len(piece)


def open_text(path: Path, encoding: str) -> TextIO:
    """The text with its line ends as they are; a byte that is no UTF-8 comes as half of a surrogate pair."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "strict"
    return path.open(encoding=encoding, errors=errors, newline="")


class TooLong(Exception):
    """A record is longer than what is kept in memory."""


class Lines:
    """The lines of a text, for a reader that makes records of them; it can go back into the record under way."""

    def __init__(self, file: TextIO) -> None:
        self.line = 1  # where the record under way begins
        self.broken = False  # it holds a byte that is no UTF-8
        self._read = file.readline
        self._record: list[str] = []
        self._size = 0
        self._waiting: list[str] = []  # to be read again, last first
        self._again = 0

    def begin(self) -> None:
        """The next line begins a record."""
        self.line += len(self._record)
        self.broken = False
        self._record.clear()
        self._size = 0

    def go_back(self) -> None:
        """Read what follows the first line of the record again, as records of its own."""
        self._again += self._size
        if self._again <= _MOST_AGAIN:
            self._waiting.extend(reversed(self._record[1:]))
            del self._record[1:]

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._waiting.pop() if self._waiting else self._next_line()
        self._record.append(line)
        self._size += len(line)
        if not line.isascii() and not _encodes(line):
            self.broken = True
        if line is _TOO_LONG or self._size > MOST_IN_RECORD:
            raise TooLong
        return line

    def _next_line(self) -> str:
        line = self._read(MOST_IN_RECORD)
        if not line:
            raise StopIteration
        if len(line) < MOST_IN_RECORD:
            return line
        while line and line[-1] not in "\r\n":
            line = self._read(MOST_IN_RECORD)
        return _TOO_LONG


def _encodes(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True
