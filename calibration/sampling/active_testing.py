"""One overall risk from items chosen one after another, by a model's own idea of where it fails, without bias."""

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, confidence_level, floats, probabilities
from calibration.result import Estimate, Undefined


def lure_weights(acquisition: ArrayLike, pool: int) -> Floats:
    """The weight of each acquired item (shape `(M,)`, in the order of acquisition): mean(weight * loss) is unbiased.

    `acquisition[m]` is the probability with which item m was chosen among those then left in a pool that held `pool`
    items: `v_m = 1 + (N - M) / (N - m) * (1 / ((N - m + 1) q_m) - 1)`. All 1 where the whole pool was labelled.

    Source: S. Farquhar, Y. Gal and T. Rainforth, "On statistical bias in active learning: how and when to fix it", ICLR
    (2021); J. Kossen, S. Farquhar, Y. Gal and T. Rainforth, "Active testing: sample-efficient model evaluation", ICML
    (2021).

    Raises:
        ValueError: a probability that is not above 0 and at most 1, or more items than the pool holds.

    >>> lure_weights([0.5, 0.5], 4).round(3)
    array([0.667, 0.667])
    """
    q = probabilities(acquisition, "acquisition")
    if (q == 0).any():
        raise ValueError(f"acquisition[{int(q.argmin())}] must be above 0: the item was chosen")
    if q.size > pool:
        raise ValueError(f"the pool held {pool} items: {q.size} cannot have been chosen from it")
    if q.size == pool:
        return np.ones(q.size)
    left = pool - np.arange(q.size)
    return np.asarray(1 + (pool - q.size) / (left - 1) * (1 / (left * q) - 1), dtype=np.float64)


def active_risk(
    losses: ArrayLike, acquisition: ArrayLike, pool: int, *, confidence: float = 0.95
) -> Estimate | Undefined:
    """The mean loss over the pool from actively chosen items (`losses`, `acquisition`: shape `(M,)`, in their order).

    The value is unbiased, whatever chose the items. The interval is normal, treats the draws as independent and
    shrinks with the share of the pool that is labelled: approximate, for one overall figure; a guarantee per topic
    wants strata.

    Source: Farquhar, Gal and Rainforth (2021) and Kossen et al. (2021), as `lure_weights`.

    Raises:
        ValueError: not one loss per probability, and as `lure_weights`.

    >>> risk = active_risk([1, 0, 0, 1], [0.02, 0.01, 0.01, 0.03], 100)
    >>> round(risk.value, 3), round(risk.standard_error, 3)
    (0.215, 0.126)
    """
    v = lure_weights(acquisition, pool)
    weighted = v * floats(losses, "losses", shape=(v.size,))
    z = -float(scipy.special.ndtri((1 - confidence_level(confidence)) / 2))
    procedure = "LURE, normal interval"
    if v.size < 2 and v.size < pool:
        return Undefined(f"2 labels or more are needed to see their spread, not {v.size}", v.size, procedure)
    if v.size == 0:
        return Undefined("the pool is empty", 0, procedure)
    if np.ptp(weighted) == 0 and v.size < pool:
        return Undefined(f"all {v.size} weighted losses are alike: they show no spread", v.size, procedure)
    value = float(weighted.mean())
    error = math.sqrt((1 - v.size / pool) * float(weighted.var(ddof=1)) / v.size) if v.size < pool else 0.0
    return Estimate(value, value - z * error, value + z * error, confidence, v.size, procedure, error)
