"""Answers of many raters about many items, sparse and repeated, and each rater set against the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, counts


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Three parallel arrays: item, rater and label are whole numbers from 0; a repeated answer is a row of its own."""

    item: Integers
    rater: Integers
    label: Integers

    @classmethod
    def of(cls, item: ArrayLike, rater: ArrayLike, label: ArrayLike, *, classes: int) -> Self:
        """Check the three arrays and keep them.

        Raises:
            ValueError: another length, a number that is negative or not whole, or a label beyond `classes`.
        """
        items = counts(item, "item")
        raters = counts(rater, "rater", shape=items.shape)
        return cls(items, raters, _codes(label, "label", classes, shape=items.shape))

    def of_items(self, values: ArrayLike, name: str, *, classes: int) -> Integers:
        """Check an array with one label for every item that was answered.

        Raises:
            ValueError: an item without a label, or a label beyond `classes`.
        """
        labels = _codes(values, name, classes)
        last = int(self.item.max(initial=-1))
        if last >= len(labels):
            raise ValueError(f"{name} must hold a label for item {last}, not only {len(labels)} labels")
        return labels


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """One row per rater and item that at least one other rater answered as well.

    `own` (rows, classes) is what the rater said: shares that sum to 1, split where the rater answered twice.
    `others` (rows, classes) adds up the shares of everybody else: one person, one vote. `model` (rows) is the label
    the model gave the item.
    """

    item: Integers
    rater: Integers
    own: Floats
    others: Floats
    model: Integers

    @classmethod
    def of(cls, item: ArrayLike, rater: ArrayLike, label: ArrayLike, model: ArrayLike) -> Self:
        """Set each rater's answers about an item, and the model's, beside those of the other raters.

        `model` holds one label per item, found by the item's number.

        Raises:
            ValueError: arrays of different length, or an item without a model label.
        """
        classes = 1 + max(
            int(counts(given, name).max(initial=0)) for given, name in ((label, "label"), (model, "model"))
        )
        answers = Answers.of(item, rater, label, classes=classes)
        predicted = answers.of_items(model, "model", classes=classes)
        raters = 1 + int(answers.rater.max(initial=0))
        pair, place = np.unique(answers.item * raters + answers.rater, return_inverse=True)
        said = np.bincount(place * classes + answers.label, minlength=len(pair) * classes)
        own = said.reshape(len(pair), classes) / np.bincount(place, minlength=len(pair))[:, None]
        items, people = pair // raters, pair % raters
        votes = np.zeros((len(predicted), classes))
        np.add.at(votes, items, own)
        row = np.flatnonzero(np.bincount(items, minlength=len(predicted))[items] > 1)
        return cls(items[row], people[row], own[row], votes[items[row]] - own[row], predicted[items[row]])


def _codes(values: ArrayLike, name: str, classes: int, *, shape: Sequence[int | None] = (None,)) -> Integers:
    labels = counts(values, name, shape=shape)
    beyond = np.flatnonzero(labels >= classes)
    if len(beyond):
        raise ValueError(f"{name}[{beyond[0]}] must be below the {classes} classes, not {labels[beyond[0]]}")
    return labels
