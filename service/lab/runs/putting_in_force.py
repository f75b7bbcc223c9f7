"""Putting in force what a run proved: certificates, and the run's result that says so."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from calibration.certification.agreement import AGREEMENT_FLOOR
from calibration.report.report import NOT_COVERED
from calibration.result import Estimate
from calibration.thresholds.precision import Certified
from calibration.words import counted
from service.backtest.queueing import HANDLING
from service.lab.gates import in_force, moves
from service.lab.gates.in_force import Scope
from service.lab.runs.findings import JudgedLabel, JudgedRun, RunQuestion
from service.lab.runs.label_result import label_result
from service.lab.runs.looks import LIFE
from service.lab.runs.run_result import CertifiedThreshold, LabelResult, Promised, ReadAs, RefusedThreshold, RunResult
from service.lab.runs.verdicts import positions, refusal
from service.route.versions import alone
from service.store.lab_tables import Certificate

_AS_WRONG = "counted as wrong, for nothing is proved by what was learnt from."
NEVER_COUNTED = "Corrections and what became of reviews are no labels: they are kept apart and never count here."


def put_in_force(session: Session, question: RunQuestion, findings: JudgedRun, at: datetime) -> RunResult:
    """Issue a certificate for each label that was proved; the caller commits. The run's result."""
    if any(one.judged.certified for one in findings.labels):
        alone(session)  # before anything is read that a decision or another change could make stale
    labels = tuple(_label(session, question, findings, one, at) for one in findings.labels)
    gathered = findings.gathered
    binding = gathered.binding
    return RunResult(
        axis=question.axis,
        source=question.source,
        promise=Promised(precision=question.promise.precision, confidence=question.promise.confidence),
        headline=_headline(labels),
        notes=_notes(findings),
        labels=labels,
        agreement=findings.agreement,
        read_as=ReadAs(
            classifier=binding.classifier,
            model_digest=binding.model_digest,
            taxonomy=binding.taxonomy,
            preparation=binding.preparation,
            calibrators={source: name for one in gathered.looks for source, name in one.calibrators.items()},
        ),
        sources=tuple(sorted({source for one in gathered.looks for source in one.sources})),
        languages=tuple(sorted({language for one in gathered.looks for language in one.languages})),
        samples=tuple(sorted({sample for one in gathered.looks for sample in one.samples})),
        designs=tuple(sorted({design for one in gathered.looks for design in one.designs})),
        rows=sum(len(one.labels) for one in gathered.looks),
        labels_digest=gathered.digest,
        seed=question.seed,
        agreement_floor=AGREEMENT_FLOOR,
        at=at,
        not_covered=NOT_COVERED,
    )


def _label(session: Session, question: RunQuestion, findings: JudgedRun, one: JudgedLabel, at: datetime) -> LabelResult:
    threshold: CertifiedThreshold | RefusedThreshold
    if proof := one.judged.certified:
        threshold = _certified(session, _certificate(question, findings, one, proof, at), question, at)
    else:
        threshold = refusal(one.judged, one.pile)
    return label_result(one.judged, threshold, one.pile, one.heard.traffic, HANDLING["review"])


def _certified(session: Session, row: Certificate, question: RunQuestion, at: datetime) -> CertifiedThreshold:
    in_use = in_force.in_use(session, Scope(row.axis, row.label, question.source))
    reason = question.comment or "The labels of a run prove it."
    issued = moves.issue(session, row, in_use=in_use, by=question.by, reason=reason, at=at)
    return CertifiedThreshold.model_validate(
        {
            "value": issued.threshold,
            "n": issued.n,
            "correct": issued.correct,
            "lower_bound": issued.lower_bound,
            "proved": issued.proved,
            "certificate": issued.id,
            "state": issued.state,
            "expires_at": issued.expires_at,
        }
    )


def _certificate(
    question: RunQuestion, findings: JudgedRun, one: JudgedLabel, proof: Certified, at: datetime
) -> Certificate:
    """A certificate that stands nowhere yet: where, `moves.issue` decides."""
    binding, heard, look = findings.gathered.binding, one.heard, one.judged.look
    proved = positions(proof)
    return Certificate(
        run_id=question.run,
        axis=question.axis,
        label=heard.label,
        sources=list(heard.sources),
        languages=list(heard.languages),
        **asdict(binding),
        calibrators=dict(heard.calibrators),
        designs=list(heard.designs),
        samples=[str(sample) for sample in heard.samples],
        threshold=proof.threshold,
        rungs=[position.threshold for position in proved],
        proved=[position.model_dump() for position in proved],
        precision=look.promise.precision,
        confidence=look.promise.confidence,
        attempt=look.attempt,
        n=proof.n,
        correct=proof.right,
        lower_bound=proof.lower_bound,
        procedure=one.judged.found.verdict.outcome.procedure,
        seed=question.seed,
        reference=dict(heard.reference),
        expires_at=at + LIFE,
    )


def _headline(labels: tuple[LabelResult, ...]) -> str:
    if not labels:
        return "No sample of this axis was drawn yet, and no policy asks about it: draw a sample first."
    proved = [one.label for one in labels if isinstance(one.threshold, CertifiedThreshold)]
    others = [one.label for one in labels if one.label not in proved]
    parts = [f"Proved: {', '.join(proved)}."] if proved else []
    return " ".join([*parts, *([f"No promise yet: {', '.join(others)}."] if others else [])])


def _notes(findings: JudgedRun) -> tuple[str, ...]:
    heard = findings.gathered.looks
    told = [
        said.format(counted(len(cards), "card waits", "cards wait"))
        for said, cards in (
            ("{} to be labelled and counted for nothing yet.", _all(one.open for one in heard)),
            ("{} for a third person, counted as wrong until then.", _all(one.third for one in heard)),
            ("{} for an adjudicator, counted as wrong until then.", _all(one.disputed for one in heard)),
            ("{} that somebody passed on, counted as wrong until answered.", _all(one.passed_on for one in heard)),
            ("{} for nothing: the record cannot be read again.", _all(one.unread for one in heard)),
        )
        if cards
    ]
    if learnt := {record for one in heard for record in one.taught}:
        whose = "its source" if len(learnt) == 1 else "their sources"
        told.append(f"{counted(len(learnt), 'card', 'cards')} had taught the calibration of {whose}: {_AS_WRONG}")
    if weekly := _all(one.next_look.without for one in heard):
        samples = counted(len(weekly), "weekly sample", "weekly samples")
        told.append(f"Left out: {samples} of weeks under a certificate. What is shown as it comes in proves nothing.")
    told += [
        f"{one.label}: attempt {one.next_look.attempt} at this promise, on fresh labels and with an error of "
        f"{_error(findings, one.label)} %, so that all attempts together err at most twice as often as one may."
        for one in heard
        if one.next_look.attempt > 1
    ]
    told += [_whole_axis(findings.agreement)] if isinstance(findings.agreement, Estimate) else []
    return (*told, NEVER_COUNTED)


def _whole_axis(agreement: Estimate) -> str:
    return (
        f"On the {counted(agreement.n, 'text', 'texts')} that two people judged, they agree on all labels at once by "
        f"{agreement.value:.2f} ({agreement.low:.2f} to {agreement.high:.2f}; 1 is perfect, 0 is guessing)."
    )


def _error(findings: JudgedRun, label: str) -> str:
    look = next(one.judged.look for one in findings.labels if one.heard.label == label)
    return f"{100 * (1 - look.promise.confidence):.3g}"


def _all(cards: Iterable[frozenset[UUID]]) -> set[UUID]:
    return {card for some in cards for card in some}
