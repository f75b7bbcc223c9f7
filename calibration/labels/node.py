"""Node: a value of a foreign JSON file and where it stands, read so that every mistake is told with its place."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from calibration.labels.label import Fault

T = TypeVar("T")
_PLAIN_NAME = re.compile(r"\w{1,40}")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file and where it stands. What is wrong with it is noted in `faults`, and reading goes on."""

    value: object
    row: int
    path: str
    faults: list[Fault]

    def wrong(self, detail: str) -> None:
        self.faults.append(Fault(self.row, self.path, detail))

    def member(self, name: str) -> "Node":
        """The value under `name`, None where there is none: the tools write null and leave out alike."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        shown = name if _PLAIN_NAME.fullmatch(name) else shorten(name)
        return Node(value, self.row, f"{self.path}.{shown}" if self.path else shown, self.faults)

    def first(self, *names: str) -> "Node":
        """The first member that holds something, else the first."""
        members = [self.member(name) for name in names]
        return next((one for one in members if one.value is not None), members[0])

    def members(self) -> "list[tuple[str, Node]]":
        return [(name, self.member(name)) for name in self.value] if isinstance(self.value, dict) else []

    def part(self, name: str) -> "Node":
        """A member that must be an object where it is there at all."""
        found = self.member(name)
        if found.value is not None and not isinstance(found.value, dict):
            found.wrong(f"must be an object, not {kind(found.value)}")
        return found

    def entries(self) -> "list[Node]":
        if not isinstance(self.value, list):
            self.wrong(f"must be a list, not {kind(self.value)}")
            return []
        return [Node(value, self.row, f"{self.path}[{index}]", self.faults) for index, value in enumerate(self.value)]

    def objects(self) -> "list[Node]":
        """The entries that are objects; the others are noted."""
        entries = self.entries()
        for one in entries:
            if not isinstance(one.value, dict):
                one.wrong(f"must be an object, not {kind(one.value)}")
        return [one for one in entries if isinstance(one.value, dict)]

    def read(self, reading: Callable[[object], T], default: T) -> T:
        """What `reading` makes of the value; where it raises ValueError that is noted, and the default is returned."""
        try:
            return reading(self.value)
        except ValueError as error:
            self.wrong(str(error))
            return default


def text(value: object) -> str:
    """A text that UTF-8 can hold.

    >>> text("Late")
    'Late'
    """
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {kind(value)}")  # noqa: TRY004 - `Node.read` collects ValueErrors
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half a character (a lone surrogate)") from error
    return value


def filled(value: object) -> str:
    """A text that says something.

    >>> filled("")
    Traceback (most recent call last):
        ...
    ValueError: is empty
    """
    if not text(value).strip():
        raise ValueError("is empty")
    return text(value)


def kind(value: object) -> str:
    """What a JSON value is, in words and short.

    >>> kind([1])
    'a list'
    """
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else shorten(value)


def shorten(value: object) -> str:
    """A text or number as it may stand in a message: short, and with nothing in it that cannot be seen.

    >>> shorten("a" * 100)[-3:]
    "a…'"
    """
    if isinstance(value, str) and len(value) > 40:
        value = value[:39] + "…"
    return repr(value)
