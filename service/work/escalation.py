"""Escalation: which level of a missed promise goes off next, whom it reaches, and that it goes off once."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select

from service.route.business_time import Time
from service.route.clocks import TARGETS, Escalation, Target
from service.route.receipt import decided_on
from service.route.versions import SYSTEM, fetch
from service.store.tables import Decision, User, WorkItem, WorkItemEvent
from service.work.notices import News, tell
from service.work.reach import Reached, Surroundings
from service.work.snapshot import snapshot

_MISSED: Mapping[Target, str] = {
    "acknowledge": "Nobody has taken this up in time",
    "contact": "The customer was not reached in time",
    "resolve": "This is not resolved in time",
}


def next_level(row: WorkItem, history: Sequence[WorkItemEvent]) -> tuple[int, Escalation, datetime] | None:
    """The level that goes off next: its number from 1, what it says, and the moment; None where none is left.

    The moment is `after` in the item's own business time from when the first promise fell due that was missed and is
    not met yet; while the clocks stand still none goes off, and that time does not count. Looks at the events `missed`
    (data `target`), `escalated` (data `level`), `acknowledge_escalation`, `wait` and `resume`; of an item that was
    restored after a retraction only at those since, for its levels began anew. A moment that is past is no error:
    levels a clock has jumped over go off one after the other, each asked for when the one before is in `history`.
    """
    life = _since_restored(history)
    missed, kept = _missed(life), snapshot(row)
    if kept is None or not missed or row.paused_at is not None or row.status in {"resolved", "retracted"}:
        return None
    open_ones = [target for target in missed if getattr(row, f"{target}_met_at") is None]
    begun = min(getattr(row, f"{target}_due_at") for target in open_ones or missed)
    gone = max((event.data["level"] for event in life if event.type == "escalated"), default=0)
    stopped = {"met": not open_ones, "acknowledged": _acknowledged(life), "resolved": False}
    for number, level in enumerate(kept.escalate, 1):
        if number > gone and not stopped[level.stop]:
            return number, level, _past_pauses(kept.time, begun, kept.time.add(begun, level.after), life)
    return None


def _past_pauses(time: Time, begun: datetime, moment: datetime, history: Sequence[WorkItemEvent]) -> datetime:
    """A moment counted from `begun`, later by the open time the clocks stood still before it."""
    stopped: datetime | None = None
    for event in history:
        if event.type == "wait":
            stopped = event.at
        elif event.type == "resume" and stopped is not None:
            if begun < event.at and stopped < moment:
                moment = time.later(event.at, time.between(max(begun, stopped), moment))
            stopped = None
    return moment


def _since_restored(history: Sequence[WorkItemEvent]) -> Sequence[WorkItemEvent]:
    began = max((place for place, event in enumerate(history) if event.type == "restored"), default=-1)
    return history[began + 1 :]


def _missed(history: Sequence[WorkItemEvent]) -> list[Target]:
    told = {event.data["target"] for event in history if event.type == "missed"}
    return [target for target in TARGETS if target in told]


def _acknowledged(history: Sequence[WorkItemEvent]) -> bool:
    return any(event.type == "acknowledge_escalation" for event in history)


def escalate(session: Session, row: WorkItem, number: int, level: Escalation, at: datetime) -> WorkItemEvent | None:
    """Let a level go off: an event, once, and notices to the people; the row is locked and committed by the caller.

    Returns the event, for the caller's history; None where the level had gone off before.
    """
    reached = surroundings(session, row, everybody(session), at).reach(level.to)
    life, last = _standing(session, row)
    once_key = f"escalated:{number}" if life == 1 else f"escalated:{number}:{life}"
    words = level.notice or _words(row, at)
    event = WorkItemEvent(
        work_item_id=row.id,
        sequence=last + 1,
        type="escalated",
        actor=SYSTEM,
        data={
            "level": number,
            "to": level.to,
            "told": list(reached.people),
            "notice": words,
            "because": reached.because,
        },
        once_key=once_key,
        at=at,
    )
    once = (
        insert(WorkItemEvent)
        .values(event.model_dump())
        .on_conflict_do_nothing(index_elements=["work_item_id", "once_key"])
    )
    if session.scalars(once.returning(col(WorkItemEvent.sequence))).first() is None:
        return None
    tell(session, _news(row, once_key, number, level, words, reached), at)
    return event


def everybody(session: Session) -> dict[str, User]:
    """All accounts by name."""
    return {user.name: user for user in session.exec(select(User))}


def surroundings(session: Session, row: WorkItem, people: Mapping[str, User], at: datetime) -> Surroundings:
    """What decides whom an item's escalations reach: the policy and the case it was made on, and all accounts."""
    decision = session.get_one(Decision, row.decision_id)
    case, _ = decided_on(decision.receipt)
    return Surroundings(row.owner, row.owner_group, fetch(session, decision.policy_version), case, people, at)


def _standing(session: Session, row: WorkItem) -> tuple[int, int]:
    """Which life of the item this is, from 1, and the sequence of its last event."""
    session.flush()
    restored = func.count().filter(col(WorkItemEvent.type) == "restored")
    query = select(restored, func.max(WorkItemEvent.sequence)).where(WorkItemEvent.work_item_id == row.id)
    lives, last = session.exec(query).one()
    return 1 + lives, last or 0


def _words(row: WorkItem, at: datetime) -> str:
    """What was promised first of all that is late."""
    open_since = {
        target: due
        for target in TARGETS
        if (due := getattr(row, f"{target}_due_at")) is not None and getattr(row, f"{target}_met_at") is None
    }
    late = [target for target, due in open_since.items() if due <= at]
    return _MISSED[min(late, key=open_since.__getitem__)] if late else "A promise was not kept"


def _news(row: WorkItem, once_key: str, number: int, level: Escalation, words: str, reached: Reached) -> list[News]:
    return [
        News(
            name,
            "escalated",
            f"{words}: {row.title}",
            f"{once_key}:{row.id}:{name}",
            row.id,
            row.harm,
            number,
            level.any_hour,
        )
        for name in reached.people
    ]
