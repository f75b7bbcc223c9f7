"""What a binary map is fitted on: the distinct scores with the weight of yes and of no at each, and when to refuse."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, booleans, floats
from calibration.arrays import weights as checked_weights
from calibration.result import Undefined


@dataclass(frozen=True, slots=True)
class Tally:
    """Distinct scores, ascending, with the weight of the labels yes (`right`) and no (`wrong`) at each of them."""

    scores: Floats
    right: Floats
    wrong: Floats

    @property
    def totals(self) -> Floats:
        return self.right + self.wrong

    @property
    def n(self) -> int:
        return round(float(self.totals.sum()))

    @property
    def gap(self) -> float:
        """How far the lowest yes lies above the highest no (both must occur): above 0 they are perfectly separated."""
        return float(self.scores[self.right > 0].min() - self.scores[self.wrong > 0].max())


def tally(logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Tally:
    """Pool scored labels by score: all that the order and repetition of items could add is gone.

    A weight counts as that many items; items of weight 0 are left out.

    Source: ties pooled first, as in R. E. Barlow et al., "Statistical Inference under Order Restrictions" (1972).

    Raises:
        ValueError: arrays of other shapes, a label that is not 0 or 1, a negative weight, nan or infinity.

    >>> pooled = tally([2, -1, 2], [1, 0, 0])
    >>> pooled.scores, pooled.right, pooled.wrong
    (array([-1.,  2.]), array([0., 1.]), array([1., 1.]))
    """
    scores = floats(logits, "logits")
    yes = booleans(labels, "labels", shape=scores.shape)
    each = checked_weights(weights, len(scores))
    kept = each > 0
    distinct, place = np.unique(scores[kept], return_inverse=True)
    # sorted weights, so that the order of the items cannot reach the last bit of a sum
    order = np.argsort(each[kept], kind="stable")
    place, yes, each = place[order], yes[kept][order], each[kept][order]
    right, wrong = (np.bincount(place, each * kind, minlength=len(distinct)) for kind in (yes, ~yes))
    return Tally(distinct, right.astype(np.float64), wrong.astype(np.float64))


def refusal(pooled: Tally, procedure: str) -> Undefined | None:
    """The reason why no map can be fitted: one class only, or no label against the sign of its score.

    Source: with perfect separation the likelihood has no maximum: A. Albert and J. A. Anderson, "On the existence of
    maximum likelihood estimates in logistic regression models", Biometrika 71 (1984).

    >>> refusal(tally([-1, 1], [1, 1]), "Platt").reason
    'all 2 labels are yes: a map needs both answers'
    """
    if pooled.n == 0:
        return Undefined("there is no label", 0, procedure)
    if not pooled.wrong.any() or not pooled.right.any():
        answer, every = "yes" if pooled.right.any() else "no", f"all {pooled.n} labels are"
        if pooled.n == 1:
            every = "the only label is"
        return Undefined(f"{every} {answer}: a map needs both answers", pooled.n, procedure)
    against = pooled.right[pooled.scores < 0].any() or pooled.wrong[pooled.scores > 0].any()
    if not against and pooled.scores.any():
        reason = "every label agrees with the sign of its score: how often the score errs cannot be learnt from them"
        return Undefined(reason, pooled.n, procedure)
    return None


def separated(pooled: Tally, procedure: str) -> Undefined | None:
    """The reason why no map should be trusted: one score, whatever its sign, lies between every yes and every no.

    Platt's smoothed targets and a temperature stay finite then, but rest on no single error.

    Source: Albert and Anderson (1984), as above: complete separation.

    >>> separated(tally([1, 2, 3], [0, 0, 1]), "Platt").n, separated(tally([1, 2, 3], [0, 1, 0]), "Platt")
    (3, None)
    """
    if pooled.right.any() and pooled.wrong.any() and pooled.gap > 0:
        reason = "one score separates every yes from every no: how often the score errs cannot be learnt from them"
        return Undefined(reason, pooled.n, procedure)
    return None


def no_better_than_chance(pooled: Tally, procedure: str) -> Undefined:
    """The refusal where higher scores are not more often right, so that no rising map fits.

    Source: temperature T to infinity, slope 0; Albert and Anderson (1984), as above.

    >>> no_better_than_chance(tally([-1, 1], [1, 0]), "Platt").n
    2
    """
    return Undefined("higher scores are not more often right: the score is no better than chance", pooled.n, procedure)
