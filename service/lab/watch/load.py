"""Load: how many open items the people of a group may have, and have, and what is said when they are full. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.words import counted
from service.route.phrases import listed


@dataclass(frozen=True, slots=True)
class Load:
    """The people of a group who each may have `each` open items, how many each has, and where all others go then.

    `daily` is how many items came to them a day, of late and from all rules.
    """

    group: str
    people: Sequence[str]
    each: int
    open: Sequence[int]
    daily: float
    fallback: str = ""

    @property
    def full(self) -> bool:
        """Whether nobody of them may take one more."""
        return all(one >= self.each for one in self.open)

    @property
    def a_day(self) -> float | None:
        """How many items a day they have room for, if an item stays open as long as now; None where nobody knows."""
        lying = sum(self.open)
        return self.each * len(self.people) * self.daily / lying if lying and self.daily else None


def over(load: Load) -> str:
    """That the group is full, whose items they are, and where others go; empty where somebody has room."""
    if not load.full:
        return ""
    have = "has" if len(load.people) == 1 else "have"
    lying = counted(sum(load.open), "open item", "open items")
    goes = f"goes to {load.fallback}" if load.fallback else "waits until somebody takes it"
    return (
        f"{load.group} is full: {listed(load.people, 'and')} {have} {lying}, and the policy allows {load.each:,} each. "
        f"What comes now {goes}."
    )
