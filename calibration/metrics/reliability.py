"""The rows of a reliability plot: what was said, what came true, and what chance would draw."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import booleans, confidence_level, probabilities
from calibration.binomial import wilson
from calibration.metrics.equal_mass import BINS, bin_numbers
from calibration.result import Estimate, Undefined


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One dot of a reliability plot: scores from `low` to `high`, how many, their mean, and the share that came true.

    `chance_low` to `chance_high` is where the share of as many calibrated items falls, at the interval's confidence.
    """

    low: float
    high: float
    count: int
    mean_probability: float
    share: Estimate | Undefined
    chance_low: float
    chance_high: float


def reliability_bins(
    outcome: ArrayLike,
    probability: ArrayLike,
    *,
    bins: int = BINS,
    interval: Callable[..., Estimate | Undefined] = wilson,
    confidence: float = 0.95,
) -> tuple[ReliabilityBin, ...]:
    """The rows of a reliability plot, lowest scores first; bins without items are left out.

    `outcome` (n,) is 0 or 1, `probability` (n,) from 0 to 1; `interval` is `wilson` or `clopper_pearson`. The chance
    band takes every probability of a bin for their mean, which makes it slightly too wide, never too narrow.

    Source: A. H. Murphy and R. L. Winkler, "Reliability of subjective probability forecasts of precipitation and
    temperature", Applied Statistics 26 (1977); the band: Brocker and Smith (2007).

    Raises:
        ValueError: unequal lengths, values out of range, fewer than 1 bin, or a confidence outside (0, 1).

    >>> for row in reliability_bins([0, 1, 0, 1, 1, 1], [0.2, 0.2, 0.2, 0.7, 0.8, 0.9], bins=2):
    ...     print(row.count, round(row.mean_probability, 2), round(row.share.value, 2), round(row.share.low, 2))
    3 0.2 0.33 0.06
    3 0.8 1.0 0.44
    """
    predicted = probabilities(probability, "probability")
    came_true = booleans(outcome, "outcome", shape=predicted.shape)
    tail = (1 - confidence_level(confidence)) / 2
    if not len(predicted):
        return ()
    _, place, count = np.unique(predicted, return_inverse=True, return_counts=True)
    number = bin_numbers(count.astype(np.float64), bins)[place]
    rows = []
    for one in np.unique(number):
        scores, right = predicted[number == one], int(came_true[number == one].sum())
        mean = min(1.0, float(scores.mean()))
        band = scipy.stats.binom.ppf([tail, 1 - tail], len(scores), mean) / len(scores)
        share = interval(right, len(scores), confidence=confidence)
        rows.append(
            ReliabilityBin(
                float(scores.min()), float(scores.max()), len(scores), mean, share, float(band[0]), float(band[1])
            )
        )
    return tuple(rows)
