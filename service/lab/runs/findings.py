"""What a run reads of its labels before it judges them, and what it then makes of each: no session by then."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from calibration.certification.agreement import whole_sets
from calibration.labels.label import Label
from calibration.promise import Promise
from calibration.result import Estimate, Undefined
from calibration.thresholds.what_if import Traffic
from service.lab.incoming.sureness import DAYS, in_bins, traffic
from service.lab.labels.evidence import Believed, Binding, Evidence, answers_of, labels_of
from service.lab.labels.pool import taught
from service.lab.recalibration.beliefs import beliefs
from service.lab.recalibration.calibrators import on_trial
from service.lab.runs import looks
from service.lab.runs.looks import NextLook
from service.lab.runs.verdicts import Judged, Look, Pile, judged
from service.route.versions import deciding
from service.source_maps import Calibrators
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample
from service.store.tables import among

SECONDS = 20.0  # that a card takes, where nobody has labelled yet


@dataclass(frozen=True, slots=True)
class RunQuestion:
    """What a run was asked, and by whom."""

    run: UUID
    axis: str
    label: str | None
    source: str | None
    promise: Promise
    seed: int
    by: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class LabelEvidence:
    """All that is known about one label before it is judged: plain values, for the transaction is over by then.

    `reference` is how scores were spread in what came in before, or else in the first sample's pool. `taught` are the
    records that a calibrator may have been fitted to.
    """

    label: str
    next_look: NextLook
    labels: tuple[Label, ...]
    cards: tuple[UUID, ...]
    calibrators: Mapping[str, str]
    languages: tuple[str, ...]
    samples: tuple[UUID, ...]
    designs: tuple[str, ...]
    reference: Mapping[str, Any]
    third: frozenset[UUID]
    disputed: frozenset[UUID]
    passed_on: frozenset[UUID]
    open: frozenset[UUID]
    unread: frozenset[UUID]
    taught: frozenset[str]
    traffic: Traffic

    @property
    def sources(self) -> tuple[str, ...]:
        """Those that were sampled."""
        return tuple(sorted(self.calibrators))


@dataclass(frozen=True, slots=True)
class RunEvidence:
    """What a run judges, each label by itself; `seconds` is what a card takes.

    `answers` are, of each card that two people judged, all labels that each of them gave.
    """

    binding: Binding
    looks: tuple[LabelEvidence, ...]
    seconds: float
    answers: tuple[tuple[frozenset[str], ...], ...]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all answers that were judged, in one order, without the words they are about."""
        lines = sorted(
            json.dumps(asdict(one) | {"text": None}, sort_keys=True) for heard in self.looks for one in heard.labels
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class JudgedLabel:
    """One label, judged."""

    heard: LabelEvidence
    judged: Judged
    pile: Pile


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """All labels of a run, judged; `agreement` is that of people on all labels of the axis at once."""

    gathered: RunEvidence
    labels: tuple[JudgedLabel, ...]
    agreement: Estimate | Undefined


def gather(session: Session, question: RunQuestion, binding: Binding, at: datetime) -> RunEvidence:
    """Read all that a run judges."""
    maps = on_trial(session, binding.classifier, binding.model_digest)
    labels = [question.label] if question.label is not None else _asked_about(session, question.axis, binding)
    heard = tuple(_heard(session, question, label, binding, maps, at) for label in labels)
    cards = {card for one in heard for card in one.cards}
    return RunEvidence(binding, heard, _seconds(session, cards), answers_of(session, cards))


def _asked_about(session: Session, axis: str, binding: Binding) -> list[str]:
    """The labels that samples were drawn for; of samples of the whole axis those that policies have a threshold for.

    Every label shares the promise's error with the others, so that a label nobody acts on would only cost.
    """
    drawn = session.exec(
        select(LabelSample.label)
        .where(
            col(LabelSample.axis) == axis,
            col(LabelSample.pool) == "audit",
            col(LabelSample.classifier) == binding.classifier,
            col(LabelSample.model_digest) == binding.model_digest,
        )
        .distinct()
    ).all()
    named = {label for label in drawn if label is not None}
    policies = (deciding(session).policies or {}).values()
    acted_on = {one.label for policy in policies for one in policy.thresholds.values() if one.axis == axis}
    return sorted(named | acted_on if None in drawn or not drawn else named)


def _heard(
    session: Session, question: RunQuestion, label: str, binding: Binding, maps: Calibrators, at: datetime
) -> LabelEvidence:
    following = looks.next_look(session, question.axis, label, question.source, binding)
    evidence = labels_of(
        session,
        question.axis,
        binding=binding,
        label=label,
        source=question.source,
        since=following.since,
        without=following.without,
        believed=_believed(session, question.axis, maps),
    )
    sources = {card.source for card in evidence.cards}
    records = {card.feedback_id for card in evidence.cards}
    mapped = [source for source in sources if question.axis in maps.of(source).maps]
    learnt = taught(session, question.axis, binding, mapped, records)
    return LabelEvidence(
        label=label,
        next_look=following,
        labels=tuple(_unsaid(one) if one.id in learnt else one for one in evidence.labels),
        cards=tuple(card.id for card in evidence.cards),
        calibrators={source: maps.name(source) for source in sources},
        languages=tuple(sorted({card.language for card in evidence.cards})),
        samples=tuple(sample.id for sample in evidence.samples),
        designs=tuple(sorted({sample.design for sample in evidence.samples})),
        reference=_reference(session, question.axis, label, evidence, sources, at),
        third=evidence.third,
        disputed=evidence.disputed,
        passed_on=evidence.passed_on,
        open=evidence.open,
        unread=evidence.unread,
        taught=learnt,
        traffic=traffic(session, question.axis, label, at, sources),
    )


def _unsaid(one: Label) -> Label:
    """A label of what taught the map it would be judged under: nobody knows what it would say of a fresh text.

    It counts as wrong. Left out, a sample would look better than what comes in: what is targeted are the hard ones.
    """
    return replace(one, human=None)


def _believed(session: Session, axis: str, maps: Calibrators) -> Believed:
    """What is believed of cards under these maps: as drawn, where they were drawn under the same."""

    def read(cards: Sequence[LabelCard]) -> dict[UUID, Mapping[str, float]]:
        others = [card for card in cards if card.calibrator != maps.name(card.source)]
        as_drawn = {card.id: card.probabilities for card in cards if card not in others}
        return as_drawn | (beliefs(session, others, axis, maps) if others else {})

    return read


def _reference(
    session: Session, axis: str, label: str, evidence: Evidence, sources: Collection[str], at: datetime
) -> Mapping[str, Any]:
    """How scores were spread in the last weeks, in the bins of the first sample's pool.

    What comes in later is counted like this, text by text as often as it comes. The pool holds each text once, and a
    later pool lacks what was audited: both would look like drift. They stand in where nothing came in lately.
    """
    first = min(evidence.samples, key=lambda one: one.created_at, default=None)
    pool: Mapping[str, Any] = first.reference.get(label, {}) if first else {}
    if not pool:
        return pool
    lately = in_bins(session, axis, label, at - timedelta(days=DAYS), at, sources, pool["cuts"])
    return {"cuts": pool["cuts"], "counts": lately} if sum(lately) else pool


def _seconds(session: Session, cards: set[UUID]) -> float:
    took = func.percentile_cont(0.5).within_group(col(HumanLabel.seconds))
    return session.exec(select(took).where(among(HumanLabel.card_id, cards))).one() or SECONDS


def judge_all(gathered: RunEvidence, question: RunQuestion) -> JudgedRun:
    """Judge what was gathered; this takes its time, and no session."""
    agreement = whole_sets(gathered.answers, seed=question.seed)
    return JudgedRun(gathered, tuple(_judge(one, gathered, question) for one in gathered.looks), agreement)


def _judge(heard: LabelEvidence, gathered: RunEvidence, question: RunQuestion) -> JudgedLabel:
    look = Look(
        axis=question.axis,
        label=heard.label,
        source=question.source,
        asked=question.promise,
        attempt=heard.next_look.attempt,
        spent=heard.next_look.spent,
        sharing=len(gathered.looks),
        seed=question.seed,
    )
    pile = Pile(
        cards=len(heard.cards),
        third=len(heard.third),
        disputed=len(heard.disputed),
        passed_on=len(heard.passed_on),
        open=len(heard.open),
        unread=len(heard.unread),
        seconds=gathered.seconds,
    )
    return JudgedLabel(heard, judged(heard.labels, look), pile)
