"""The gate: a promise about one label, certified or refused, with every condition and what was found."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from calibration.certification.agreement import (
    AGREEMENT_FLOOR,
    LEAST_OVERLAP,
    SAME_ANSWER_FLOOR,
    PeopleAgree,
    people_agree,
)
from calibration.certification.evidence import Evidence, gather
from calibration.certification.items import Question
from calibration.promise import Promise
from calibration.result import Undefined
from calibration.thresholds.precision import GRID, Certified, Refused, certify_precision
from calibration.words import counted


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
    agreement: PeopleAgree

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

    Four checks: the items were drawn at random, the answers were blind, people agree with each other (`people_agree`,
    with `agreement_floor`), and the labels suffice. `grid` holds the
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
    if line is not None and np.min(grid) < line:
        raise ValueError(f"grid must lie at or above the line of {line:g}, not reach down to {np.min(grid):g}")
    evidence = gather(question, seed=seed, line=line)
    outcome = certify_precision(evidence.scores, evidence.right, promise, grid=grid)
    agreement = people_agree(evidence.blind, floor=agreement_floor, seed=seed)
    checks = (
        _drawn_at_random(evidence),
        _blind(evidence),
        _people_agree(agreement),
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


def _people_agree(agreement: PeopleAgree) -> Check:
    check = partial(Check, "people agree")
    n, alpha, ac1, floor = agreement.n, agreement.alpha, agreement.ac1, agreement.floor
    if n < LEAST_OVERLAP:
        judged = f"Of the texts that count, {counted(n, 'was judged', 'were judged')}"
        remedy = f"let a second person judge {LEAST_OVERLAP - n} more, under a name of their own (column rater)"
        return check(holds=False, finding=f"{judged} by two people, {LEAST_OVERLAP} are needed: {remedy}.")
    judged = f"On the {n} texts that two people judged,"
    if isinstance(alpha, Undefined) or isinstance(ac1, Undefined):
        reason = alpha.reason if isinstance(alpha, Undefined) else "too few answers"
        remedy = "let two people also judge texts where the answer is likely to be the other one"
        return check(holds=False, finding=f"{judged} agreement cannot be measured ({reason}): {remedy}.")
    found = (
        f"{judged} agreement beyond chance (alpha: 1 is perfect, 0 is guessing) is {alpha.value:.2f}, with 95 % "
        f"confidence above {alpha.low:.2f}"
    )
    if agreement.rule == "alpha":
        return check(holds=True, finding=f"{found} ({floor:g} is needed).")
    if agreement.rule == "same answer":
        return check(holds=True, finding=f"{found}. {_nearly_all_alike(agreement, ac1.low)}")
    more = "" if alpha.value < floor else ", or have more texts judged twice"
    remedy = f"sharpen the guideline where people differ{more}"
    return check(holds=False, finding=f"{found}; {floor:g} is needed: {remedy}.")


def _nearly_all_alike(agreement: PeopleAgree, low: float) -> str:
    """Why people are believed although alpha's bound is low."""
    rarer = counted(agreement.rarer, "text", "texts")
    return (
        f"Nearly all answers are the same, and the others too few to say more. But people agreed on {rarer} of those "
        f"others, which guessing hardly ever does, and give the same answer so often (AC1, made for such texts, lies "
        f"above {low:.2f}, {max(agreement.floor, SAME_ANSWER_FLOOR):g} is needed) that one person's word will do."
    )


def _labels_suffice(outcome: Certified | Refused, evidence: Evidence) -> Check:
    waiting = unsettled_from(evidence, outcome.threshold)
    count = counted(waiting, "is a disputed or unsure text that counts", "are disputed or unsure texts that count")
    unsettled = f" Of these, {count} as wrong until somebody decides." if waiting else ""
    if isinstance(outcome, Refused):
        return Check("labels suffice", holds=False, finding=f"{outcome.reason}.{unsettled}")
    found = f"At {outcome.threshold:g} and above, {outcome.right} of {outcome.n} were right."
    return Check("labels suffice", holds=True, finding=found + unsettled)
