"""The declared scale: how far apart two of its categories are, whichever of them happen to occur."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, booleans, floats


def nominal(categories: int) -> Floats:
    """Disagreement between categories without an order: 0 with itself, 1 with any other, (categories, categories).

    Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20
    (1960); the nominal metric of K. Krippendorff, "Content Analysis" (2004).

    Raises:
        ValueError: fewer than 2 categories.

    >>> nominal(2)
    array([[0., 1.],
           [1., 0.]])
    """
    if categories < 2:
        raise ValueError(f"a scale needs 2 or more categories, not {categories}")
    return np.ones((categories, categories)) - np.eye(categories)


def linear(values: ArrayLike) -> Floats:
    """Disagreement that grows with the difference of the levels' values, 1 at the most, (levels, levels).

    `values` are those of all levels of the declared scale: `range(6)` for six levels at equal steps.

    Source: J. Cohen, "Weighted kappa", Psychological Bulletin 70 (1968); D. V. Cicchetti and T. Allison, "A new
    procedure for assessing reliability of scoring EEG sleep recordings", American Journal of EEG Technology 11 (1971).

    Raises:
        ValueError: fewer than 2 levels, or two levels of the same value.

    >>> linear(range(3))[0]
    array([0. , 0.5, 1. ])
    """
    return _to_one(np.abs(_differences(_levels(values))))


def quadratic(values: ArrayLike) -> Floats:
    """Disagreement that grows with the squared difference of the levels' values, 1 at the most, (levels, levels).

    Source: J. L. Fleiss and J. Cohen, "The equivalence of weighted kappa and the intraclass correlation coefficient
    as measures of reliability", Educational and Psychological Measurement 33 (1973).

    Raises:
        ValueError: as `linear`.

    >>> quadratic(range(3))[0]
    array([0.  , 0.25, 1.  ])
    """
    return _to_one(interval(values))


def interval(values: ArrayLike) -> Floats:
    """Krippendorff's interval metric: the squared difference of the levels' values, (levels, levels).

    Source: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", University of Pennsylvania (2011).

    Raises:
        ValueError: as `linear`.

    >>> interval([-4, 0, 4])[0]
    array([ 0., 16., 64.])
    """
    return _differences(_levels(values)) ** 2


def ratio(values: ArrayLike) -> Floats:
    """Krippendorff's ratio metric: `((c - k) / (c + k)) ** 2`, for levels of 0 or more, (levels, levels).

    Source: Krippendorff (2011), as above.

    Raises:
        ValueError: as `linear`, or a level below 0.

    >>> ratio([0, 1, 3])[1]
    array([1.  , 0.  , 0.25])
    """
    levels = _levels(values)
    if levels.min() < 0:
        raise ValueError(f"values of a ratio scale must be 0 or more, not {levels.min():g}: use interval")
    sums = levels[:, None] + levels
    return (_differences(levels) / np.where(sums > 0, sums, 1)) ** 2


@dataclass(frozen=True, slots=True)
class Ordinal:
    """Krippendorff's ordinal metric, the one that depends on how often the levels between two levels were used."""

    categories: int

    def __post_init__(self) -> None:
        if self.categories < 2:
            raise ValueError(f"a scale needs 2 or more categories, not {self.categories}")

    def between(self, marginals: ArrayLike) -> Floats:
        """Squared number of ratings from one level to the other, each end counted by half, (levels, levels).

        `marginals` (levels,) says how many pairable ratings each level got.

        Source: Krippendorff (2011), as above.

        Raises:
            ValueError: not one number of 0 or more per level.

        >>> Ordinal(3).between([2, 2, 4])[0]
        array([ 0.,  4., 25.])
        """
        uses = floats(marginals, "marginals", shape=(self.categories,))
        if uses.min() < 0:
            raise ValueError(f"marginals must be 0 or more, not {uses.min():g}")
        return _differences(np.cumsum(uses) - uses / 2) ** 2


def jaccard(sets: ArrayLike) -> Floats:
    """Distance of label sets: the share of their labels that they do not share, (sets, sets).

    `sets` (sets, labels) says which labels each set holds. Two empty sets are at distance 0.

    Source: P. Jaccard, "The distribution of the flora in the alpine zone", New Phytologist 11 (1912).

    Raises:
        ValueError: not a matrix of yes and no.

    >>> jaccard([[1, 1, 0, 0], [1, 1, 1, 1]])[0]
    array([0. , 0.5])
    """
    common, union = _overlaps(sets)
    return np.asarray(1 - np.where(union > 0, common / np.maximum(union, 1), 1))


def masi(sets: ArrayLike) -> Floats:
    """Distance of label sets that also asks how they overlap: 1 - Jaccard similarity x monotonicity, (sets, sets).

    Monotonicity is 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap otherwise, 0 where they
    share nothing: exact thirds (NLTK rounds them to 0.67 and 0.33).

    Source: R. Passonneau, "Measuring agreement on set-valued items (MASI) for semantic and pragmatic annotation",
    LREC (2006).

    Raises:
        ValueError: as `jaccard`.

    >>> masi([[1, 1, 0, 0], [1, 1, 1, 1]])[0].round(4)
    array([0.    , 0.6667])
    """
    common, union = _overlaps(sets)
    sizes = common.diagonal()
    smaller = np.minimum(sizes[:, None], sizes)
    monotonicity = np.select([common == union, common == smaller], [1, 2 / 3], 1 / 3)
    return np.asarray(1 - (1 - jaccard(sets)) * monotonicity)


def disagreements(matrix: ArrayLike) -> Floats:
    """A square matrix of disagreements, checked: 0 on the diagonal and nothing negative.

    Source: Cohen (1968), as above: any weights may be declared, as long as agreeing costs nothing.

    Raises:
        ValueError: it is not.

    >>> disagreements([[0, 1], [2, 0]])
    array([[0., 1.],
           [2., 0.]])
    """
    array = floats(matrix, "disagreement", shape=(None, None))
    if array.shape[0] != array.shape[1]:
        raise ValueError(f"disagreement must be a square, one row and column per category, not {array.shape}")
    if (array < 0).any() or array.diagonal().any():
        raise ValueError("disagreement must be 0 for a category with itself and 0 or more with others")
    return array


def symmetric(matrix: ArrayLike) -> Floats:
    """Disagreements that do not ask who said which, as every coefficient for interchangeable raters needs.

    Source: Krippendorff (2011), as above: a metric is symmetric.

    Raises:
        ValueError: as `disagreements`, or a matrix that differs from its transpose.

    >>> symmetric(nominal(2))
    array([[0., 1.],
           [1., 0.]])
    """
    array = disagreements(matrix)
    if not np.allclose(array, array.T):
        raise ValueError("disagreement must be the same both ways: these raters are interchangeable")
    return array


def _levels(values: ArrayLike) -> Floats:
    levels = floats(values, "values", shape=(None,))
    if len(levels) < 2 or len(np.unique(levels)) < len(levels):
        raise ValueError(f"values must be 2 or more different levels, not {levels.tolist()}")
    return levels


def _differences(levels: Floats) -> Floats:
    return levels[:, None] - levels


def _to_one(matrix: Floats) -> Floats:
    return np.asarray(matrix / matrix.max())


def _overlaps(sets: ArrayLike) -> tuple[Floats, Floats]:
    members = booleans(sets, "sets", shape=(None, None)).astype(np.float64)
    common = members @ members.T
    sizes = members.sum(axis=1)
    return common, sizes[:, None] + sizes - common
