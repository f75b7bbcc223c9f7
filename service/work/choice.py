"""Who of a group takes an item, and the words for its history. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.route.policy import People

_TOLD = 5  # people passed over, in one note


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who might take an item; `order` is their place in the document.

    `away` says why they are not there (`is away until Mon 23 Nov`), None where they are. `at_work` is when they work
    next and `open_items` how many they have: both equal for all where a group counts neither.
    """

    name: str
    order: int
    at_work: datetime
    open_items: int = 0
    away: str | None = None

    def hindrance(self, capacity: int | None) -> str | None:
        """Why they cannot take one more, in words; None where they can."""
        if self.away is not None:
            return f"{self.name} {self.away}"
        if capacity is not None and self.open_items >= capacity:
            return f"{self.name} has {self.open_items} open {'item' if self.open_items == 1 else 'items'}"
        return None


def choose(candidates: Sequence[Candidate], capacity: int | None) -> Candidate | None:
    """The one who takes the item: of those who are there and below `capacity`, who is at work soonest.

    Among equals it is who has the fewest open items, then who comes first in the document; the order in which the
    candidates are given says nothing. Working hours are a preference, never a bar: at night the item goes to who
    begins first. None where nobody can take it.
    """
    free = [one for one in candidates if one.hindrance(capacity) is None]
    return min(free, key=lambda one: (one.at_work, one.open_items, one.order), default=None)


def passed_over(candidates: Sequence[Candidate], capacity: int | None, chosen: Candidate | None) -> str:
    """Why not those who come before the chosen one in the document: `ana has 25 open items; jan is away`, or nothing.

    Without a chosen one it is why nobody; of a large group the first five are told, and how many more there are.
    """
    told = [
        said
        for one in sorted(candidates, key=lambda one: one.order)
        if (chosen is None or one.order < chosen.order) and (said := one.hindrance(capacity)) is not None
    ]
    more = [f"{len(told) - _TOLD} more cannot"] if len(told) > _TOLD else []
    return "; ".join([*told[:_TOLD], *more])


def pools(people: People, topics: Sequence[str], language: str | None) -> Iterator[tuple[str, ...]]:
    """Among whom one is looked for: who knows the first topic, the next, the language; then everybody."""
    for skill in (*topics, language):
        if skill is not None and skill in people.skills:
            yield people.skills[skill]
    yield people.people
