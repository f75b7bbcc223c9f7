"""The boldest setting whose loss is controlled on average: conformal risk control."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, confidence_level, floats
from calibration.words import counted

PROCEDURE = "conformal risk control"
ROUNDING = 1e-12  # 0.95 * 0 + 1 / 20 must count as 0.05


@dataclass(frozen=True, slots=True)
class ControlledRisk:
    """A new item's expected loss at `setting` (column `column` of the losses) is at most `target`.

    `mean_loss` is what the `n` labels show there, `bound` the corrected figure that had to stay within the target.
    """

    setting: float
    column: int
    mean_loss: float
    bound: float
    target: float
    n: int
    procedure: str


@dataclass(frozen=True, slots=True)
class RefusedRisk:
    """Not even the most cautious setting is good enough: `have` labels; `need` of them if none cost anything."""

    reason: str
    have: int
    need: int
    target: float
    procedure: str


def control_risk(
    losses: ArrayLike, settings: ArrayLike, *, target: float, largest_loss: float = 1.0
) -> ControlledRisk | RefusedRisk:
    """Which is the boldest setting at which a new item costs at most `target` on average?

    `losses` (labels, settings) holds what each label would have cost, from 0 to `largest_loss`; `settings` names the
    columns from the most cautious to the boldest, and no label may cost less at a bolder one. A setting holds when
    `n / (n + 1) * mean + largest_loss / (n + 1) <= target`. This is a promise about the average over labels and
    items, weaker than a certificate; it needs 19 labels for 5 %. Where the most cautious setting does not hold, this
    refuses; the published procedure would return it all the same. Counting refusals as costing nothing, the
    guarantee is kept.

    Source: A. N. Angelopoulos, S. Bates, A. Fisch, L. Lei and T. Schuster, "Conformal risk control", ICLR 2024
    (arXiv 2022).

    Raises:
        ValueError: shapes that do not fit, a loss outside its range or falling from one column to the next, a target
            outside (0, 1) or a largest loss that is not above 0.

    >>> thresholds = np.array([0.0, 0.3, 0.6])
    >>> scores_of_positives = np.array([0.1] + [0.5] * 18 + [0.7] * 80)
    >>> missed = scores_of_positives[:, None] < thresholds
    >>> outcome = control_risk(missed, thresholds, target=0.05)
    >>> outcome.setting, round(outcome.bound, 2), outcome.n
    (0.3, 0.02, 99)
    """
    columns = floats(settings, "settings")
    table = floats(losses, "losses", shape=(None, len(columns)))
    confidence_level(target, "target")
    _check(table, largest_loss)
    n = len(table)
    means = table.mean(axis=0) if n else np.zeros(len(columns))
    bounds = (n * means + largest_loss) / (n + 1)
    held = np.flatnonzero(bounds <= target + ROUNDING)
    if not len(held):
        return _refusal(n, float(means[0]), target, largest_loss)
    boldest = int(held[-1])
    return ControlledRisk(
        float(columns[boldest]), boldest, float(means[boldest]), float(bounds[boldest]), target, n, PROCEDURE
    )


def _refusal(n: int, mean: float, target: float, largest_loss: float) -> RefusedRisk:
    need = max(math.ceil(round(largest_loss / target - 1, 9)), 0)
    reason = f"the most cautious setting costs {mean:g} on average, too much for a target of {target:g}"
    if n < need:
        reason = f"{counted(n, 'checked answer', 'checked answers')}, {need} needed even if none costs anything"
    return RefusedRisk(reason, n, need, target, PROCEDURE)


def _check(losses: Floats, largest_loss: float) -> None:
    if not losses.shape[1]:
        raise ValueError("settings must name at least one column")
    if not 0 < largest_loss < math.inf:
        raise ValueError(f"largest_loss must be a finite number above 0, not {largest_loss}")
    if losses.size and (losses.min() < 0 or losses.max() > largest_loss):
        raise ValueError(f"losses must be from 0 to {largest_loss:g}; give largest_loss where they may be larger")
    if (np.diff(losses, axis=1) < 0).any():
        raise ValueError("losses may only grow from the most cautious setting (first column) to the boldest (last)")
