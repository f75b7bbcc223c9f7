"""A promise about a threshold: how often what passes it is right, and how sure we want to be of that."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """At least `precision` of what passes is right, said with `confidence` (both from 0.5 to below 1).

    Raises:
        ValueError: a figure lies outside its range.
    """

    precision: float
    confidence: float

    def __post_init__(self) -> None:
        for name, figure in (("precision", self.precision), ("confidence", self.confidence)):
            if not 0.5 <= figure < 1:
                raise ValueError(f"{name} must be from 0.5 to below 1, not {figure}")

    def labels_needed(self) -> int:
        """Count the blind labels without which the promise cannot be certified, even if not one is wrong.

        The exact (Clopper-Pearson) lower bound for n right out of n is `(1 - confidence) ** (1 / n)`; it reaches
        `precision` first at `n = ceil(ln(1 - confidence) / ln(precision))`.

        Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case
        of the binomial", Biometrika 26 (1934), case of zero failures, one-sided.

        >>> Promise(precision=0.90, confidence=0.95).labels_needed()
        29
        """
        exact = math.log1p(-self.confidence) / math.log(self.precision)
        return math.ceil(round(exact, 9))  # 0.5 and 0.75 need 2, not 3 for a last bit of rounding
