"""Standing: what becomes of a card by what people said about it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["open", "third", "disputed", "settled"]
ENOUGH = 3  # people who are sure: from there on a majority decides


@dataclass(frozen=True, slots=True)
class Voice:
    """What one person said once: the labels that are right; None: not sure."""

    rater: str
    labels: frozenset[str] | None


def standing(places: int, voices: Sequence[Voice], *, exclusive: bool) -> State:
    """How a card stands that `places` people were asked about first; `voices` in the order they were raised.

    One person settles it who is sure, two who say the same. Two who do not call for a third; then a majority decides,
    label by label, or, where exactly one label is right, for one label. Where there is none, or only one was sure,
    somebody has to decide. Who says two things about one card (a hidden repeat) was not sure.

    >>> ana, jan = Voice("ana", frozenset({"negative"})), Voice("jan", frozenset({"neutral"}))
    >>> [standing(*asked, exclusive=True) for asked in ((2, [ana]), (1, [ana]), (2, [ana, jan]))]
    ['open', 'settled', 'third']
    """
    said: dict[str, set[frozenset[str] | None]] = {}
    for voice in voices:
        said.setdefault(voice.rater, set()).add(voice.labels)
    if len(said) < places or not said:
        return "open"
    sure = [one for answers in said.values() if len(answers) == 1 for one in answers if one is not None]
    doubt = len(sure) < len(said)
    if len(said) < ENOUGH:
        if len(set(sure)) == 1 and not doubt:
            return "settled"
        return "disputed" if len(said) == 1 else "third"
    return "settled" if len(sure) >= ENOUGH - 1 and _decided(sure, exclusive=exclusive) else "disputed"


def _decided(sure: Sequence[frozenset[str]], *, exclusive: bool) -> bool:
    if len(set(sure)) == 1:
        return True
    if len(sure) < ENOUGH:
        return False
    if exclusive:
        return 2 * max(Counter(sure).values()) > len(sure)
    times = Counter(label for labels in sure for label in labels)
    return all(2 * many != len(sure) for many in times.values())
