"""How much this process takes on at once: requests in the application, bytes of bodies. Beyond that, 503 at once.

Only the event loop's thread counts, so that no lock is needed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.api.problems import Problem


def overloaded(detail: str) -> Problem:
    """503: nothing was done, and the same request will be welcome in a moment."""
    return Problem(
        503, f"{detail} Nothing was done: send it again in a moment.", "overloaded", headers={"Retry-After": "1"}
    )


class Room:
    """A bound on something that requests take up until they are answered."""

    def __init__(self, most: int, full: str) -> None:
        self._most = most
        self._full = full
        self._taken = 0

    def check(self) -> None:
        """Refuse when nothing is left."""
        if self._taken >= self._most:
            raise overloaded(self._full)

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """A function that takes some of it, or refuses; all that it took is given back at the end of the block."""
        own = 0

        def take(some: int) -> None:
            nonlocal own
            if self._taken + some > self._most:
                raise overloaded(self._full)
            own += some
            self._taken += some

        try:
            yield take
        finally:
            self._taken -= own

    @contextmanager
    def one(self) -> Iterator[None]:
        """One of it, for the length of the block."""
        with self.share() as take:
            take(1)
            yield
