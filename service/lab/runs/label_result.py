"""A look at a label as a part of its run's result: figures and ids, and of an untested promise no more than counts."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

import numpy as np

from calibration.certification.gold import Standing, settle
from calibration.report.report import QuestionReport
from calibration.report.sentences import asked, doubt
from calibration.thresholds.precision import Rung
from calibration.thresholds.what_if import Position, Traffic, what_if
from service.lab.runs.run_result import (
    Agreement,
    CertifiedThreshold,
    Condition,
    Counts,
    LabelResult,
    Metrics,
    Mistake,
    RefusedThreshold,
    RungLine,
)
from service.lab.runs.verdicts import Judged, Pile

HELD_BACK = (
    "What heed got right is shown once the promise can be tested: who saw it before could choose when to stop "
    "labelling by what the labels say, and the promise would hold less often than it says."
)


def label_result(
    one: Judged, threshold: CertifiedThreshold | RefusedThreshold, pile: Pile, traffic: Traffic, minutes: float
) -> LabelResult:
    """Everything about one label; `minutes` is what a review takes of somebody's time."""
    result: dict[str, Any] = {
        "label": one.look.label,
        "sentence": _sentence(one, threshold),
        "attempt": one.look.attempt,
        "precision": one.look.promise.precision,
        "confidence": one.look.promise.confidence,
        "threshold": threshold,
        "counts": _counts(one.found, pile),
        "procedure": one.found.verdict.outcome.procedure,
    }
    shown = _tested(one.found, threshold, traffic, minutes) if one.tested else _held_back(one.found)
    return LabelResult(**result, **shown)


def _sentence(one: Judged, threshold: CertifiedThreshold | RefusedThreshold) -> str:
    if isinstance(threshold, RefusedThreshold):
        return f"No promise possible yet: {threshold.reason}"
    return f"Promised from {threshold.value:g} on: {asked(one.look.asked)} {doubt(one.look.asked)}"


def _tested(
    found: QuestionReport, threshold: CertifiedThreshold | RefusedThreshold, traffic: Traffic, minutes: float
) -> dict[str, Any]:
    quality = found.quality
    return {
        "checks": tuple(Condition(**asdict(check)) for check in found.verdict.checks),
        "ladder": tuple(_rung(rung, rung.right, rung.lower_bound) for rung in found.verdict.outcome.ladder),
        "agreement": _agreement(found, model=found.people.model),
        "held_back": None,
        "metrics": quality
        and Metrics(
            n=quality.n,
            positive=quality.right,
            at_threshold=found.at,
            log_loss=quality.log_loss,
            brier=quality.brier,
            auc=quality.auc,
            calibration_error=quality.calibration_error,
        ),
        "reliability": quality.bins if quality else (),
        "segments": found.segments,
        "mistakes": tuple(
            Mistake(feedback_id=UUID(one.item.ids[0]), probability=one.item.probability, right=one.right)
            for one in found.mistakes
        ),
        "what_if": _what_if(found, threshold, traffic, minutes),
    }


def _held_back(found: QuestionReport) -> dict[str, Any]:
    checks = [check for check in found.verdict.checks if check.name != "labels suffice"]
    return {
        "checks": tuple(Condition(**asdict(check)) for check in checks),
        "ladder": tuple(_rung(rung, None, None) for rung in found.verdict.outcome.ladder),
        "agreement": _agreement(found, model=None),
        "held_back": HELD_BACK,
        "metrics": None,
        "reliability": (),
        "segments": (),
        "mistakes": (),
        "what_if": (),
    }


def _rung(rung: Rung, correct: int | None, lower_bound: float | None) -> RungLine:
    untested = correct is None and rung.outcome != "too few"
    return RungLine(
        threshold=rung.threshold,
        n=rung.n,
        correct=correct,
        lower_bound=lower_bound,
        outcome="not reached" if untested else rung.outcome,
    )


def _counts(found: QuestionReport, pile: Pile) -> Counts:
    evidence = found.verdict.evidence
    standings = [settle(item).standing for item in evidence.blind]
    return Counts(
        cards=pile.cards,
        texts=found.texts,
        blind=len(evidence.blind),
        sample=len(evidence.sample),
        unsettled=evidence.unsettled,
        third=pile.third,
        disputed=pile.disputed,
        passed_on=pile.passed_on,
        open=pile.open,
        unread=pile.unread,
        adjudicated=standings.count(Standing.ADJUDICATED),
        majority=standings.count(Standing.MAJORITY),
    )


def _agreement(found: QuestionReport, **model: Any) -> Agreement:  # noqa: ANN401 (checked by the shape)
    people = found.people
    return Agreement(
        overlap=people.overlap,
        percent=people.percent,
        alpha=people.alpha,
        ac1=people.ac1,
        kappa=people.kappa,
        raters=people.raters,
        ceiling=people.ceiling,
        **model,
    )


def _what_if(
    found: QuestionReport, threshold: CertifiedThreshold | RefusedThreshold, traffic: Traffic, minutes: float
) -> tuple[Position, ...]:
    """Every position by what the settled texts say, those below the line among them."""
    settled = [
        (item.probability, gold.right, item.inclusion_probability or 1.0)
        for item in found.verdict.evidence.blind
        if (gold := settle(item)).right is not None
    ]
    scores, right, chances = np.array(settled, dtype=np.float64).reshape(len(settled), 3).T
    may_stand = [one.threshold for one in threshold.proved] if isinstance(threshold, CertifiedThreshold) else []
    return what_if(scores, right, chances, traffic, minutes_per_review=minutes, proved=may_stand)
