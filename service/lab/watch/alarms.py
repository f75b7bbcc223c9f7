"""Alarms: a promise that the audit found broken is withdrawn, and those in charge are told once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from calibration.monitoring.cells import CellWatch
from calibration.words import counted
from service.lab.gates import moves
from service.lab.gates.in_force import Scope
from service.lab.watch import light_words
from service.lab.watch.news import IN_CHARGE, tell
from service.lab.watch.trail import live_certificates, trail
from service.route.certificates import day
from service.route.versions import SYSTEM
from service.store.lab_tables import Certificate
from service.store.tables import Source


@dataclass(frozen=True, slots=True)
class Alarm:
    """A promise that was found broken; `sentence` says how many of how many, what happens now, and what to do."""

    axis: str
    label: str
    source: str | None
    language: str | None
    certificate: UUID
    sentence: str


def raise_alarms(session: Session, at: datetime) -> tuple[Alarm, ...]:
    """Hold every label whose promise is broken, and tell those in charge, once for each cause; the caller commits."""
    found = [(one, trail(session, one, at)) for one in live_certificates(session, at)]
    return tuple(
        alarm
        for certificate, trail_of in found
        if trail_of.watch is not None
        for broken in trail_of.watch.broken
        if (alarm := _raised(session, certificate, broken, at)) is not None
    )


def _raised(session: Session, certificate: Certificate, broken: CellWatch, at: datetime) -> Alarm | None:
    finding = _finding(certificate, broken)
    language = broken.cell.language if broken.cell else None
    held = [
        moves.hold(
            session,
            Scope(certificate.axis, certificate.label, source, language),
            cause="alarm",
            about=certificate,
            by=SYSTEM,
            reason=finding,
            at=at,
        )
        for source in _sources(session, certificate, broken)
    ]
    first = next((hold for hold in held if hold is not None), None)
    if first is None:
        return None
    sentence = _sentence(certificate, broken, finding)
    tell(session, IN_CHARGE, "alarm", sentence, f"alarm:{first.hold_id}", at)
    return Alarm(certificate.axis, certificate.label, first.source, language, certificate.id, sentence)


def _sources(session: Session, certificate: Certificate, broken: CellWatch) -> Sequence[str | None]:
    """What to hold: the cell's source; all of the certificate's, or simply all, where there are no others."""
    if broken.cell is not None:
        return (broken.cell.source,)
    others = set(session.exec(select(Source.name))) - set(certificate.sources)
    return certificate.sources if others else (None,)


def _finding(certificate: Certificate, broken: CellWatch) -> str:
    """How many of how many were wrong, and since when."""
    alarm = broken.alarm
    so_far = alarm.broken
    since = day(certificate.issued_at)
    if so_far.alarm_week is None:
        return f"Of late more checked answers are wrong than before: {so_far.wrong} of {so_far.n} since {since} in all."
    allowed = round((1 - certificate.precision) * so_far.n, 1)
    checked = counted(so_far.n, "checked answer", "checked answers")
    return f"{so_far.wrong} of {checked} since {since} were wrong; the promise allows {allowed:g}."


def _sentence(certificate: Certificate, broken: CellWatch, finding: str) -> str:
    where = f" ({broken.cell.source}, {broken.cell.language})" if broken.cell else ""
    title = light_words.title(certificate.axis, certificate.label)
    return (
        f"{title}{where}: the promise is withdrawn. {finding} From now on a person decides about each of them. Next: "
        "look at what went wrong, then draw a fresh sample, label it and start a run."
    )
