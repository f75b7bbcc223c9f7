"""How many labels are needed: for a margin, for a promise, and how many more for one that is almost there."""

import math
from dataclasses import dataclass

import scipy

from calibration.arrays import confidence_level
from calibration.binomial import p_value_at_least
from calibration.promise import Promise

MOST_ERRORS = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """Label `more` above `threshold`; if at most `may_be_wrong` of those is wrong, the promise holds.

    `more` is 0 where the labels at hand already certify it. `chance` is the probability that the plan works out if
    labels go on being wrong as often as seen; None where nothing was seen.
    """

    more: int
    may_be_wrong: int
    threshold: float
    promise: Promise
    chance: float | None

    @property
    def sentence(self) -> str:
        """What to do, for somebody who has never heard of a p-value."""
        target = f"the {100 * self.promise.precision:.4g} % promise"
        if self.more == 0:
            return f"The labels above {self.threshold:g} are enough: {target} holds."
        wrong = ("none is", "at most 1 is")[self.may_be_wrong] if self.may_be_wrong < 2 else _many(self.may_be_wrong)
        return f"Label {self.more} more above {self.threshold:g} and, if {wrong} wrong, {target} holds."


@dataclass(frozen=True, slots=True)
class FirstTest:
    """Label `more` above `threshold`, and the promise can be tested there for the first time, with `labels` in all.

    No answer decides how many: with fewer labels than that nothing is tested, whatever they say, so that to label on
    and to look again spends none of the error rate.
    """

    more: int
    labels: int
    threshold: float
    promise: Promise

    @property
    def sentence(self) -> str:
        """What to do, for somebody who has never heard of a p-value."""
        return (
            f"Label {self.more} more above {self.threshold:g}: with {self.labels} the "
            f"{100 * self.promise.precision:.4g} % promise can be tested, and it holds if none of them is wrong."
        )


def first_test(labels: int, promise: Promise, *, threshold: float) -> FirstTest:
    """How many more labels above a threshold make the first test possible.

    Source: `Promise.labels_needed` without an error.

    Raises:
        ValueError: a negative number of labels, or as many as a test needs.

    >>> first_test(18, Promise(precision=0.90, confidence=0.95), threshold=0.82).sentence
    'Label 11 more above 0.82: with 29 the 90 % promise can be tested, and it holds if none of them is wrong.'
    """
    needed = promise.labels_needed()
    if not 0 <= labels < needed:
        raise ValueError(
            f"labels must be from 0 to {needed - 1}, not {labels}: with {needed} the promise can be tested"
        )
    return FirstTest(needed - labels, needed, threshold, promise)


def margin_labels(margin: float, *, share: float = 0.5, population: int | None = None, confidence: float = 0.95) -> int:
    """How many uniform labels give a share to within plus or minus `margin`.

    `z^2 p (1 - p) / m^2`, rounded up; with the size of the pool, less by its finite population correction. `share` is
    a guess of the answer; one half is the worst case.

    Source: W. G. Cochran, "Sampling Techniques" (1977), section 4.4.

    Raises:
        ValueError: a margin, share or confidence outside (0, 1), or a population below 1.

    >>> margin_labels(0.05), margin_labels(0.05, population=1000)
    (385, 278)
    """
    for name, figure in (("margin", margin), ("share", share)):
        confidence_level(figure, name)
    if population is not None and population < 1:
        raise ValueError(f"population must be 1 or more, not {population}")
    z = -float(scipy.special.ndtri((1 - confidence_level(confidence)) / 2))
    endless = z * z * share * (1 - share) / margin**2
    needed = endless if population is None else endless / (1 + (endless - 1) / population)
    return max(1, math.ceil(round(needed, 9)))


def likeliest_plan(labels: int, wrong: int, promise: Promise, *, threshold: float) -> Plan:
    """The shortest plan that works out more often than not, if labels go on being wrong as often as seen.

    Tried with 0 to 9 errors to come. Without an error so far, and where no plan is as likely as that, the plan that
    allows none or the likeliest of them.

    Source: as `plan`.

    Raises:
        ValueError: as `plan`.

    >>> likeliest_plan(18, 0, Promise(precision=0.90, confidence=0.95), threshold=0.3).sentence
    'Label 11 more above 0.3 and, if none is wrong, the 90 % promise holds.'
    """
    plans = [plan(labels, wrong, promise, threshold=threshold, may_be_wrong=errors) for errors in range(MOST_ERRORS)]
    likely = next((one for one in plans if (one.chance or 0) >= 0.5), None)
    if likely is None and wrong == 0:
        return plans[0]
    return likely or max(plans, key=lambda one: one.chance or 0)


def plan(labels: int, wrong: int, promise: Promise, *, threshold: float, may_be_wrong: int = 1) -> Plan:
    """How many more labels above a threshold make a promise, given how many there are and how many of them are wrong.

    A plan must be fixed before anybody looks at the labels it asks for, and be carried out whole: to label on until
    the promise passes breaks it more often than it says. Who has looked before shares the error out: with k looks in
    all, ask for a `Promise` of confidence `1 - (1 - confidence) / k` at each. The chance counts half an error more
    than was seen, so that no error yet is not read as none ever.

    Source: Clopper and Pearson (1934), as `Promise.labels_needed`; P. Armitage, C. K. McPherson and B. C. Rowe,
    "Repeated significance tests on accumulating data", Journal of the Royal Statistical Society A 132 (1969), for the
    caution.

    Raises:
        ValueError: not 0 <= wrong <= labels, or a negative number of errors to come.

    >>> plan(12, 0, Promise(precision=0.90, confidence=0.95), threshold=0.82).sentence
    'Label 34 more above 0.82 and, if at most 1 is wrong, the 90 % promise holds.'
    """
    if not 0 <= wrong <= labels:
        raise ValueError(f"wrong must be from 0 to the number of labels, not {wrong} of {labels}")
    if may_be_wrong < 0:
        raise ValueError(f"may_be_wrong must be 0 or more, not {may_be_wrong}")
    if promise.allows(p_value_at_least(wrong, labels, promise.precision)):
        return Plan(0, 0, threshold, promise, None)
    more = promise.labels_needed(wrong + may_be_wrong) - labels
    seen = (wrong + 0.5) / (labels + 1)
    chance = float(scipy.special.bdtr(may_be_wrong, more, seen)) if labels else None
    return Plan(more, may_be_wrong, threshold, promise, chance)


def _many(wrong: int) -> str:
    return f"at most {wrong} are"
