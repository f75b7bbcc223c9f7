"""Cells of a CSV file that a spreadsheet program shows as text, whatever a customer typed into them."""

import re
from datetime import UTC, datetime

# What makes a spreadsheet program take a cell for a formula or for two cells, blanks before it or not.
_FORMULA = re.compile(r"[\s\ufeff\u200b]*[=+\-@\t\r\n\0＝＋－＠]")
_NEGATIVE = re.compile(r"-[0-9]+([.,][0-9]+)?")


def utc(at: datetime | None) -> str:
    """The moment in UTC to the second, `2026-03-01T09:30:00Z`; empty for none."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def cell(text: str) -> str:
    """The text as it is, or behind an apostrophe where it could run as a formula (CWE-1236)."""
    if _FORMULA.match(text) and not _NEGATIVE.fullmatch(text):
        return f"'{text}"
    return text
