"""Have the texts become different? Two distances between clouds of embeddings, and the texts that show it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata, t
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from calibration.arrays import Floats, Integers, confidence_level, floats
from calibration.result import Estimate, Undefined

MOST_ROWS = 1_000  # of each side; the kernel matrix of twice as many takes 32 MB
LEAST_ROWS = 20
EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class KernelDrift:
    """The unbiased squared mean discrepancy (may be below 0: no sign of drift) and its permutation p-value."""

    value: float
    p_value: float
    significant: bool
    alpha: float
    bandwidth: float
    n_reference: int
    n_current: int
    procedure: str
    sentence: str


@dataclass(frozen=True, slots=True)
class DomainDrift:
    """How well old and new texts can be told apart (0.5: not at all), and the newest of the new.

    `auc.n` counts the rows held out, which alone decide. `newest` are indices into the whole current sample, most
    unlike the reference first. `significant` (the interval lies above 0.5) is said by mistake with probability `alpha`.
    """

    auc: Estimate
    significant: bool
    alpha: float
    newest: tuple[int, ...]
    sentence: str


def maximum_mean_discrepancy(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    alpha: float = 0.05,
    permutations: int = 500,
    most_rows: int = MOST_ROWS,
    seed: int = 0,
) -> KernelDrift | Undefined:
    """Whether two sets of embeddings, shapes (n, d) and (m, d), come from one distribution.

    Gaussian kernel exp(-|x-y|^2 / (2 s^2)) with s the median distance of all pairs. More than `most_rows` of a side are
    thinned to a random `most_rows` (by `seed`). Rows must be independent: collapse duplicates first.

    Source: A. Gretton et al., "A kernel two-sample test", Journal of Machine Learning Research 13 (2012), equation 3
    and section 8 (median heuristic).

    Raises:
        ValueError: not finite numbers of one width, fewer than 2 rows to keep or 1 permutation, or a bad alpha.

    >>> drift = maximum_mean_discrepancy([[0.0], [1.0], [0.5], [0.2]] * 10, [[5.0], [6.0], [5.5], [5.2]] * 10)
    >>> drift.value > 0.5, drift.significant
    (True, True)
    """
    confidence_level(alpha, "alpha")
    if permutations < 1:
        raise ValueError(f"permutations must be 1 or more, not {permutations}")
    generator = np.random.default_rng(seed)
    before, after, _ = _two_clouds(reference, current, most_rows, generator)
    n, m = len(before), len(after)
    procedure = f"unbiased MMD^2, median heuristic, {permutations} permutations, seed {seed}"
    if n < 2 or m < 2:
        return Undefined("each side needs 2 rows or more", n + m, procedure)
    distances = pdist(np.concatenate([before, after]))
    bandwidth = float(np.median(distances)) or float(distances.mean())
    if bandwidth == 0:
        return Undefined("all embeddings are the same point", n + m, procedure)
    kernel = squareform(np.exp(-((distances / bandwidth) ** 2) / 2))  # the diagonal is 0: no row with itself
    sides = np.zeros((n + m, permutations + 1))
    sides[:n, 0] = 1
    for one in range(1, permutations + 1):
        sides[generator.permutation(n + m)[:n], one] = 1
    chance = _discrepancies(kernel, sides, n, m)
    value, p_value = float(chance[0]), float((chance >= chance[0] - 1e-12).mean())
    finding = "The texts have changed" if p_value <= alpha else "No change of the texts beyond chance"
    sentence = f"{finding} ({n} against {m} rows; said by mistake 1 time in {round(1 / alpha)})."
    return KernelDrift(value, p_value, p_value <= alpha, alpha, bandwidth, n, m, procedure, sentence)


def domain_classifier(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    confidence: float = 0.95,
    examples: int = EXAMPLES,
    most_rows: int = MOST_ROWS,
    seed: int = 0,
) -> DomainDrift | Undefined:
    """How well a logistic regression tells current from reference embeddings, shapes (n, d) and (m, d).

    It is fitted on a random half of each side (by `seed`); AUC and interval come from the other half, which no fit has
    seen: areas averaged over folds share their training rows and raise false alarms. The interval is DeLong's with
    Student's t on the Brunner-Munzel degrees of freedom. For the examples alone the halves then change places.
    Thinning and independence as above; the examples come from the rows kept.

    Source: D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR (2017), section 3; S. Rabanser,
    S. Guennemann, Z. C. Lipton, "Failing loudly", NeurIPS (2019); interval: E. R. DeLong et al., Biometrics 44 (1988);
    E. Brunner and U. Munzel, "The nonparametric Behrens-Fisher problem", Biometrical Journal 42 (2000).

    Raises:
        ValueError: not finite numbers of one width, fewer than 2 rows to keep, a negative number of examples,
            or a bad confidence.

    >>> here, there = [[x / 20] for x in range(20)], [[x / 20 + 3] for x in range(20)]
    >>> drift = domain_classifier(here, there, examples=3)
    >>> drift.auc.value, drift.significant, drift.newest
    (1.0, True, (19, 18, 16))
    """
    confidence_level(confidence)
    if examples < 0:
        raise ValueError(f"examples must be 0 or more, not {examples}")
    before, after, kept = _two_clouds(reference, current, most_rows, np.random.default_rng(seed))
    n, m = len(before), len(after)
    procedure = f"domain classifier, fitted on one half, DeLong with Brunner-Munzel t on the other, seed {seed}"
    if min(n, m) < LEAST_ROWS:
        return Undefined(f"each side needs {LEAST_ROWS} rows or more", n + m, procedure)
    rows, new = np.concatenate([before, after]), np.repeat([0, 1], [n, m])
    if (rows == rows[0]).all():
        return Undefined("all embeddings are the same point", n + m, procedure)
    score = np.empty(n + m)
    halves = list(StratifiedKFold(2, shuffle=True, random_state=seed).split(rows, new))
    for train, other in halves:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1_000))
        score[other] = model.fit(rows[train], new[train]).decision_function(rows[other])
    held = halves[0][1]
    auc = _area(score[held], new[held], confidence, procedure)
    newest = kept[np.argsort(-score[n:], kind="stable")[:examples]]
    finding = "can be told apart" if auc.low > 0.5 else "cannot be told apart beyond chance"
    picked = f"of a new and an old one, the new one is picked {100 * auc.value:.0f} times in 100"
    sentence = f"New texts {finding}: {picked}."
    return DomainDrift(auc, auc.low > 0.5, (1 - confidence) / 2, tuple(int(one) for one in newest), sentence)


def _thinned(values: ArrayLike, name: str, most_rows: int, generator: np.random.Generator) -> tuple[Floats, Integers]:
    """At most so many rows, and which: thinned before they are copied, so that memory stays bounded."""
    if most_rows < 2:
        raise ValueError(f"most_rows must be 2 or more, not {most_rows}")
    ready = isinstance(values, np.ndarray) and values.ndim == 2
    rows = np.asarray(values) if ready else floats(values, name, shape=(None, None))
    kept = np.arange(len(rows))
    if len(rows) > most_rows:
        kept = np.sort(generator.choice(len(rows), most_rows, replace=False))
    return floats(rows[kept], f"{name} (rows kept)", shape=(None, None)), kept


def _two_clouds(
    reference: ArrayLike, current: ArrayLike, most_rows: int, generator: np.random.Generator
) -> tuple[Floats, Floats, Integers]:
    before, _ = _thinned(reference, "reference", most_rows, generator)
    after, kept = _thinned(current, "current", most_rows, generator)
    if before.shape[1] != after.shape[1]:
        raise ValueError(
            f"reference and current must be as wide as each other, not {before.shape[1]}, {after.shape[1]}"
        )
    return before, after, kept


def _discrepancies(kernel: Floats, sides: Floats, n: int, m: int) -> Floats:
    """One unbiased MMD^2 per column of `sides` (1: reference), from a kernel matrix with an empty diagonal."""
    reached = kernel @ sides
    within = (sides * reached).sum(axis=0)
    across = reached.sum(axis=0) - within
    others = kernel.sum() - within - 2 * across
    mmd: Floats = within / (n * (n - 1)) + others / (m * (m - 1)) - 2 * across / (n * m)
    return mmd


def _area(score: Floats, new: Integers, confidence: float, procedure: str) -> Estimate:
    tail, high, low = (1 - confidence) / 2, int(new.sum()), int((1 - new).sum())
    area, above, below = _delong(score, new)
    error = float(np.sqrt(above + below))
    if error > 0:
        freedom = (above + below) ** 2 / (above**2 / (high - 1) + below**2 / (low - 1))
        half = float(t.isf(tail, freedom)) * error
    else:  # no pair is out of order, or all are tied; so many rows right in a row still allow this much
        half = 1 - tail ** (1 / min(high, low))
    return Estimate(area, max(0.0, area - half), min(1.0, area + half), confidence, new.size, procedure, error)


def _delong(score: Floats, new: Integers) -> tuple[float, float, float]:
    """The area, and the parts of its variance that come from the new and from the old rows."""
    high, low = score[new == 1], score[new == 0]
    ranks = rankdata(np.concatenate([high, low]))
    above = (ranks[: high.size] - rankdata(high)) / low.size
    below = 1 - (ranks[high.size :] - rankdata(low)) / high.size
    return float(above.mean()), float(above.var(ddof=1) / high.size), float(below.var(ddof=1) / low.size)
