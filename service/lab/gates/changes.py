"""The record of what was changed about what passes by itself: asked for, done at once or waiting, decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from service.people.access import folded
from service.route.versions import alone
from service.store import audit
from service.store.lab_tables import GateChange

MOST_WORDS = 2_000  # characters of a reason


class UnknownGate(Exception):
    """There is no such change."""


class InvalidChange(Exception):
    """What was asked for cannot be; the message says why. `field` is the one to mend."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class GateNotNow(Exception):
    """What stands now does not allow this."""


class OwnChange(Exception):
    """Nobody agrees to a change of their own."""


def given(reason: str) -> str:
    """A reason as it is kept.

    Raises:
        InvalidChange: there is none, or it is too long.
    """
    said = reason.strip()
    if not said:
        raise InvalidChange("reason", "Say why: whoever looks at it later has to understand it.")
    if len(said) > MOST_WORDS:
        raise InvalidChange("reason", f"Say why in at most {MOST_WORDS:,} characters.")
    return said


def require_none_waits(session: Session, which: ColumnElement[bool]) -> None:
    """Refuse where a change of the same waits already.

    Raises:
        GateNotNow: naming who asked for it.
    """
    waits = session.exec(select(GateChange.by).where(which, col(GateChange.state) == "waiting")).first()
    if waits is not None:
        raise GateNotNow(f"A change that {waits} asked for waits already: agree to it or decline it first.")


def note(session: Session, change: GateChange) -> GateChange:
    """Keep a new change: what loosens waits for a second person, everything else is done."""
    change.state = "waiting" if change.loosens else "done"
    session.add(change)
    session.flush()
    _tell_auditors(session, change.by, f"gate.{change.action}", change)
    return change


def waiting(session: Session, change_id: UUID, by: str) -> GateChange:
    """A change that waits for somebody like `by` to decide; decisions are held off from here on.

    Raises:
        UnknownGate, GateNotNow, OwnChange: as `gates.approve`.
    """
    alone(session)
    change = session.get(GateChange, change_id, populate_existing=True)
    if change is None:
        raise UnknownGate("There is no such change.")
    if change.state != "waiting":
        raise GateNotNow(f"This change does not wait: it is {change.state} already.")
    if folded(change.by) == folded(by):
        raise OwnChange("Nobody decides on a change of their own: somebody else has to look at it.")
    return change


def decided(session: Session, change: GateChange, state: str, by: str, comment: str | None, at: datetime) -> GateChange:
    """Keep what somebody decided about a change that waited."""
    change.state, change.decided_by, change.decided_at, change.comment = state, by, at, comment
    session.add(change)
    session.flush()
    _tell_auditors(session, by, f"gate.{'approved' if state == 'done' else state}", change)
    return change


def _tell_auditors(session: Session, by: str, action: str, change: GateChange) -> None:
    told: dict[str, Any] = change.model_dump(
        mode="json", include={"axis", "label", "source", "language", "action", "before", "after", "state"}
    )
    about = {"certificate": change.certificate_id, "hold": change.hold_id}
    ids = {name: str(one) for name, one in about.items() if one is not None}
    audit.record(session, by, action, str(change.id), change=told, **ids)
