"""One map for all with a shift per segment (language, channel, product), shrunk to nothing where labels are few."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Booleans, Floats, Integers, booleans, floats
from calibration.arrays import weights as checked_weights
from calibration.calibrators.folds import paired_gain, stratified_folds
from calibration.calibrators.newton import fit_logistic
from calibration.calibrators.platt import Platt, fit_platt, smoothed_targets
from calibration.calibrators.tally import separated, tally
from calibration.result import Degenerate, Undefined

OWN_SLOPE_ABOVE = 200  # labels of a segment
FOLDS = 10
PROCEDURE = "Platt scaling with shrunken segment shifts"


@dataclass(frozen=True, slots=True)
class SegmentMap:
    """logit p = (slope + slopes[g]) logit + intercept + shifts[g]; a segment it does not know gets neither."""

    slope: float
    intercept: float
    segments: tuple[str, ...]
    shifts: tuple[float, ...]
    slopes: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.segments) == len(self.shifts) == len(self.slopes):
            raise ValueError("each segment needs one shift and one slope")
        if len(set(self.segments)) < len(self.segments):
            raise ValueError(f"segments must differ, not {self.segments}")
        if not self.slope + min(self.slopes, default=0.0) > 0 or not self.slope > 0:
            raise ValueError("every slope must be above 0")

    def apply(self, logits: ArrayLike, segments: Sequence[str]) -> Floats:
        """Probabilities of shape (n,) from logits and segments of shape (n,).

        Source: Gelman and Hill (2007), as `fit_segments`.

        Raises:
            ValueError: other lengths, nan or infinity.

        >>> SegmentMap(1.0, 0.0, ("mail",), (1.0,), (0.0,)).apply([-1, 0], ["mail", "unheard of"])
        array([0.5, 0.5])
        """
        scores = floats(logits, "logits")
        names = _names(segments, len(scores))
        known = {name: place for place, name in enumerate(self.segments)}
        place = np.array([known.get(name, -1) for name in names], dtype=np.int64)
        shift = np.append(self.shifts, 0.0)[place]  # place -1: none
        slope = self.slope + np.append(self.slopes, 0.0)[place]
        return np.asarray(scipy.special.expit(slope * scores + self.intercept + shift), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class SegmentFit:
    """The map to use and what it rests on; where the shifts were not `adopted`, its map knows no segment.

    `gain` is how much lower the cross-validated log loss is with the shifts than without, `standard_error` that of the
    paired difference, `log_loss` that of the map without. `probabilities` are cross-fitted with the map to use.
    """

    map: SegmentMap
    adopted: bool
    reason: str
    n: int
    log_loss: float
    gain: float
    standard_error: float
    probabilities: tuple[float, ...]


def fit_segments(
    logits: ArrayLike,
    labels: ArrayLike,
    segments: Sequence[str],
    *,
    weights: ArrayLike | None = None,
    folds: int = FOLDS,
    seed: int = 0,
) -> SegmentFit | Undefined:
    """Platt scaling with a shift per segment, adopted only where its cross-validated gain exceeds 1 standard error.

    The shifts have a normal prior whose variance is estimated from how far the segments lie apart beyond chance
    (empirical Bayes): with no such excess they are 0. Segments of more than 200 labels may have a slope of their own,
    shrunk alike. Shapes (n,), labels 0 or 1, a weight counts as that many items. Undefined as `fit_platt`, on all
    labels or without one fold, and where one score separates the answers perfectly.

    Source: A. Gelman and J. Hill, "Data Analysis Using Regression and Multilevel/Hierarchical Models" (2007), chapter
    14; the variance: R. DerSimonian and N. Laird, "Meta-analysis in clinical trials", Controlled Clinical Trials 7
    (1986).

    Raises:
        ValueError: as `tally`, segments of another length, or fewer than 2 folds.

    >>> fit_segments([1, 2], [1, 1], ["mail", "chat"]).reason
    'all 2 labels are yes: a map needs both answers'
    """
    scores = floats(logits, "logits")
    yes = booleans(labels, "labels", shape=scores.shape)
    names = _names(segments, len(scores))
    each = checked_weights(weights, len(scores))
    sample = _Sample(scores, yes, names, each)
    whole = separated(tally(scores, yes, each), PROCEDURE) or _fit_both(sample)
    if isinstance(whole, Undefined):
        return whole
    crossed = _cross_fit(sample, folds, seed)
    if isinstance(crossed, Undefined):
        return crossed
    return _adopt(sample, *whole, *crossed)


@dataclass(frozen=True, slots=True)
class _Sample:
    scores: Floats
    yes: Booleans
    names: tuple[str, ...]
    each: Floats

    def where(self, kept: Booleans) -> "_Sample":
        names = tuple(name for name, keep in zip(self.names, kept, strict=True) if keep)
        return _Sample(self.scores[kept], self.yes[kept], names, self.each[kept])


def _adopt(sample: _Sample, shared: SegmentMap, shifted: SegmentMap, without: Floats, with_: Floats) -> SegmentFit:
    before, after = _log_losses(without, sample.yes), _log_losses(with_, sample.yes)
    gain, error = paired_gain(before, after, sample.each)
    log_loss = float(sample.each @ before / sample.each.sum())
    adopted = gain > error and bool(shifted.segments)
    if adopted:
        reason = f"the shifts lower the cross-validated log loss by {gain:.4f}, standard error {error:.4f}"
    else:
        reason = "segments do not lower the cross-validated log loss by more than one standard error: one map for all"
    n = round(float(sample.each.sum()))
    crossed = tuple((with_ if adopted else without).tolist())
    return SegmentFit(shifted if adopted else shared, adopted, reason, n, log_loss, gain, error, crossed)


def _cross_fit(sample: _Sample, folds: int, seed: int) -> tuple[Floats, Floats] | Undefined:
    group = np.unique(sample.names, return_inverse=True)[1]
    keys = np.column_stack([sample.each, sample.scores])
    fold = stratified_folds(2 * group + sample.yes, keys, folds=folds, seed=seed)
    without, with_ = np.empty_like(sample.scores), np.empty_like(sample.scores)
    for held_out in np.unique(fold):
        ours = fold == held_out
        fitted = _fit_both(sample.where(~ours))
        if isinstance(fitted, Undefined):
            return fitted
        rest = sample.where(ours)
        without[ours] = fitted[0].apply(rest.scores, rest.names)
        with_[ours] = fitted[1].apply(rest.scores, rest.names)
    return without, with_


def _fit_both(sample: _Sample) -> tuple[SegmentMap, SegmentMap] | Undefined:
    """The map without segments and the map with their shifts; the same where segments do not differ beyond chance."""
    pooled = tally(sample.scores, sample.yes, sample.each)
    shared = fit_platt(sample.scores, sample.yes, weights=sample.each)
    if isinstance(shared, Undefined):
        return shared
    alone = SegmentMap(shared.slope, shared.intercept, (), (), ())
    kept = sample.where(sample.each > 0)
    names, group = np.unique(kept.names, return_inverse=True)
    high, low = smoothed_targets(pooled)
    targets = np.where(kept.yes, high, low)
    shift_variance, slope_variance, own = _variances(kept, targets, group, shared)
    if shift_variance == 0:
        return alone, alone
    if slope_variance == 0:
        own = own[:0]
    try:
        fitted = _fit_mixed(kept, targets, group, own, shift_variance, slope_variance)
    except Degenerate as degenerate:
        return Undefined(str(degenerate), round(float(kept.each.sum())), PROCEDURE)
    slopes = np.zeros(len(names))
    slopes[own] = fitted[2 + len(names) :]
    if fitted[0] + min(0.0, slopes.min()) <= 0:
        return alone, alone
    shifts = fitted[2 : 2 + len(names)].tolist()
    mixed = SegmentMap(
        float(fitted[0]), float(fitted[1]), tuple(map(str, names)), tuple(shifts), tuple(slopes.tolist())
    )
    return alone, mixed


def _fit_mixed(
    sample: _Sample, targets: Floats, group: Integers, own: Integers, shift_variance: float, slope_variance: float
) -> Floats:
    members = np.eye(int(group.max()) + 1)[group]
    design = np.column_stack([
        sample.scores, np.ones_like(sample.scores), members, members[:, own] * sample.scores[:, np.newaxis]
    ])  # fmt: skip
    ridge = np.concatenate([[0, 0], np.full(members.shape[1], 1 / shift_variance), np.full(len(own), 1.0)])
    if len(own):
        ridge[-len(own) :] = 1 / slope_variance
    return fit_logistic(design, targets, sample.each, ridge)


def _variances(sample: _Sample, targets: Floats, group: Integers, shared: Platt) -> tuple[float, float, Integers]:
    """The variances of shifts and of slopes between segments, and the segments that may have a slope of their own."""
    p = shared.apply(sample.scores)
    information = _sums(group, sample.each * p * (1 - p))
    shifts = _ratio(_sums(group, sample.each * (targets - p)), information)
    shift_variance = _variance_between(shifts, information)
    own = np.flatnonzero(_sums(group, sample.each) > OWN_SLOPE_ABOVE)
    p = scipy.special.expit(shared.slope * sample.scores + shared.intercept + shifts[group])
    weight = sample.each * p * (1 - p)
    centred = sample.scores - _ratio(_sums(group, weight * sample.scores), _sums(group, weight))[group]
    steepness = _sums(group, weight * centred**2)
    slopes = _ratio(_sums(group, sample.each * (targets - p) * centred), steepness)[own]
    return shift_variance, _variance_between(slopes, steepness[own]), own


def _sums(group: Integers, values: Floats) -> Floats:
    return np.asarray(np.bincount(group, values), dtype=np.float64)


def _ratio(above: Floats, below: Floats) -> Floats:
    """0 where `below` is 0: a segment without information (every probability 0 or 1) has no say."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _variance_between(estimates: Floats, information: Floats) -> float:
    """The moment estimate of DerSimonian and Laird; 0 where the estimates scatter no more than chance."""
    known = np.count_nonzero(information)
    total = information.sum()
    spread = total - information @ information / total if known > 1 else 0.0
    if spread <= 0:
        return 0.0
    centre = information @ estimates / total
    excess = information @ (estimates - centre) ** 2 - (known - 1)
    return max(0.0, float(excess / spread))


def _log_losses(probabilities: Floats, yes: Booleans) -> Floats:
    of_truth = np.where(yes, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.maximum(of_truth, 1e-15)), dtype=np.float64)


def _names(segments: Sequence[str], n: int) -> tuple[str, ...]:
    names = tuple(map(str, segments))
    if len(names) != n:
        raise ValueError(f"segments must have one name for each of {n} items, not {len(names)}")
    return names
