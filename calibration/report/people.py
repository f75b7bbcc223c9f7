"""How people agree about one question, with each other, with themselves, and with the model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.agreement.against_people import AgainstPeople, against_people
from calibration.agreement.alternative_annotator import AlternativeAnnotator, alternative_annotator_test
from calibration.agreement.cohen import cohen_kappa
from calibration.agreement.confusion import (
    AgainstReference,
    NoiseCeiling,
    against_reference,
    error_from_agreement,
    noise_ceiling,
    self_agreement,
)
from calibration.agreement.dawid_skene import DawidSkene, dawid_skene
from calibration.agreement.gwet import gwet_ac1
from calibration.agreement.krippendorff import krippendorff_alpha
from calibration.agreement.percent import percent_agreement
from calibration.agreement.scale import nominal
from calibration.arrays import Integers
from calibration.certification.agreement import overlap, twice_judged
from calibration.certification.evidence import Evidence
from calibration.certification.gold import Gold, Standing, settle
from calibration.certification.items import Item
from calibration.promise import Promise
from calibration.result import Estimate, Undefined

CLASSES = 2


@dataclass(frozen=True, slots=True)
class Rater:
    """One person: answers given, how those an adjudicator decided on came out, and agreement with themselves.

    `said_..._to_right` and `..._to_wrong` count what they said where the decision was right, or wrong.
    """

    name: str
    answers: int
    said_yes_to_right: int
    said_yes_to_wrong: int
    said_no_to_right: int
    said_no_to_wrong: int
    agreement_with_adjudicator: Estimate | Undefined
    agreement_with_self: Estimate | Undefined


@dataclass(frozen=True, slots=True)
class People:
    """Everything about the people behind the labels of one question; `overlap` texts were judged by two or more.

    `raters` are sorted by name, and a rater's number elsewhere is the place here. `model` sets the model, deciding at
    0.5, and each person against the majority of the others.
    """

    overlap: int
    percent: Estimate | Undefined
    alpha: Estimate | Undefined
    ac1: Estimate | Undefined
    kappa: Estimate | Undefined
    raters: tuple[Rater, ...]
    ceiling: NoiseCeiling | None
    model: AgainstPeople | Undefined
    replaces_a_person: AlternativeAnnotator | Undefined
    dawid_skene: DawidSkene | Undefined


def people(evidence: Evidence, promise: Promise, *, seed: int = 0) -> People:
    """Measure the people whose blind answers carry the promise.

    >>> from calibration.certification.evidence import gather
    >>> from calibration.certification.items import questions
    >>> from calibration.labels.label import Label
    >>> said = [Label(str(n), f"Text {n}", "topic", "price", 0.9, n < 40, rater=r) for n in range(60) for r in "ab"]
    >>> people(gather(questions(said)[0]), Promise(precision=0.90, confidence=0.95)).alpha.value
    1.0
    """
    matrix = overlap(evidence.blind)
    percent = percent_agreement(matrix, categories=CLASSES)
    answers = _Answers.of(evidence.blind)
    return People(
        overlap=len(matrix),
        percent=percent,
        alpha=krippendorff_alpha(matrix, distance=nominal(CLASSES), seed=seed),
        ac1=gwet_ac1(matrix, categories=CLASSES),
        kappa=_kappa(evidence.blind),
        raters=_raters(answers),
        ceiling=_ceiling(percent, promise),
        model=against_people(answers.item, answers.rater, answers.label, answers.model, seed=seed),
        replaces_a_person=alternative_annotator_test(
            answers.item, answers.rater, answers.label, answers.model, seed=seed
        ),
        dawid_skene=dawid_skene(answers.item, answers.rater, answers.label, classes=CLASSES),
    )


def _kappa(items: Sequence[Item]) -> Estimate | Undefined:
    twice = twice_judged(items)
    if len({rater for said in twice for rater in said}) != 2:
        reason = "Cohen's kappa compares just two people who judged the same texts"
        return Undefined(reason, len(twice), "Cohen's kappa")
    first, second = overlap(items).T
    return cohen_kappa(first, second, disagreement=nominal(CLASSES))


def _ceiling(percent: Estimate | Undefined, promise: Promise) -> NoiseCeiling | None:
    if isinstance(percent, Undefined):
        return None
    error = error_from_agreement(percent, classes=CLASSES)
    return None if isinstance(error, Undefined) else noise_ceiling(promise.precision, error)


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """Sure blind answers in parallel arrays.

    `model` (0 or 1) and `decided` (what an adjudicator said, -1 for nothing) hold one per item. Gold that rests on the
    raters' own answers would call them right by definition.
    """

    item: Integers
    rater: Integers
    label: Integers
    model: Integers
    decided: Integers
    names: tuple[str, ...]

    @classmethod
    def of(cls, items: Sequence[Item]) -> "_Answers":
        names = sorted({answer.rater for item in items for answer in item.answers})
        number = {name: place for place, name in enumerate(names)}
        rows = [
            (place, number[answer.rater], int(answer.right))
            for place, item in enumerate(items)
            for answer in item.answers
            if answer.blind and not answer.adjudicated and answer.right is not None
        ]
        item, rater, label = np.array(rows, dtype=np.int64).reshape(len(rows), 3).T
        model = np.array([one.probability >= 0.5 for one in items], dtype=np.int64)
        decided = np.array([_decided(settle(one)) for one in items], dtype=np.int64)
        return cls(item, rater, label, model, decided, tuple(names))


def _decided(gold: Gold) -> int:
    return int(bool(gold.right)) if gold.standing is Standing.ADJUDICATED else -1


def _raters(answers: _Answers) -> tuple[Rater, ...]:
    settled = answers.decided[answers.item] >= 0
    against = against_reference(
        answers.item[settled], answers.rater[settled], answers.label[settled], np.abs(answers.decided), classes=CLASSES
    )
    alone = self_agreement(answers.item, answers.rater, answers.label, classes=CLASSES)
    given = np.bincount(answers.rater, minlength=len(answers.names))
    return tuple(_rater(name, int(given[place]), against, place, alone) for place, name in enumerate(answers.names))


def _rater(
    name: str, given: int, against: AgainstReference, place: int, alone: Sequence[Estimate | Undefined]
) -> Rater:
    known = place < len(against.counts)
    no, yes = against.counts[place].tolist() if known else ([0, 0], [0, 0])
    unknown = Undefined("no answer to compare with", 0, "Wilson")
    return Rater(
        name=name,
        answers=given,
        said_yes_to_right=yes[1],
        said_yes_to_wrong=no[1],
        said_no_to_right=yes[0],
        said_no_to_wrong=no[0],
        agreement_with_adjudicator=against.accuracy[place] if known else unknown,
        agreement_with_self=alone[place] if place < len(alone) else unknown,
    )
