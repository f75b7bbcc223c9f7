"""From a coefficient and the spread of its items to an estimate that is honest where all items look alike."""

import math

import numpy as np
import scipy

from calibration.arrays import Floats
from calibration.binomial import clopper_pearson
from calibration.result import Estimate, Undefined

NO_SPREAD = 1e-9  # a standard error below it is rounding


def chance_corrected(
    disagreed: Floats, expected: Floats, *, worst: float, confidence: float, procedure: str
) -> Estimate | Undefined:
    """`1 - observed / expected disagreement` with its linearised standard error and t interval.

    `disagreed` (items,) is the mean disagreement of each item's pairs, nan where it has none; `expected` (items,) has
    the expected disagreement as its mean; `worst` is the largest disagreement two ratings can have. The interval is
    cut at -1 and 1.

    Source: K. L. Gwet, "Handbook of Inter-Rater Reliability" (4th edition, 2014), chapter 5; K. L. Gwet, "Large-sample
    variance of Fleiss generalized kappa", Educational and Psychological Measurement 81 (2021).

    >>> kappa = chance_corrected(
    ...     np.array([0.0, 0.0, 1.0]), np.full(3, 0.5), worst=1, confidence=0.95, procedure="example"
    ... )
    >>> round(kappa.value, 3), round(kappa.standard_error, 3)
    (0.333, 0.667)
    """
    paired = ~np.isnan(disagreed)
    n, items = int(paired.sum()), len(disagreed)
    chance = float(expected.mean())
    value = 1 - float(disagreed[paired].mean()) / chance
    if items < 2:
        return Undefined("one item has no spread: an interval needs 2", n, procedure)
    agreed = np.where(paired, items / n * (chance - np.where(paired, disagreed, 0)), 0)
    linear = (agreed + 2 * (1 - value) * (expected - chance)) / chance
    error = math.sqrt(float(((linear - value) ** 2).sum()) / (items * (items - 1)))
    if error < NO_SPREAD:
        return alike(value, worst / chance, n, confidence=confidence, procedure=procedure)
    half = -float(scipy.special.stdtrit(items - 1, (1 - confidence) / 2)) * error
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), confidence, n, procedure, error)


def alike(value: float, reach: float, n: int, *, confidence: float, procedure: str, least: float = -1.0) -> Estimate:
    """The interval of a coefficient where no two of the n items differ, so that no spread can be measured.

    An all too sure interval of width 0 would say that no item ever looks otherwise. The exact (Clopper-Pearson) bound
    says how many may; each moves the coefficient, which lies from `least` to 1, by `reach` at the most.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), case of zero failures; the expected disagreement is
    held, as in J. Cohen (1960), who took it for known.

    >>> perfect = alike(1.0, 2.0, 30, confidence=0.95, procedure="example")
    >>> round(perfect.low, 3), perfect.high
    (0.769, 1.0)
    """
    seen = clopper_pearson(n, n, confidence=confidence)
    most = 1.0 if isinstance(seen, Undefined) else 1 - seen.low
    low, high = max(least, value - most * reach), min(1.0, value + most * reach)
    return Estimate(value, low, high, confidence, n, f"{procedure}; all items alike, so the exact bound on others")
