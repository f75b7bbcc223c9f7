"""One mapping of a policy document being read: typed access by key, each misfit noted with its place."""

import math
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from service.route.findings import Findings
from service.route.marked import Listing, Mark, Marked, Scalar, Table
from service.route.suggestion import did_you_mean

Parsed = TypeVar("Parsed")
_MAX_TEXT = 200


class Section:
    """A mapping that may hold the given keys and must hold the `required` ones.

    Every getter gives None where the key is absent, and notes an error and gives None where its value does not fit.
    """

    def __init__(
        self,
        table: Table,
        findings: Findings,
        keys: Collection[str],
        required: Collection[str] = (),
    ) -> None:
        given = tuple((key, part) for key, part in table.entries if not is_null(part))
        self.table, self.findings = Table(table.mark, given), findings
        for key, _ in table.entries:
            if key.text not in keys:
                detail = f"{key.text} is not known here; expected: {', '.join(keys)}"
                findings.error(key.mark, detail, did_you_mean(key.text, keys))
        for name in required:
            if self.table.get(name) is None:
                findings.error(table.mark, f"{name} is missing")

    def mark(self, key: str) -> Mark:
        """Give the place of a key's value, or of the mapping where the key is absent."""
        value = self.table.get(key)
        return self.table.mark if value is None else value.mark

    def scalar(self, key: str) -> Scalar | None:
        """Give a written value as it stands in the document."""
        value = self.table.get(key)
        if value is None or isinstance(value, Scalar):
            return value
        self.findings.error(value.mark, f"{key} is one value, not a list or a mapping")
        return None

    def text(self, key: str) -> str | None:
        scalar = self.scalar(key)
        return None if scalar is None else plain_text(scalar, key, self.findings)

    def choice(self, key: str, choices: Collection[str]) -> str | None:
        word = self.text(key)
        if word is None or word in choices:
            return word
        detail = f"{key} is one of {', '.join(choices)}, not {word}"
        self.findings.error(self.mark(key), detail, did_you_mean(word, choices))
        return None

    def number(self, key: str) -> float | None:
        scalar = self.scalar(key)
        return None if scalar is None else number(scalar, key, self.findings)

    def flag(self, key: str) -> bool | None:
        scalar = self.scalar(key)
        value = scalar.value if scalar is not None else None
        if scalar is None or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        self.findings.error(scalar.mark, f"{key} is true or false")
        return None

    def parsed(self, key: str, read: Callable[[str], Parsed]) -> Parsed | None:
        """Read a text with a function that raises ValueError with a plain sentence where it does not fit."""
        scalar = self.scalar(key)
        return None if scalar is None else parsed(scalar, read, self.findings)

    def section(self, key: str) -> Table | None:
        value = self.table.get(key)
        if value is None or isinstance(value, Table):
            return value
        self.findings.error(value.mark, f"{key} is a mapping")
        return None

    def items(self, key: str) -> tuple[Marked, ...]:
        value = self.table.get(key)
        if isinstance(value, Listing):
            return value.items
        if value is not None:
            one = value.text if isinstance(value, Scalar) else "..."
            self.findings.error(value.mark, f"{key} is a list", f"put it in square brackets: [{one[:40]}]")
        return ()

    def texts(self, key: str) -> Iterator[tuple[str, Scalar]]:
        """Yield the texts of a list, each once, with their places."""
        seen = set[str]()
        for item in self.items(key):
            if not isinstance(item, Scalar):
                self.findings.error(item.mark, f"every entry of {key} is a text")
            elif (word := plain_text(item, key, self.findings)) is not None:
                if word in seen:
                    self.findings.error(item.mark, f"{word} is listed twice")
                else:
                    seen.add(word)
                    yield word, item


def is_null(part: Marked) -> bool:
    """Say whether nothing was written, or null, which is the same."""
    return isinstance(part, Scalar) and part.value is None


def plain_text(scalar: Scalar, what: str, findings: Findings) -> str | None:
    """Give a text of 1 to 200 printable characters, or note why it is none."""
    value = scalar.value
    if not isinstance(value, str):
        findings.error(scalar.mark, f"{what} is a text", f'put it in quotes: "{scalar.text}"' if scalar.text else None)
    elif (hidden := next((sign for sign in value if not sign.isprintable()), None)) is not None:
        detail = f"{what} holds a hidden character (U+{ord(hidden):04X}); it is a text of printable characters"
        findings.error(scalar.mark, detail, "delete it, or write the text again")
    elif not 1 <= len(value.strip()) <= _MAX_TEXT:
        findings.error(scalar.mark, f"{what} is a text of 1 to {_MAX_TEXT} printable characters")
    else:
        return value
    return None


def number(scalar: Scalar, what: str, findings: Findings) -> float | None:
    """Give a finite number, or note why it is none."""
    value = scalar.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        findings.error(scalar.mark, f"{what} is a number")
    elif not math.isfinite(value):
        findings.error(scalar.mark, f"{what} is too large a number")
    else:
        return float(value)
    return None


def parsed(scalar: Scalar, read: Callable[[str], Parsed], findings: Findings) -> Parsed | None:
    """Read a text with `read`; a ValueError becomes an error at its place."""
    try:
        return read(scalar.text)
    except ValueError as error:
        findings.error(scalar.mark, str(error))
        return None
