"""Putting in force what a run proved: certificates, and the run's result that says so."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from calibration.certification.gate import AGREEMENT_FLOOR
from calibration.report.report import NOT_COVERED
from calibration.words import counted
from service.backtest.queueing import HANDLING
from service.lab.gates import in_force, moves
from service.lab.runs.findings import Findings, Found, Question
from service.lab.runs.label_result import label_result
from service.lab.runs.run_result import CertifiedThreshold, LabelResult, Promised, ReadAs, RefusedThreshold, RunResult
from service.lab.runs.verdicts import positions, refusal
from service.route.versions import alone
from service.store.lab_tables import Certificate

LIFE = timedelta(weeks=26)
NEVER_COUNTED = "Corrections and what became of reviews are no labels: they are kept apart and never count here."


def put_in_force(session: Session, question: Question, findings: Findings, at: datetime) -> RunResult:
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


def _label(session: Session, question: Question, findings: Findings, one: Found, at: datetime) -> LabelResult:
    threshold: CertifiedThreshold | RefusedThreshold
    if one.judged.certified:
        threshold = _certified(session, question, findings, one, at)
    else:
        threshold = refusal(one.judged, one.pile)
    return label_result(one.judged, threshold, one.pile, one.heard.traffic, HANDLING["review"])


def _certified(
    session: Session, question: Question, findings: Findings, one: Found, at: datetime
) -> CertifiedThreshold:
    row = _certificate(question, findings, one, at)
    in_use = in_force.in_use(session, question.axis, one.heard.label, question.source)
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


def _certificate(question: Question, findings: Findings, one: Found, at: datetime) -> Certificate:
    """A certificate that stands nowhere yet: where, `moves.issue` decides."""
    binding, heard, look = findings.gathered.binding, one.heard, one.judged.look
    proof = one.judged.certified
    proved = positions(proof) if proof else ()
    return Certificate(
        run_id=question.run,
        axis=question.axis,
        label=heard.label,
        sources=list(heard.sources),
        languages=list(heard.languages),
        classifier=binding.classifier,
        model_digest=binding.model_digest,
        taxonomy=binding.taxonomy,
        preparation=binding.preparation,
        calibrators=dict(heard.calibrators),
        designs=list(heard.designs),
        samples=[str(sample) for sample in heard.samples],
        threshold=proved[0].threshold,
        rungs=[position.threshold for position in proved],
        proved=[position.model_dump() for position in proved],
        precision=look.promise.precision,
        confidence=look.promise.confidence,
        attempt=look.attempt,
        n=proved[0].n,
        correct=proved[0].correct,
        lower_bound=proved[0].lower_bound,
        procedure=one.judged.found.verdict.outcome.procedure,
        seed=question.seed,
        reference=dict(heard.reference),
        expires_at=at + LIFE,
    )


def _headline(labels: tuple[LabelResult, ...]) -> str:
    if not labels:
        return "No sample of this axis was drawn yet, and no policy asks about it: draw a sample first."
    kept = sum(isinstance(one.threshold, CertifiedThreshold) for one in labels)
    others = len(labels) - kept
    rest = f"; {counted(others, 'has', 'have')} none yet" if others else ""
    return f"Of {counted(len(labels), 'label', 'labels')}, {counted(kept, 'has', 'have')} a promise{rest}."


def _notes(findings: Findings) -> tuple[str, ...]:
    heard = findings.gathered.looks
    told = [
        said.format(counted(len(cards), "card waits", "cards wait"))
        for said, cards in (
            ("{} to be labelled and counted for nothing yet.", _all(one.open for one in heard)),
            ("{} for a third person, counted as wrong until then.", _all(one.third for one in heard)),
            ("{} for an adjudicator, counted as wrong until then.", _all(one.disputed for one in heard)),
            ("{} for nothing: the record cannot be read again.", _all(one.unread for one in heard)),
        )
        if cards
    ]
    if weekly := _all(one.next_look.without for one in heard):
        samples = counted(len(weekly), "weekly sample", "weekly samples")
        told.append(f"Left out: {samples} of weeks under a certificate. What is shown as it comes in proves nothing.")
    told += [
        f"{one.label}: attempt {one.next_look.attempt} at this promise, on fresh labels and with an error of "
        f"{_error(findings, one.label)} %, so that all attempts together err at most twice as often as one may."
        for one in heard
        if one.next_look.attempt > 1
    ]
    return (*told, NEVER_COUNTED)


def _error(findings: Findings, label: str) -> str:
    look = next(one.judged.look for one in findings.labels if one.heard.label == label)
    return f"{100 * (1 - look.promise.confidence):.3g}"


def _all(cards: Iterable[frozenset[UUID]]) -> set[UUID]:
    return {card for some in cards for card in some}
