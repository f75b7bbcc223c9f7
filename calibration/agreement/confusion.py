"""How often a rater errs: against a reference, against the same rater's own repeats, and from agreement alone."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from calibration.agreement.answers import Answers
from calibration.arrays import Integers, confidence_level
from calibration.binomial import wilson
from calibration.result import Estimate, Undefined
from calibration.words import percent


class ShareInterval(Protocol):
    """The interval of a share: `binomial.wilson` or `binomial.clopper_pearson`."""

    def __call__(self, right: int, n: int, /, *, confidence: float) -> Estimate | Undefined: ...


@dataclass(frozen=True, slots=True, eq=False)
class AgainstReference:
    """`counts` (raters, reference, answer) and one accuracy per rater."""

    counts: Integers
    accuracy: tuple[Estimate | Undefined, ...]


@dataclass(frozen=True, slots=True)
class NoiseCeiling:
    """What the raters' own error leaves to be seen of a precision.

    `reachable` is False where even a perfect model would look worse than the `target` to these raters; `sentence`
    says it in words.
    """

    target: float
    error: Estimate
    perfect_looks_like: float
    target_looks_like: float
    reachable: bool
    sentence: str


def against_reference(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    reference: ArrayLike,
    *,
    classes: int,
    interval: ShareInterval = wilson,
    confidence: float = 0.95,
) -> AgainstReference:
    """What each rater answered where the reference says what is right.

    `reference` holds one label per item, found by the item's number; leave out the answers to items without one.
    Repeated answers count each. A rater without answers has an undefined accuracy.

    Source: the error-rates of A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer error-rates
    using the EM algorithm", Applied Statistics 28 (1979), for known classes; intervals: Wilson (1927).

    Raises:
        ValueError: arrays of different length, a label or reference beyond `classes`, an item without reference.

    >>> found = against_reference([0, 1, 2, 3], [0, 0, 0, 0], [0, 1, 1, 1], [0, 0, 1, 1], classes=2)
    >>> found.counts[0].tolist(), found.accuracy[0].value
    ([[1, 1], [0, 2]], 0.75)
    """
    answers = Answers.of(item, rater, label, classes=classes)
    truth = answers.of_items(reference, "reference", classes=classes)
    raters = int(answers.rater.max(initial=-1)) + 1
    cell = (answers.rater * classes + truth[answers.item]) * classes + answers.label
    table = np.bincount(cell, minlength=raters * classes**2).reshape(raters, classes, classes)
    right = np.trace(table, axis1=1, axis2=2)
    table.setflags(write=False)
    return AgainstReference(table, _shares(right, table.sum(axis=(1, 2)), interval, confidence))


def self_agreement(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    *,
    classes: int,
    interval: ShareInterval = wilson,
    confidence: float = 0.95,
) -> tuple[Estimate | Undefined, ...]:
    """How often each rater gives the same answer when an item comes back unannounced, one figure per rater.

    n is the number of items the rater answered more than once; one counts as the same where all its answers are. A
    rater who saw no item twice has an undefined figure.

    Source: intra-rater agreement as in J. L. Fleiss, B. Levin and M. C. Paik, "Statistical methods for rates and
    proportions" (2003), chapter 18; intervals: Wilson (1927).

    Raises:
        ValueError: arrays of different length, or a label beyond `classes`.

    >>> self_agreement([0, 0, 1, 1, 2], [0, 0, 0, 0, 0], [1, 1, 0, 1, 0], classes=2)[0].value
    0.5
    """
    answers = Answers.of(item, rater, label, classes=classes)
    raters = int(answers.rater.max(initial=-1)) + 1
    pair, place = np.unique(answers.item * raters + answers.rater, return_inverse=True)
    said = np.bincount(place, minlength=len(pair))
    different = np.bincount(np.unique(place * classes + answers.label) // classes, minlength=len(pair))
    repeated = said > 1
    of = pair[repeated] % max(raters, 1)
    same = np.bincount(of, weights=different[repeated] == 1, minlength=raters)
    return _shares(same, np.bincount(of, minlength=raters), interval, confidence)


def error_from_agreement(agreement: Estimate, *, classes: int) -> Estimate | Undefined:
    """How often a rater errs, when two raters of the same skill agree this often and nobody knows the truth.

    Solves `agreement = (1 - e)^2 + e^2 / (classes - 1)` for the smaller e; the interval is that of the agreement,
    turned over. It assumes equal raters whose errors are independent and fall on any wrong class alike. People share
    mistakes, and shared mistakes look like agreement: read the figure as the least the error can be.
    Undefined where the agreement is below that of guessing (1 / classes).

    Source: the one-coin model of Y. Zhang, X. Chen, D. Zhou and M. I. Jordan, "Spectral methods meet EM: a provably
    optimal algorithm for crowdsourcing", JMLR 17 (2016), solved for the error from one agreement.

    Raises:
        ValueError: fewer than 2 classes, or an agreement outside 0 to 1.

    >>> seen = Estimate(value=0.905, low=0.87, high=0.93, confidence=0.95, n=300, procedure="Wilson")
    >>> round(error_from_agreement(seen, classes=2).value, 3)
    0.05
    """
    if classes < 2 or not 0 <= agreement.low <= agreement.value <= agreement.high <= 1:
        raise ValueError(f"needs 2 classes or more and an agreement from 0 to 1, not {classes} and {agreement}")
    procedure = f"one-coin error from agreement ({agreement.procedure})"
    if agreement.value < 1 / classes:
        reason = f"people agree in {agreement.value:.2f}, less often than by guessing among {classes} classes"
        return Undefined(reason, agreement.n, procedure)
    value, low, high = (_one_coin(seen, classes) for seen in (agreement.value, agreement.high, agreement.low))
    return Estimate(value, low, high, agreement.confidence, agreement.n, procedure)


def seen_precision(precision: float, error: float) -> float:
    """What a true precision looks like to raters who call a right one wrong, and a wrong one right, that often.

    `precision * (1 - error) + (1 - precision) * error`.

    Source: the apparent prevalence of W. J. Rogan and B. Gladen, "Estimating prevalence from the results of a
    screening test", American Journal of Epidemiology 107 (1978), with sensitivity = specificity = 1 - error.

    Raises:
        ValueError: a figure outside 0 to 1.

    >>> round(seen_precision(0.95, 0.05), 3)
    0.905
    """
    for name, figure in (("precision", precision), ("error", error)):
        if not 0 <= figure <= 1:
            raise ValueError(f"{name} must be from 0 to 1, not {figure}")
    return precision * (1 - error) + (1 - precision) * error


def noise_ceiling(target: float, error: Estimate) -> NoiseCeiling:
    """Whether labels by raters with this error can show a precision of `target` at all.

    Source: Rogan and Gladen (1978), as `seen_precision`.

    Raises:
        ValueError: a target that is not strictly between 0 and 1, or an error outside 0 to 1.

    >>> error = Estimate(value=0.05, low=0.03, high=0.08, confidence=0.95, n=300, procedure="Wilson")
    >>> noise_ceiling(0.97, error).sentence
    'Labels by these raters cannot show 97.0 %: they err in about 5.0 %, so even a perfect model would look 95.0 % \
right. Certify on adjudicated labels.'
    """
    perfect = seen_precision(1.0, error.value)
    looks = seen_precision(confidence_level(target, "target"), error.value)
    wrong, asked = percent(error.value, 1), percent(target, 1)
    if target > perfect:
        sentence = (
            f"Labels by these raters cannot show {asked}: they err in about {wrong}, so even a perfect model would "
            f"look {percent(perfect, 1)} right. Certify on adjudicated labels."
        )
    else:
        sentence = f"These raters err in about {wrong}: a true {asked} looks like {percent(looks, 1)} to them."
    return NoiseCeiling(target, error, perfect, looks, target <= perfect, sentence)


def _one_coin(agreement: float, classes: int) -> float:
    room = classes / (classes - 1)
    return (1 - math.sqrt(max(1 - (1 - agreement) * room, 0.0))) / room


def _shares(
    right: Iterable[float], n: Iterable[int], interval: ShareInterval, confidence: float
) -> tuple[Estimate | Undefined, ...]:
    return tuple(interval(int(part), int(whole), confidence=confidence) for part, whole in zip(right, n, strict=True))
