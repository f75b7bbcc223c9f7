"""A promise about a threshold: how often what passes it is right, and how sure we want to be of that."""

import math
from dataclasses import dataclass

ROUNDING = 1e-9
MOST_ATTEMPTS = 40


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

    def labels_needed(self, errors: int = 0) -> int:
        """Count the blind labels without which the promise cannot be certified when `errors` of them are wrong.

        The smallest n at which so few errors would surprise if the promise were broken:
        `BinomCDF(errors; n, 1 - precision) <= 1 - confidence`. Without an error that is
        `n >= ln(1 - confidence) / ln(precision)`.

        Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case
        of the binomial", Biometrika 26 (1934), one-sided; the same counts as S. S. Wilks, "Determination of sample
        sizes for setting tolerance limits", Annals of Mathematical Statistics 12 (1941).

        Raises:
            ValueError: fewer than 0 errors.

        >>> promise = Promise(precision=0.90, confidence=0.95)
        >>> [promise.labels_needed(errors) for errors in range(4)]
        [29, 46, 61, 76]
        """
        if errors < 0:
            raise ValueError(f"errors must be 0 or more, not {errors}")
        enough = errors + 1
        while not self._is_proved(errors, enough):
            enough *= 2
        too_few = enough // 2 if enough > errors + 1 else errors
        while enough - too_few > 1:
            middle = (enough + too_few) // 2
            if self._is_proved(errors, middle):
                enough = middle
            else:
                too_few = middle
        return enough

    def shared_among(self, promises: int) -> "Promise":
        """The promise each of several has to meet so that all of them hold together with `confidence`.

        Source: the inequality of C. E. Bonferroni (1936), as used by O. J. Dunn, "Multiple comparisons among means",
        JASA 56 (1961).

        Raises:
            ValueError: fewer than 1 promise.

        >>> Promise(precision=0.90, confidence=0.95).shared_among(10).labels_needed()
        51
        """
        if promises < 1:
            raise ValueError(f"promises must be 1 or more, not {promises}")
        return Promise(self.precision, 1 - (1 - self.confidence) / promises)

    def at_attempt(self, attempt: int) -> "Promise":
        """The promise that the attempt of this number, from 1, has to meet: each may err half as often as the last.

        An attempt is a look that tested and refused, and the next one rests on labels drawn after it. With d the error
        of this promise, attempt k may err with probability `d / 2**(k - 1)`, so that all attempts together, however
        many are made, err with probability `d + d/2 + d/4 + ... = 2 d` at most. Looks that tested nothing
        (`Refused.tested`) spend nothing.

        Source: the inequality of C. E. Bonferroni (1936) with unequal shares; K. K. G. Lan and D. L. DeMets, "Discrete
        sequential boundaries for clinical trials", Biometrika 70 (1983), for spending an error rate over looks.

        Raises:
            ValueError: not a whole number from 1 to 40, beyond which the error left cannot be told from none.

        >>> promise = Promise(precision=0.90, confidence=0.95)
        >>> [promise.at_attempt(attempt).labels_needed() for attempt in (1, 2, 3)]
        [29, 36, 42]
        """
        if not 1 <= attempt <= MOST_ATTEMPTS or attempt != int(attempt):
            raise ValueError(f"attempt must be a whole number from 1 to {MOST_ATTEMPTS}, not {attempt}")
        return Promise(self.precision, 1 - (1 - self.confidence) / 2 ** (attempt - 1))

    def allows(self, p_value: float) -> bool:
        """Whether evidence this strong against a broken promise proves it; the last bits of rounding are forgiven.

        Source: the level of a test, as in Clopper and Pearson (1934).

        >>> Promise(precision=0.90, confidence=0.95).allows(0.05)
        True
        """
        return p_value <= (1 - self.confidence) * (1 + ROUNDING)

    def _is_proved(self, errors: int, labels: int) -> bool:
        # The binomial tail by its recurrence, in logarithms: routing reads promises and need not load scipy for it.
        odds = math.log1p(-self.precision) - math.log(self.precision)
        term = labels * math.log(self.precision)
        terms = [term]
        for wrong in range(errors):
            term += odds + math.log((labels - wrong) / (wrong + 1))
            terms.append(term)
        largest = max(terms)
        return self.allows(math.exp(largest) * math.fsum(math.exp(term - largest) for term in terms))
