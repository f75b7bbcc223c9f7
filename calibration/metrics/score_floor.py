"""What a proper score comes to when nothing is wrong: the floor beside a log loss or a Brier score."""

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats
from calibration.bootstrap import DRAWS
from calibration.metrics.noise_floor import LEVEL, NoiseFloor, noise_floor
from calibration.metrics.proper_scores import Losses
from calibration.result import Degenerate, Undefined


def score_floor(
    losses: Losses,
    probability: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> NoiseFloor | Undefined:
    """The mean loss of probabilities that are perfectly calibrated, and how large chance alone makes it.

    `losses` is `log_losses` or `brier_losses`, `probability` (n,) or (n, classes). Unlike a calibration error, a score
    has a floor above 0 on any number of items: what is uncertain costs something even where it is honest. A score
    above `high` means that the probabilities say less than they claim.

    Source: consistency resampling as in `noise_floor`; the expected score of honest probabilities is their entropy:
    T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102 (2007).

    Raises:
        ValueError: values out of range, a negative weight, fewer than 1 draw, or a level outside (0, 1).

    >>> from calibration.metrics.proper_scores import brier_losses
    >>> floor = score_floor(brier_losses, [0.8] * 100)
    >>> round(floor.mean, 2), round(floor.high, 2)
    (0.16, 0.2)
    """
    said = np.asarray(probability, dtype=np.float64)
    classes = said.shape[1] if said.ndim == 2 else 2
    of_class = np.array([losses(np.full(len(said), one), said) for one in range(classes)])
    items = np.arange(len(said))

    def mean(outcome: Floats, mass: Floats) -> float:
        if mass.sum() <= 0:
            raise Degenerate("no item carries weight")
        return float(mass @ of_class[outcome.astype(np.int64), items] / mass.sum())

    return noise_floor(mean, said, weights=weights, level=level, draws=draws, seed=seed)
