"""How well topics were found: F1 over all and per topic, precision and recall of each, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.binomial import wilson
from calibration.bootstrap import DRAWS, item_bootstrap
from calibration.result import Degenerate, Estimate, Undefined

Cells = NDArray[np.bool_]
Counts = NDArray[np.float64]
Figure = Estimate | Undefined


@dataclass(frozen=True, slots=True)
class TopicScore:
    """One topic: how many texts have it, how many were said to, and how often that was right."""

    label: str
    labelled: int
    found: int
    threshold: float
    precision: Figure
    recall: Figure
    f1: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """A taxonomy on labelled texts. `first_right`: the most probable topic is one the text has, of texts with any.

    `macro_f1` is the mean over the topics that some text has.
    """

    texts: int
    micro_f1: Figure
    macro_f1: Figure
    first_right: Figure
    topics: tuple[TopicScore, ...]


def score(
    labels: Sequence[str],
    thresholds: Sequence[float],
    probabilities: NDArray[np.float64],
    truth: Cells,
    known: Cells,
    draws: int = DRAWS,
) -> Scores:
    """Compare (n, k) probabilities with the (n, k) truth; a cell that is not known counts nowhere."""
    said = (probabilities >= np.array(thresholds)) & known
    hit, false, missed = ((one & known).astype(float) for one in (said & truth, said & ~truth, ~said & truth))
    there = np.flatnonzero((truth & known).any(axis=0))

    def micro(weights: Counts) -> float:
        return _f1(*(float(weights @ cells.sum(axis=1)) for cells in (hit, false, missed)))

    def macro(weights: Counts) -> float:
        if not there.size:
            raise Degenerate("no text has a topic")
        each = zip(*(weights @ cells[:, there] for cells in (hit, false, missed)), strict=True)
        return float(np.mean([_f1_or_zero(*counts) for counts in each]))

    some = truth.any(axis=1)
    first = truth[np.arange(len(truth)), np.where(known, probabilities, -1).argmax(axis=1)] & some
    return Scores(
        len(truth),
        item_bootstrap(micro, len(truth), draws=draws),
        item_bootstrap(macro, len(truth), draws=draws),
        wilson(int(first.sum()), int(some.sum())),
        tuple(
            _topic(label, thresholds[k], *(int(cells[:, k].sum()) for cells in (hit, false, missed)))
            for k, label in enumerate(labels)
        ),
    )


def _topic(label: str, threshold: float, hit: int, false: int, missed: int) -> TopicScore:
    return TopicScore(
        label,
        hit + missed,
        hit + false,
        threshold,
        wilson(hit, hit + false),
        wilson(hit, hit + missed),
        _f1(hit, false, missed) if hit + false + missed else None,
    )


def _f1(hit: float, false: float, missed: float) -> float:
    if not hit + false + missed:
        raise Degenerate("no text has a topic, and none was found")
    return 2 * hit / (2 * hit + false + missed)


def _f1_or_zero(hit: float, false: float, missed: float) -> float:
    return 2 * hit / max(1e-9, 2 * hit + false + missed)
