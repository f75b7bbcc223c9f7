"""Passwords: hashed with argon2id, a few at a time, so that a flood of guesses cannot take the machine's memory."""

import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 8, 256  # characters
_PATIENCE = 2.0  # seconds until a guess that finds no slot is told to come again
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's parameters: 19 MiB a guess
_slots = BoundedSemaphore(4)  # guesses at a time
_places = BoundedSemaphore(12)  # those and the ones that wait: each holds a thread, which other pages need, too


class WeakPassword(Exception):
    """The password cannot be used; the message says why."""


class TooBusy(Exception):
    """Too many passwords are being checked at once: try again in a moment."""


@contextmanager
def _slot() -> Iterator[None]:
    with ExitStack() as stack:
        for semaphore, patience in ((_places, 0.0), (_slots, _PATIENCE)):
            if not semaphore.acquire(timeout=patience):
                raise TooBusy("Many people are signing in right now: try again in a moment.")
            stack.callback(semaphore.release)
        yield


def hashed(password: str) -> str:
    """The argon2id hash of a new password, with its salt and parameters (RFC 9106).

    Raises:
        WeakPassword: fewer than 8 characters, more than 256, or one that no form can send.
        TooBusy: no slot came free in time.
    """
    if any(unicodedata.category(one) in {"Cc", "Cs"} for one in password):
        raise WeakPassword("A password is made of what can be typed: this one holds a control character or half a one.")
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"A password has {SHORTEST} to {LONGEST} characters: this one has {len(password)}.")
    with _slot():
        return _HASHER.hash(_as_typed(password))


def matches(password: str, stored: str | None) -> bool:
    """Whether this is the password; without a stored hash the time is spent all the same, so that nobody learns names.

    Raises:
        TooBusy: no slot came free in time.
    """
    guess = _as_typed(password) if len(password) <= LONGEST else b""
    with _slot():
        try:
            _HASHER.verify(stored or _NOBODY, guess)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None


def _as_typed(password: str) -> bytes:
    """The same bytes from every keyboard: some send an accented letter as one character, others as two (RFC 8265)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "replace")


_NOBODY = _HASHER.hash("nobody has this password, whatever is typed")
