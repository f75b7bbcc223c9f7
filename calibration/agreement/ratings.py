"""Who said what: an (items, raters) array of category codes, nan where a label is missing, and its counts."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Booleans, Floats, booleans, counts

Statistic = Callable[[Floats], float]  # one weight per item -> the coefficient; raises Degenerate. For `item_bootstrap`


def with_missing(values: ArrayLike, name: str) -> Floats:
    """Numbers of any shape, with nan (or None) where one is missing.

    Source: Krippendorff (2004), as below.

    Raises:
        ValueError: something that is no number, or rows of different lengths.

    >>> with_missing([0, None], "a")
    array([ 0., nan])
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be whole numbers, one per category, in rows of one length: {error}") from error


def checked_ratings(ratings: ArrayLike, *, categories: int) -> Floats:
    """Ratings (items, raters) of the codes 0 to `categories` - 1, nan where a rater gave none.

    Except in Cohen's kappa a column need not be one person: a second rating by the same person is a further column.

    Source: the reliability data matrix of K. Krippendorff, "Content Analysis" (2004), chapter 11.

    Raises:
        ValueError: another shape, or a code outside the declared scale, with its place.

    >>> checked_ratings([[0, 1], [2, 0]], categories=2)
    Traceback (most recent call last):
        ...
    ValueError: ratings[1, 0] must be a code from 0 to 1 or nan for a missing label, not 2
    """
    array = with_missing(ratings, "ratings")
    missing = np.isnan(array)
    codes = counts(np.where(missing, 0, array), "ratings", shape=(None, None))
    beyond = ~missing & (codes >= categories)
    if beyond.any():
        item, rater = np.argwhere(beyond)[0]
        rule = f"must be a code from 0 to {categories - 1} or nan for a missing label"
        raise ValueError(f"ratings[{item}, {rater}] {rule}, not {codes[item, rater]}")
    return array


def label_counts(ratings: ArrayLike, *, categories: int) -> Floats:
    """How many ratings each category got, per item: (items, categories).

    Source: J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76 (1971).

    Raises:
        ValueError: as `checked_ratings`.

    >>> label_counts([[0, 1, 1], [2, np.nan, np.nan]], categories=3)
    array([[1., 2., 0.],
           [0., 0., 1.]])
    """
    array = checked_ratings(ratings, categories=categories)
    item, rater = np.nonzero(~np.isnan(array))
    cell = item * categories + array[item, rater].astype(np.int64)
    return np.bincount(cell, minlength=len(array) * categories).reshape(len(array), categories).astype(np.float64)


def pair_disagreement(tallies: Floats, disagreement: Floats) -> Floats:
    """Mean disagreement of the pairs of ratings within each item, (items,); nan where an item has fewer than two.

    `tallies` are `label_counts`; `disagreement` is (categories, categories).

    Source: Fleiss (1971), as above, equation 2; with a metric, Krippendorff (2004), as above.

    >>> pair_disagreement(np.array([[2.0, 1.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])).round(3)
    array([0.667,   nan])
    """
    sizes = tallies.sum(axis=1)
    total = ((tallies @ disagreement) * tallies).sum(axis=1)
    pairs = sizes * (sizes - 1)
    return np.where(pairs > 0, total / np.maximum(pairs, 1), np.nan)


def repeated(ratings: ArrayLike, weights: ArrayLike | None) -> Floats:
    """The ratings with each item as often as its weight says: a weight is a number of equal items.

    For weights that are none, such as inverse inclusion probabilities, call a coefficient's statistic with them.

    Source: Fleiss (1971), as above: coefficients are functions of counts.

    Raises:
        ValueError: weights that are negative or not whole, or not one per item.

    >>> repeated([[0, 1], [1, 1]], [1, 2])
    array([[0., 1.],
           [1., 1.],
           [1., 1.]])
    """
    array = with_missing(ratings, "ratings")
    return array if weights is None else np.repeat(array, counts(weights, "weights", shape=array.shape[:1]), axis=0)


def label_sets(answers: ArrayLike, given: ArrayLike) -> tuple[Floats, Booleans]:
    """Codes (items, raters) for sets of labels, and the different sets (sets, labels) in the order of their codes.

    `answers` (items, raters, labels) says which labels a rater gave, an empty set being an answer; `given` (items,
    raters) says whether the rater answered at all. The codes go to `krippendorff_alpha`, the sets to `masi`.

    Source: Passonneau (2006): a set of labels is one category of its own.

    Raises:
        ValueError: arrays that are not yes and no, or whose shapes do not fit.

    >>> codes, sets = label_sets([[[1, 0], [1, 1]], [[1, 0], [0, 0]]], [[1, 1], [1, 0]])
    >>> codes, sets.tolist()
    (array([[ 0.,  1.],
           [ 0., nan]]), [[True, False], [True, True]])
    """
    members = booleans(answers, "answers", shape=(None, None, None))
    answered = booleans(given, "given", shape=members.shape[:2])
    sets, codes = np.unique(members[answered], axis=0, return_inverse=True)
    ratings = np.full(answered.shape, np.nan)
    ratings[answered] = codes.reshape(-1)
    return ratings, sets
