"""The model against people: who agrees better with the other raters, the model or the rater who was left out?"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from calibration.agreement.answers import LeftOut
from calibration.agreement.estimate import alike
from calibration.arrays import Booleans, Floats, Integers, confidence_level
from calibration.bootstrap import DRAWS, bca_bootstrap
from calibration.result import Estimate, Undefined
from calibration.words import percent

LEAST_ITEMS = 30
PROCEDURE = "leave-one-rater-out agreement"
TIE = 1e-9  # votes are sums of shares: two classes this close are tied


class Standing(StrEnum):
    """Where the model stands among the people."""

    ABOVE = "above your people"
    WITHIN = "within the range of your people"
    BELOW = "below your people"
    UNDECIDED = "the difference cannot be told yet"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Agreement with the others on the same items: of the model, of the person, and model minus person.

    `rater` is the rater's number; None where all raters are pooled.
    """

    rater: int | None
    model: Estimate | Undefined
    person: Estimate | Undefined
    difference: Estimate | Undefined


@dataclass(frozen=True, slots=True)
class AgainstPeople:
    """One comparison per judged rater, one of all raters pooled, and the verdict with its sentence."""

    raters: tuple[Comparison, ...]
    pooled: Comparison
    standing: Standing
    sentence: str


def against_people(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    model: ArrayLike,
    *,
    margin: float = 0.05,
    least_items: int = LEAST_ITEMS,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> AgainstPeople | Undefined:
    """Whether the model agrees with people as well as they agree with each other.

    For each rater the reference is the majority of the *other* raters, one vote each, so neither the model nor the
    rater helped to make it. Where the others are tied, naming one of k tied classes earns 1/k. Only items with at
    least one other rater count. `model` holds one label per item, found by the item's number. The difference is
    bootstrapped over items, model and person together; raters with fewer than `least_items` such items enter the
    pooled figures only. The raters' intervals hold all together (Bonferroni). The model is

    - below / above your people, where every judged rater's interval lies below / above 0;
    - within their range, where it is not worse than some judged rater by `margin` or more;
    - undecided otherwise. Undefined where no item has two raters.

    The range of a large or careless crowd is wide: read the pooled difference beside the verdict.

    Source: leave-one-out human agreement as in N. Calderon, R. Reichart and R. Dror, "The alternative annotator test
    for LLM-as-a-judge", ACL 2025; paired bootstrap: B. Efron and R. J. Tibshirani, "An introduction to the
    bootstrap" (1993), chapter 14.

    Raises:
        ValueError: arrays of different length, an item without a model label, a negative margin.

    >>> item, rater = np.repeat(np.arange(60), 3), np.tile(np.arange(3), 60)
    >>> said = np.where((item + 7 * rater) % 10 == 0, 1 - item % 2, item % 2)
    >>> found = against_people(item, rater, said, np.arange(60) % 2)
    >>> found.standing.value, round(found.pooled.model.value, 2), round(found.pooled.person.value, 2)
    ('above your people', 0.9, 0.8)
    """
    if margin < 0:
        raise ValueError(f"margin must be 0 or more, not {margin}")
    left = LeftOut.of(item, rater, label, model)
    if not len(left.item):
        return Undefined("no item was answered by two raters", 0, PROCEDURE)
    credit = _majority_credit(left.others)
    earned = _Earned(left.item, credit[np.arange(len(credit)), left.model], (credit * left.own).sum(axis=1))
    names, shared = np.unique(left.rater, return_counts=True)
    judged = names[shared >= least_items]
    tail = (1 - confidence_level(confidence)) / max(len(judged), 1)
    raters = tuple(earned.compare(int(name), left.rater == name, 1 - tail, draws, seed) for name in judged)
    pooled = earned.compare(None, np.ones(len(left.item), dtype=np.bool_), confidence, draws, seed)
    standing = _standing([one.difference for one in raters], margin)
    return AgainstPeople(raters, pooled, standing, _sentence(pooled, standing))


@dataclass(frozen=True, slots=True, eq=False)
class _Earned:
    """The credit of the model and of the person who was left out, row by row."""

    item: Integers
    model: Floats
    person: Floats

    def compare(self, rater: int | None, rows: Booleans, confidence: float, draws: int, seed: int) -> Comparison:
        """Sum per item first: all the rows of an item move together when the item is drawn."""
        _, place, n = np.unique(self.item[rows], return_inverse=True, return_counts=True)
        totals = [np.bincount(place, weights=credit[rows]) for credit in (self.model, self.person)]
        kinds, times = np.unique(np.column_stack([*totals, n]), axis=0, return_counts=True)
        model, person, judged = kinds.T

        def mean(total: Floats) -> Estimate | Undefined:
            return bca_bootstrap(
                lambda weights: float(weights @ total / (weights @ judged)),
                times,
                confidence=confidence,
                draws=draws,
                seed=seed,
            )

        return Comparison(rater, _share(mean(model)), _share(mean(person)), mean(model - person))


def _share(mean: Estimate | Undefined) -> Estimate | Undefined:
    if isinstance(mean, Undefined) or mean.low < mean.high:
        return mean
    return alike(mean.value, 1.0, mean.n, confidence=mean.confidence, procedure=mean.procedure, least=0.0)


def _majority_credit(others: Floats) -> Floats:
    top = others >= others.max(axis=1, keepdims=True) - TIE
    return np.asarray(top / top.sum(axis=1, keepdims=True))


def _standing(differences: list[Estimate | Undefined], margin: float) -> Standing:
    judged = [one for one in differences if isinstance(one, Estimate)]
    if not judged:
        return Standing.UNDECIDED
    if all(one.low > 0 for one in judged):
        return Standing.ABOVE
    if all(one.high < 0 for one in judged):
        return Standing.BELOW
    if any(one.low > -margin for one in judged):
        return Standing.WITHIN
    return Standing.UNDECIDED


def _sentence(pooled: Comparison, standing: Standing) -> str:
    if isinstance(pooled.model, Undefined) or isinstance(pooled.person, Undefined):
        return f"The model: {standing}."
    return (
        f"The model agrees with the other raters in {percent(pooled.model.value)} of the answers, your people in "
        f"{percent(pooled.person.value)} (n = {pooled.model.n}): {standing}."
    )
