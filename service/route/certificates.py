"""Certificates and holds in force, and the value a threshold therefore has for one case."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from calibration.promise import Promise
from service.route.case import Case
from service.route.decide import ResolvedThreshold
from service.route.policy import Policy, Threshold
from service.store.lab_tables import Certificate as CertificateRow
from service.store.lab_tables import GateHold


@dataclass(frozen=True, slots=True)
class ReadBy:
    """What a record was read by: all that a certificate binds itself to."""

    classifier: str
    model_digest: str
    calibrator: str
    taxonomy: str
    preparation: str


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
    expires_at: datetime

    def covers(self, source: str, language: str | None) -> bool:
        """Whether texts of this source and language were in the pool that was sampled."""
        return source in self.sources and language in self.languages

    def stands(self, source: str, by: ReadBy, at: datetime) -> bool:
        """Whether it is in date and everything it binds is as it was."""
        return (
            at < self.expires_at
            and by.classifier == self.classifier
            and by.model_digest == self.model_digest
            and by.taxonomy == self.taxonomy
            and by.preparation == self.preparation
            and by.calibrator == self.calibrators.get(source)
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """A label that goes to people, for a source and language or (None) for all of them."""

    axis: str
    label: str
    source: str | None = None
    language: str | None = None
    certificate: str | None = None

    def covers(self, source: str, language: str | None) -> bool:
        """Whether it keeps texts of this source and language from passing by themselves."""
        return self.source in {None, source} and self.language in {None, language}


@dataclass(frozen=True, slots=True)
class Gates:
    """All that lets labels pass by themselves, or keeps them from it. `certificates` begins with the newest."""

    certificates: Sequence[Certificate] = ()
    holds: Sequence[Hold] = ()

    def resolve(self, policy: Policy, case: Case, by: ReadBy | None) -> dict[str, ResolvedThreshold]:
        """The value of each threshold for a case; `by` is None for a record without text.

        The newest certificate that covers the case, keeps the promise the policy asks for and stands, gives its value.
        Where some cover it and none stands, or somebody holds the label, the threshold has none: a person decides.
        """
        return {name: self._resolve(one, case, by) for name, one in policy.thresholds.items()}

    def _resolve(self, threshold: Threshold, case: Case, by: ReadBy | None) -> ResolvedThreshold:
        uncertified = ResolvedThreshold(threshold.uncertified)
        if by is None:
            return uncertified
        of = (threshold.axis, threshold.label)
        for hold in self.holds:
            if (hold.axis, hold.label) == of and hold.covers(case.source, case.language):
                return ResolvedThreshold(None, certificate=hold.certificate, voided=True)
        covering = [
            one
            for one in self.certificates
            if (one.axis, one.label) == of
            and one.covers(case.source, case.language)
            and keeps(one.promise, threshold.promise)
        ]
        for one in covering:
            if one.stands(case.source, by, case.now):
                return ResolvedThreshold(one.threshold, certified=True, certificate=one.id)
        return ResolvedThreshold(None, certificate=covering[0].id, voided=True) if covering else uncertified


def keeps(proved: Promise, asked: Promise | None) -> bool:
    """Whether what was proved is at least what a policy promises; a threshold without promise asks for no proof."""
    return asked is not None and proved.precision >= asked.precision and proved.confidence >= asked.confidence


def gates(session: Session) -> Gates:
    """All certificates and holds in force; they stay so until the caller's transaction ends."""
    live = session.exec(
        select(CertificateRow)
        .where(col(CertificateRow.state) == "live")
        .order_by(col(CertificateRow.issued_at).desc(), col(CertificateRow.id).desc())
    )
    held = session.exec(select(GateHold).where(col(GateHold.lifted_at).is_(None)).order_by(col(GateHold.at)))
    return Gates(tuple(_certificate(row) for row in live), tuple(_hold(row) for row in held))


def _certificate(row: CertificateRow) -> Certificate:
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
        expires_at=row.expires_at,
    )


def _hold(row: GateHold) -> Hold:
    certificate = str(row.certificate_id) if row.certificate_id else None
    return Hold(row.axis, row.label, row.source, row.language, certificate)
