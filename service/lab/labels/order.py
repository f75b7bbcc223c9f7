"""Order: by lot, which cards two people see, which one person sees again, and who sees which card when."""

from collections.abc import Sequence

import numpy as np

from calibration.sampling.lots import lots

SHARE_OF_TWO = 0.20  # of the cards, asked of two people ...
LEAST_OF_TWO = 36  # ... but so many at the least: fewer say little about how far people agree
REPEATED = 0.05  # of the cards, shown once more to whoever labels them first
APART = 8  # labels between a card and its repeat, while there are others

# Where in the round of cards somebody looks for the next one: a number of the sample's seed, of their name and of how
# many they have done. So everybody has an order of their own, which says nothing about a card.
TURN = "hashtextextended(:rater || ' ' || done.many, s.seed)"


def asked_of_two(size: int, overlap: float | None) -> int:
    """How many of `size` cards two people are asked about; `overlap` is the share, None for ours.

    >>> asked_of_two(60, None), asked_of_two(1000, None), asked_of_two(20, None), asked_of_two(60, 0.5)
    (36, 200, 20, 30)
    """
    if overlap is not None:
        return round(overlap * size)
    return max(round(SHARE_OF_TWO * size), min(size, LEAST_OF_TWO))


def by_lot(ids: Sequence[str], many: int, *, seed: int, purpose: str) -> frozenset[str]:
    """So many of the ids, those with the smallest lots.

    >>> len(by_lot(["a", "b", "c"], 2, seed=7, purpose="overlap"))
    2
    """
    order = np.argsort(lots(ids, seed=seed, purpose=purpose), kind="stable")
    return frozenset(ids[row] for row in order[:many])


def round_of(ids: Sequence[str], *, seed: int) -> dict[str, int]:
    """Each id's place in the round of cards: a whole number of 64 bits, with its sign.

    >>> round_of(["a"], seed=7) == round_of(["a"], seed=7)
    True
    """
    return {
        one: int((lot - 0.5) * 2.0**63) * 2 for one, lot in zip(ids, lots(ids, seed=seed, purpose="order"), strict=True)
    }
