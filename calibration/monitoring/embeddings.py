"""Have the texts become different? Two distances between clouds of embeddings, and the texts that show it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import pdist, squareform
from scipy.stats import norm, rankdata
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

    `newest` are indices into the current sample, most unlike the reference first. `significant` (the interval lies
    above 0.5) is said by mistake with probability `alpha`.
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
    folds: int = 5,
    most_rows: int = MOST_ROWS,
    seed: int = 0,
) -> DomainDrift | Undefined:
    """How well a logistic regression tells current from reference embeddings, shapes (n, d) and (m, d), out of fold.

    The AUC is the mean over the folds, its interval DeLong's within each. Thinning and independence as above; the
    examples come from the rows kept.

    Source: S. Rabanser, S. Guennemann, Z. C. Lipton, "Failing loudly", NeurIPS (2019); D. Lopez-Paz and M. Oquab,
    "Revisiting classifier two-sample tests", ICLR (2017); interval: E. R. DeLong et al., Biometrics 44 (1988).

    Raises:
        ValueError: not finite numbers of one width, fewer than 2 rows to keep or 2 folds, or a bad confidence.

    >>> here, there = [[x / 20] for x in range(20)], [[x / 20 + 3] for x in range(20)]
    >>> drift = domain_classifier(here, there, examples=3)
    >>> drift.auc.value, drift.significant, drift.newest
    (1.0, True, (19, 18, 16))
    """
    tail = (1 - confidence_level(confidence)) / 2
    if folds < 2 or examples < 0:
        raise ValueError(f"folds must be 2 or more and examples 0 or more, not {folds} and {examples}")
    before, after, kept = _two_clouds(reference, current, most_rows, np.random.default_rng(seed))
    n, m = len(before), len(after)
    procedure = f"domain classifier, {folds} folds, DeLong, seed {seed}"
    if min(n, m) < max(LEAST_ROWS, 2 * folds):
        return Undefined(f"each side needs {max(LEAST_ROWS, 2 * folds)} rows or more", n + m, procedure)
    rows, new = np.concatenate([before, after]), np.repeat([0, 1], [n, m])
    if (rows == rows[0]).all():
        return Undefined("all embeddings are the same point", n + m, procedure)
    score, areas, variances = np.empty(n + m), [], []
    for train, held in StratifiedKFold(folds, shuffle=True, random_state=seed).split(rows, new):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1_000))
        score[held] = model.fit(rows[train], new[train]).decision_function(rows[held])
        area, variance = _delong(score[held], new[held])
        areas.append(area)
        variances.append(variance)
    area, error = float(np.mean(areas)), float(np.sqrt(np.sum(variances))) / folds
    # where no pair is out of order DeLong's error is 0; so many rows right in a row still allow this much
    half = float(norm.isf(tail)) * error or 1 - tail ** (1 / min(n, m))
    auc = Estimate(area, max(0.0, area - half), min(1.0, area + half), confidence, n + m, procedure, error)
    newest = kept[np.argsort(-score[n:], kind="stable")[:examples]]
    finding = "can be told apart" if auc.low > 0.5 else "cannot be told apart beyond chance"
    sentence = f"New texts {finding}: of a new and an old one, the new one is picked {100 * area:.0f} times in 100."
    return DomainDrift(auc, auc.low > 0.5, tail, tuple(int(one) for one in newest), sentence)


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


def _delong(score: Floats, new: Integers) -> tuple[float, float]:
    high, low = score[new == 1], score[new == 0]
    ranks = rankdata(np.concatenate([high, low]))
    above = (ranks[: high.size] - rankdata(high)) / low.size
    below = 1 - (ranks[high.size :] - rankdata(low)) / high.size
    return float(above.mean()), float(above.var(ddof=1) / high.size + below.var(ddof=1) / low.size)
