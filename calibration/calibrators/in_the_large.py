"""Whether the probabilities of each segment add up to what happened there: calibration in the large."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, booleans, probabilities
from calibration.arrays import weights as checked_weights
from calibration.result import Undefined

LEAST_VARIANCE = 5.0  # the sum of p (1 - p) under which a z is no normal draw
PROCEDURE = "calibration in the large, Holm over segments"


@dataclass(frozen=True, slots=True)
class InTheLarge:
    """Yes answers `observed` and `expected` among `n` items of a segment.

    `z` is their difference in standard errors, above 0 where the map says too little; `p_value` is its two-sided
    chance if the map is right, `adjusted` the same after Holm over all segments tested.
    """

    segment: str
    n: int
    observed: float
    expected: float
    z: float
    p_value: float
    adjusted: float
    procedure: str = PROCEDURE


def calibration_in_the_large(
    predicted: ArrayLike, labels: ArrayLike, segments: Sequence[str], *, weights: ArrayLike | None = None
) -> dict[str, InTheLarge | Undefined]:
    """Test each segment, in alphabetical order: z = (sum y - sum p) / sqrt(sum p (1 - p)), about normal.

    Shapes (n,), probabilities, labels 0 or 1, a weight counts as that many items. The probabilities must not come from
    a map fitted on these labels. Undefined where sum p (1 - p) is under 5: too few or too certain for a normal test;
    such a segment takes no share of the error rate.

    Source: D. J. Spiegelhalter, "Probabilistic prediction in patient management and clinical trials", Statistics in
    Medicine 5 (1986); S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979).

    Raises:
        ValueError: arrays of other lengths, a number outside 0 to 1, or a label that is not 0 or 1.

    >>> mail = calibration_in_the_large([0.5] * 100, [1] * 60 + [0] * 40, ["mail"] * 100)["mail"]
    >>> mail.observed, mail.expected, mail.z, round(mail.p_value, 4)
    (60.0, 50.0, 2.0, 0.0455)
    """
    p = probabilities(predicted, "predicted")
    yes = booleans(labels, "labels", shape=p.shape)
    each = checked_weights(weights, len(p))
    if len(segments) != len(p):
        raise ValueError(f"segments must have one name for each of {len(p)} items, not {len(segments)}")
    names, group = np.unique(np.array([str(name) for name in segments], dtype=np.str_), return_inverse=True)
    size = len(names)
    n, observed, expected, variance = (
        np.bincount(group, values, minlength=size) for values in (each, each * yes, each * p, each * p * (1 - p))
    )
    tested = variance >= LEAST_VARIANCE
    z = np.divide(observed - expected, np.sqrt(variance), out=np.zeros(size), where=tested)
    p_values = 2 * scipy.special.ndtr(-np.abs(z))
    adjusted = np.ones(size)
    adjusted[tested] = holm(p_values[tested])
    results: dict[str, InTheLarge | Undefined] = {}
    for place, name in enumerate(map(str, names)):
        items = round(float(n[place]))
        if not tested[place]:
            reason = f"{items} label{' is' if items == 1 else 's are'} too few, or too certain, for a test of {name}"
            results[name] = Undefined(reason, items, PROCEDURE)
            continue
        yes_answers = float(observed[place]), float(expected[place])
        chance = float(p_values[place]), float(adjusted[place])
        results[name] = InTheLarge(name, items, *yes_answers, float(z[place]), *chance)
    return results


def holm(p_values: ArrayLike) -> Floats:
    """Adjusted p-values: reject those at or under alpha and at most one true claim in 1/alpha families is rejected.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
    (1979).

    Raises:
        ValueError: a number outside 0 to 1.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = probabilities(p_values, "p_values")
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
