"""Did the split arrive as planned? Where it did not, no figure of the comparison may be shown."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln
from scipy.stats import chi2

from calibration.arrays import Floats, confidence_level, counts, floats
from calibration.comparison.sequential import Path, path_of
from calibration.result import Undefined

STOP = 0.001  # a test that looks at every experiment must be rare to cry wolf


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """The arms' counts against the planned shares; `as_planned` is False where `p_value` is below `stop`."""

    counts: tuple[int, ...]
    planned: tuple[float, ...]
    p_value: float
    stop: float
    as_planned: bool
    procedure: str = "sample ratio, chi-square"


def sample_ratio(arms: ArrayLike, planned: ArrayLike, *, stop: float = STOP) -> SampleRatio | Undefined:
    """Do the counts of the arms, shape (K,), fit the planned shares? One look, at the end.

    Source: A. Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments", KDD (2019).

    Raises:
        ValueError: counts that are no counts, shares that are not positive or do not sum to 1.

    >>> check = sample_ratio([600, 400], [0.5, 0.5])
    >>> f"{check.p_value:.1e}", check.as_planned
    ('2.5e-10', False)
    """
    shares = _shares(planned)
    seen = counts(arms, "arms", shape=shares.shape)
    confidence_level(stop, "stop")
    expected = seen.sum() * shares
    if (expected < 5).any():
        return Undefined("an arm expects fewer than 5: too early to tell", int(seen.sum()), "sample ratio, chi-square")
    p_value = float(chi2.sf(float(((seen - expected) ** 2 / expected).sum()), shares.size - 1))
    return SampleRatio(tuple(map(int, seen)), tuple(map(float, shares)), p_value, stop, p_value >= stop)


def sequential_sample_ratio(
    arms: ArrayLike, planned: ArrayLike, *, concentration: float = 100.0, stop: float = STOP
) -> Path:
    """The same with a look every day: new counts per look and arm, shape (looks, K).

    The e-value mixes over Dirichlet(concentration x planned): a larger `concentration` looks for smaller mismatches.
    A `first_crossing` says stop; a split as planned gets one with chance `stop` at most, over all looks.

    Source: M. Lindon and A. Malek, "Anytime-valid inference for multinomial count data", NeurIPS (2022).

    Raises:
        ValueError: as `sample_ratio`, or a concentration that is not positive.

    >>> path = sequential_sample_ratio([[50, 52], [48, 90], [40, 95]], [0.5, 0.5])
    >>> [round(p, 4) for p in path.p_values], path.first_crossing
    ([1.0, 0.1054, 0.0001], 2)
    """
    shares = _shares(planned)
    if not concentration > 0:
        raise ValueError(f"concentration must be positive, not {concentration}")
    seen = np.cumsum(counts(arms, "arms", shape=(None, shares.size)), axis=0)
    prior = concentration * shares
    mixed = gammaln(prior.sum()) - gammaln(prior.sum() + seen.sum(axis=1))
    mixed = mixed + (gammaln(prior + seen) - gammaln(prior)).sum(axis=1)
    logs = mixed - (seen * np.log(shares)).sum(axis=1)
    total = int(seen[-1].sum()) if len(seen) else 0
    return path_of(logs, alpha=stop, n=total, procedure="sequential sample ratio, Dirichlet mixture")


def _shares(planned: ArrayLike) -> Floats:
    shares = floats(planned, "planned")
    if shares.size < 2 or (shares <= 0).any() or abs(shares.sum() - 1) > 1e-9:
        raise ValueError("planned must be two or more positive shares that sum to 1")
    return shares
