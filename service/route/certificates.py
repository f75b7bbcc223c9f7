"""Certificates and holds in force, and the value a threshold therefore has for one text."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from sqlalchemy.orm import QueryableAttribute, defer
from sqlmodel import Session, col, select

from calibration.promise import Promise
from service.route.case import Case
from service.route.decide import ResolvedThreshold
from service.route.policy import Policy, Threshold
from service.source_maps import CALIBRATED
from service.store.lab_tables import Certificate as CertificateRow
from service.store.lab_tables import GateHold

_LONG = [cast("QueryableAttribute[object]", one) for one in (CertificateRow.reference, CertificateRow.proved)]


@dataclass(frozen=True, slots=True)
class ReadBy:
    """What a record was read by: all that a certificate binds itself to."""

    classifier: str
    model_digest: str
    calibrator: str
    taxonomy: str
    preparation: str

    @classmethod
    def stored(
        cls, classifier: str, model_digest: str | None, calibrator: str, taxonomy: str, preparation: str | None
    ) -> "ReadBy":
        """What a stored classification says of itself; one of before certificates names no digest, and has none."""
        return cls(classifier, model_digest or "", calibrator, taxonomy, preparation or "")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A proved promise about a label, for the sources and languages that were sampled, and one way of reading."""

    id: str
    axis: str
    label: str
    sources: Collection[str]
    languages: Collection[str]
    classifier: str
    model_digest: str
    calibrators: Mapping[str, str]
    taxonomy: str
    preparation: str
    threshold: float
    promise: Promise
    issued_at: datetime
    expires_at: datetime

    def covers(self, source: str, language: str | None) -> bool:
        """Whether texts of this source and language were in the pool that was sampled."""
        return source in self.sources and language in self.languages

    def keeps(self, asked: Promise | None) -> bool:
        """Whether it proves at least what a policy promises; a threshold without promise asks for no proof."""
        return (
            asked is not None
            and self.promise.precision >= asked.precision
            and self.promise.confidence >= asked.confidence
        )

    def lapse(self, source: str, by: ReadBy, at: datetime) -> str | None:
        """Why it says nothing about a text of this source, in a sentence; None where it stands.

        On an axis that no calibrator corrects, every calibrator reads the same, also one of before.
        """
        issued = f"The certificate of {day(self.issued_at)}"
        if at >= self.expires_at:
            return f"{issued} ran out on {day(self.expires_at)}."
        if (by.classifier, by.model_digest) != (self.classifier, self.model_digest):
            return f"{issued} is for another model than the one that read this text."
        if by.taxonomy != self.taxonomy:
            return f"{issued} is for another version of the topics."
        if by.preparation != self.preparation:
            return f"{issued} is for texts that were prepared otherwise."
        if self.axis in CALIBRATED and by.calibrator != self.calibrators.get(source):
            return f"{issued} is for another calibration of the source {source}."
        return None


@dataclass(frozen=True, slots=True)
class Hold:
    """A label that goes to people, for a source and language or (None) for all of them, since when and why."""

    axis: str
    label: str
    cause: str
    reason: str
    at: datetime
    source: str | None = None
    language: str | None = None
    certificate: str | None = None

    def covers(self, source: str, language: str | None) -> bool:
        """Whether it keeps texts of this source and language from passing by themselves."""
        return self.source in {None, source} and self.language in {None, language}

    @property
    def words(self) -> str:
        """Since when people decide, and why, in a sentence."""
        if self.cause == "alarm":
            return f"The promise was withdrawn on {day(self.at)}: {_ended(self.reason)}"
        return f"People have decided on all such texts since {day(self.at)}: {_ended(self.reason)}"


@dataclass(frozen=True, slots=True)
class Gate:
    """One threshold of a policy with all that may set its value; certificates in the order in which they are asked."""

    uncertified: float | None = None
    certificates: Sequence[Certificate] = ()
    holds: Sequence[Hold] = ()

    @property
    def varies(self) -> bool:
        """Whether its value may differ from one text to the next."""
        return bool(self.certificates or self.holds)

    def resolve(self, source: str, language: str | None, by: ReadBy | None, at: datetime) -> ResolvedThreshold:
        """The value for a text of this source and language, read by this, at a moment.

        The first certificate that covers the text and stands gives it. Where some cover it and none stands, or
        somebody holds the label, there is none: a person decides. Before anything was read (`by` is None) no
        certificate speaks of it.
        """
        for hold in self.holds:
            if hold.covers(source, language):
                return ResolvedThreshold(None, certificate=hold.certificate, voided=hold.words)
        first: ResolvedThreshold | None = None
        for one in self.certificates:
            if by is not None and one.covers(source, language):
                lapse = one.lapse(source, by, at)
                if lapse is None:
                    return ResolvedThreshold(one.threshold, certified=True, certificate=one.id)
                first = first or ResolvedThreshold(None, certificate=one.id, voided=lapse)
        return first or ResolvedThreshold(self.uncertified)


@dataclass(frozen=True, slots=True)
class Gates:
    """All that lets labels pass by themselves, or keeps them from it; certificates in the order they are asked in."""

    certificates: Sequence[Certificate] = ()
    holds: Sequence[Hold] = ()

    def over(self, policy: Policy) -> dict[str, Gate]:
        """What sets the value of each threshold of a policy: the certificates that prove as much as it asks for."""
        return {name: self._over(one) for name, one in policy.thresholds.items()}

    def _over(self, threshold: Threshold) -> Gate:
        of = (threshold.axis, threshold.label)
        return Gate(
            threshold.uncertified,
            [one for one in self.certificates if (one.axis, one.label) == of and one.keeps(threshold.promise)],
            [one for one in self.holds if (one.axis, one.label) == of],
        )

    def resolve(self, policy: Policy, case: Case, by: ReadBy | None) -> dict[str, ResolvedThreshold]:
        """The value of each threshold of a policy for a case, at its moment."""
        return resolved(self.over(policy), case, by, case.now)


def resolved(gates: Mapping[str, Gate], case: Case, by: ReadBy | None, at: datetime) -> dict[str, ResolvedThreshold]:
    """The value that each of these gates gives a case at a moment.

    `by` is None for a record nobody read. There, and in a case without text, each threshold has its `uncertified`
    value: no rule asks for it.
    """
    if by is None or case.sentiment is None:
        return {name: ResolvedThreshold(one.uncertified) for name, one in gates.items()}
    return {name: one.resolve(case.source, case.language, by, at) for name, one in gates.items()}


def gates(session: Session) -> Gates:
    """All certificates and holds in force; asked for after `deciding`, they stay so until the transaction ends.

    A certificate for fewer sources says more about each of them, and is asked first; of equal ones the newest.
    """
    rows = session.exec(
        select(CertificateRow)
        .where(col(CertificateRow.state) == "live")
        .options(*map(defer, _LONG))  # nobody asks for them here
        .order_by(col(CertificateRow.issued_at).desc(), col(CertificateRow.id).desc())
    )
    held = session.exec(select(GateHold).where(col(GateHold.lifted_at).is_(None)).order_by(col(GateHold.at)))
    certificates = sorted((certificate_of(row) for row in rows), key=lambda one: len(one.sources))
    return Gates(tuple(certificates), tuple(hold_of(row) for row in held))


def certificate_of(row: CertificateRow) -> Certificate:
    """A stored certificate as a value."""
    return Certificate(
        id=str(row.id),
        axis=row.axis,
        label=row.label,
        sources=frozenset(row.sources),
        languages=frozenset(row.languages),
        classifier=row.classifier,
        model_digest=row.model_digest,
        calibrators=row.calibrators,
        taxonomy=row.taxonomy,
        preparation=row.preparation,
        threshold=row.threshold,
        promise=Promise(row.precision, row.confidence),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
    )


def hold_of(row: GateHold) -> Hold:
    """A stored hold as a value."""
    certificate = str(row.certificate_id) if row.certificate_id else None
    return Hold(row.axis, row.label, row.cause, row.reason, row.at, row.source, row.language, certificate)


def _ended(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."


def day(at: datetime) -> str:
    """A day of UTC: `3 Nov 2026`."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y}"
