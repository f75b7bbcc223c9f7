"""Rater: who labels, and whether what they say can be blind."""

from dataclasses import dataclass

from service.people.access import Caller


@dataclass(frozen=True, slots=True)
class Rater:
    """Somebody who labels. `blind`: no answer heed gives their roles holds a model's output."""

    name: str
    blind: bool


def rater_of(caller: Caller) -> Rater:
    """Who labels; only somebody who is a reviewer and nothing else cannot have seen the model's answers elsewhere."""
    return Rater(caller.name, blind=caller.roles == {"reviewer"})
