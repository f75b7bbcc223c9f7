"""The gate: a promise about one label, certified or refused, with every condition and what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from calibration.agreement.krippendorff import krippendorff_alpha
from calibration.agreement.scale import nominal
from calibration.arrays import Floats
from calibration.certification.evidence import Evidence, gather
from calibration.certification.items import Item, Question
from calibration.promise import Promise
from calibration.result import Estimate, Undefined
from calibration.thresholds.precision import GRID, Certified, Refused, certify_precision
from calibration.words import counted

AGREEMENT_FLOOR = 0.667  # Krippendorff (2004): below it, data allow no conclusions
LEAST_OVERLAP = 30  # items two people labelled; from fewer, agreement is an anecdote
ONE_SIDED_95 = 0.90  # a two-sided interval at 90 % has the one-sided 95 % bound as its lower end


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a promise, and in words what was found; where it fails, also what to do."""

    name: Literal["drawn at random", "blind", "people agree", "labels suffice"]
    holds: bool
    finding: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise about one label, kept or refused.

    `outcome` is the arithmetic, which alone certifies nothing; `threshold` is None where any check fails.
    """

    axis: str
    label: str
    outcome: Certified | Refused
    checks: tuple[Check, ...]
    evidence: Evidence
    agreement: Estimate | Undefined

    @property
    def certified(self) -> bool:
        return all(check.holds for check in self.checks)

    @property
    def threshold(self) -> float | None:
        return self.outcome.threshold if self.certified else None


def judge(
    question: Question,
    promise: Promise,
    *,
    grid: ArrayLike = GRID,
    agreement_floor: float = AGREEMENT_FLOOR,
    seed: int = 0,
    line: float | None = None,
) -> Verdict:
    """Certify the promise for one label, or refuse it and say what is missing.

    Four checks: the items were drawn at random, the answers were blind, people agree with each other (one-sided 95 %
    lower bound of Krippendorff's alpha on the items two of them labelled), and the labels suffice. `grid` holds the
    thresholds to try, declared before the labels were seen. `line` is the lowest score whose items the promise may rest
    on (`gather`); people's agreement is measured on all items, since it is theirs and not the model's.

    Source: the exact fixed-sequence test of `calibration.thresholds.precision`; K. Krippendorff, "Reliability in
    content analysis", Human Communication Research 30 (2004), for the floor of agreement.

    Raises:
        ValueError: a floor outside 0 to 1, or a threshold of the grid below the line.

    >>> from dataclasses import replace
    >>> from calibration.certification.items import questions
    >>> from calibration.labels.label import Label
    >>> late = Label("r-1", "Late", "topic", "delivery", 0.9, True, "ana", "audit", blind=True)
    >>> said = [replace(late, id=str(n), text=f"Late by {n} days") for n in range(40)]
    >>> verdict = judge(questions(said)[0], Promise(precision=0.90, confidence=0.95))
    >>> verdict.outcome.threshold, verdict.threshold
    (0.9, None)
    >>> [check.name for check in verdict.checks if not check.holds]
    ['people agree']
    """
    if not 0 <= agreement_floor <= 1:
        raise ValueError(f"agreement_floor must be from 0 to 1, not {agreement_floor}")
    if line is not None and np.min(grid) < line:
        raise ValueError(f"grid must lie at or above the line of {line:g}, not reach down to {np.min(grid):g}")
    evidence = gather(question, seed=seed, line=line)
    outcome = certify_precision(evidence.scores, evidence.right, promise, grid=grid)
    agreement = krippendorff_alpha(overlap(evidence.blind), distance=nominal(2), confidence=ONE_SIDED_95, seed=seed)
    checks = (
        _drawn_at_random(evidence),
        _blind(evidence),
        _people_agree(agreement, agreement_floor),
        _labels_suffice(outcome, evidence),
    )
    return Verdict(question.axis, question.label, outcome, checks, evidence, agreement)


def unsettled_from(evidence: Evidence, threshold: float) -> int:
    """How many disputed or unsure texts of the sample the model gives `threshold` or more.

    Source: none of its own; they count as wrong, as `gather` says.

    >>> from calibration.certification.evidence import gather
    >>> unsettled_from(gather(Question("topic", "delivery", (), 0)), 0.5)
    0
    """
    return sum(
        gold.right is None and item.probability >= threshold
        for item, gold in zip(evidence.sample, evidence.gold, strict=True)
    )


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
    measure the person. Adjudicated answers are no second opinion and stay out.

    Source: Krippendorff (2011), as above: an item with one answer says nothing about agreement.

    >>> twice_judged(())
    []
    """
    said = [
        {
            answer.rater: answer.right
            for answer in reversed(item.answers)
            if answer.blind and not answer.adjudicated and answer.right is not None
        }
        for item in items
    ]
    return [one for one in said if len(one) > 1]


def _drawn_at_random(evidence: Evidence) -> Check:
    check = partial(Check, "drawn at random")
    if not evidence.pool_stated:
        return check(
            holds=False,
            finding="The file does not say how its texts were chosen. If they are a random draw from all texts, say so "
            "in a column pool with the value audit.",
        )
    if not evidence.audit:
        return check(
            holds=False, finding="No text was drawn at random (pool audit): texts picked for training cannot certify."
        )
    if not evidence.inclusion_stated:
        return check(
            holds=False,
            finding="Some texts of the audit pool state an inclusion probability and some do not: state all or none.",
        )
    drawn = counted(evidence.audit, "text was", "texts were")
    return check(holds=True, finding=f"{drawn} drawn at random{_left_out(evidence)}.")


def _left_out(evidence: Evidence) -> str:
    below, thinned = evidence.below_line, evidence.thinned
    said = f"; {below} below {evidence.line:g} {'says' if below == 1 else 'say'} nothing here" if below else ""
    return said + (
        f"; {counted(thinned, 'was', 'were')} left out again, so that all had the same chance" if thinned else ""
    )


def _blind(evidence: Evidence) -> Check:
    check = partial(Check, "blind")
    if not evidence.blind_stated:
        return check(
            holds=False,
            finding="The file does not say whether people answered before they saw what the model or others said. "
            "If so, say it in a column blind with the value 1.",
        )
    if not evidence.blind:
        return check(holds=False, finding="No answer was blind: people had seen what the model or others said.")
    seen = evidence.audit - len(evidence.blind)
    without = f"; {counted(seen, 'was', 'were')} left out for want of a blind answer" if seen else ""
    return check(holds=True, finding=f"{counted(len(evidence.blind), 'text was', 'texts were')} judged blind{without}.")


def _people_agree(agreement: Estimate | Undefined, floor: float) -> Check:
    check = partial(Check, "people agree")
    if agreement.n < LEAST_OVERLAP:
        judged = f"Of the texts that count, {counted(agreement.n, 'was judged', 'were judged')}"
        remedy = (
            f"let a second person judge {LEAST_OVERLAP - agreement.n} more, under a name of their own (column rater)"
        )
        return check(holds=False, finding=f"{judged} by two people, {LEAST_OVERLAP} are needed: {remedy}.")
    judged = f"On the {agreement.n} texts that two people judged,"
    if isinstance(agreement, Undefined):
        remedy = "let two people also judge texts where the answer is likely to be the other one"
        return check(holds=False, finding=f"{judged} agreement cannot be measured ({agreement.reason}): {remedy}.")
    found = (
        f"{judged} agreement beyond chance (alpha: 1 is perfect, 0 is guessing) is {agreement.value:.2f}, with 95 % "
        f"confidence above {agreement.low:.2f}"
    )
    if agreement.low < floor:
        more = "" if agreement.value < floor else ", or have more texts judged twice"
        remedy = f"sharpen the guideline where people differ{more}"
        return check(holds=False, finding=f"{found}; {floor:g} is needed: {remedy}.")
    return check(holds=True, finding=f"{found} ({floor:g} is needed).")


def _labels_suffice(outcome: Certified | Refused, evidence: Evidence) -> Check:
    waiting = unsettled_from(evidence, outcome.threshold)
    count = counted(waiting, "is a disputed or unsure text that counts", "are disputed or unsure texts that count")
    unsettled = f" Of these, {count} as wrong until somebody decides." if waiting else ""
    if isinstance(outcome, Refused):
        return Check("labels suffice", holds=False, finding=f"{outcome.reason}.{unsettled}")
    found = f"At {outcome.threshold:g} and above, {outcome.right} of {outcome.n} were right."
    return Check("labels suffice", holds=True, finding=found + unsettled)
