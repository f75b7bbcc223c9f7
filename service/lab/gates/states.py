"""How every gate stands now: where a label passes by itself, where people decide and why, and what was changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from service.lab.labels.evidence import Binding, newest_binding
from service.route.certificates import Gate, Gates, gates
from service.route.decide import ResolvedThreshold
from service.route.policy import Policy
from service.route.versions import active_version, fetch
from service.source_maps import Calibrators, live
from service.store.lab_tables import Certificate, GateChange, GateHold

State = Literal["promised", "uncertified", "review"]
MOST_HISTORY = 50
NO_VALUE = "There is no certificate, and the policy gives no value to use without one."


@dataclass(frozen=True, slots=True)
class Cell:
    """A threshold of the policy for everyone, for a source and language; None stands for all that are not named."""

    threshold: str
    source: str | None
    language: str | None
    state: State
    value: float | None
    certificate: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class GateState:
    """A label: how it stands for which source and language, and who changed what. History begins with the newest."""

    axis: str
    label: str
    cells: Sequence[Cell]
    certificates: Sequence[Certificate]
    holds: Sequence[GateHold]
    waiting: Sequence[GateChange]
    history: Sequence[GateChange]


@dataclass(frozen=True, slots=True)
class _Now:
    """What stands now: the policy for everyone, and how a text would be read."""

    policy: Policy
    standing: Gates
    reading: Binding | None
    calibrators: Calibrators
    at: datetime

    def resolve(self, gate: Gate, source: str, language: str) -> ResolvedThreshold:
        by = self.reading.under(self.calibrators.name(source)) if self.reading else None
        return gate.resolve(source, language, by, self.at)


def gate_states(session: Session, at: datetime) -> Sequence[GateState]:
    """Every label that a threshold, a certificate or a hold is about."""
    policy, standing = fetch(session, active_version(session)), gates(session)
    now = _Now(policy, standing, *_reading(session), at)
    about: set[tuple[str, str]] = {(one.axis, one.label) for one in policy.thresholds.values()}
    about |= {(one.axis, one.label) for one in standing.certificates}
    about |= {(one.axis, one.label) for one in standing.holds}
    changes = session.exec(select(GateChange).order_by(col(GateChange.at).desc(), col(GateChange.id).desc())).all()
    about |= {(one.axis, one.label) for one in changes if one.state == "waiting"}
    return [_state(session, now, axis, label, changes) for axis, label in sorted(about)]


def cells(session: Session, policy: Policy, at: datetime) -> Sequence[Cell]:
    """How each threshold of a policy stands now, whether or not it decides."""
    now = _Now(policy, gates(session), *_reading(session), at)
    return [cell for name, gate in now.standing.over(policy).items() for cell in _cells(now, name, gate)]


def _reading(session: Session) -> tuple[Binding | None, Calibrators]:
    newest = newest_binding(session)
    if newest is None:
        return None, Calibrators()
    return newest, live(session, newest.classifier, newest.model_digest)


def _state(session: Session, now: _Now, axis: str, label: str, changes: Sequence[GateChange]) -> GateState:
    certificates = session.exec(
        select(Certificate)
        .where(
            col(Certificate.axis) == axis,
            col(Certificate.label) == label,
            col(Certificate.state).in_(["live", "waiting"]),
        )
        .order_by(col(Certificate.issued_at).desc(), col(Certificate.id).desc())
    ).all()
    holds = session.exec(
        select(GateHold)
        .where(col(GateHold.axis) == axis, col(GateHold.label) == label, col(GateHold.lifted_at).is_(None))
        .order_by(col(GateHold.at))
    ).all()
    mine = [one for one in changes if (one.axis, one.label) == (axis, label)]
    cells = [cell for name, gate in _thresholds(now, axis, label).items() for cell in _cells(now, name, gate)]
    waiting = [one for one in mine if one.state == "waiting"]
    return GateState(axis, label, cells, certificates, holds, waiting, mine[:MOST_HISTORY])


def _thresholds(now: _Now, axis: str, label: str) -> Mapping[str, Gate]:
    over = now.standing.over(now.policy)
    named = now.policy.thresholds.items()
    return {name: over[name] for name, one in named if (one.axis, one.label) == (axis, label)}


def _cells(now: _Now, name: str, gate: Gate) -> Iterator[Cell]:
    """A cell for each source and language that a certificate or a hold names, and one for all others."""
    sampled = {(source, text) for one in gate.certificates for source in one.sources for text in one.languages}
    for source, language in sorted(sampled):
        yield _cell(name, source, language, now.resolve(gate, source, language))
    for hold in gate.holds:
        if (hold.source, hold.language) not in {*sampled, (None, None)}:
            held = ResolvedThreshold(None, certificate=hold.certificate, voided=hold.words)
            yield _cell(name, hold.source, hold.language, held)
    everything = [hold.words for hold in gate.holds if (hold.source, hold.language) == (None, None)]
    others = ResolvedThreshold(None, voided=everything[0]) if everything else ResolvedThreshold(gate.uncertified)
    yield _cell(name, None, None, others)


def _cell(name: str, source: str | None, language: str | None, value: ResolvedThreshold) -> Cell:
    state: State = "promised" if value.certified else "review" if value.value is None else "uncertified"
    reason = (value.voided or NO_VALUE) if state == "review" else None
    return Cell(name, source, language, state, value.value, value.certificate, reason)
