"""A world whose truth is known: scores, labels, and the precision a threshold really has. For proofs and notebooks."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from calibration.arrays import Booleans, Floats


@dataclass(frozen=True, slots=True)
class World:
    """Two normal distributions of logits, one for items where the label is right and one for the others.

    `prevalence` is the share where it is right, `separation` the distance of the two in standard deviations. Scores
    are calibrated: of the items scored p, the share p is right.

    Raises:
        ValueError: a prevalence outside (0, 1) or a separation that is not above 0.
    """

    prevalence: float = 0.25
    separation: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.prevalence < 1:
            raise ValueError(f"prevalence must lie strictly between 0 and 1, not {self.prevalence}")
        if not 0 < self.separation < math.inf:
            raise ValueError(f"separation must be above 0, not {self.separation}")

    def draw(self, n: int, *, seed: int) -> tuple[Floats, Booleans]:
        """The scores of `n` items, each from 0 to 1, and whether the label is right for each.

        Source: the binormal model, D. M. Green and J. A. Swets, "Signal Detection Theory and Psychophysics" (1966).

        >>> scores, right = World().draw(100_000, seed=1)
        >>> abs(float(scores.mean()) - 0.25) < 0.01 and abs(float(right.mean()) - 0.25) < 0.01
        True
        """
        generator = np.random.default_rng(seed)
        right = generator.random(n) < self.prevalence
        evidence = np.where(right, 0.5, -0.5) * self.separation**2 + self.separation * generator.standard_normal(n)
        return expit(evidence + logit(self.prevalence)), right

    def precision(self, threshold: float) -> float:
        """The true share that is right among everything scored at or above `threshold` (0 to 1).

        Source: Bayes' rule in the binormal model, as above.

        >>> round(World().precision(0.5), 3)
        0.904
        """
        caught, alarmed = self._above(threshold)
        return self.prevalence * caught / (self.prevalence * caught + (1 - self.prevalence) * alarmed)

    def recall(self, threshold: float) -> float:
        """The true share of right items that are scored at or above `threshold` (0 to 1).

        Source: the binormal model, as above.

        >>> round(World().recall(0.5), 3)
        0.872
        """
        return self._above(threshold)[0]

    def _above(self, threshold: float) -> tuple[float, float]:
        needed = float(logit(threshold) - logit(self.prevalence))
        half = self.separation**2 / 2
        return (float(norm.sf((needed - half) / self.separation)), float(norm.sf((needed + half) / self.separation)))
