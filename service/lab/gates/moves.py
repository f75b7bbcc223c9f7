"""What passes by itself: certificates put in force, moved, held and lifted, by people with names and reasons.

Every function here first holds decisions off (`versions.alone`): each decision taken after the caller's commit sees
the change, and no two changes cross. What lets more pass than before waits for a second person.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlmodel import Session, col, select

from calibration.promise import ROUNDING
from calibration.thresholds.positions import where
from service.lab.gates import changes, in_force
from service.lab.gates.changes import GateNotNow, InvalidChange, OwnChange
from service.lab.gates.in_force import Scope
from service.lab.recalibration import calibrators
from service.people.access import folded
from service.route.phrases import listed, percent
from service.route.versions import SYSTEM, alone
from service.store.lab_tables import CalibrationRun, Certificate, GateChange, GateHold


def issue(
    session: Session, certificate: Certificate, *, in_use: float | None, by: str, reason: str, at: datetime
) -> Certificate:
    """Put a new certificate, not yet in the session, in force; where it loosens one, it waits for a second person.

    It stands at the one of its `rungs` that the position rule chooses; `threshold`, `n`, `correct` and `lower_bound`
    are set here, from `proved`, which has all of them for each rung. It takes the place of older certificates for the
    same sources, and lifts the alarms that were raised about them.

    Raises:
        InvalidChange: no reason.
    """
    reason = changes.given(reason)
    alone(session)
    certificate.issued_at = at
    _stand_at(certificate, where(certificate.rungs, in_use))
    loosens = in_force.loosened_by(session, certificate) or bool(in_force.answered_by(session, certificate))
    certificate.state = "waiting" if loosens else "live"
    for one in in_force.certificates(session, certificate.axis, certificate.label, "waiting"):
        if set(one.sources) == set(certificate.sources):
            _give_way(session, one, at)
    session.add(certificate)
    session.flush()
    change = GateChange(
        **asdict(in_force.scope_of(certificate)),
        certificate_id=certificate.id,
        action="issue",
        before=in_use,
        after=certificate.threshold,
        loosens=loosens,
        reason=reason,
        by=by,
        at=at,
    )
    changes.note(session, change)
    if not loosens:
        _take_effect(session, certificate, at)
    return certificate


def move(session: Session, scope: Scope, *, threshold: float, by: str, reason: str, at: datetime) -> GateChange:
    """Let a certificate stand at another of its proved positions: at once where that is stricter, else it waits.

    Raises:
        InvalidChange: several certificates are about this, the position was not proved, or no reason.
        GateNotNow: none is, it stands there already, has run out, or a change of it waits.
    """
    reason = changes.given(reason)
    alone(session)
    certificate = _one_live(session, scope)
    position = next((one for one in certificate.rungs if abs(one - threshold) <= ROUNDING), None)
    if position is None:
        places = listed([percent(one) for one in certificate.rungs], "or")
        raise InvalidChange("threshold", f"Nothing was proved at {percent(threshold)}: it may stand at {places}.")
    if abs(position - certificate.threshold) <= ROUNDING:
        raise GateNotNow(f"It stands at {percent(position)} already.")
    if at >= certificate.expires_at:
        raise GateNotNow("The certificate has run out: there is nothing to move until labels prove a new one.")
    loosens = position < certificate.threshold
    change = GateChange(
        **asdict(in_force.scope_of(certificate)),
        certificate_id=certificate.id,
        action="move",
        before=certificate.threshold,
        after=position,
        loosens=loosens,
        reason=reason,
        by=by,
        at=at,
    )
    if loosens:
        changes.require_none_waits(session, col(GateChange.certificate_id) == certificate.id)
    else:
        _stand_at(certificate, position)
        session.add(certificate)
        _tell_what_stands(session, certificate)
    return changes.note(session, change)


def hold(
    session: Session,
    scope: Scope,
    *,
    cause: Literal["alarm", "person"],
    about: Certificate | None = None,
    by: str,
    reason: str,
    at: datetime,
) -> GateChange | None:
    """Let people decide about a label, of a source and language or (None) of all; None where that cause holds it.

    `about` is the certificate whose promise an alarm found broken.

    Raises:
        InvalidChange: no reason.
    """
    reason = changes.given(reason)
    alone(session)
    if any(one.cause == cause for one in in_force.held(session, scope)):
        return None
    certificate_id = about.id if about else None
    row = GateHold(**asdict(scope), certificate_id=certificate_id, cause=cause, reason=reason, by=by, at=at)
    session.add(row)
    session.flush()
    change = GateChange(
        **asdict(scope),
        certificate_id=certificate_id,
        hold_id=row.id,
        action="hold",
        before=about.threshold if about else in_force.in_use(session, scope),
        loosens=False,
        reason=reason,
        by=by,
        at=at,
    )
    return changes.note(session, change)


def lift(session: Session, scope: Scope, *, by: str, reason: str, at: datetime) -> GateChange:
    """Ask that what is held passes by itself again; it waits for a second person.

    Raises:
        InvalidChange: no reason.
        GateNotNow: nothing is held for exactly this source and language, or somebody asked already.
    """
    reason = changes.given(reason)
    alone(session)
    held = in_force.held(session, scope)
    if not held:
        raise GateNotNow("Nothing is held for exactly this label, source and language: name them as the hold does.")
    changes.require_none_waits(session, col(GateChange.hold_id).in_([one.id for one in held]))
    change = GateChange(
        **asdict(scope),
        certificate_id=held[-1].certificate_id,
        hold_id=held[-1].id,
        action="lift",
        after=in_force.in_use(session, scope),
        loosens=True,
        reason=reason,
        by=by,
        at=at,
    )
    return changes.note(session, change)


def approve(session: Session, change_id: UUID, by: str, comment: str | None, at: datetime) -> GateChange:
    """Agree to a change that waits: every decision from then on uses it.

    Raises:
        UnknownGate: there is no such change.
        OwnChange: whoever asked for it, or ran the labels behind it, does not agree to it.
        GateNotNow: it does not wait, or what it was about has changed since.
    """
    change = changes.waiting(session, change_id, by)
    _CARRY_OUT[change.action](session, change, by, at)
    return changes.decided(session, change, "done", by, comment, at)


def decline(session: Session, change_id: UUID, by: str, comment: str | None, at: datetime) -> GateChange:
    """Refuse a change that waits: everything stays as it is.

    Raises:
        UnknownGate, OwnChange, GateNotNow: as `approve`.
    """
    change = changes.waiting(session, change_id, by)
    if change.action == "issue":
        certificate = session.get_one(Certificate, change.certificate_id, populate_existing=True)
        if certificate.state == "waiting":
            certificate.state, certificate.ended_at = "declined", at
            session.add(certificate)
    return changes.decided(session, change, "declined", by, comment, at)


def _put_in_force(session: Session, change: GateChange, by: str, at: datetime) -> None:
    certificate = session.get_one(Certificate, change.certificate_id, populate_existing=True)
    if folded(session.get_one(CalibrationRun, certificate.run_id).created_by) == folded(by):
        raise OwnChange("You ran the labels behind this certificate: somebody else has to agree to it.")
    if certificate.state != "waiting" or at >= certificate.expires_at:
        raise GateNotNow("The certificate has run out, or a newer one took its place: decline the change.")
    certificate.state = "live"
    session.add(certificate)
    _take_effect(session, certificate, at)


def _move_down(session: Session, change: GateChange, _by: str, at: datetime) -> None:
    certificate = session.get_one(Certificate, change.certificate_id, populate_existing=True)
    if certificate.state != "live" or certificate.threshold != change.before or at >= certificate.expires_at:
        raise GateNotNow("The certificate was moved, replaced or has run out since: decline the change.")
    _stand_at(certificate, change.after or 0)
    session.add(certificate)


def _release(session: Session, change: GateChange, _by: str, at: datetime) -> None:
    scope = Scope(change.axis, change.label, change.source, change.language)
    # By their ids, which are made under the lock: an alarm bears the moment at which its week began.
    held = [one for one in in_force.held(session, scope) if one.id < change.id]
    if not held:
        raise GateNotNow("It is not held any more: decline the change.")
    _end(session, held, at)


_CARRY_OUT: Mapping[str, Callable[[Session, GateChange, str, datetime], None]] = {
    "issue": _put_in_force,
    "move": _move_down,
    "lift": _release,
}


def _take_effect(session: Session, certificate: Certificate, at: datetime) -> None:
    _end(session, in_force.answered_by(session, certificate), at)
    for one in in_force.replaced_by(session, certificate):
        _give_way(session, one, at)
    _tell_what_stands(session, certificate)
    calibrators.put_to_use(session, certificate.calibrators.values(), at)


def _tell_what_stands(session: Session, certificate: Certificate) -> None:
    """Let certificates that still wait say what stands now: whoever agrees to one sees how far it loosens."""
    waiting = (col(GateChange.action) == "issue", col(GateChange.state) == "waiting")
    about = (col(GateChange.axis) == certificate.axis, col(GateChange.label) == certificate.label)
    for change in session.exec(select(GateChange).where(*about, *waiting)).all():
        change.before = in_force.in_use(session, Scope(change.axis, change.label, change.source))
        session.add(change)


def _give_way(session: Session, certificate: Certificate, at: datetime) -> None:
    """End a certificate whose place a newer one takes, and what somebody still wanted of it."""
    certificate.state, certificate.ended_at = "superseded", at
    session.add(certificate)
    waiting = (col(GateChange.certificate_id) == certificate.id, col(GateChange.state) == "waiting")
    for change in session.exec(select(GateChange).where(*waiting, col(GateChange.action) != "lift")):
        changes.decided(session, change, "declined", SYSTEM, "A newer certificate took its place.", at)


def _end(session: Session, held: Sequence[GateHold], at: datetime) -> None:
    for one in held:
        one.lifted_at = at
        session.add(one)


def _stand_at(certificate: Certificate, position: float) -> None:
    """Put a certificate at one of its rungs, with what was counted there."""
    there = next(one for one in certificate.proved if abs(one["threshold"] - position) <= ROUNDING)
    certificate.threshold = position
    certificate.n, certificate.correct = there["n"], there["correct"]
    certificate.lower_bound = there["lower_bound"]


def _one_live(session: Session, scope: Scope) -> Certificate:
    found = [
        one
        for one in in_force.certificates(session, scope.axis, scope.label, "live")
        if scope.source in {None, *one.sources} and scope.language in {None, *one.languages}
    ]
    if not found:
        raise GateNotNow("No certificate in force is about this label, source and language.")
    if len({frozenset(one.sources) for one in found}) > 1 and scope.source is None:
        raise InvalidChange("source", "Several certificates are in force, for different sources: name the source.")
    return found[0]
