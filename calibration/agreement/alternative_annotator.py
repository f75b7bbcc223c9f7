"""The alternative annotator test: may the model replace a rater, given what it saves?"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.agreement.answers import LeftOut
from calibration.agreement.estimate import alike
from calibration.arrays import Floats, Integers, confidence_level
from calibration.bootstrap import DRAWS, item_bootstrap
from calibration.result import Degenerate, Estimate, Undefined

LEAST_ITEMS = 30
LEAST_RATERS = 3
PASSING_RATE = 0.5
PROCEDURE = "alternative annotator test"
TIE = 1e-9  # scores are means of shares: two this close are equal


@dataclass(frozen=True, slots=True)
class LeftOutRater:
    """One rater against the model, on `n` items that others answered too.

    `model_advantage` and `person_advantage` are the shares of items where the one is at least as close to the others
    as the other; both count a tie. `replaceable` says that the model won, after the false discovery control.
    """

    rater: int
    n: int
    model_advantage: float
    person_advantage: float
    p_value: float
    replaceable: bool


@dataclass(frozen=True, slots=True)
class AlternativeAnnotator:
    """The verdict: it `passes` where the `winning_rate` (share of raters the model may replace) is 0.5 or more.

    `advantage` is the average advantage probability: how often the model is as good as a rater taken at random; use it
    to compare models. `skipped` are the raters with too few items.
    """

    raters: tuple[LeftOutRater, ...]
    skipped: tuple[int, ...]
    winning_rate: float
    advantage: Estimate | Undefined
    passes: bool
    margin: float
    procedure: str


def same_label(one: Integers, other: Integers) -> Floats:
    """Score 1 where two labels are the same: the paper's accuracy.

    Source: N. Calderon, R. Reichart and R. Dror, "The alternative annotator test for LLM-as-a-judge", ACL 2025.

    >>> same_label(np.array([0, 1]), np.array([0, 2]))
    array([1., 0.])
    """
    return np.asarray(one == other, dtype=np.float64)


def near_label(one: Integers, other: Integers) -> Floats:
    """Score minus the squared distance, for labels on an interval scale: ranks as the paper's negative RMSE does.

    Source: Calderon, Reichart and Dror (2025), as `same_label`.

    >>> near_label(np.array([0, 1]), np.array([0, 3]))
    array([-0., -4.])
    """
    return -np.square(np.asarray(one - other, dtype=np.float64))


def alternative_annotator_test(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    model: ArrayLike,
    *,
    margin: float = 0.1,
    closeness: Callable[[Integers, Integers], Floats] = same_label,
    false_discoveries: float = 0.05,
    least_items: int = LEAST_ITEMS,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> AlternativeAnnotator | Undefined:
    """Whether the model stands in for people: is it as close to the others as the rater who is left out?

    Per rater and item, W_f = 1 where the model's mean `closeness` to the others' answers is at least the rater's, W_h
    the other way round. A one-sided t-test asks whether mean(W_h - W_f) < `margin`: what the model saves may cost that
    much (0.2 for experts, 0.15 for skilled raters, 0.1 for a crowd; smaller where people disagree). Benjamini and
    Yekutieli control the false discoveries over raters. Where W_h - W_f is the same on all n items there is no
    variance to test with: p is then the exact bound (1 - margin)^n if the rater never won, and 1 if always.

    Raters with fewer than `least_items` shared items are skipped (the t-test's normality, by the authors' advice);
    undefined when fewer than 3 raters are left (the test runs with 2, but then compares with one person's taste).

    Source: N. Calderon, R. Reichart and R. Dror, "The alternative annotator test for LLM-as-a-judge: how to
    statistically justify replacing human annotators with LLMs", ACL 2025; Y. Benjamini and D. Yekutieli, Annals of
    Statistics 29 (2001).

    Raises:
        ValueError: arrays of different length, an item without a model label, a margin outside 0 to below 1.

    >>> item, rater = np.repeat(np.arange(60), 3), np.tile(np.arange(3), 60)
    >>> said = np.where((item + 7 * rater) % 10 == 0, 1 - item % 2, item % 2)
    >>> found = alternative_annotator_test(item, rater, said, np.arange(60) % 2)
    >>> found.passes, found.winning_rate, found.advantage.value
    (True, 1.0, 1.0)
    """
    confidence_level(false_discoveries, "false_discoveries")
    if not 0 <= margin < 1 or least_items < 2:
        raise ValueError(f"margin must be from 0 to below 1 and least_items 2 or more, not {margin} and {least_items}")
    left = LeftOut.of(item, rater, label, model)
    judged, skipped = _judged(left, least_items)
    if len(judged) < LEAST_RATERS:
        reason = (
            f"{LEAST_RATERS} raters who share {least_items} items or more with others are needed, not {len(judged)}: "
            "let the same items be labelled by more people"
        )
        return Undefined(reason, len(np.unique(left.item)), PROCEDURE)
    kept = np.isin(left.rater, judged)
    model_wins, person_wins = _advantages(left, closeness)
    raters = _left_out_raters(left.rater[kept], model_wins[kept], person_wins[kept], margin, false_discoveries)
    winning_rate = sum(one.replaceable for one in raters) / len(raters)
    return AlternativeAnnotator(
        raters,
        tuple(int(name) for name in skipped),
        winning_rate,
        _average_advantage(left.item[kept], left.rater[kept], model_wins[kept], confidence, draws, seed),
        winning_rate >= PASSING_RATE,
        margin,
        f"{PROCEDURE}, margin {margin:g}, Benjamini-Yekutieli at {false_discoveries:g}",
    )


def _judged(left: LeftOut, least_items: int) -> tuple[Integers, Integers]:
    names, shared = np.unique(left.rater, return_counts=True)
    return names[shared >= least_items], names[shared < least_items]


def _advantages(left: LeftOut, closeness: Callable[[Integers, Integers], Floats]) -> tuple[Floats, Floats]:
    codes = np.arange(left.own.shape[1])
    scores = left.others @ closeness(codes[:, None], codes[None, :]).T / left.others.sum(axis=1, keepdims=True)
    model = scores[np.arange(len(scores)), left.model]
    person = (scores * left.own).sum(axis=1)
    return (model >= person - TIE).astype(np.float64), (person >= model - TIE).astype(np.float64)


def _left_out_raters(
    rater: Integers, model_wins: Floats, person_wins: Floats, margin: float, false_discoveries: float
) -> tuple[LeftOutRater, ...]:
    names, place, n = np.unique(rater, return_inverse=True, return_counts=True)
    model = np.bincount(place, weights=model_wins) / n
    person = np.bincount(place, weights=person_wins) / n
    p_values = np.array([_p_value((person_wins - model_wins)[place == one], margin) for one in range(len(names))])
    replaceable = np.asarray(scipy.stats.false_discovery_control(p_values, method="by")) <= false_discoveries
    columns = (names, n, model, person, p_values, replaceable)
    return tuple(LeftOutRater(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _p_value(difference: Floats, margin: float) -> float:
    n = len(difference)
    spread = float(difference.std(ddof=1))
    if spread == 0:
        return float((1 - margin) ** n) if difference[0] <= 0 else 1.0
    return float(scipy.special.stdtr(n - 1, (difference.mean() - margin) / (spread / math.sqrt(n))))


def _average_advantage(
    item: Integers, rater: Integers, wins: Floats, confidence: float, draws: int, seed: int
) -> Estimate | Undefined:
    items, of_item = np.unique(item, return_inverse=True)
    _, of_rater = np.unique(rater, return_inverse=True)

    def average(weights: Floats) -> float:
        seen = np.bincount(of_rater, weights=weights[of_item])
        if not seen.all():
            raise Degenerate("a rater has no item")
        return float(np.mean(np.bincount(of_rater, weights=weights[of_item] * wins) / seen))

    advantage = item_bootstrap(average, len(items), confidence=confidence, draws=draws, seed=seed)
    if isinstance(advantage, Undefined) or advantage.low < advantage.high:
        return advantage
    return alike(advantage.value, 1.0, advantage.n, confidence=confidence, procedure=advantage.procedure, least=0.0)
