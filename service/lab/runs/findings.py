"""Findings: what a run reads of its labels before it judges them, and what it then makes of each. No session later."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, func, select

from calibration.labels.label import Label
from calibration.promise import Promise
from calibration.thresholds.what_if import Traffic
from service.lab.incoming.sureness import traffic
from service.lab.labels.evidence import Believed, Binding, Evidence, labels_of
from service.lab.recalibration.calibrators import beliefs, on_trial
from service.lab.runs import looks
from service.lab.runs.looks import NextLook
from service.lab.runs.verdicts import Judged, Look, Pile, judged
from service.route.versions import deciding
from service.source_maps import Calibrators
from service.store.lab_tables import HumanLabel, LabelCard, LabelSample
from service.store.tables import among

SECONDS = 20.0  # that a card takes, where nobody has labelled yet


@dataclass(frozen=True, slots=True)
class Question:
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
class Heard:
    """All that is known about one label before it is judged: plain values, for the transaction is over by then.

    `reference` is how the scores of the newest sample's pool were spread.
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
    open: frozenset[UUID]
    unread: frozenset[UUID]
    traffic: Traffic

    @property
    def sources(self) -> tuple[str, ...]:
        """Those that were sampled."""
        return tuple(sorted(self.calibrators))


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a run judges, each label by itself; `seconds` is what a card takes."""

    binding: Binding
    looks: tuple[Heard, ...]
    seconds: float

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all answers that were judged, in one order, without the words they are about."""
        lines = sorted(
            json.dumps(asdict(one) | {"text": None}, sort_keys=True) for heard in self.looks for one in heard.labels
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """One label, judged."""

    heard: Heard
    judged: Judged
    pile: Pile


@dataclass(frozen=True, slots=True)
class Findings:
    """All labels of a run, judged."""

    gathered: Gathered
    labels: tuple[Found, ...]


def gather(session: Session, question: Question, binding: Binding, at: datetime) -> Gathered:
    """Read all that a run judges."""
    maps = on_trial(session, binding.classifier, binding.model_digest)
    labels = [question.label] if question.label is not None else _asked_about(session, question.axis, binding)
    heard = tuple(_heard(session, question, label, binding, maps, at) for label in labels)
    cards = {card for one in heard for card in one.cards}
    return Gathered(binding, heard, _seconds(session, cards))


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
    session: Session, question: Question, label: str, binding: Binding, maps: Calibrators, at: datetime
) -> Heard:
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
    return Heard(
        label=label,
        next_look=following,
        labels=evidence.labels,
        cards=tuple(card.id for card in evidence.cards),
        calibrators={source: maps.name(source) for source in sources},
        languages=tuple(sorted({card.language for card in evidence.cards})),
        samples=tuple(sample.id for sample in evidence.samples),
        designs=tuple(sorted({sample.design for sample in evidence.samples})),
        reference=_reference(evidence, label),
        third=evidence.third,
        disputed=evidence.disputed,
        open=evidence.open,
        unread=evidence.unread,
        traffic=traffic(session, question.axis, label, at, sources),
    )


def _believed(session: Session, axis: str, maps: Calibrators) -> Believed:
    """What is believed of cards under these maps: as drawn, where they were drawn under the same."""

    def read(cards: Sequence[LabelCard]) -> dict[UUID, Mapping[str, float]]:
        others = [card for card in cards if card.calibrator != maps.name(card.source)]
        as_drawn = {card.id: card.probabilities for card in cards if card not in others}
        return as_drawn | (beliefs(session, others, axis, maps) if others else {})

    return read


def _reference(evidence: Evidence, label: str) -> Mapping[str, Any]:
    """How the scores of the newest sample's pool were spread."""
    newest = max(evidence.samples, key=lambda one: one.created_at, default=None)
    spread: Mapping[str, Any] = newest.reference.get(label, {}) if newest else {}
    return spread


def _seconds(session: Session, cards: set[UUID]) -> float:
    took = func.percentile_cont(0.5).within_group(col(HumanLabel.seconds))
    return session.exec(select(took).where(among(HumanLabel.card_id, cards))).one() or SECONDS


def found(gathered: Gathered, question: Question) -> Findings:
    """Judge what was gathered; this takes its time, and no session."""
    return Findings(gathered, tuple(_found(one, gathered, question) for one in gathered.looks))


def _found(heard: Heard, gathered: Gathered, question: Question) -> Found:
    look = Look(
        axis=question.axis,
        label=heard.label,
        source=question.source,
        asked=question.promise,
        attempt=heard.next_look.attempt,
        sharing=len(gathered.looks),
        seed=question.seed,
    )
    pile = Pile(
        cards=len(heard.cards),
        third=len(heard.third),
        disputed=len(heard.disputed),
        open=len(heard.open),
        unread=len(heard.unread),
        seconds=gathered.seconds,
    )
    return Found(heard, judged(heard.labels, look), pile)
