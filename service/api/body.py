"""A request's body on its way in, bounded in bytes and in time: read whole, or counted while the application reads."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from service.api.problems import Problem

PATIENCE = 10  # seconds before a sender's pace counts


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a body may cost: bytes, seconds of waiting for its sender, and from `PATIENCE` seconds on bytes a second."""

    most_bytes: int
    seconds: float
    pace: int
    remedy: str

    def patience(self, size: int) -> float:
        """For how long in all a sender may be waited for who has sent this much."""
        return min(self.seconds, PATIENCE + size / self.pace)


ORDINARY = Bounds(10_000_000, 10, 1_000_000, "send fewer records at a time")
FORMS = Bounds(1_000_000, 10, 1_000_000, "write less into the form")
FILES = Bounds(200_000_000, 120, 50_000, "split the file and send its parts one after the other")


class Incoming:
    """A body on its way in; `receive` is what the application may be given to read it with.

    Every read raises a problem: 413 once there is too much of it, 408 when the sender is too slow, 400 when he left.
    """

    def __init__(self, receive: Receive, bounds: Bounds) -> None:
        self._receive = receive
        self._bounds = bounds
        self._size = 0
        self._waited = 0.0
        self._ended = False

    def check(self, headers: Headers) -> None:
        """Refuse what its headers give away: a Content-Encoding with 415, a length that is too large with 413."""
        if any(one.lower() != "identity" for one in headers.getlist("content-encoding")):
            raise Problem(415, "Send the body as it is, without a Content-Encoding.")
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared[:19]) > self._bounds.most_bytes:
            raise self._too_large()

    async def receive(self) -> Message:
        """The next piece; after the last one, whatever the server has to say."""
        if self._ended:
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._bounds.patience(self._size) - self._waited):
                message = await self._receive()
        except TimeoutError as error:
            detail = f"The body took longer than {self._bounds.patience(self._size):.3g} seconds to arrive."
            raise Problem(408, detail, headers={"Connection": "close"}) from error  # or the socket would wait on
        if message["type"] == "http.disconnect":
            raise Problem(400, "The connection ended before the body did.")
        self._waited += time.monotonic() - began
        self._size += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._size > self._bounds.most_bytes:
            raise self._too_large()
        return message

    async def whole(self, hold: Callable[[int], None]) -> bytes:
        """All of it; `hold` hears of every piece, and may refuse to keep it."""
        pieces: list[bytes] = []
        while not self._ended:
            pieces.append((await self.receive()).get("body", b""))
            hold(len(pieces[-1]))
        return b"".join(pieces)

    def _too_large(self) -> Problem:
        return Problem(413, f"A body has at most {self._bounds.most_bytes:,} bytes here: {self._bounds.remedy}.")
