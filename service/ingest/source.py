"""The source protocol: how somebody's payload becomes feedback, and what a source may find in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.ingest.record import FeedbackRecord


@dataclass(frozen=True, slots=True)
class Inbound:
    """A request as it came in. Header names are lower case; `raw` is the body, byte for byte."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """One answer, translated, with the bytes it was sent in."""

    record: FeedbackRecord
    original: bytes


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The vendor says that an answer is no more."""

    source: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """The vendor sent an id only: the answer has to be fetched."""

    external_id: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing wrong with a payload: where (JSON Pointer, RFC 6901) and what."""

    pointer: str
    detail: str


class Unverified(Exception):
    """The payload is not from who it says; nothing of it may be used."""


class BadPayload(Exception):
    """Readable, but not what the contract asks for. Holds every error, so that one look mends them all."""

    def __init__(self, errors: Sequence[Wrong]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = tuple(errors)


class Source(Protocol):
    """One inbound connector: one file of this folder and one line in `catalog.py`."""

    def verify(self, inbound: Inbound, secrets: Sequence[str], now: datetime) -> None:
        """Check who sent it.

        Raises:
            Unverified: signature, time or secret is wrong.
        """

    def parse(self, inbound: Inbound) -> list[Received | Withdrawal | Fetch]:
        """Translate the payload.

        Raises:
            NotJson: it cannot be read at all.
            BadPayload: it can be read, but not used.
        """
