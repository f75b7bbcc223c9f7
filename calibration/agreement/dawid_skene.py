"""Dawid and Skene's model: the likely truth of each item and the errors of each rater, without a gold standard."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.agreement.answers import Answers
from calibration.arrays import Booleans, Floats, Integers
from calibration.result import Undefined

PROCEDURE = "Dawid-Skene EM"
LEAST_RATERS = 3
Sparse = Any  # a scipy matrix: scipy is published without types
NEVER = 1e-300  # stands for a probability of 0 where a logarithm is taken


@dataclass(frozen=True, slots=True, eq=False)
class DawidSkene:
    """What the EM algorithm found; every array is read-only.

    `posteriors` (items, classes); `shares` (classes); `confusion` (raters, truth, answer), each row summing to 1 and
    uniform for a rater without answers; `answers` (raters) counts what each row of `confusion` rests on. An item
    nobody answered has the shares as its posterior. `log_likelihood` is of the answers, without the smoothing.
    """

    posteriors: Floats
    shares: Floats
    confusion: Floats
    answers: Integers
    iterations: int
    converged: bool
    log_likelihood: float
    smoothing: float


def dawid_skene(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    *,
    classes: int,
    smoothing: float = 0.01,
    tolerance: float = 1e-4,
    most_iterations: int = 1_000,
) -> DawidSkene | Undefined:
    """How likely each class is for each item, when raters differ in quality and lean towards classes of their own.

    `item`, `rater`, `label` are parallel whole numbers from 0; a rater may answer an item several times. Starts from
    the shares of the answers per item and is deterministic. `smoothing` answers are added to every cell of every
    confusion matrix (0: the paper's maximum likelihood). Stops when no posterior moves by more than `tolerance`.
    Worth more than a majority from about 10 answers per rater and class. Look at the agreement first: where raters
    share their mistakes, or agree little beyond chance, the posteriors are sure and wrong.
    Undefined with fewer than 3 raters (their errors cannot be told apart: adjudicate) or one class only.

    Source: A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates using the EM
    algorithm", Applied Statistics 28 (1979).

    Raises:
        ValueError: arrays of different length, a label beyond `classes`, a negative smoothing, no iteration.

    >>> item, rater = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    >>> found = dawid_skene(item, rater, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0], classes=2)
    >>> found.posteriors.argmax(axis=1), found.converged
    (array([0, 0, 1, 1]), True)
    """
    answers = Answers.of(item, rater, label, classes=classes)
    if smoothing < 0 or most_iterations < 1:
        raise ValueError(f"smoothing must be 0 or more and most_iterations 1 or more: {smoothing}, {most_iterations}")
    reason = _refusal(answers)
    if reason:
        return Undefined(reason, len(np.unique(answers.item)), PROCEDURE)
    table = _table(answers, classes)
    posteriors = _majority_shares(answers, classes)
    rated = np.bincount(answers.item) > 0
    iterations, converged = 0, False
    while iterations < most_iterations and not converged:
        before = posteriors
        shares, errors = _maximise(table, before, rated, smoothing)
        posteriors, log_likelihood = _expect(table, shares, errors)
        converged = bool(np.abs(posteriors - before)[rated].max() <= tolerance)
        iterations += 1
    confusion, said = errors.transpose(0, 2, 1), np.bincount(answers.rater)
    for array in (posteriors, shares, confusion, said):
        array.setflags(write=False)
    return DawidSkene(posteriors, shares, confusion, said, iterations, converged, log_likelihood, smoothing)


def _refusal(answers: Answers) -> str | None:
    raters = len(np.unique(answers.rater))
    if raters < LEAST_RATERS:
        return f"{LEAST_RATERS} raters are needed to tell whose error it is, not {raters}: use adjudication"
    if len(np.unique(answers.label)) < 2:
        return "every answer names the same class: there is nothing to tell apart"
    return None


def _table(answers: Answers, classes: int) -> Sparse:
    """Count how often (item) was given (rater, label): sparse, repeated answers add up."""
    shape = (int(answers.item.max()) + 1, (int(answers.rater.max()) + 1) * classes)
    return scipy.sparse.csr_array(
        (np.ones(len(answers.item)), (answers.item, answers.rater * classes + answers.label)), shape=shape
    )


def _majority_shares(answers: Answers, classes: int) -> Floats:
    items = int(answers.item.max()) + 1
    votes = np.bincount(answers.item * classes + answers.label, minlength=items * classes).reshape(items, classes)
    return np.asarray(votes / np.maximum(votes.sum(axis=1, keepdims=True), 1))


def _maximise(table: Sparse, posteriors: Floats, rated: Booleans, smoothing: float) -> tuple[Floats, Floats]:
    """Estimate the shares, and the errors as (raters, answer, truth): the order in which the table is multiplied."""
    classes = posteriors.shape[1]
    said = np.asarray(table.T @ posteriors).reshape(-1, classes, classes) + smoothing
    total = said.sum(axis=1, keepdims=True)
    # A class a rater never met says nothing about the rater there: any errors are a maximum, even ones are neutral.
    errors = np.where(total > 0, said / np.where(total > 0, total, 1), 1 / classes)
    return posteriors[rated].mean(axis=0), errors


def _expect(table: Sparse, shares: Floats, errors: Floats) -> tuple[Floats, float]:
    by_answer = np.log(np.maximum(errors, NEVER)).reshape(-1, len(shares))
    joint = np.asarray(table @ by_answer) + np.log(np.maximum(shares, NEVER))
    evidence = np.asarray(scipy.special.logsumexp(joint, axis=1, keepdims=True))
    return np.exp(joint - evidence), float(evidence.sum())
