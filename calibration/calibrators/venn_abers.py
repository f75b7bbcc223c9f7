"""Venn-Abers prediction: isotonic regression that says, per score, how much one more label could change its mind."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, floats
from calibration.calibrators.isotonic import pool_adjacent_violators
from calibration.calibrators.tally import no_better_than_chance, refusal, tally
from calibration.result import Undefined

PROCEDURE = "inductive Venn-Abers"
_Corner = tuple[float, float]


@dataclass(frozen=True, slots=True)
class VennAbers:
    """The pair p0 <= p1 for every score.

    `low[i]` is p0 from knot i - 1 (included) up to knot i, `high[i]` is p1 from above knot i - 1 up to knot i
    (included); both have one value more than there are knots.
    """

    knots: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.low) == len(self.high) == len(self.knots) + 1:
            raise ValueError(f"{len(self.knots)} knots need {len(self.knots) + 1} values of low and of high")
        if any(np.any(np.diff(one) < 0) for one in (self.knots, self.low, self.high)):
            raise ValueError("knots, low and high must not fall")

    def interval(self, logits: ArrayLike) -> tuple[Floats, Floats]:
        """The two probabilities p0 and p1, each of shape (n,): far apart where labels are few.

        Source: Vovk and Petej (2014), as `fit_venn_abers`.

        Raises:
            ValueError: nan or infinity.

        >>> p0, p1 = VennAbers((0.0,), (0.0, 0.5), (0.5, 1.0)).interval([-1, 0, 1])
        >>> p0, p1
        (array([0. , 0.5, 0.5]), array([0.5, 0.5, 1. ]))
        """
        scores = floats(logits, "logits")
        p0 = np.asarray(self.low)[np.searchsorted(self.knots, scores, side="right")]
        p1 = np.asarray(self.high)[np.searchsorted(self.knots, scores, side="left")]
        return p0, p1

    def apply(self, logits: ArrayLike) -> Floats:
        """Probabilities p1 / (1 - p0 + p1) of shape (n,): the least log loss in the worse of the two cases.

        Source: Vovk and Petej (2014), as `fit_venn_abers`.

        Raises:
            ValueError: nan or infinity.

        >>> VennAbers((0.0,), (0.0, 0.5), (0.5, 1.0)).apply([-1, 0, 1]).round(4)
        array([0.3333, 0.5   , 0.6667])
        """
        p0, p1 = self.interval(logits)
        return np.asarray(p1 / (1 - p0 + p1), dtype=np.float64)


def fit_venn_abers(logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> VennAbers | Undefined:
    """Both probabilities of every possible score: isotonic regression with the score added as a no, and as a yes.

    Exact for every score, in time that grows with the number of distinct scores (after sorting). Shapes (n,), labels 0
    or 1, a weight counts as that many items; the added item weighs 1. Undefined for one class only, perfect separation
    by sign, and where one flat line fits best.

    Source: V. Vovk and I. Petej, "Venn-Abers predictors", UAI (2014); precomputation: V. Vovk, I. Petej and V.
    Fedorova, "Large-scale probabilistic predictors with and without guarantees of validity", NeurIPS (2015), algorithms
    1 to 4.

    Raises:
        ValueError: as `tally`.

    >>> fitted = fit_venn_abers([-1, 0, 1, 2], [0, 1, 0, 1])
    >>> p0, p1 = fitted.interval([0.5])
    >>> p0.round(4), p1.round(4)
    (array([0.3333]), array([0.6667]))
    """
    pooled = tally(logits, labels, weights)
    if refused := refusal(pooled, PROCEDURE):
        return refused
    fitted = pool_adjacent_violators(pooled.right / pooled.totals, pooled.totals)
    if fitted[0] == fitted[-1]:
        return no_better_than_chance(pooled, PROCEDURE)
    high = _added_yes(pooled.totals, pooled.right)
    low = 1 - _added_yes(pooled.totals[::-1], pooled.wrong[::-1])[::-1]  # a no is a yes in the mirror
    return VennAbers(tuple(pooled.scores.tolist()), (0.0, *low.tolist()), (*high.tolist(), 1.0))


def _added_yes(totals: Floats, right: Floats) -> Floats:
    """The isotonic fit at each score when a yes is added there: slopes of common tangents in the sum diagram.

    The diagram has the corner (sum of totals, sum of right) after each score. Adding a yes at score i moves the corners
    before it by (-1, -1); the wanted slope is that of the lowest line from them to the corners at and after i.
    """
    across, up = np.cumsum(totals).tolist(), np.cumsum(right).tolist()
    corners = list(zip(across, up, strict=True))
    hull: list[_Corner] = []  # the lower hull that starts at the last moved corner, which lies on top
    for corner in (*reversed(corners), (0.0, 0.0), (-1.0, -1.0)):
        _push(hull, corner)
    slopes = []
    for corner in corners:
        start, end = hull[-1], hull[-2]
        slopes.append((end[1] - start[1]) / (end[0] - start[0]))
        moved = (corner[0] - 1, corner[1] - 1)
        if _turn(start, end, moved) < 0:  # it lies below the tangent: the next one starts there
            hull.pop()
            _push(hull, moved)
    # they rise from 0 to 1; a last bit of rounding shall not say otherwise
    return np.clip(np.maximum.accumulate(slopes), 0.0, 1.0)


def _push(hull: list[_Corner], corner: _Corner) -> None:
    while len(hull) > 1 and _turn(corner, hull[-1], hull[-2]) <= 0:
        hull.pop()
    hull.append(corner)


def _turn(first: _Corner, second: _Corner, third: _Corner) -> float:
    """Above 0 where the way from first over second to third turns left."""
    across, up = second[0] - first[0], second[1] - first[1]
    return across * (third[1] - first[1]) - up * (third[0] - first[0])
