"""Precision, recall and F1 of the whole pool from a weighted sample: ratios of estimated totals."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.arrays import Floats, booleans, confidence_level, floats
from calibration.result import Estimate, Undefined
from calibration.sampling.estimators import effective_sample_size, ratio


def precision(
    passed: ArrayLike,
    right: ArrayLike,
    inclusion_probability: ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    sampled_share: ArrayLike | None = None,
    fpc: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """How much of what the model passed is right, from a weighted sample (`passed`, `right`: shape `(n,)`, 0 or 1).

    `right` says whether the item is of the class, passed or not. Where all or none were right, the interval is the
    exact binomial one for the effective sample size.

    `inclusion_probability` is the chance of each item, and its inverse the weight. For a stratified draw give `strata`
    and `sampled_share` as well: then the inverse of `sampled_share` is the weight. The finite population correction
    is on; `fpc=0` turns it off.

    Source: W. G. Cochran, "Sampling Techniques" (1977), section 2.11; E. L. Korn and B. I. Graubard, "Confidence
    intervals for proportions with small expected number of positive counts", Survey Methodology 24 (1998).

    Raises:
        ValueError: not one of each per item, values other than 0 and 1, one of `strata` and `sampled_share`
            without the other, or a confidence outside (0, 1).

    >>> share = precision([1, 1, 1, 0], [1, 1, 0, 1], [0.2, 0.2, 0.1, 0.1])
    >>> round(share.value, 3), share.n
    (0.5, 3)
    """
    model, truth = _pair(passed, right)
    return _share(model * truth, model, inclusion_probability, strata, sampled_share, fpc, confidence, "precision")


def recall(
    passed: ArrayLike,
    right: ArrayLike,
    inclusion_probability: ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    sampled_share: ArrayLike | None = None,
    fpc: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """How much of the class the model passed, from a weighted sample (`passed`, `right`: shape `(n,)`, 0 or 1).

    Read without weights from a sample that favours uncertain items, it comes out far too high.

    `inclusion_probability` is the chance of each item, and its inverse the weight. For a stratified draw give `strata`
    and `sampled_share` as well: then the inverse of `sampled_share` is the weight. The finite population correction
    is on; `fpc=0` turns it off.

    Source: as `precision`; C. Sawade, N. Landwehr and T. Scheffer, "Active estimation of F-measures", NIPS (2010).

    Raises:
        ValueError: as `precision`.

    >>> share = recall([1, 1, 1, 0], [1, 1, 0, 1], [0.2, 0.2, 0.1, 0.1])
    >>> round(share.value, 3), share.n
    (0.5, 3)
    """
    model, truth = _pair(passed, right)
    return _share(model * truth, truth, inclusion_probability, strata, sampled_share, fpc, confidence, "recall")


def f1(
    passed: ArrayLike,
    right: ArrayLike,
    inclusion_probability: ArrayLike,
    *,
    strata: Sequence[str] | None = None,
    sampled_share: ArrayLike | None = None,
    fpc: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """F1 from a weighted sample: twice the hits over what was passed plus what should have been.

    `inclusion_probability` is the chance of each item, and its inverse the weight. For a stratified draw give `strata`
    and `sampled_share` as well: then the inverse of `sampled_share` is the weight. The finite population correction
    is on; `fpc=0` turns it off.

    Source: C. Sawade, N. Landwehr and T. Scheffer, "Active estimation of F-measures", NIPS (2010).

    Raises:
        ValueError: as `precision`.

    >>> share = f1([1, 1, 1, 0], [1, 1, 0, 1], [0.2, 0.2, 0.1, 0.1])
    >>> round(share.value, 3), share.n
    (0.5, 4)
    """
    model, truth = _pair(passed, right)
    return _share(2 * model * truth, model + truth, inclusion_probability, strata, sampled_share, fpc, confidence, "F1")


def share(
    part: ArrayLike,
    inclusion_probability: ArrayLike,
    *,
    name: str,
    fpc: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """How much of the whole pool is `part` (shape `(n,)`, 0 or 1), from a weighted sample.

    `name` goes into the procedure. Where all or none are, the interval is the exact binomial one for the effective
    sample size.

    Source: as `precision`.

    Raises:
        ValueError: as `precision`.

    >>> found = share([1, 0, 0, 0], [0.2, 0.2, 0.1, 0.1], name="missed")
    >>> round(found.value, 3), found.procedure
    (0.167, 'missed, linearised ratio')
    """
    whole = np.ones(np.size(np.asarray(part)))
    return _share(
        booleans(part, "part").astype(np.float64), whole, inclusion_probability, None, None, fpc, confidence, name
    )


def _pair(passed: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    model = booleans(passed, "passed")
    return model.astype(np.float64), booleans(right, "right", shape=(model.size,)).astype(np.float64)


def _share(
    part: Floats,
    whole: Floats,
    inclusion_probability: ArrayLike,
    strata: Sequence[str] | None,
    sampled_share: ArrayLike | None,
    fpc: ArrayLike | None,
    confidence: float,
    name: str,
) -> Estimate | Undefined:
    answer = replace(
        ratio(
            part,
            whole,
            inclusion_probability,
            strata=strata,
            sampled_share=sampled_share,
            fpc=fpc,
            confidence=confidence,
        ),
        procedure=f"{name}, linearised ratio",
    )
    if isinstance(answer, Estimate):
        return replace(answer, low=max(answer.low, 0.0), high=min(answer.high, 1.0))
    if whole.any() and (not part.any() or (part == whole).all()):
        weighed_by = inclusion_probability if sampled_share is None else sampled_share
        return _unanimous(part, whole, 1 / floats(weighed_by, "sampled_share"), confidence, name)
    return answer


def _unanimous(part: Floats, whole: Floats, weights: Floats, confidence: float, name: str) -> Estimate:
    """Clopper-Pearson for the effective sample size: a sample without an error does not prove there is none."""
    worth = effective_sample_size(weights[whole > 0])
    tail = (1 - confidence_level(confidence)) / 2
    low = float(scipy.special.betaincinv(worth, 1, tail)) if part.any() else 0.0
    high = 1.0 if part.any() else float(scipy.special.betainccinv(1, worth, tail))
    procedure = f"{name}, Clopper-Pearson for an effective sample of {worth:.0f} (Korn-Graubard)"
    return Estimate(float(part.any()), low, high, confidence, int(np.count_nonzero(whole)), procedure)
