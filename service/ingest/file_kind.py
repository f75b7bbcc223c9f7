"""What a file is by its first bytes, and the error for one that cannot be read."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Format = Literal["csv", "ndjson", "xlsx"]

MOST_COLUMNS = 2_000
MOST_IN_RECORD = 1_000_000  # characters or bytes: ten of the longest verbatims
HEAD = 65_536  # what is looked at to tell a text from anything else

_MAGIC: Sequence[tuple[bytes, str]] = (
    (b"%PDF", "a PDF document: export the answers as CSV"),
    (b"\x89PNG", "a picture: choose the file with the answers"),
    (b"\xff\xd8\xff", "a picture: choose the file with the answers"),
    (b"GIF8", "a picture: choose the file with the answers"),
    (b"\x1f\x8b", "packed with gzip: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"PAR1", "a Parquet file: save it as CSV"),
    (b"SQLite format 3", "an SQLite database: export the table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls) or one with a password: save it as .xlsx without one, or as CSV"),
    (b"\xff\xfe\x00\x00", "text in UTF-32: save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "text in UTF-32: save it as UTF-8"),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MARKUP = re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE)
_LIST = re.compile(rb"(\xef\xbb\xbf)?\s*\[\s*[{\]]")
_OBJECT = re.compile(rb"(\xef\xbb\xbf)?\s*\{")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class UnreadableFile(Exception):
    """Nothing of the file can be used; the message says where and what to do, in one sentence."""


def format_of(path: Path, name: str) -> Format:
    """What the file is: by its content first, by its name second.

    Raises:
        UnreadableFile: it is empty, or nothing that holds rows.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
        raise UnreadableFile("The file is empty: choose one with a header and at least one row.")
    if head.startswith(_ZIP):
        return "xlsx"
    _refuse_others(head)
    if _OBJECT.match(head) or name.lower().endswith((".ndjson", ".jsonl")):
        return "ndjson"
    return "csv"


def _refuse_others(head: bytes) -> None:
    for magic, seems in _MAGIC:
        if head.startswith(magic):
            raise UnreadableFile(f"The file seems to be {seems}.")
    if _MARKUP.match(head):
        raise UnreadableFile("The file seems to be a web page or XML: save it as CSV.")
    if _LIST.match(head):
        raise UnreadableFile("The file is one JSON list: write one record per line instead (NDJSON).")
    if not head.startswith(_UTF16) and b"\0" in head:
        raise UnreadableFile(_holds_nul(head))


def _holds_nul(head: bytes) -> str:
    if head.count(0) * 3 > len(head):  # every second byte of Latin letters in UTF-16
        return "The file seems to be UTF-16 without a byte order mark: save it as UTF-8."
    return f"Byte {head.index(0):,} of the file is NUL, so it seems to be no text: save it as CSV in UTF-8."
