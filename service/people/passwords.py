"""Passwords: hashed with argon2id, a few at a time, so that a flood of guesses cannot take the machine's memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 8, 256  # characters
_SLOTS = 4
_PATIENCE = 2.0  # seconds until a guess that finds no slot is told to come again
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's parameters: 19 MiB a guess
_slots = BoundedSemaphore(_SLOTS)


class WeakPassword(Exception):
    """The password cannot be used; the message says why."""


class TooBusy(Exception):
    """Too many passwords are being checked at once: try again in a moment."""


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=_PATIENCE):
        raise TooBusy("Many people are signing in right now: try again in a moment.")
    try:
        yield
    finally:
        _slots.release()


def hashed(password: str) -> str:
    """The argon2id hash of a new password, with its salt and parameters (RFC 9106).

    Raises:
        WeakPassword: fewer than 8 characters, or more than 256.
        TooBusy: no slot came free in time.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"A password has {SHORTEST} to {LONGEST} characters: this one has {len(password)}.")
    with _slot():
        return _HASHER.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether this is the password; without a stored hash the time is spent all the same, so that nobody learns names.

    Raises:
        TooBusy: no slot came free in time.
    """
    with _slot():
        try:
            _HASHER.verify(stored or _NOBODY, password[:LONGEST].encode("utf-8", "replace"))
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None


_NOBODY = _HASHER.hash("nobody has this password, whatever is typed")
