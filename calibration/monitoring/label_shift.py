"""How common each class is now, without new labels: corrected for the classifier's known confusions."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from calibration import arrays
from calibration.arrays import Floats, confidence_level, counts, probabilities
from calibration.result import Estimate, Undefined

WORST_CONDITION = 20.0  # of the confusion matrix: beyond it the noise of the counts is multiplied too often
WORST_OVERLAP = 1_000.0  # 1 / the share of a class contrast that the probabilities can see


@dataclass(frozen=True, slots=True)
class LabelShift:
    """The class shares of unlabelled traffic. `ratios` divide them by the calibration shares (weights for retraining).

    `clipped` says that the solution lay outside 0 to 1 and was put back: the confusions no longer fit the traffic.
    """

    shares: tuple[Estimate, ...]
    ratios: tuple[float, ...]
    clipped: bool
    condition: float
    n: int
    procedure: str
    sentence: str


def rogan_gladen(
    flagged: int,
    n: int,
    *,
    true_positives: int,
    positives: int,
    true_negatives: int,
    negatives: int,
    confidence: float = 0.95,
) -> Estimate | Undefined:
    """The true share of positives when a classifier with known errors flags `flagged` of `n`.

    (q + spec - 1) / (sens + spec - 1), with sensitivity and specificity from labelled `positives` and `negatives`. The
    interval counts their uncertainty too; the standard error is the delta method's. A share below 0 or above 1 is
    clipped, and `procedure` says so.

    Source: W. J. Rogan and B. Gladen, "Estimating prevalence from the results of a screening test", American Journal of
    Epidemiology 107 (1978); interval: Z. Lang and J. Reiczigel, "Confidence limits for prevalence of disease adjusted
    for estimated sensitivity and specificity", Preventive Veterinary Medicine 113 (2014).

    Raises:
        ValueError: a part outside 0 to its whole, or a confidence outside (0, 1).

    >>> share = rogan_gladen(20, 120, true_positives=900, positives=1000, true_negatives=990, negatives=1000)
    >>> round(share.value, 4), round(share.low, 3), round(share.high, 3)
    (0.176, 0.111, 0.263)
    """
    pairs = ((flagged, n), (true_positives, positives), (true_negatives, negatives))
    if any(not 0 <= part <= whole for part, whole in pairs):
        raise ValueError(f"each part must be from 0 to its whole, not {pairs}")
    z = float(norm.isf((1 - confidence_level(confidence)) / 2))
    if min(n, positives, negatives) == 0:
        return Undefined("flagged traffic, labelled positives and labelled negatives are all needed", n, "Rogan-Gladen")
    apparent, sensitivity, specificity = (part / whole for part, whole in pairs)
    value, variance = _corrected(apparent, n, sensitivity, positives, specificity, negatives)
    # 2 more successes and failures for the traffic, 1 each for the labels (Agresti and Coull), as in the 2014 paper
    more = ((flagged + z * z / 2) / (n + z * z), n + z * z)
    sens, spec = ((part + 1) / (whole + 2) for part, whole in pairs[1:])
    sens_variance, spec_variance = sens * (1 - sens) / (positives + 2), spec * (1 - spec) / (negatives + 2)
    if sens + spec - 1 <= z * math.sqrt(sens_variance + spec_variance):
        rates = f"sensitivity {sensitivity:.2f}, specificity {specificity:.2f}"
        reason = f"the classifier flags positives and negatives alike ({rates})"
        return Undefined(reason, n, "Rogan-Gladen")
    centre, spread = _corrected(*more, sens, positives + 2, spec, negatives + 2)
    centre += 2 * z * z * (centre * sens_variance - (1 - centre) * spec_variance)
    half = z * math.sqrt(spread)
    procedure = "Rogan-Gladen, Lang-Reiczigel interval" + ("" if 0 <= value <= 1 else ", clipped to 0 to 1")
    low, value, high = (min(1.0, max(0.0, one)) for one in (centre - half, value, centre + half))
    return Estimate(value, min(low, value), max(high, value), confidence, n, procedure, math.sqrt(variance))


def black_box_shift(confusion: ArrayLike, predicted: ArrayLike, *, confidence: float = 0.95) -> LabelShift | Undefined:
    """The class shares that explain how often each class is predicted now: solves C w = q.

    `confusion` counts labelled items, shape (classes, classes), row = true class, column = predicted; `predicted`
    counts the unlabelled traffic per predicted class. Refuses where a class has no label or C is ill-conditioned.

    Source: Z. C. Lipton, Y.-X. Wang, A. Smola, "Detecting and correcting for label shift with black box predictors",
    ICML (2018); intervals by the delta method.

    Raises:
        ValueError: counts of other shapes or that are no counts, or a confidence outside (0, 1).

    >>> shift = black_box_shift([[80, 20], [10, 90]], [380, 620])
    >>> [round(share.value, 3) for share in shift.shares], shift.clipped, round(shift.condition, 2)
    ([0.4, 0.6], False, 1.46)
    """
    labelled = counts(confusion, "confusion", shape=(None, None)).astype(np.float64)
    classes = len(labelled)
    if labelled.shape != (classes, classes) or classes < 2:
        raise ValueError(f"confusion must be square with 2 classes or more, not {labelled.shape}")
    seen = counts(predicted, "predicted", shape=(classes,)).astype(np.float64)
    n, size = int(seen.sum()), labelled.sum(axis=1)
    procedure = "black box shift estimation"
    if n == 0 or (size == 0).any():
        return Undefined("unlabelled traffic, and labels of every class, are needed", n, procedure)
    C, q = (labelled / size[:, None]).T, seen / n
    condition = float(np.linalg.cond(C))
    if condition > WORST_CONDITION:
        return Undefined(f"the classes are confused too much to be undone (condition {condition:.3g})", n, procedure)
    w = np.linalg.solve(C, q)
    noise = _multinomial(q) / n
    for k in range(classes):
        noise = noise + w[k] ** 2 * _multinomial(C[:, k]) / size[k]
    inverse = np.linalg.inv(C)
    errors = np.sqrt(np.maximum(np.diag(inverse @ noise @ inverse.T), 0))
    return _shift(w, errors, size / size.sum(), condition, n, procedure, confidence)


def expectation_maximisation(
    probability: ArrayLike,
    prior: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
    tolerance: float = 1e-10,
    most_steps: int = 10_000,
) -> LabelShift | Undefined:
    """The class shares under which calibrated probabilities, shape (n, classes), are likeliest.

    `prior` holds the shares in the calibration data, all above 0. Only for calibrated probabilities: others give a
    confident wrong answer. Integer weights equal repeated rows. Intervals are the likelihood's, normal.

    Source: M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the outputs of a classifier to new a priori
    probabilities", Neural Computation 14 (2002); calibration first: A. Alexandari, A. Kundaje, A. Shrikumar, "Maximum
    likelihood with bias-corrected calibration is hard-to-beat at label shift adaptation", ICML (2020).

    Raises:
        ValueError: rows or a prior that do not sum to 1, a prior with a 0, negative weights, or a bad confidence.

    >>> shift = expectation_maximisation([[1, 0]] * 30 + [[0, 1]] * 70, [0.5, 0.5])
    >>> [round(share.value, 3) for share in shift.shares], [round(one, 3) for one in shift.ratios]
    ([0.3, 0.7], [0.6, 1.4])
    """
    p = probabilities(probability, "probability", shape=(None, None))
    pi = probabilities(prior, "prior", shape=(p.shape[1],))
    times = arrays.weights(weights, len(p))
    if (abs(p.sum(axis=1) - 1) > 1e-6).any() or abs(pi.sum() - 1) > 1e-6 or (pi == 0).any() or pi.size < 2:
        raise ValueError(
            "each row of probability, and prior, must sum to 1; prior must be above 0, for 2 classes or more"
        )
    p, times = p[times > 0], times[times > 0]
    n, procedure = round(float(times.sum())), "expectation maximisation on calibrated probabilities"
    if n == 0:
        return Undefined("no rows", 0, procedure)
    overlap = _overlap(p, times)
    if overlap > WORST_OVERLAP:
        return Undefined("the probabilities do not tell the classes apart", n, procedure)
    likelihood, q = p / pi, pi
    for _ in range(most_steps):
        joint = likelihood * q
        moved = times @ (joint / joint.sum(axis=1, keepdims=True)) / times.sum()
        settled, q = float(np.abs(moved - q).max()) < tolerance, moved
        if settled:
            return _shift(q, _likelihood_errors(likelihood, q, times), pi, overlap, n, procedure, confidence)
    return Undefined(f"no convergence in {most_steps} steps", n, procedure)


def _corrected(
    apparent: float, n: float, sensitivity: float, positives: float, specificity: float, negatives: float
) -> tuple[float, float]:
    youden = sensitivity + specificity - 1
    if youden == 0:
        return 0.0, 0.0  # refused by the caller
    value = (apparent + specificity - 1) / youden
    noise = (
        apparent * (1 - apparent) / n
        + value**2 * sensitivity * (1 - sensitivity) / positives
        + (1 - value) ** 2 * specificity * (1 - specificity) / negatives
    )
    return value, noise / youden**2


def _multinomial(share: Floats) -> Floats:
    return np.diag(share) - np.outer(share, share)


def _overlap(p: Floats, times: Floats) -> float:
    """1 / the smallest share of a contrast between classes that the probabilities see; 1 for a perfect classifier."""
    mean = times @ p / times.sum()
    seen = mean > 0  # a class without any probability has share 0 for certain
    if seen.sum() < 2:
        return 1.0
    scaled = p[:, seen] / np.sqrt(mean[seen])
    smallest = float(np.linalg.eigvalsh((scaled * times[:, None]).T @ scaled / times.sum())[0])
    return 1 / max(smallest, 1e-12)


def _likelihood_errors(likelihood: Floats, q: Floats, times: Floats) -> Floats:
    """Standard errors from the observed information on the simplex.

    At a share of 0 the likelihood falls like an exponential: there it is that one's standard deviation.
    """
    slope = likelihood / (likelihood @ q)[:, None]
    errors: Floats = 1 / np.maximum(np.abs(times @ slope - times.sum()), 1.0)
    inside = q > 1e-6
    if inside.sum() < 2:
        errors[inside] = errors[~inside].sum()
        return errors
    slope = slope[:, inside]
    inverse = np.linalg.pinv((slope * times[:, None]).T @ slope)
    total = inverse.sum(axis=1)
    covariance = inverse - np.outer(total, total) / total.sum()
    errors[inside] = np.sqrt(np.maximum(np.diag(covariance), 0))
    return errors


def _shift(
    raw: Floats, errors: Floats, before: Floats, condition: float, n: int, procedure: str, confidence: float
) -> LabelShift:
    z = float(norm.isf((1 - confidence_level(confidence)) / 2))
    clipped = bool((raw < -1e-9).any())
    kept = np.maximum(raw, 0.0)
    kept = kept / kept.sum()
    shares = tuple(
        Estimate(value, max(0.0, value - z * error), min(1.0, value + z * error), confidence, n, procedure, error)
        for value, error in zip(kept.tolist(), errors.tolist(), strict=True)
    )
    changed = int(np.argmax(np.abs(kept - before)))
    was, now = 100 * float(before[changed]), 100 * float(kept[changed])
    sentence = f"Class {changed} moved most: {was:.0f} of 100 before, about {now:.0f} now."
    if clipped:
        sentence += " The known confusions no longer fit this traffic: take this as a rough guide."
    ratios = tuple((kept / before).tolist())
    return LabelShift(shares, ratios, clipped, condition, n, procedure, sentence)
