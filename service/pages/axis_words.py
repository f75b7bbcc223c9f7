"""The axes of labelling and what was answered on them, in the words of people."""

from collections.abc import Collection, Mapping
from typing import Protocol

NAMES: Mapping[str, str] = {
    "sentiment": "Sentiment",
    "topic": "Topics",
    "type": "Kind of message",
    "urgency": "Urgency",
}
NONE = "none of these"
_SHOWN = 3  # of the beliefs
_HARDLY = 0.2  # below this a belief says nothing


class Answered(Protocol):
    """What somebody said about a card."""

    @property
    def labels(self) -> Collection[str]: ...
    @property
    def unsure(self) -> bool: ...


def answer(one: Answered) -> str:
    """What somebody answered, as a few words."""
    return "not sure" if one.unsure else ", ".join(one.labels) or NONE


def likeliest(beliefs: Mapping[str, float]) -> list[tuple[str, float]]:
    """The labels that are worth to be named, the likeliest first."""
    ranked = sorted(beliefs.items(), key=lambda one: -one[1])
    return [one for one in ranked[:_SHOWN] if one[1] >= _HARDLY]
