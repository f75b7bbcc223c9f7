"""Lights: how every label stands today, from what is certified, held, labelled and given to people."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Float, cast, distinct
from sqlmodel import Session, col, func, select

from calibration.monitoring.cells import Watch
from calibration.promise import Promise
from calibration.result import Estimate
from calibration.thresholds.precision import GRID
from service.lab.incoming.traffic import DAYS, Flow, flows
from service.lab.labels.evidence import HEARD, Binding, newest_binding
from service.lab.runs.last_run import Judged, judged_by, last_run
from service.lab.watch import light_words as words
from service.lab.watch.light import Attempt, Facts, LabelLight, Lane, Load, Proof, judge
from service.lab.watch.light_words import Checked, Range
from service.lab.watch.trail import trail
from service.lab.watch.what_changed import Moved, moved
from service.route.certificates import Gate, ReadBy, gates
from service.route.decide import ResolvedThreshold
from service.route.policy import Group, Named, People, Policy, Split, Threshold
from service.route.versions import active
from service.source_maps import Calibrators, live
from service.store.lab_tables import CalibrationRun, Certificate, GateHold, HumanLabel, LabelCard, LabelSample
from service.store.tables import WorkItem, among

_USUAL = Promise(precision=0.90, confidence=0.95)  # asked of a label for which no policy promises anything
_PACE = 200  # newest labels from which the usual seconds are taken


@dataclass(frozen=True, slots=True)
class _Installation:
    """Everything that all labels have in common, read once."""

    policy: Policy
    gates: Mapping[str, Gate]
    binding: Binding | None
    calibrators: Calibrators
    flows: Sequence[Flow]
    moved: Sequence[Moved]
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
        moved=moved(session, at),
        seconds=_pace(session),
        at=at,
    )


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
    return statistics.median(seconds) if seconds else None


def _facts(session: Session, here: _Installation, axis: str, label: str, found: tuple[str, Threshold] | None) -> Facts:
    name, threshold = found or (None, None)
    promise = threshold.promise if threshold else None
    resolved = _resolved(here, name) if name else []
    lanes = [Lane(flow, one.value, one.certified, one.voided or "") for flow, one in resolved]
    return Facts(
        axis=axis,
        label=label,
        promise=promise,
        lanes=lanes,
        proof=_proof(session, here, axis, label, _standing(resolved)),
        attempt=None
        if any(lane.certified for lane in lanes)
        else _attempt(session, here, axis, label, promise or _USUAL),
        loads=_loads(session, here, name) if name else (),
    )


def _resolved(here: _Installation, name: str) -> list[tuple[Flow, ResolvedThreshold]]:
    """What the threshold is now for each source and language that comes in, as routing would say."""
    gate = here.gates[name]
    covered = {
        Flow(source, one, 0) for proved in gate.certificates for source in proved.sources for one in proved.languages
    }
    coming = here.flows or sorted(covered, key=lambda flow: (flow.source, flow.language or "")) or [Flow("", None, 0)]
    return [(flow, gate.resolve(flow.source, flow.language, _read_by(here, flow.source), here.at)) for flow in coming]


def _read_by(here: _Installation, source: str) -> ReadBy:
    binding = here.binding or Binding("", "", "", "")
    return ReadBy(
        classifier=binding.classifier,
        model_digest=binding.model_digest,
        calibrator=here.calibrators.name(source),
        taxonomy=binding.taxonomy,
        preparation=binding.preparation,
    )


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
        checked=checked(session, [UUID(one) for one in row.samples], row.issued_at),
        recall=_recall(judged_by(session, row.run_id, label), row.threshold),
        against=_against(trail(session, row, here.at).watch),
        drift=next((one.sentence for one in here.moved if (one.axis, one.label) == (axis, label)), ""),
    )


def _against(watch: Watch | None) -> str:
    """What the checks since a certificate say against it, where they are worth watching."""
    return words.ended(watch.watched[0].sentence) if watch and watch.watched else ""


def _recall(judged: Judged | None, threshold: float) -> Range | None:
    """How much is found where the certificate stands; None where nobody knows."""
    positions = judged.label.what_if if judged else ()
    here = next((one.recall for one in positions if math.isclose(one.threshold, threshold)), None)
    return Range(here.value, here.low, here.high, here.n) if isinstance(here, Estimate) else None


def checked(session: Session, samples: Sequence[UUID], until: datetime) -> Checked:
    """How many answers of these samples people had checked blind by then, and from when to when."""
    count, first, last = session.exec(
        select(func.count(distinct(col(HumanLabel.card_id))), func.min(HumanLabel.at), func.max(HumanLabel.at))
        .join(LabelCard, col(LabelCard.id) == col(HumanLabel.card_id))
        .where(
            among(LabelCard.sample_id, samples),
            col(HumanLabel.blind),
            col(HumanLabel.undone_at).is_(None),
            col(HumanLabel.skip).is_(None),
            col(HumanLabel.at) <= until,
        )
    ).one()
    return Checked(count, first and first.date(), last and last.date())


def _attempt(session: Session, here: _Installation, axis: str, label: str, promise: Promise) -> Attempt:
    """What the newest run missed; before the first, how many labels lie where a threshold could stand."""
    judged, waiting = last_run(session, axis, label), _waiting(session, axis, label)
    if judged is None or judged.label.threshold.status == "certified":
        have = _have(session, here.binding, axis, label) if here.binding else 0
        return Attempt(have, promise.labels_needed(), waiting=waiting, seconds=here.seconds)
    refused = judged.label.threshold
    refusal = "" if refused.reason_code == "too few labels" else words.ended(refused.reason)
    advice = refused.label_next.sentence if refused.label_next else ""
    return Attempt(refused.have, refused.need, refusal, advice, waiting, here.seconds)


def _waiting(session: Session, axis: str, label: str) -> int:
    """How many cards of open samples wait for somebody's answer."""
    return session.exec(
        select(func.count())
        .select_from(LabelCard)
        .join(LabelSample, col(LabelSample.id) == col(LabelCard.sample_id))
        .where(
            col(LabelSample.axis) == axis,
            col(LabelSample.label).is_(None) | (col(LabelSample.label) == label),
            col(LabelSample.pool) == "audit",
            col(LabelSample.state) == "open",
            col(LabelCard.state).in_(["open", "third"]),
        )
    ).one()


def _have(session: Session, binding: Binding, axis: str, label: str) -> int:
    sure = cast(col(LabelCard.probabilities)[label], Float)
    return session.exec(
        select(func.count(distinct(col(LabelCard.id))))
        .join(LabelSample, col(LabelSample.id) == col(LabelCard.sample_id))
        .join(HumanLabel, col(HumanLabel.card_id) == col(LabelCard.id))
        .where(
            col(LabelSample.axis) == axis,
            col(LabelSample.pool) == "audit",
            col(LabelSample.label).is_(None) | (col(LabelSample.label) == label),
            col(LabelSample.classifier) == binding.classifier,
            col(LabelSample.model_digest) == binding.model_digest,
            col(LabelSample.taxonomy) == binding.taxonomy,
            col(LabelSample.preparation) == binding.preparation,
            col(LabelCard.state).in_(HEARD),
            col(HumanLabel.blind),
            col(HumanLabel.undone_at).is_(None),
            col(HumanLabel.skip).is_(None),
            sure >= float(GRID[0]),
        )
    ).one()


def _loads(session: Session, here: _Installation, name: str) -> list[Load]:
    """The groups to which rules that use the threshold give items, and what comes to them a day from all rules."""
    groups = {rule.then.assign for rule in here.policy.rules if name in rule.condition.thresholds and rule.then.assign}
    return [
        Load(group, _daily(session, group, here.at), room)
        for group in sorted(groups)
        if (room := _room(here.policy, Named(name=group))) is not None
    ]


def _daily(session: Session, group: str, at: datetime) -> float:
    since = at - timedelta(days=DAYS)
    count, first = session.exec(
        select(func.count(), func.min(WorkItem.created_at)).where(
            col(WorkItem.owner_group) == group, col(WorkItem.created_at) >= since, col(WorkItem.created_at) <= at
        )
    ).one()
    return count / max((at - first) / timedelta(days=1), 1.0) if first else 0.0


def _room(policy: Policy, group: Group | None, seen: frozenset[str] = frozenset()) -> int | None:
    """How many items its people can have at once; None where a part of it has no limit."""
    if isinstance(group, People):
        return None if group.capacity is None else group.capacity * len(group.people)
    if isinstance(group, Named):
        return None if group.name in seen else _room(policy, policy.groups.get(group.name), seen | {group.name})
    if isinstance(group, Split):
        rooms = [_room(policy, part, seen) for part in (*group.values.values(), group.default)]
        return None if any(one is None for one in rooms) else sum(one for one in rooms if one is not None)
    return None
