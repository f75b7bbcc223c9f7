"""What changed around certificates: a way of reading they are not about, an end in sight, and what comes in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from calibration.monitoring.drift import Drift, psi_of_shares
from calibration.result import Undefined
from service.lab.incoming.sureness import in_bins
from service.lab.labels.evidence import Binding, newest_binding
from service.lab.watch import light_words
from service.lab.watch.news import AGREE, IN_CHARGE, tell
from service.lab.watch.trail import bound_to, live_certificates
from service.route.certificates import certificate_of
from service.route.phrases import listed
from service.source_maps import Calibrators, live
from service.store.lab_tables import Certificate

WEEK = timedelta(weeks=1)
SUGGESTED = 60  # cards of a targeted sample, where what comes in has moved


@dataclass(frozen=True, slots=True)
class Voided:
    """A certificate that says nothing of what is read now; `cause` names the difference, for it is told once.

    `partly`: it still speaks of what some of its sources send.
    """

    axis: str
    label: str
    cause: str
    sentence: str
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Drifted:
    """What came in last week is spread otherwise than what a promise was proved on: a reason to label, no more."""

    axis: str
    label: str
    source: str | None
    size: int
    sentence: str


def voided(session: Session, at: datetime) -> tuple[Voided, ...]:
    """The certificates in date that are not about the way records are read now, where none that is took their place."""
    certificates = live_certificates(session, at)
    binding = newest_binding(session) if certificates else None
    if binding is None:
        return ()
    maps = live(session, binding.classifier, binding.model_digest)
    found = [(one, _difference(one, binding, _lapsed(one, binding, maps, at))) for one in certificates]
    standing = [one for one, difference in found if difference is None]
    return tuple(
        Voided(
            one.axis, one.label, f"void:{one.id}:{difference.now}", _sentence(one, difference), _partly(one, difference)
        )
        for one, difference in found
        if difference is not None and not any(_follows(other, one) for other in standing)
    )


@dataclass(frozen=True, slots=True)
class _Difference:
    """What differs, in words, and what it is now; `sources` are those that the certificate says nothing about."""

    what: str
    now: str
    sources: Sequence[str]


def _follows(other: Certificate, one: Certificate) -> bool:
    same = (other.axis, other.label) == (one.axis, one.label)
    return same and other.issued_at > one.issued_at and set(one.sources) <= set(other.sources)


def _partly(certificate: Certificate, difference: _Difference) -> bool:
    return len(difference.sources) < len(certificate.sources)


def _sentence(certificate: Certificate, difference: _Difference) -> str:
    title = light_words.title(certificate.axis, certificate.label)
    there = f" from {listed(difference.sources, 'and')}" if _partly(certificate, difference) else ""
    return (
        f"{title}{there}: the promise is void, since {difference.what} changed. From now on a person decides about "
        "each of them. Next: draw a fresh sample, label it and start a run."
    )


def _lapsed(certificate: Certificate, now: Binding, maps: Calibrators, at: datetime) -> Sequence[str]:
    """The sources about whose texts it says nothing, by the rule by which records are decided."""
    proved = certificate_of(certificate)
    return [one for one in sorted(certificate.sources) if proved.lapse(one, now.under(maps.name(one)), at) is not None]


def _difference(certificate: Certificate, now: Binding, lapsed: Sequence[str]) -> _Difference | None:
    if not lapsed:
        return None
    then = bound_to(certificate)
    if (then.classifier, then.model_digest) != (now.classifier, now.model_digest):
        return _Difference("the model", f"{now.classifier} {now.model_digest}", lapsed)
    if then.taxonomy != now.taxonomy:
        return _Difference("the list of topics", now.taxonomy, lapsed)
    if then.preparation != now.preparation:
        return _Difference("the way texts are prepared", now.preparation, lapsed)
    return _Difference(f"the calibration of {listed(lapsed, 'and')}", " ".join(lapsed), lapsed)


def tell_voided(session: Session, at: datetime) -> tuple[Voided, ...]:
    """Tell those in charge, once, of each certificate that is void now; all of them. The caller commits."""
    found = voided(session, at)
    for one in found:
        tell(session, IN_CHARGE, "voided", one.sentence, one.cause, at)
    return found


def tell_awaited(session: Session, at: datetime) -> None:
    """Tell those who may agree to it, once, of each certificate that waits for a second person. The caller commits."""
    waiting = select(Certificate).where(col(Certificate.state) == "waiting", col(Certificate.expires_at) > at)
    for one in session.exec(waiting.order_by(col(Certificate.id))).all():
        title = light_words.title(one.axis, one.label)
        words = f"{title}: what people labelled proves a promise that lets more pass. It waits for a second person."
        tell(session, AGREE, "to_agree", f"{words} Next: look at it on the page Reports.", f"agree:{one.id}", at)


def drifted(session: Session, at: datetime) -> tuple[Drifted, ...]:
    """The labels whose scores of last week are spread otherwise than in the pool of their certificate.

    Only what is both larger than chance and large is told; all labels together are told by chance one week in 20.
    """
    certificates = [one for one in live_certificates(session, at) if one.reference.get("counts")]
    found = [(one, _drift(session, one, len(certificates), at)) for one in certificates]
    return tuple(_drifted(one, drift) for one, drift in found if drift is not None and drift.schedules_labelling)


def _drift(session: Session, certificate: Certificate, tests: int, at: datetime) -> Drift | None:
    cuts, before = certificate.reference["cuts"], certificate.reference["counts"]
    now = in_bins(session, certificate.axis, certificate.label, at - WEEK, at, certificate.sources, cuts)
    found = psi_of_shares(before, now, tests=tests)
    return None if isinstance(found, Undefined) else found


def _drifted(certificate: Certificate, drift: Drift) -> Drifted:
    title = light_words.title(certificate.axis, certificate.label)
    source = certificate.sources[0] if len(certificate.sources) == 1 else None
    sentence = (
        f"{title}: last week's {drift.n_current} answers are spread otherwise than those behind the promise (a shift "
        f"of {drift.value:.2f}, of which chance explains {drift.level:.2f}). That proves no mistake: label a targeted "
        f"sample of {SUGGESTED} to see."
    )
    return Drifted(certificate.axis, certificate.label, source, SUGGESTED, sentence)
