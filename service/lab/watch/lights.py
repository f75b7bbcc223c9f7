"""Lights: how every label stands today, from what is certified, held, labelled and given to people."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import distinct
from sqlmodel import Session, col, func, select

from calibration.monitoring.cells import Watch
from calibration.promise import Promise
from calibration.result import Estimate
from service.lab.incoming.flows import Flow, flows
from service.lab.labels.evidence import Binding, newest_binding
from service.lab.runs.last_run import LabelFinding, judged_by
from service.lab.watch import light_words as words
from service.lab.watch.attempts import SAID_BLIND, Asked, attempt
from service.lab.watch.light import Attempt, Facts, LabelLight, Lane, Proof, judge
from service.lab.watch.light_words import Checked
from service.lab.watch.loads import loads_of
from service.lab.watch.trail import trail
from service.route.certificates import Gate, ReadBy, gates
from service.route.decide import ResolvedThreshold
from service.route.policy import Policy, Threshold
from service.route.versions import active
from service.source_maps import Calibrators, live
from service.store.lab_tables import (
    CalibrationRun,
    Certificate,
    GateHold,
    HumanLabel,
    LabelCard,
    LabelSample,
    WeeklyReport,
)
from service.store.tables import among

_USUAL = Promise(precision=0.90, confidence=0.95)  # asked of a label for which no policy promises anything
_PACE = 200  # newest labels from which the usual seconds are taken ...
_KNOWN = 5  # ... where there are so many
_FRESH = timedelta(days=8)  # so long a week's report speaks of today


@dataclass(frozen=True, slots=True)
class _Installation:
    """Everything that all labels have in common, read once."""

    policy: Policy
    gates: Mapping[str, Gate]
    binding: Binding | None
    calibrators: Calibrators
    flows: Sequence[Flow]
    drift: Mapping[tuple[str, str], str]
    seconds: float | None
    at: datetime


def lights(session: Session, at: datetime) -> tuple[LabelLight, ...]:
    """One light per label on which a threshold of the policy that decides for everyone stands, then the other labels.

    The others are those that a sample, a run, a certificate or a hold was made for by name.
    """
    here = _installation(session, at)
    written = {(one.axis, one.label): (name, one) for name, one in here.policy.thresholds.items()}
    others = sorted(_asked(session) - written.keys())
    facts = [_facts(session, here, axis, label, found) for (axis, label), found in written.items()]
    facts += [_facts(session, here, axis, label, None) for axis, label in others]
    return tuple(judge(one, at) for one in facts)


def _installation(session: Session, at: datetime) -> _Installation:
    binding = newest_binding(session)
    policy = active(session).policy
    return _Installation(
        policy=policy,
        gates=gates(session).over(policy),
        binding=binding,
        calibrators=live(session, binding.classifier, binding.model_digest) if binding else Calibrators(),
        flows=flows(session, at),
        drift=_drift(session, at),
        seconds=_pace(session),
        at=at,
    )


def _drift(session: Session, at: datetime) -> Mapping[tuple[str, str], str]:
    """What the newest week's report found to come in otherwise, by label: to find out takes a look at every answer."""
    newest = select(WeeklyReport).where(col(WeeklyReport.created_at) > at - _FRESH)
    week = session.exec(newest.order_by(col(WeeklyReport.week).desc())).first()
    found = week.figures.get("drift", ()) if week else ()
    return {(one["axis"], one["label"]): one["sentence"] for one in found}


def _asked(session: Session) -> set[tuple[str, str]]:
    named = (LabelSample, CalibrationRun, Certificate, GateHold)
    return {
        (axis, label)
        for kind in named
        for axis, label in session.exec(select(kind.axis, kind.label).distinct())
        if label is not None
    }


def _pace(session: Session) -> float | None:
    newest = select(HumanLabel.seconds).where(col(HumanLabel.seconds).is_not(None)).order_by(col(HumanLabel.id).desc())
    seconds = [one for one in session.exec(newest.limit(_PACE)) if one is not None]
    return statistics.median(seconds) if len(seconds) >= _KNOWN else None


def _facts(session: Session, here: _Installation, axis: str, label: str, found: tuple[str, Threshold] | None) -> Facts:
    name, threshold = found or (None, None)
    promise = threshold.promise if threshold else None
    resolved = _resolved(here, name) if name else []
    lanes = [
        Lane(flow, one.value, one.certified, one.voided or "", _held(here.gates[name or ""], flow))
        for flow, one in resolved
    ]
    stands = any(lane.certified for lane in lanes)
    loads, unlimited = loads_of(session, here.policy, name, here.at) if name else ([], False)
    return Facts(
        axis=axis,
        label=label,
        promise=promise,
        lanes=lanes,
        proof=_proof(session, here, axis, label, _standing(resolved)),
        attempt=None if stands else _attempt(session, here, axis, label, promise or _USUAL, name),
        loads=loads,
        unlimited=unlimited,
        anew=_anew(session, here, axis, label, name),
        awaited=not stands and _newest(session, axis, label, "waiting", here.at) is not None,
    )


def _anew(session: Session, here: _Installation, axis: str, label: str, name: str | None) -> bool:
    """Whether it was proved again after the alarm that holds it; of fewer sources, or the certificate had lifted it."""
    alarm = _alarm(here, name)
    proved = _newest(session, axis, label, "live", here.at) if alarm else None
    return alarm is not None and proved is not None and proved.issued_at > alarm


def _newest(session: Session, axis: str, label: str, state: str, at: datetime) -> Certificate | None:
    return session.exec(
        select(Certificate)
        .where(col(Certificate.axis) == axis, col(Certificate.label) == label, col(Certificate.state) == state)
        .where(col(Certificate.expires_at) > at)
        .order_by(col(Certificate.issued_at).desc())
    ).first()


def _alarm(here: _Installation, name: str | None) -> datetime | None:
    """When the newest alarm was raised that holds it."""
    return max((one.at for one in here.gates[name].holds if one.cause == "alarm"), default=None) if name else None


def _attempt(
    session: Session, here: _Installation, axis: str, label: str, promise: Promise, name: str | None
) -> Attempt:
    """How far labels reach; what raised an alarm proves nothing, so that only samples drawn after it count."""
    return attempt(session, here.binding, Asked(axis, label, promise), _alarm(here, name), here.seconds)


def _held(gate: Gate, flow: Flow) -> Literal["", "person", "alarm"]:
    """What made people decide about these answers, as routing would find."""
    hold = next((one for one in gate.holds if one.covers(flow.source, flow.language)), None)
    return "" if hold is None else "alarm" if hold.cause == "alarm" else "person"


def _resolved(here: _Installation, name: str) -> list[tuple[Flow, ResolvedThreshold]]:
    """What the threshold is now for each source and language that comes in, as routing would say."""
    gate = here.gates[name]
    covered = {
        Flow(source, one, 0) for proved in gate.certificates for source in proved.sources for one in proved.languages
    }
    coming = here.flows or sorted(covered, key=lambda flow: (flow.source, flow.language or "")) or [Flow("", None, 0)]
    return [(flow, gate.resolve(flow.source, flow.language, _read_by(here, flow.source), here.at)) for flow in coming]


def _read_by(here: _Installation, source: str) -> ReadBy | None:
    return here.binding.under(here.calibrators.name(source)) if here.binding else None


def _standing(resolved: Sequence[tuple[Flow, ResolvedThreshold]]) -> UUID | None:
    """The certificate that most answers pass by; None where none stands."""
    records: Counter[str] = Counter()
    for flow, one in resolved:
        if one.certified and one.certificate:
            records[one.certificate] += flow.records
    return UUID(records.most_common(1)[0][0]) if records else None


def _proof(session: Session, here: _Installation, axis: str, label: str, standing: UUID | None) -> Proof | None:
    """What was proved: by the certificate that stands, else by the newest that was in force."""
    found = select(Certificate).where(col(Certificate.axis) == axis, col(Certificate.label) == label)
    if standing is not None:
        found = found.where(col(Certificate.id) == standing)
    in_force = found.where(col(Certificate.state) == "live")
    row = session.exec(in_force.order_by(col(Certificate.issued_at).desc(), col(Certificate.id).desc())).first()
    if row is None:
        return None
    return Proof(
        promise=Promise(row.precision, row.confidence),
        expires_at=row.expires_at,
        checked=_checked(session, row),
        recall=_recall(judged_by(session, row.run_id, label), row.threshold),
        against=_against(trail(session, row, here.at).watch),
        drift=here.drift.get((axis, label), ""),
    )


def _against(watch: Watch | None) -> str:
    """What the checks since a certificate say against it, where they are worth watching."""
    return words.ended(watch.watched[0].sentence) if watch and watch.watched else ""


def _recall(judged: LabelFinding | None, threshold: float) -> Estimate | None:
    """How much is found where the certificate stands; None where nobody knows."""
    positions = judged.label.what_if if judged else ()
    here = next((one.recall for one in positions if math.isclose(one.threshold, threshold)), None)
    return here if isinstance(here, Estimate) else None


def _checked(session: Session, certificate: Certificate) -> Checked:
    """How many answers of its samples people had checked blind by then, from when to when, and what came of them."""
    samples = [UUID(one) for one in certificate.samples]
    count, first, last = session.exec(
        select(func.count(distinct(col(HumanLabel.card_id))), func.min(HumanLabel.at), func.max(HumanLabel.at))
        .join(LabelCard, col(LabelCard.id) == col(HumanLabel.card_id))
        .where(
            among(LabelCard.sample_id, samples),
            *SAID_BLIND,
            col(HumanLabel.at) <= certificate.issued_at,
        )
    ).one()
    return Checked(
        answers=count,
        since=first and first.date(),
        until=last and last.date(),
        threshold=certificate.threshold,
        acted=certificate.n,
        right=certificate.correct,
    )
