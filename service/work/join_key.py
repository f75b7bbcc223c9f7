"""Which open item a planned one joins instead of being made, and how urgent that makes it. Pure."""

import hashlib
from datetime import datetime

from service.route.canonical import canonical
from service.route.case import Case
from service.route.decide import Plan
from service.route.policy import PRIORITIES, Priority

MANY = 3  # answers behind an item, from which on it is a step more urgent than the most urgent of them
_LONGEST = 500  # characters that an index takes gladly


def join_key(plan: Plan, case: Case) -> str | None:
    """What two items of a kind have in common that are one: None where this one stays by itself.

    With a `key` its fields and their values, all of which must be there; with only `join` the customer and the first
    topic, where both are known and the topic may be acted upon.
    """
    if plan.key:
        parts: list[object] = [[name, value] for name, value in plan.key]
        known = all(value is not None for _, value in plan.key)
    else:
        topic = None if case.withheld or not case.tags else case.tags[0]
        parts = [["customer.id", case.customer.id], ["topic", topic]]
        known = plan.join is not None and case.customer.id is not None and topic is not None
    if not known:
        return None
    key = canonical(parts)
    return key if len(key) <= _LONGEST else f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def since(plan: Plan, at: datetime) -> datetime | None:
    """When the open item must have been made at the earliest; None: whenever."""
    return at - plan.join.elapsed() if plan.join else None


def lock_number(kind: str, key: str) -> int:
    """The advisory lock under which items of this kind and key are looked for and made."""
    return int.from_bytes(hashlib.sha256(f"{kind}\n{key}".encode()).digest()[:8], signed=True)


def joined_priority(current: Priority, asked: Priority, answers: int) -> Priority:
    """The priority of an item that one more answer joins, the last of `answers`.

    The highest of what they ask for; a step more from the third on.

    >>> [joined_priority("normal", "low", 2), joined_priority("normal", "high", 2), joined_priority("high", "low", 3)]
    ['normal', 'high', 'urgent']
    """
    known, wanted = PRIORITIES.index(current), PRIORITIES.index(asked)
    step_known, step_wanted = int(answers == MANY), int(answers >= MANY)  # `current` holds the step from then on
    return PRIORITIES[min(max(known + step_known, wanted + step_wanted), len(PRIORITIES) - 1)]
