"""Which map: by the number of labels and by cross-validated log loss, never by calibration error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from calibration.arrays import Floats, Integers, booleans, counts, floats
from calibration.arrays import weights as checked_weights
from calibration.calibrators import class_scaling
from calibration.calibrators.beta import fit_beta
from calibration.calibrators.folds import paired_gain, stratified_folds
from calibration.calibrators.identity import fit_identity
from calibration.calibrators.isotonic import fit_isotonic
from calibration.calibrators.logits import class_logits
from calibration.calibrators.platt import fit_platt
from calibration.calibrators.storage import ScoreMap
from calibration.calibrators.tally import separated, tally
from calibration.calibrators.temperature import fit_temperature
from calibration.calibrators.venn_abers import fit_venn_abers
from calibration.result import Undefined
from calibration.words import counted

LEAST_LABELS = 50
LEAST_OF_A_CLASS = 10
LEAST_OF_A_CLASS_FOR_ITS_OWN_SCALE = 100
FOLDS = 10
LEAST_PROBABILITY = 1e-15  # a map that states 0 and is wrong loses 34.5, not infinity
ROUNDING = 1e-12


class Fit(Protocol):
    """What fits a map: every `fit_...` of this room."""

    def __call__(
        self, logits: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None
    ) -> ScoreMap | Undefined: ...


@dataclass(frozen=True, slots=True)
class Rung:
    """A map and the number of labels from which it may be tried."""

    name: str
    labels: int
    fit: Fit


# The first is the default; each of the others has to beat the best before it. Platt was never far from the best in
# simulation: at 60 labels and a shifted base rate it lost .01, a default of temperature .04.
BINARY = (
    Rung("Platt on logits", LEAST_LABELS, fit_platt),
    Rung("identity", 0, fit_identity),
    Rung("temperature", LEAST_LABELS, fit_temperature),
    Rung("beta", 1_001, fit_beta),
    Rung("Venn-Abers", 1_001, fit_venn_abers),
    Rung("isotonic", 3_000, fit_isotonic),
)
SHARED_SCALE = (
    Rung("temperature and class biases", LEAST_LABELS, class_scaling.fit_temperature_and_biases),
    Rung("identity", 0, class_scaling.fit_class_identity),
    Rung("temperature", LEAST_LABELS, class_scaling.fit_class_temperature),
)
OWN_SCALES = Rung("vector scaling", LEAST_LABELS, class_scaling.fit_vector_scaling)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A map that was tried, or the sentence why it was not.

    `log_loss` is cross-validated; `gain` is how much lower it is than that of the best map before it, `standard_error`
    that of the paired difference. All are None where the map was `refused`.
    """

    name: str
    log_loss: float | None = None
    gain: float | None = None
    standard_error: float | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen map, fitted on all labels, with what the choice rests on.

    `probabilities` are cross-fitted: each item's comes from a map of the chosen kind that was fitted without its fold;
    of shape (n,), or n rows of K. They judge the map; the choice among a few maps is not part of the cross-fit.
    `reason` is a sentence; `identity` with a reason of too few labels is the flag that nothing was calibrated.
    """

    map: ScoreMap
    name: str
    reason: str
    n: int
    folds: int
    seed: int
    candidates: tuple[Candidate, ...]
    probabilities: tuple[float, ...] | tuple[tuple[float, ...], ...]


def select_map(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    folds: int = FOLDS,
    seed: int = 0,
    rungs: Sequence[Rung] = BINARY,
) -> Selection:
    """Choose the map of a yes/no score: another than Platt's only where its paired gain exceeds 1 standard error.

    Fewer than 50 labels or 10 of the rarer answer, or answers that one score separates perfectly: identity. Up to
    1000: Platt, temperature or identity; more: also beta and Venn-Abers; from 3000: also isotonic. Shapes (n,), labels
    0 or 1. Items of weight 0 do not count as labels. Permuting the items changes nothing; a repeated row may fall into
    two folds, where a weight stays in one.

    Source: log loss as the criterion: T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and
    estimation", JASA 102 (2007); the rule of one standard error: Breiman et al. (1984), section 3.4.3.

    Raises:
        ValueError: as `tally`, fewer than 2 folds, or rungs of which none can be fitted.

    >>> chosen = select_map([2.0, -1.0, 1.0], [1, 0, 0])
    >>> chosen.name, chosen.reason
    ('identity', 'only 3 labels: at least 50 are needed, and 10 of the rarer answer')
    """
    scores = floats(logits, "logits")
    yes = booleans(labels, "labels", shape=scores.shape).astype(np.int64)
    each = checked_weights(weights, len(scores))
    n = int(np.sum(each > 0))
    rarer = int(np.bincount(yes[each > 0], minlength=2).min())
    few = None
    if n < LEAST_LABELS:
        few = f"only {_labels(n)}: at least {LEAST_LABELS} are needed, and {LEAST_OF_A_CLASS} of the rarer answer"
    elif rarer < LEAST_OF_A_CLASS:
        few = f"only {_labels(rarer)} of the rarer answer: at least {LEAST_OF_A_CLASS} are needed"
    elif apart := separated(tally(scores, yes, each), "select_map"):
        few = apart.reason
    return _climb(rungs, scores, yes, each, few, folds, seed)


def select_class_map(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    folds: int = FOLDS,
    seed: int = 0,
) -> Selection:
    """Choose the map of a score for each of K classes, by the rule of `select_map`.

    Fewer than 50 labels: identity. From 50: temperature with class biases, unless identity or temperature alone is
    better or a class has no label; also vector scaling where every class has more than 100 labels. Shapes (n, K) and
    (n,), labels 0 to K - 1.

    Source: as `select_map`.

    Raises:
        ValueError: as `fit_vector_scaling`, or fewer than 2 folds.

    >>> select_class_map([[1, 0, 0]], [0]).reason
    'only 1 label: at least 50 are needed'
    """
    scores = class_logits(logits)
    truth = counts(labels, "labels", shape=(len(scores),))
    class_scaling.fit_class_identity(scores, truth, weights=weights)  # refuses a label that is no class
    each = checked_weights(weights, len(scores))
    n = int(np.sum(each > 0))
    few = f"only {_labels(n)}: at least {LEAST_LABELS} are needed" if n < LEAST_LABELS else None
    rarest = int(np.bincount(truth[each > 0], minlength=scores.shape[1]).min())
    rungs = (*SHARED_SCALE, OWN_SCALES) if rarest > LEAST_OF_A_CLASS_FOR_ITS_OWN_SCALE else SHARED_SCALE
    return _climb(rungs, scores, truth, each, few, folds, seed)


@dataclass(frozen=True, slots=True)
class _Crossed:
    """A map fitted on everything, the cross-fitted probabilities of its kind, and each item's log loss under them."""

    map: ScoreMap
    probabilities: Floats
    losses: Floats


def _climb(
    rungs: Sequence[Rung], scores: Floats, labels: Integers, each: Floats, few: str | None, folds: int, seed: int
) -> Selection:
    n = int(np.sum(each > 0))
    fold = stratified_folds(labels, np.column_stack([each, scores]), folds=folds, seed=seed)
    chosen, best = "", None
    candidates = []
    for rung in rungs:
        if rung.labels and (few or n < rung.labels):
            reason = few or f"{_labels(n)}: at least {rung.labels} are needed"
            candidates.append(Candidate(rung.name, refused=reason))
            continue
        crossed = _cross_fit(rung.fit, scores, labels, each, fold)
        if isinstance(crossed, Undefined):
            candidates.append(Candidate(rung.name, refused=crossed.reason))
            continue
        candidate = _compare(rung.name, crossed, best, each)
        candidates.append(candidate)
        if best is None or _is_real(candidate):
            chosen, best = rung.name, crossed
    if best is None:
        raise ValueError("no rung could be fitted: keep one that is never refused, such as identity")
    reason = few or _reason(chosen, candidates)
    probabilities = tuple(best.probabilities.tolist() if scores.ndim == 1 else map(tuple, best.probabilities.tolist()))
    return Selection(best.map, chosen, reason, n, folds, seed, tuple(candidates), probabilities)


def _labels(n: int) -> str:
    return counted(n, "label", "labels")


def _compare(name: str, crossed: _Crossed, best: _Crossed | None, each: Floats) -> Candidate:
    if not each.any():
        return Candidate(name)
    log_loss = float(each @ crossed.losses / each.sum())
    if best is None:
        return Candidate(name, log_loss)
    return Candidate(name, log_loss, *paired_gain(best.losses, crossed.losses, each))


def _is_real(candidate: Candidate) -> bool:
    if candidate.gain is None or candidate.standard_error is None:
        return False
    return candidate.gain > candidate.standard_error + ROUNDING


def _reason(chosen: str, candidates: Sequence[Candidate]) -> str:
    tried = ", ".join(f"{one.name} {one.log_loss:.4f}" for one in candidates if one.log_loss is not None)
    if chosen == candidates[0].name:
        return f"{chosen} is the default, and no other is better by more than 1 standard error of log loss: {tried}"
    return f"{chosen} is better by more than 1 standard error of cross-validated log loss: {tried}"


def _cross_fit(fit: Fit, scores: Floats, labels: Integers, each: Floats, fold: Integers) -> _Crossed | Undefined:
    whole = fit(scores, labels, weights=each)
    if isinstance(whole, Undefined):
        return whole
    probabilities = np.empty_like(scores)
    for held_out in np.unique(fold):
        ours = fold == held_out
        fitted = fit(scores[~ours], labels[~ours], weights=each[~ours])
        if isinstance(fitted, Undefined):
            return Undefined(f"without one of the folds, {fitted.reason}", fitted.n, fitted.procedure)
        probabilities[ours] = fitted.apply(scores[ours])
    return _Crossed(whole, probabilities, _log_losses(probabilities, labels))


def _log_losses(probabilities: Floats, labels: Integers) -> Floats:
    if probabilities.ndim == 1:
        of_truth = np.where(labels == 1, probabilities, 1 - probabilities)
    else:
        of_truth = probabilities[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.maximum(of_truth, LEAST_PROBABILITY)), dtype=np.float64)
