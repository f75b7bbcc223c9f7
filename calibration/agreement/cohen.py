"""Cohen's kappa: two raters, agreement beyond what their own habits would give."""

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.agreement.estimate import NO_SPREAD, alike
from calibration.agreement.ratings import Statistic, checked_ratings, repeated, with_missing
from calibration.agreement.scale import disagreements
from calibration.arrays import Floats, confidence_level
from calibration.result import Degenerate, Estimate, Undefined

PROCEDURE = "Cohen's kappa, large-sample interval (Fleiss, Cohen, Everitt 1969)"


def cohen_kappa(
    a: ArrayLike, b: ArrayLike, *, disagreement: ArrayLike, weights: ArrayLike | None = None, confidence: float = 0.95
) -> Estimate | Undefined:
    """One minus observed over expected disagreement of two raters, with the large-sample standard error.

    `a` and `b` (items,) are codes, nan where missing (such items are left out); `disagreement` is the declared scale:
    `nominal(3)`, `linear(range(6))`, `quadratic(range(6))` or a matrix with rater a's category in its rows.
    `weights` are numbers of equal items. Undefined where a rater gave everything the same category: then kappa says
    nothing about the other. The interval is cut at -1 and 1.

    Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
    (1960); J. Cohen, "Weighted kappa", Psychological Bulletin 70 (1968); J. L. Fleiss, J. Cohen and B. S. Everitt,
    "Large sample standard errors of kappa and weighted kappa", Psychological Bulletin 72 (1969).

    Raises:
        ValueError: codes outside the scale, arrays that do not fit, weights or confidence out of range.

    >>> from calibration.agreement.scale import nominal
    >>> kappa = cohen_kappa([0, 0, 0, 1], [0, 0, 1, 1], disagreement=nominal(2))
    >>> kappa.value, round(kappa.standard_error, 3), kappa.n
    (0.5, 0.375, 4)
    """
    confidence_level(confidence)
    matrix = disagreements(disagreement)
    pairs = repeated(_pairs(a, b, len(matrix)), weights)
    table = _table(_cells(pairs, len(matrix)), np.ones(len(pairs)), len(matrix))
    n = int(table.sum())
    try:
        value, expected = _kappa(table, matrix)
    except Degenerate as degenerate:
        return Undefined(str(degenerate), n, PROCEDURE)
    error = _standard_error(table / n, matrix, value, expected, n)
    if error < NO_SPREAD:
        return alike(value, float(matrix.max()) / expected, n, confidence=confidence, procedure=PROCEDURE)
    half = -float(scipy.special.ndtri((1 - confidence) / 2)) * error
    return Estimate(value, max(-1.0, value - half), min(1.0, value + half), confidence, n, PROCEDURE, error)


def cohen_statistic(a: ArrayLike, b: ArrayLike, *, disagreement: ArrayLike) -> Statistic:
    """Cohen's kappa as a function of one weight per item, for `item_bootstrap`.

    Source: Cohen (1960, 1968), as above.

    Raises:
        ValueError: codes outside the scale, or arrays that do not fit.

    >>> from calibration.agreement.scale import nominal
    >>> cohen_statistic([0, 0, 1], [0, 1, 1], disagreement=nominal(2))(np.array([2.0, 1.0, 1.0]))
    0.5
    """
    matrix = disagreements(disagreement)
    cells = _cells(_pairs(a, b, len(matrix)), len(matrix))

    def statistic(weights: Floats) -> float:
        return _kappa(_table(cells, weights, len(matrix)), matrix)[0]

    return statistic


def _pairs(a: ArrayLike, b: ArrayLike, categories: int) -> Floats:
    first, second = with_missing(a, "a"), with_missing(b, "b")
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"a and b must be two lists of the same items, not {first.shape} and {second.shape}")
    for name, codes in (("a", first), ("b", second)):
        beyond = np.flatnonzero(codes >= categories)
        if beyond.size:
            rule = f"must be a code from 0 to {categories - 1} or nan for a missing label"
            raise ValueError(f"{name}[{beyond[0]}] {rule}, not {codes[beyond[0]]:g}")
    return checked_ratings(np.column_stack([first, second]), categories=categories)


def _cells(pairs: Floats, categories: int) -> Floats:
    """The cell of the table each item falls into, row by row; nan where a rating is missing."""
    return np.asarray(pairs[:, 0] * categories + pairs[:, 1])


def _table(cells: Floats, weights: Floats, categories: int) -> Floats:
    both = ~np.isnan(cells)
    table = np.bincount(cells[both].astype(np.int64), weights[both], minlength=categories**2)
    return table.reshape(categories, categories).astype(np.float64)


def _kappa(table: Floats, matrix: Floats) -> tuple[float, float]:
    """Kappa and the expected disagreement."""
    n = float(table.sum())
    if n == 0:
        raise Degenerate("no item has a rating by both")
    rows, columns = table.sum(axis=1) / n, table.sum(axis=0) / n
    for name, shares in (("first", rows), ("second", columns)):
        if np.count_nonzero(shares) < 2:
            raise Degenerate(f"the {name} rater gave every item the same category: kappa cannot tell skill from habit")
    expected = float(rows @ matrix @ columns)
    if expected == 0:
        raise Degenerate("no disagreement is possible between the categories in use")
    return 1 - float((table * matrix).sum()) / n / expected, expected


def _standard_error(shares: Floats, matrix: Floats, value: float, expected: float, n: int) -> float:
    of_rows = matrix @ shares.sum(axis=0)
    of_columns = shares.sum(axis=1) @ matrix
    influence = ((1 - value) * (of_rows[:, None] + of_columns) - matrix) / expected
    return math.sqrt(float((shares * (influence - (1 - value)) ** 2).sum()) / n)
