"""Draws for the targeted pool: the most uncertain or disputed items, for training and bug-hunting, never to certify."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, counts, floats, probabilities
from calibration.sampling.design import Targeted, design_id
from calibration.sampling.lots import lots, pool_digest


@dataclass(frozen=True, slots=True)
class TargetedDraw:
    """What was drawn, the highest priority first. It has no inclusion probability, so nothing can be certified."""

    ids: tuple[str, ...]
    priority: tuple[float, ...]
    seed: int
    pool_size: int
    pool_digest: str
    design_id: str


def draw_targeted(
    ids: Sequence[str], priority: ArrayLike, design: Targeted, *, audited: Collection[str] = (), seed: int = 0
) -> TargetedDraw:
    """Take the items with the highest priority (shape `(n,)`, in the order of `ids`), leaving out the audited ones.

    Ties are broken by `lots`: the same pool (in any order), design and seed give the same draw. An audited item must
    never train the model that it judges.

    Source: B. Settles, "Active Learning Literature Survey", University of Wisconsin-Madison, TR 1648 (2009), section 3.

    Raises:
        ValueError: two items share an id, or priorities that are no finite numbers.

    >>> draw_targeted(["a", "b", "c"], uncertainty([0.9, 0.45, 0.6]), Targeted(2)).ids
    ('b', 'c')
    """
    wanted = floats(priority, "priority", shape=(len(ids),))
    seen = frozenset(audited)
    order = np.lexsort((lots(ids, seed=seed, purpose="targeted"), -wanted))
    rows = [int(row) for row in order if ids[row] not in seen][: design.labels]
    return TargetedDraw(
        ids=tuple(ids[row] for row in rows),
        priority=tuple(wanted[rows].tolist()),
        seed=seed,
        pool_size=len(ids),
        pool_digest=pool_digest(ids),
        design_id=design_id(design),
    )


def uncertainty(probability: ArrayLike) -> Floats:
    """How unsure the model is (shape `(n,)`): 1 at a probability of one half, 0 at 0 and 1.

    Source: D. D. Lewis and W. A. Gale, "A sequential algorithm for training text classifiers", SIGIR (1994).

    Raises:
        ValueError: a probability outside 0 to 1.

    >>> uncertainty([0.5, 0.75, 1.0])
    array([1. , 0.5, 0. ])
    """
    return 1 - np.abs(2 * probabilities(probability, "probability") - 1)


def nearness(scores: ArrayLike, threshold: float) -> Floats:
    """How near a score is to a threshold (shape `(n,)`): 0 at it, falling with the distance.

    Source: D. D. Lewis and W. A. Gale, SIGIR (1994), with the threshold for the one half.

    Raises:
        ValueError: scores that are no finite numbers.

    >>> nearness([0.7, 0.8, 0.95], 0.8).round(2)
    array([-0.1 , -0.  , -0.15])
    """
    return -np.abs(floats(scores, "scores") - threshold)


def dispute(votes: ArrayLike) -> Floats:
    """How split the raters of an item are (`votes`: shape `(n, classes)`, counts): 0 to 1, the vote entropy.

    0 where all agree or nobody has voted, 1 where every class has as many votes.

    Source: I. Dagan and S. P. Engelson, "Committee-based sampling for training probabilistic classifiers", ICML (1995).

    Raises:
        ValueError: votes that are no counts, or fewer than 2 classes.

    >>> dispute([[2, 0], [1, 1], [0, 0]])
    array([0., 1., 0.])
    """
    cast = counts(votes, "votes", shape=(None, None))
    if cast.shape[1] < 2:
        raise ValueError(f"votes must have 2 classes or more, not {cast.shape[1]}")
    share = cast / np.maximum(cast.sum(axis=1, keepdims=True), 1)
    surprise = -np.log(share, out=np.zeros_like(share), where=share > 0)
    return np.asarray((share * surprise).sum(axis=1) / np.log(cast.shape[1]), dtype=np.float64)
