"""How much stands behind a backlog item: who asks, what their accounts are worth, the score of both. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """One feedback record behind an item: its customer, where they are known, and their account's value, if any."""

    customer: str | None
    account_value: float | None


@dataclass(frozen=True, slots=True)
class Weight:
    """What an item is ordered by: distinct customers, and the value of their accounts together."""

    voices: int
    account_value: float

    @property
    def score(self) -> float:
        """`voices * (1 + log10(1 + account_value / 1000))`: ten times the money counts as much as one more voice each.

        >>> [round(Weight(voices, value).score, 2) for voices, value in ((1, 0), (1, 9_000), (3, 0), (3, 99_000))]
        [1.0, 2.0, 3.0, 9.0]
        """
        return self.voices * (1 + math.log10(1 + self.account_value / 1_000))


def weigh(voices: Iterable[Voice]) -> Weight:
    """Weigh what stands behind an item; a customer who speaks twice is one voice, with the newest value known.

    Args:
        voices: oldest first. Records whose customer is unknown are a voice each; a value below zero counts as none.
    """
    known: dict[str, float] = {}
    unknown: list[float] = []
    for voice in voices:
        value = max(0.0, voice.account_value or 0.0)
        if voice.customer is None:
            unknown.append(value)
        elif voice.account_value is not None or voice.customer not in known:
            known[voice.customer] = value
    return Weight(len(known) + len(unknown), math.fsum((*known.values(), *unknown)))
