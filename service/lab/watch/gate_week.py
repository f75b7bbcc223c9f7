"""A promise as the week finds it: whether it stands or is to be proved anew, and what there is to label for it."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlmodel import Session, col, func, select

from calibration.promise import Promise
from calibration.words import counted
from service.lab.watch import light_words
from service.lab.watch.trail import live_certificates
from service.lab.watch.what_changed import voided
from service.store.lab_tables import Certificate, GateHold, LabelCard, LabelSample

ENDS_SOON = timedelta(weeks=4)  # a fresh sample takes its time
_TO_PROVE = frozenset({"withdrawn", "void", "ran out", "ends soon"})

State = Literal["none", "stands", "held", "ends soon", "withdrawn", "void", "ran out"]


@dataclass(frozen=True, slots=True)
class PromisedLabel:
    """A label that a policy promises something about."""

    axis: str
    label: str
    promise: Promise

    @property
    def title(self) -> str:
        return light_words.title(self.axis, self.label)


@dataclass(frozen=True, slots=True)
class PromiseNow:
    """How the promise about a label stands; `since` and `ends` are the dates of its certificate.

    none: nothing was ever proved. held: somebody wants people to decide, and what was proved stays proved. `passes`
    says whether some answers pass by themselves: a promise may be withdrawn for one source or language alone.
    """

    state: State
    since: datetime | None = None
    ends: datetime | None = None
    passes: bool = False

    @property
    def stands(self) -> bool:
        """Whether it is to be watched only: it stands, and for a while yet."""
        return self.state in {"stands", "held"}

    @property
    def to_prove(self) -> bool:
        """Whether it is to be proved anew."""
        return self.state in _TO_PROVE


@dataclass(frozen=True, slots=True)
class WeekSample:
    """What there is to label of a gate this week: `size` cards, or none, and then why.

    `renews`: they are to prove a promise anew.
    """

    gate: PromisedLabel
    size: int
    why_none: str
    renews: bool = False


def promise_of(session: Session, axis: str, label: str, at: datetime) -> PromiseNow:
    """How the promise about a label stands at a moment. Of several certificates the worst counts."""
    in_date = [one for one in live_certificates(session, at) if (one.axis, one.label) == (axis, label)]
    if not in_date:
        last = _last(session, axis, label)
        return PromiseNow("ran out", last.issued_at, last.expires_at) if last else PromiseNow("none")
    since, ends = max(one.issued_at for one in in_date), min(one.expires_at for one in in_date)
    held = select(GateHold).where(
        col(GateHold.axis) == axis, col(GateHold.label) == label, col(GateHold.lifted_at).is_(None)
    )
    holds = session.exec(held).all()
    void = [one for one in voided(session, at) if (one.axis, one.label) == (axis, label)]
    passes = all(one.partly for one in void) and all(one.source or one.language for one in holds)
    return PromiseNow(_state({one.cause for one in holds}, ends - at, void=bool(void)), since, ends, passes)


def _last(session: Session, axis: str, label: str) -> Certificate | None:
    found = select(Certificate).where(
        col(Certificate.axis) == axis, col(Certificate.label) == label, col(Certificate.state) == "live"
    )
    return session.exec(found.order_by(col(Certificate.expires_at).desc()).limit(1)).first()


def _state(causes: Collection[str], left: timedelta, *, void: bool) -> State:
    if void:
        return "void"
    if "alarm" in causes:
        return "withdrawn"
    if left < ENDS_SOON:
        return "ends soon"
    return "held" if causes else "stands"


def left_of(session: Session, gate: PromisedLabel, sample: LabelSample, *, renews: bool) -> WeekSample:
    """What is left to label of a sample that is there already."""
    states = select(LabelCard.state, func.count()).where(col(LabelCard.sample_id) == sample.id)
    waiting = Counter(dict(session.exec(states.group_by(col(LabelCard.state))).all()))
    left = waiting["open"] + waiting["third"] if sample.state == "open" else 0
    disputed = counted(waiting["disputed"], "dispute waits", "disputes wait")
    why_none = f"{disputed} to be settled" if waiting["disputed"] else "all of this week's answers are labelled"
    return WeekSample(gate, left, "" if left else why_none, renews)
