"""What may be answered on an axis: its labels, and whether several can be right at once."""

from collections.abc import Collection
from dataclasses import dataclass

from models.prediction import SENTIMENTS, TYPES, URGENCIES
from models.taxonomies.taxonomy import Taxonomy

AXES = ("sentiment", "topic", "type", "urgency")
EXCLUSIVE = frozenset({"sentiment", "urgency"})  # axes on which exactly one label is right


class UnknownAxis(Exception):
    """No classifier judges on this axis."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A label, and what it means where somebody wrote that down."""

    label: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """The labels of an axis; of an exclusive axis exactly one is right, of another any number, also none."""

    axis: str
    labels: tuple[Choice, ...]
    exclusive: bool

    def wrong(self, labels: Collection[str]) -> str | None:
        """Why this is no answer, in a sentence; None where it is one."""
        unknown = sorted(set(labels) - {choice.label for choice in self.labels})
        known = ", ".join(choice.label for choice in self.labels)
        if unknown:
            return f"There is no {self.axis} '{unknown[0]}': choose of {known}."
        if self.exclusive and len(set(labels)) != 1:
            return f"Exactly one {self.axis} is right: choose one of {known}, or say that you are not sure."
        return None


def choices(axis: str, taxonomy: Taxonomy) -> Choices:
    """What may be answered on an axis.

    Raises:
        UnknownAxis: there is no such axis.
    """
    if axis == "topic":
        return Choices(axis, tuple(Choice(one.name, one.description) for one in taxonomy.topics), exclusive=False)
    named = {"sentiment": SENTIMENTS, "type": TYPES, "urgency": URGENCIES}.get(axis)
    if named is None:
        raise UnknownAxis(f"There is no axis '{axis}': choose of {', '.join(AXES)}.")
    return Choices(axis, tuple(map(Choice, named)), exclusive=axis in EXCLUSIVE)
