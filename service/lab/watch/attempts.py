"""How far the labels reach that the next run of a label may use, and what the newest run asked for."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Float, cast, distinct
from sqlmodel import Session, col, func, select

from calibration.promise import Promise
from calibration.thresholds.precision import GRID
from service.lab.labels.evidence import HEARD, Binding, stood_by
from service.lab.runs.last_run import LabelFinding, last_run
from service.lab.runs.looks import NextLook, next_look
from service.lab.runs.run_result import LabelResult, RefusedThreshold
from service.lab.watch import light_words as words
from service.lab.watch.light import Attempt
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample

SAID_BLIND = (col(HumanLabel.blind), *stood_by())


@dataclass(frozen=True, slots=True)
class Asked:
    """A label, and what is to be proved of it."""

    axis: str
    label: str
    promise: Promise


def attempt(
    session: Session, binding: Binding | None, asked: Asked, alarm: datetime | None, seconds: float | None
) -> Attempt:
    """How far the labels reach that the next run may use, and what the newest run asked for.

    Under an `alarm` only samples drawn after it count: those before it are what raised it.
    """
    if binding is None:
        return Attempt(0, asked.promise.labels_needed(), seconds=seconds)
    look = next_look(session, asked.axis, asked.label, None, binding)
    since = max((one for one in (look.since, alarm) if one is not None), default=None)
    have = _have(session, binding, asked, replace(look, since=since))
    need = asked.promise.at_attempt(look.attempt).labels_needed()
    waiting = _waiting(session, asked)
    refused = _refused(last_run(session, asked.axis, asked.label))
    if refused is None:
        return Attempt(have, need, waiting=waiting, seconds=seconds)
    threshold = refused.threshold
    return Attempt(
        have=have,
        need=max(need, threshold.need),
        refusal=_refusal(refused, threshold),
        advice=words.ended(threshold.label_next.sentence) if threshold.label_next else "",
        waiting=waiting,
        seconds=seconds,
        looked_at=0 if threshold.tested else threshold.have,
    )


@dataclass(frozen=True, slots=True)
class _Refused:
    label: LabelResult
    threshold: RefusedThreshold


def _refused(judged: LabelFinding | None) -> _Refused | None:
    """What the newest run refused; None where there is no run, or it proved something."""
    if judged is None or not isinstance(judged.label.threshold, RefusedThreshold):
        return None
    return _Refused(judged.label, judged.label.threshold)


def _refusal(refused: _Refused, threshold: RefusedThreshold) -> str:
    """Why, where it was for another reason than too few labels."""
    if threshold.reason_code == "too few labels":
        return ""
    failed = next((one for one in refused.label.ladder if one.outcome == "failed"), None)
    if threshold.reason_code != "too many errors" or failed is None or failed.correct is None:
        return words.ended(threshold.reason)
    return words.too_many_wrong(failed.n, failed.correct, failed.threshold, refused.label.precision)


def _waiting(session: Session, asked: Asked) -> int:
    """How many cards of open samples wait for somebody's answer."""
    return session.exec(
        select(func.count())
        .select_from(LabelCard)
        .join(LabelSample, col(LabelSample.id) == col(LabelCard.sample_id))
        .where(
            *_about(asked),
            col(LabelSample.state) == "open",
            col(LabelCard.state).in_(["open", "third"]),
        )
    ).one()


def _have(session: Session, binding: Binding, asked: Asked, look: NextLook) -> int:
    """How many of the cards that the next look may use people have answered where a threshold could stand."""
    sure = cast(col(LabelCard.probabilities)[asked.label], Float)
    fresh = [] if look.since is None else [col(LabelSample.created_at) > look.since]
    return session.exec(
        select(func.count(distinct(col(LabelCard.id))))
        .join(LabelSample, col(LabelSample.id) == col(LabelCard.sample_id))
        .join(HumanLabel, col(HumanLabel.card_id) == col(LabelCard.id))
        .where(
            *_about(asked),
            *fresh,
            col(LabelSample.id).not_in(look.without),
            col(LabelSample.classifier) == binding.classifier,
            col(LabelSample.model_digest) == binding.model_digest,
            col(LabelSample.taxonomy) == binding.taxonomy,
            col(LabelSample.preparation) == binding.preparation,
            col(LabelCard.state).in_(HEARD),
            *SAID_BLIND,
            sure >= float(GRID[0]),
        )
    ).one()


def _about(asked: Asked) -> tuple[ColumnElement[bool], ...]:
    """The samples that may prove something about a label."""
    of_label = col(LabelSample.label).is_(None) | (col(LabelSample.label) == asked.label)
    return col(LabelSample.axis) == asked.axis, col(LabelSample.pool) == "audit", of_label
