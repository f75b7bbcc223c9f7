"""Where a retry is decided: the outcome of an attempt in, the time of the next one or the end out. Pure."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.deliver.destination import Rejected, TryLater
from service.deliver.http import LONGEST_WAIT

SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The wait before each attempt, from the one before it, as Standard Webhooks 1.0 suggests: ten over some 75 hours."""

JITTER = 0.1


@dataclass(frozen=True)
class Retry:
    """The next attempt is due at this time."""

    at: datetime


@dataclass(frozen=True)
class GiveUp:
    """No further attempt; a person may replay the delivery."""

    reason: str


def next_attempt(outcome: Rejected | TryLater, attempt: int, now: datetime, key: str) -> Retry | GiveUp:
    """Decide after a failed attempt.

    The scheduled wait is spread by up to 10 % each way, the same for the same key and attempt, so that a
    thousand deliveries that failed together do not return together and a decision can be repeated. A wish of
    the destination is obeyed: never earlier than it asked, at most a day later.

    Args:
        outcome: what the attempt raised.
        attempt: how many attempts were made, this one included: 1 or more.
        now: the time of the decision, aware.
        key: the delivery's idempotency key.
    """
    if isinstance(outcome, Rejected):
        return GiveUp(outcome.detail)
    if attempt >= len(SCHEDULE):
        return GiveUp(f"{attempt} attempts failed; the last: {outcome.detail}")
    scheduled = SCHEDULE[attempt] * (1 + JITTER * _spread(key, attempt))
    asked = min(outcome.after or timedelta(0), LONGEST_WAIT)
    return Retry(now + max(scheduled, asked))


def _spread(key: str, attempt: int) -> float:
    """A number from -1 to 1 that only key and attempt determine."""
    digest = hashlib.sha256(f"{key}:{attempt}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**63 - 1
