"""The certificates and holds of a label that are in force, and how a new certificate stands to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from calibration.promise import ROUNDING
from service.route.versions import active
from service.store.lab_tables import CalibrationRun, Certificate, GateHold


@dataclass(frozen=True, slots=True)
class Scope:
    """A label of an axis, of one source and language or (None) of all."""

    axis: str
    label: str
    source: str | None = None
    language: str | None = None


def scope_of(certificate: Certificate) -> Scope:
    """What a certificate is about, as far as a scope can say it: one source, or all."""
    source = certificate.sources[0] if len(certificate.sources) == 1 else None
    return Scope(certificate.axis, certificate.label, source)


def certificates(session: Session, axis: str, label: str, state: str) -> Sequence[Certificate]:
    """The certificates of a label in a state as they are now, those asked first at the beginning."""
    rows = session.exec(
        select(Certificate)
        .where(col(Certificate.axis) == axis, col(Certificate.label) == label, col(Certificate.state) == state)
        .order_by(col(Certificate.issued_at).desc(), col(Certificate.id).desc())
        .execution_options(populate_existing=True)
    )
    return sorted(rows, key=lambda one: len(one.sources))


def held(session: Session, scope: Scope) -> Sequence[GateHold]:
    """The holds in force of exactly this scope, oldest first."""
    return [one for one in _holds(session, scope) if (one.source, one.language) == (scope.source, scope.language)]


def answered_by(session: Session, certificate: Certificate) -> Sequence[GateHold]:
    """The alarms of before that this certificate answers: it proves anew all they are about. No person's hold."""
    return [
        one
        for one in _holds(session, scope_of(certificate))
        if one.cause == "alarm" and one.at <= certificate.issued_at and _proved_anew(session, one, certificate)
    ]


def loosened_by(session: Session, certificate: Certificate) -> bool:
    """Whether texts that go to people now, by a stricter certificate in date, would pass by this one."""
    return any(
        one.expires_at > certificate.issued_at
        and one.threshold > certificate.threshold + ROUNDING
        and len(certificate.sources) <= len(one.sources)  # else the other one is still asked first
        and not set(certificate.sources).isdisjoint(one.sources)
        and not set(certificate.languages).isdisjoint(one.languages)
        for one in certificates(session, certificate.axis, certificate.label, "live")
    )


def replaced_by(session: Session, certificate: Certificate) -> Sequence[Certificate]:
    """The certificates in force that this one leaves nothing to do: the same sources, no more promised."""
    run = session.get_one(CalibrationRun, certificate.run_id)
    return [
        one
        for one in certificates(session, certificate.axis, certificate.label, "live")
        if one.id != certificate.id
        and set(one.sources) == set(certificate.sources)
        and set(one.languages) <= set(certificate.languages)
        and _asks_no_more(session.get_one(CalibrationRun, one.run_id), run)
    ]


def in_use(session: Session, scope: Scope) -> float | None:
    """From where on a label counts today, None where people decide: by its certificate, else as the policy says.

    Where several certificates or thresholds are about the label, the strictest, so that nothing loosens by itself.
    """
    live = certificates(session, scope.axis, scope.label, "live")
    certified = [one.threshold for one in live if scope.source in {None, *one.sources}]
    if certified:
        return max(certified)
    thresholds = active(session).policy.thresholds.values()
    written = (one.uncertified for one in thresholds if (one.axis, one.label) == (scope.axis, scope.label))
    return max((value for value in written if value is not None), default=None)


def _holds(session: Session, scope: Scope) -> Sequence[GateHold]:
    found = select(GateHold).where(
        col(GateHold.axis) == scope.axis, col(GateHold.label) == scope.label, col(GateHold.lifted_at).is_(None)
    )
    return session.exec(found.order_by(col(GateHold.at)).execution_options(populate_existing=True)).all()


def _proved_anew(session: Session, hold: GateHold, certificate: Certificate) -> bool:
    """Whether a certificate speaks of all texts that were held when the promise of another was found broken."""
    broken = session.get(Certificate, hold.certificate_id) if hold.certificate_id else None
    return (
        broken is not None
        and _within(hold.source, broken.sources, certificate.sources)
        and _within(hold.language, broken.languages, certificate.languages)
    )


def _within(one: str | None, all_of_them: Sequence[str], proved: Sequence[str]) -> bool:
    return one in proved if one is not None else set(all_of_them) <= set(proved)


def _asks_no_more(old: CalibrationRun, new: CalibrationRun) -> bool:
    return old.precision <= new.precision and old.confidence <= new.confidence
