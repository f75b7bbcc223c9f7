"""The state of a card by what people said about it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

State = Literal["open", "third", "disputed", "settled"]
ENOUGH = 3  # people who are sure: from there on a majority decides


@dataclass(frozen=True, slots=True)
class Vote:
    """What one person said once: the labels that are right; None: not sure."""

    rater: str
    labels: frozenset[str] | None


def card_state(places: int, votes: Sequence[Vote], *, exclusive: bool) -> State:
    """How a card stands that `places` people were asked about first; `votes` in the order they were given.

    One person settles it who is sure, two who say the same. Two who do not call for a third; then a majority decides,
    label by label, or, where exactly one label is right, for one label. Where there is none, or only one was sure,
    somebody has to decide. Who says two things about one card (a hidden repeat) was not sure.

    >>> ana, jan = Vote("ana", frozenset({"negative"})), Vote("jan", frozenset({"neutral"}))
    >>> [card_state(*asked, exclusive=True) for asked in ((2, [ana]), (1, [ana]), (2, [ana, jan]))]
    ['open', 'settled', 'third']
    """
    said: dict[str, set[frozenset[str] | None]] = {}
    for vote in votes:
        said.setdefault(vote.rater, set()).add(vote.labels)
    if len(said) < places or not said:
        return "open"
    sure = [one for answers in said.values() if len(answers) == 1 for one in answers if one is not None]
    doubt = len(sure) < len(said)
    if len(said) < ENOUGH:
        if len(set(sure)) == 1 and not doubt:
            return "settled"
        return "disputed" if len(said) == 1 else "third"
    return "settled" if len(sure) >= ENOUGH - 1 and _decided(said.values(), exclusive=exclusive) else "disputed"


def _decided(said: Collection[set[frozenset[str] | None]], *, exclusive: bool) -> bool:
    """Whether every label is right or wrong as `calibration.certification.gold` counts; `said` by each person."""
    sure = [[one for one in answers if one is not None] for answers in said]
    truths = [_truth([{label in one for one in own} for own in sure]) for label in frozenset().union(*chain(*sure))]
    return None not in truths and (not exclusive or any(truths))


def _truth(said: Sequence[set[bool]]) -> bool | None:
    """About one label, where 'not sure' contradicts nobody and who says both is out; None: nobody knows."""
    votes = [right for own in said if len(own) == 1 for right in own]
    yes = sum(votes)
    if len(set(votes)) == 1 or (len(votes) >= ENOUGH and 2 * yes != len(votes)):
        return 2 * yes > len(votes)
    return None
