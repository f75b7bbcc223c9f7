"""Agreement: whether people say the same about the same text, so that a promise may rest on what one of them says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from calibration.agreement.gwet import gwet_ac1
from calibration.agreement.krippendorff import krippendorff_alpha
from calibration.agreement.ratings import label_sets
from calibration.agreement.scale import masi, nominal
from calibration.arrays import Floats
from calibration.certification.items import Item
from calibration.result import Estimate, Undefined

AGREEMENT_FLOOR = 0.667  # Krippendorff (2004): below it, data allow no conclusions
SAME_ANSWER_FLOOR = 0.80  # of AC1, where nearly every answer is the same; both scales call so much reliable
GUESSED = 0.05  # agreement that guessing reaches this often proves nothing
LEAST_OVERLAP = 30  # items two people labelled; from fewer, agreement is an anecdote
ONE_SIDED_95 = 0.90  # a two-sided interval at 90 % has the one-sided 95 % bound as its lower end


@dataclass(frozen=True, slots=True)
class PeopleAgree:
    """How people agree on the `n` items that two or more of them judged, and whether that is enough.

    `rule` says by what it is: "alpha" where its lower bound reaches `floor`; "same answer" where nearly all answers
    are alike, so that alpha's bound cannot be known, and the other three conditions of `people_agree` hold; else None.
    `rarer` counts the items on which all gave the rarer answer, `by_guessing` is how often people who guess would agree
    on so many of them.
    """

    rule: str | None
    floor: float
    alpha: Estimate | Undefined
    ac1: Estimate | Undefined
    rarer: int
    by_guessing: float

    @property
    def n(self) -> int:
        return self.alpha.n


def people_agree(items: Sequence[Item], *, floor: float = AGREEMENT_FLOOR, seed: int = 0) -> PeopleAgree:
    """Whether people agree: one-sided 95 % bounds, on at least 30 items that two of them judged blind.

    The first rule is the field's: the lower bound of Krippendorff's alpha reaches `floor`. Where nearly all answers are
    the same, as in a sample of what a precise model is sure of, alpha hangs on the few others: of 60 pairs that all
    agree, two on the rarer answer, its lower bound is 0.25. Then three things together will do:

    - alpha itself reaches `floor`: what was seen does not speak against the people;
    - they agree on the rarer answer more often than guessing does 1 time in 20: whoever says yes to everything, or
      lets a coin decide, is found out, which a high share of equal answers alone never does;
    - the lower bound of Gwet's AC1 reaches 0.80 (or `floor`, if higher): a second person would say the same of nearly
      every text. With one answer in ten the rarer, that is the same answer for 84 texts of 100 at the least.

    Where all gave one answer to everything nothing is proved: nobody has shown that they can tell the two apart.
    Simulated with 60 pairs, where 1 text in 20 is of the rarer kind: people who guess pass in none of 200 cases, those
    who each mistake 1 text in 100 in 71 of 100 (by the first rule alone in 6), 1 in 20 in 10, 1 in 10 in 1 at most.

    Source: K. Krippendorff, "Reliability in content analysis", Human Communication Research 30 (2004), also for the
    variation that reliability data need; A. R. Feinstein and D. V. Cicchetti, "High agreement but low kappa", Journal
    of Clinical Epidemiology 43 (1990); K. L. Gwet, British Journal of Mathematical and Statistical Psychology 61
    (2008); 0.80 as in J. R. Landis and G. G. Koch, Biometrics 33 (1977), and Krippendorff (2004); that the three
    conditions together replace the first is ours.

    Raises:
        ValueError: a floor outside 0 to 1.

    >>> people_agree(()).rule is None
    True
    """
    if not 0 <= floor <= 1:
        raise ValueError(f"agreement_floor must be from 0 to 1, not {floor}")
    matrix = overlap(items)
    alpha = krippendorff_alpha(matrix, distance=nominal(2), confidence=ONE_SIDED_95, seed=seed)
    ac1 = gwet_ac1(matrix, categories=2, confidence=ONE_SIDED_95)
    rarer, by_guessing = _against_guessing(matrix)
    return PeopleAgree(_rule(alpha, ac1, by_guessing, floor), floor, alpha, ac1, rarer, by_guessing)


def _rule(alpha: Estimate | Undefined, ac1: Estimate | Undefined, by_guessing: float, floor: float) -> str | None:
    if isinstance(alpha, Undefined) or isinstance(ac1, Undefined) or alpha.n < LEAST_OVERLAP:
        return None
    if alpha.low >= floor:
        return "alpha"
    enough = alpha.value >= floor and by_guessing <= GUESSED and ac1.low >= max(floor, SAME_ANSWER_FLOOR)
    return "same answer" if enough else None


def overlap(items: Sequence[Item]) -> Floats:
    """What people said blind about the items that at least two of them judged: (items, places), 1, 0 and nan.

    A row holds an item's answers in the order of the raters' names. Its places are no raters, since of many raters
    each judges a few; agreement depends on the answers alone.

    Source: K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011): the reliability data matrix.

    >>> overlap(())
    array([], shape=(0, 0), dtype=float64)
    """
    twice = twice_judged(items)
    matrix = np.full((len(twice), max(map(len, twice), default=0)), np.nan)
    for row, said in zip(matrix, twice, strict=True):
        row[: len(said)] = [said[rater] for rater in sorted(said)]
    return matrix


def twice_judged(items: Sequence[Item]) -> list[dict[str, bool]]:
    """Of each item that at least two people judged blind and were sure of, what each of them said.

    Of a person's repeated answers one counts, no before yes, since a file does not say which came first; repeats
    measure the person. Adjudicated answers are no second opinion and stay out, and so do tiebreaks: a third person who
    is asked only where two differ makes every difference look like a third less.

    Source: Krippendorff (2011), as above: an item with one answer says nothing about agreement.

    >>> twice_judged(())
    []
    """
    said = [
        {
            answer.rater: answer.right
            for answer in reversed(item.answers)
            if answer.blind and not answer.adjudicated and not answer.tiebreak and answer.right is not None
        }
        for item in items
    ]
    return [one for one in said if len(one) > 1]


def whole_sets(answers: Sequence[Sequence[frozenset[str]]], *, seed: int = 0) -> Estimate | Undefined:
    """Agreement on all labels of an axis at once: of each item, the set of right labels that each person gave.

    Krippendorff's alpha with the MASI distance, for which sets that share much are half right; where exactly one label
    is right it is the distance that only asks whether two answers are equal.

    Source: R. J. Passonneau, "Measuring agreement on set-valued items (MASI) for semantic and pragmatic annotation",
    LREC (2006).

    >>> late, both = frozenset({"late"}), frozenset({"late", "price"})
    >>> whole_sets([(late, late), (both, both), (late, both), (frozenset(), frozenset())]).value.__round__(2)
    0.74
    """
    labels = sorted({label for item in answers for said in item for label in said})
    most = max(map(len, answers), default=0)
    members = np.zeros((len(answers), most, len(labels)), dtype=np.bool_)
    given = np.zeros(members.shape[:2], dtype=np.bool_)
    for row, item in enumerate(answers):
        given[row, : len(item)] = True
        members[row, : len(item)] = [[label in said for label in labels] for said in item]
    codes, sets = label_sets(members, given)
    return krippendorff_alpha(codes, distance=masi(sets), seed=seed)


def _against_guessing(matrix: Floats) -> tuple[int, float]:
    """On how many items all gave the rarer answer, and how often two who guess would agree on so many.

    Of an item with more answers the first two count, in the order of names. Given how often each answer was used, the
    number of items on which two people agree by chance has an exact distribution: the answers dealt out anew.
    """
    if not len(matrix):
        return 0, 1.0
    rare = float(np.nanmean(matrix) < 0.5)
    both = (np.isnan(matrix) | (matrix == rare)).all(axis=1)
    pairs = matrix[:, :2] == rare
    n, used, together = len(pairs), int(pairs.sum()), int(pairs.all(axis=1).sum())
    ways = np.arange(together, used // 2 + 1)
    ways = ways[used - ways <= n]
    alone = used - 2 * ways
    log = _log_choose(n, ways) + _log_choose(n - ways, alone) + alone * np.log(2) - _log_choose(2 * n, used)
    return int(both.sum()), min(1.0, float(np.exp(log).sum()))


def _log_choose(n: ArrayLike, k: ArrayLike) -> Floats:
    return np.asarray(
        scipy.special.gammaln(np.add(n, 1))
        - scipy.special.gammaln(np.add(k, 1))
        - scipy.special.gammaln(np.subtract(n, k) + 1)
    )
