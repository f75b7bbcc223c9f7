"""The item bootstrap: an interval for any statistic of weighted items. A draw is a vector of counts per item."""

from collections.abc import Callable

import numpy as np

from calibration.arrays import Floats, confidence_level
from calibration.result import Degenerate, Estimate, Undefined

DRAWS = 1_000
LEAST_DEFINED = 0.5  # an interval from fewer of the draws would describe the draws that happened to work


def item_bootstrap(
    statistic: Callable[[Floats], float],
    items: int,
    *,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate | Undefined:
    """The percentile interval of a statistic when whole items are drawn again, with replacement.

    `statistic` takes one weight per item (how often it was drawn) and raises `Degenerate` where the weighted data
    cannot define it. All ratings of an item move together. Draws without a value are left out and counted in
    `procedure`; where less than half have one, the interval is undefined.

    Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.

    Raises:
        ValueError: fewer than 1 draw, or a confidence outside (0, 1).

    >>> right = np.array([1.0] * 80 + [0.0] * 20)
    >>> share = item_bootstrap(lambda weights: float(weights @ right / weights.sum()), 100)
    >>> share.value, round(share.low, 2), round(share.high, 2), share.n
    (0.8, 0.72, 0.88, 100)
    """
    if draws < 1:
        raise ValueError(f"draws must be 1 or more, not {draws}")
    tail = (1 - confidence_level(confidence)) / 2
    procedure = f"percentile bootstrap over items, {draws} draws, seed {seed}"
    try:
        value = statistic(np.ones(items))
    except Degenerate as degenerate:
        return Undefined(str(degenerate), items, procedure)
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        weights = np.bincount(generator.integers(items, size=items), minlength=items).astype(np.float64)
        try:
            drawn.append(statistic(weights))
        except Degenerate:
            continue
    lost = draws - len(drawn)
    if len(drawn) < LEAST_DEFINED * draws:
        return Undefined(f"{lost} of {draws} draws hold too little to compute it: too few items", items, procedure)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    if lost:
        procedure += f", {lost} of them undefined and left out"
    return Estimate(value, float(low), float(high), confidence, items, procedure)
