"""The destination protocol and its words: what a vendor is given, what it gives back, how it refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, Self

from pydantic import ValidationError

from service.deliver.http import Client


@dataclass(frozen=True)
class Draft:
    """Everything a vendor needs of a work item, in plain text and plain words."""

    work_item_id: str
    kind: str
    title: str  # one line, at most 120 characters
    body: str
    priority: str  # low, normal, high or urgent
    mandatory: bool
    tags: tuple[str, ...]
    owner: str | None
    due_at: datetime | None
    rule: str
    feedback_ids: tuple[str, ...]
    source: str
    customer: str | None  # the customer's id at the source, never a name or an address
    url: str | None  # the work item's own page
    created_at: datetime
    status: str = "open"


@dataclass(frozen=True)
class Told:
    """One thing a person is told; `level` is that of an escalation, `due_at` the item's."""

    kind: str  # assigned, escalated, offered ...
    words: str
    work_item_id: str | None
    url: str | None
    level: int | None
    due_at: datetime | None


@dataclass(frozen=True)
class Notification:
    """What a person is told by one call: a digest, or a single notice."""

    person: str
    notices: tuple[Told, ...]


@dataclass(frozen=True)
class Call:
    """One attempt: `key` and `happened_at` are the same on every retry, `now` is this attempt's."""

    key: str  # idempotency key, printable ASCII
    happened_at: datetime
    now: datetime


@dataclass(frozen=True)
class Receipt:
    """How the vendor names what it made; None where it does not say."""

    external_ref: str | None
    external_url: str | None


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a destination as it was asked for; `pointer` is a JSON Pointer into the request."""

    pointer: str
    detail: str


class InvalidDestination(Exception):
    """A destination cannot be opened with this kind, these settings or these secrets."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.pointer}: {problem.detail}" for problem in problems))
        self.problems = tuple(problems)


def settings_problems(error: ValidationError) -> list[Problem]:
    """What pydantic found wrong with a vendor's settings, each with its place and without the value sent."""
    return [
        Problem(
            "/settings" + "".join(map(_step, found["loc"])),
            _WORDS.get(found["type"], found["msg"]).format_map(found.get("ctx", {})),
        )
        for found in error.errors()
    ]


_WORDS: Mapping[str, str] = {
    "extra_forbidden": "this field is unknown here; remove it",
    "missing": "this field is required",
    "string_type": "a text is needed here",
    "string_too_short": "this text is empty; write something here, or leave the field out",
    "string_too_long": "this text is too long; at most {max_length} characters are allowed here",
}


def _step(part: int | str) -> str:
    return "/" + str(part).replace("~", "~0").replace("/", "~1")


class Rejected(Exception):
    """Stop: the same call will never succeed. With `disable`, the destination wants no call at all any more."""

    def __init__(self, detail: str, *, disable: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.disable = disable


class TryLater(Exception):
    """Again, with the same key, not before `after` where the vendor said how long to wait."""

    def __init__(self, detail: str, after: timedelta | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.after = after


class Destination(Protocol):
    """A system where people work. One file and one line in `catalog.py` each.

    Every call is one attempt: no waiting, no retry inside. It returns when the vendor has answered for the call,
    and raises `Rejected` or `TryLater` otherwise, with a text that holds no secret.

    A vendor that cannot recognise a repeated key (`idempotent` is False) will bring `find(key)`, and one that
    reports back will bring `status(inbound)` or `poll`; they join this protocol with the first vendor that needs them.
    """

    idempotent: ClassVar[bool]
    """Whether the same key sent twice has one effect, so that a call of unknown fate may simply be sent again."""

    @classmethod
    def open(cls, settings: Mapping[str, object], secrets: Sequence[str], http: Client) -> Self:
        """Read settings and secrets without touching the network; raises `InvalidDestination` naming every problem."""
        ...

    @staticmethod
    def new_secret() -> str | None:
        """A secret of our making for a destination set up without one; None where only the vendor can give it."""
        ...

    def create(self, draft: Draft, call: Call) -> Receipt:
        """Make the work item known there."""
        ...

    def update(self, draft: Draft, external_ref: str | None, call: Call) -> Receipt:
        """Bring what `create` made up to date with the draft."""
        ...

    def comment(self, draft: Draft, external_ref: str | None, text: str, call: Call) -> Receipt:
        """Add a remark to what `create` made."""
        ...

    def notify(self, told: Notification, call: Call) -> Receipt:
        """Tell a person something."""
        ...

    def test(self, call: Call) -> None:
        """Prove that address and secrets work, leaving nothing behind."""
        ...
