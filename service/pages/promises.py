"""What the thresholds of a decision promise, or why they do not, in words of people."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, select

from service.route.certificates import certificate_of
from service.route.decide import ResolvedThreshold
from service.route.gate_words import certificate_words
from service.route.phrases import percent
from service.store.lab_tables import Certificate
from service.store.tables import among


@dataclass(frozen=True, slots=True)
class Promised:
    """A threshold as a decision used it: its state in words with a tone, and what that means."""

    name: str
    state: str
    tone: str
    words: str


def promised(session: Session, thresholds: Mapping[str, ResolvedThreshold]) -> list[Promised]:
    """What each threshold of a decision promises."""
    ids = [UUID(one.certificate) for one in thresholds.values() if one.certificate]
    rows = session.exec(select(Certificate).where(among(Certificate.id, ids))) if ids else ()
    certificates = {str(row.id): certificate_words(certificate_of(row)) for row in rows}
    return [_promised(name, one, certificates.get(one.certificate or "", "")) for name, one in thresholds.items()]


def _promised(name: str, one: ResolvedThreshold, words: str) -> Promised:
    if one.voided:
        state = "promise withdrawn" if one.certificate else "people decide"
        return Promised(name, state, "warn", f"{one.voided} A person decides.")
    if one.value is None:
        return Promised(name, "not promised", "warn", "It has no value that may be used: a person decides.")
    counts = f"It counts from {percent(one.value)} on"
    if one.certified:
        return Promised(name, "promised", "good", f"{counts}: {words}.")
    said = f"{counts}, as the policy says: no certificate promises how often that is right."
    return Promised(name, "not promised", "warn", said)
