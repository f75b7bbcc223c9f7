"""What changed around certificates: a way of reading they are not about, an end in sight, and what comes in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from calibration.monitoring.drift import Drift, psi_of_shares
from calibration.result import Undefined
from service.lab.incoming.sureness import in_bins
from service.lab.labels.evidence import Binding, newest_binding
from service.lab.watch import light_words
from service.lab.watch.news import IN_CHARGE, tell
from service.lab.watch.trail import binding_of, live_certificates
from service.route.phrases import listed
from service.source_maps import live
from service.store.lab_tables import Certificate

WEEK = timedelta(weeks=1)
SUGGESTED = 60  # cards of a targeted sample, where what comes in has moved


@dataclass(frozen=True, slots=True)
class Voided:
    """A certificate that says nothing of what is read now; `cause` names the difference, for it is told once."""

    axis: str
    label: str
    cause: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What came in last week is spread otherwise than what a promise was proved on: a reason to label, no more."""

    axis: str
    label: str
    source: str | None
    size: int
    sentence: str


def voided(session: Session, at: datetime) -> tuple[Voided, ...]:
    """The certificates in date that are not about the way records are read now."""
    certificates = live_certificates(session, at)
    binding = newest_binding(session) if certificates else None
    if binding is None:
        return ()
    maps = live(session, binding.classifier, binding.model_digest)
    told = []
    for one in certificates:
        others = sorted(source for source, name in one.calibrators.items() if maps.name(source) != name)
        what, now = _difference(binding_of(one), binding, others)
        if what:
            title = light_words.title(one.axis, one.label)
            sentence = (
                f"{title}: the promise is void, since {what} changed. From now on a person decides about each of them. "
                "Next: draw a fresh sample, label it and start a run."
            )
            told.append(Voided(one.axis, one.label, f"void:{one.id}:{now}", sentence))
    return tuple(told)


def _difference(then: Binding, now: Binding, others: Sequence[str]) -> tuple[str, str]:
    """What differs, in words, and what it is now."""
    if (then.classifier, then.model_digest) != (now.classifier, now.model_digest):
        return "the model", f"{now.classifier} {now.model_digest}"
    if then.taxonomy != now.taxonomy:
        return "the list of topics", now.taxonomy
    if then.preparation != now.preparation:
        return "the way texts are prepared", now.preparation
    return (f"the calibration of {listed(others, 'and')}", " ".join(others)) if others else ("", "")


def tell_voided(session: Session, at: datetime) -> tuple[Voided, ...]:
    """Tell those in charge, once, of each certificate that is void now; all of them. The caller commits."""
    found = voided(session, at)
    for one in found:
        tell(session, IN_CHARGE, "voided", one.sentence, one.cause, at)
    return found


def moved(session: Session, at: datetime) -> tuple[Moved, ...]:
    """The labels whose scores of last week are spread otherwise than in the pool of their certificate.

    Only what is both larger than chance and large is told; all labels together are told by chance one week in 20.
    """
    certificates = [one for one in live_certificates(session, at) if one.reference.get("counts")]
    found = [(one, _drift(session, one, len(certificates), at)) for one in certificates]
    return tuple(_moved(one, drift) for one, drift in found if drift is not None and drift.schedules_labelling)


def _drift(session: Session, certificate: Certificate, tests: int, at: datetime) -> Drift | None:
    cuts, before = certificate.reference["cuts"], certificate.reference["counts"]
    now = in_bins(session, certificate.axis, certificate.label, at - WEEK, at, certificate.sources, cuts)
    found = psi_of_shares(before, now, tests=tests)
    return None if isinstance(found, Undefined) else found


def _moved(certificate: Certificate, drift: Drift) -> Moved:
    title = light_words.title(certificate.axis, certificate.label)
    source = certificate.sources[0] if len(certificate.sources) == 1 else None
    sentence = (
        f"{title}: last week's {drift.n_current} answers are spread otherwise than those behind the promise (a shift "
        f"of {drift.value:.2f}, of which chance explains {drift.level:.2f}). That proves no mistake: label a targeted "
        f"sample of {SUGGESTED} to see."
    )
    return Moved(certificate.axis, certificate.label, source, SUGGESTED, sentence)
