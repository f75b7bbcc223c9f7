"""The report as JSON: every figure and every count, so that anybody can compute it again. No customer's words."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from calibration.certification.gold import Standing, settle
from calibration.certification.items import Item
from calibration.report.inert import inert_line
from calibration.report.report import QuestionReport, Report
from calibration.report.sentences import headline, next_step, promised, reach
from calibration.thresholds.precision import Certified


def to_json(report: Report, *, file: str, digest: str) -> str:
    """One JSON object; `file` and `digest` (SHA-256) name the labels it was made from.

    >>> from calibration.promise import Promise
    >>> empty = Report(Promise(precision=0.90, confidence=0.95), 0.667, 30, 0, 0, (), ())
    >>> json.loads(to_json(empty, file="labels.csv", digest="00"))["promise"]["labels_needed"]
    29
    """
    document = {
        "file": inert_line(file),
        "sha256": digest,
        "rows": report.rows,
        "headline": headline(report),
        "promise": _value(report.promise) | {"labels_needed": report.promise.labels_needed()},
        "agreement_floor": report.agreement_floor,
        "least_overlap": report.least_overlap,
        "seed": report.seed,
        "line": report.line,
        "questions": [_question(one) for one in report.questions],
        "axes": _value(report.axes),
        "does_not_cover": list(report.not_covered),
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)


def _question(question: QuestionReport) -> dict[str, Any]:
    verdict, evidence = question.verdict, question.verdict.evidence
    outcome = verdict.outcome
    held = outcome if isinstance(outcome, Certified) else None
    counted = {item.ids for item in evidence.sample}
    return {
        "axis": verdict.axis,
        "label": verdict.label,
        "status": "certified" if verdict.certified else "refused",
        "sentence": " ".join(part for part in (promised(question), reach(question)) if part),
        "threshold": verdict.threshold,
        "n": held and held.n,
        "right": held and held.right,
        "lower_bound": held and held.lower_bound,
        "have": outcome.n if isinstance(outcome, Certified) else outcome.have,
        "need": outcome.promise.labels_needed() if isinstance(outcome, Certified) else outcome.need,
        "reason": None if isinstance(outcome, Certified) else outcome.reason_code,
        "tested": isinstance(outcome, Certified) or outcome.tested,
        "would_hold_from": held.threshold if held and not verdict.certified else None,
        "promise": _value(outcome.promise),
        "procedure": outcome.procedure,
        "checks": _value(verdict.checks),
        "people_agree_by": verdict.agreement.rule,
        "agreed_on_the_rarer_answer": {
            "texts": verdict.agreement.rarer,
            "chance_by_guessing": verdict.agreement.by_guessing,
        },
        "counts": {
            "texts": question.texts,
            "duplicates": question.duplicates,
            "audit": evidence.audit,
            "blind": len(evidence.blind),
            "below_line": evidence.below_line,
            "sample": len(evidence.sample),
            "standings": {standing.value: evidence.standing(standing) for standing in Standing},
            "unsettled_counted_as_wrong": evidence.unsettled,
        },
        "ladder": _value(outcome.ladder),
        "label_next": None if question.plan is None else _value(question.plan) | {"sentence": next_step(question)},
        "at_threshold": _value(question.at),
        "people": _value(question.people),
        "quality": _value(question.quality),
        "segments": _value(question.segments),
        "mistakes": [
            {"ids": list(one.item.ids), "probability": one.item.probability, "right": one.right}
            for one in question.mistakes
        ],
        "items": [_item(item, counted=item.ids in counted) for item in evidence.blind],
    }


def _item(item: Item, *, counted: bool) -> dict[str, Any]:
    """What was said about one text; `counted` where it is in the sample that the promise rests on."""
    gold = settle(item)
    return {
        "ids": list(item.ids),
        "probability": item.probability,
        "inclusion_probability": item.inclusion_probability,
        "source": item.source,
        "language": item.language,
        "right": gold.right,
        "standing": gold.standing.value,
        "counted": counted,
        "answers": _value(item.answers),
    }


def _value(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _value(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return _value(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
