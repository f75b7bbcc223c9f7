"""Cells of a CSV file that a spreadsheet program shows as text, whatever a customer typed into them."""

import re

# What makes a spreadsheet program take a cell for a formula or for two cells, blanks before it or not.
_FORMULA = re.compile(r"[\s\ufeff\u200b]*[=+\-@\t\r\n\0＝＋－＠]")
_NEGATIVE = re.compile(r"-[0-9]+([.,][0-9]+)?")


def cell(text: str) -> str:
    """The text as it is, or behind an apostrophe where it could run as a formula (CWE-1236)."""
    if _FORMULA.match(text) and not _NEGATIVE.fullmatch(text):
        return f"'{text}"
    return text
