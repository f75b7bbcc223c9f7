"""Handing an item over: given at once, or offered and theirs once they accept it; and who is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from service.route.business_time import PLAIN_TIME
from service.route.clocks import Duration
from service.route.versions import SYSTEM
from service.store.tables import WorkItem, WorkItemEvent
from service.work import notices
from service.work.events import Accept, Assign, Decline, Event, HandOff, ReviewBypass
from service.work.items import record_event
from service.work.lifecycle import Impossible
from service.work.snapshot import snapshot
from service.work.ticking import history_of, schedule

OFFER = Duration(amount=4, unit="h")  # how long an offer stands where the service level does not say


@dataclass(frozen=True, slots=True)
class Standing:
    """Whose an item is, to whom it is offered, and which bypass brought it there."""

    owner: str | None
    offered_to: str | None = None
    bypass: str | None = None


def happens(session: Session, row: WorkItem, event: Event, *, actor: str, at: datetime) -> None:
    """Let an event happen to an item (its row locked by the caller), and tell whom it concerns; the caller commits.

    Raises:
        Impossible: the item's state, or who the actor is, does not allow it; nothing is changed.
    """
    before = Standing(row.owner, row.offered_to, row.bypass)
    require(before, event, actor)
    if isinstance(event, ReviewBypass):
        _require_first(session, row)
    due = _offer_due(row, at) if isinstance(event, HandOff) else None
    noted = _noted(before, event, actor) | ({} if due is None else {"due_at": due.isoformat()})
    record_event(session, row, event, actor=actor, at=at, noted=noted)
    if due is not None:
        row.offer_due_at = due
        schedule(session, row, history_of(session, row))
    notices.tell(session, list(_news(before, row, event, actor)), at)


def require(standing: Standing, event: Event, actor: str) -> None:
    """Refuse what is not the actor's to say.

    Raises:
        Impossible: with what to do instead.
    """
    offered = standing.offered_to
    match event:
        case HandOff() if offered is not None:
            raise Impossible(
                f"The item is offered to {offered} already: its owner may take that back with 'decline', "
                "or give it to somebody at once with 'assign'."
            )
        case HandOff() if event.owner == standing.owner:
            raise Impossible(f"The item is {event.owner}'s already: offer it to somebody else.")
        case Accept() | Decline() if offered is None:
            raise Impossible(f"The item is not offered to anybody: '{event.type}' answers a 'hand_off'.")
        case Accept() if actor != offered:
            raise Impossible(f"The item is offered to {offered}: only they may accept it; 'assign' gives it at once.")
        case Decline() if actor not in {offered, standing.owner}:
            raise Impossible(
                f"The item is offered to {offered}: they may decline it, and its owner, {standing.owner or 'nobody'}, "
                "may take the offer back; 'assign' gives it to somebody at once."
            )
        case ReviewBypass() if standing.bypass is None:
            raise Impossible("The item did not bypass its group: there is nothing to review.")
        case _:
            return


def expire(session: Session, row: WorkItem, at: datetime) -> None:
    """End an offer nobody took up until `row.offer_due_at`; the item (its row locked) stays with its owner.

    An offer that was answered, or that is not due yet, is left alone: whoever fires twice or too early changes nothing.
    """
    offered, due = row.offered_to, row.offer_due_at
    if offered is None or due is None or due > at:
        return
    last = session.exec(select(func.max(WorkItemEvent.sequence)).where(col(WorkItemEvent.work_item_id) == row.id)).one()
    session.add(
        WorkItemEvent(
            work_item_id=row.id,
            sequence=(last or 0) + 1,
            type="hand_off_lapsed",
            actor=SYSTEM,
            data={"offered_to": offered, "due_at": due.isoformat()},
            once_key=f"hand_off_lapsed:{due.isoformat()}",
            at=at,
        )
    )
    row.offered_to, row.offer_due_at = None, None
    row.version += 1
    session.add(row)
    session.flush()
    stays = f"it stays with {row.owner}" if row.owner else "it still has no owner"
    told = [name for name in (row.owner, offered) if name is not None]
    words = f"{offered} did not take it up in time, so {stays}: {row.title}"
    notices.tell(session, [_one(row, name, "lapsed", words) for name in told], at)


def _require_first(session: Session, row: WorkItem) -> None:
    said = session.exec(
        select(WorkItemEvent).where(
            col(WorkItemEvent.work_item_id) == row.id, col(WorkItemEvent.type) == "review_bypass"
        )
    ).first()
    if said is not None:
        raise Impossible(f"{said.actor} has reviewed this bypass already: it is said once.")


def _offer_due(row: WorkItem, at: datetime) -> datetime:
    """Until when an offer stands, on the calendar of the item's service level."""
    kept = snapshot(row)
    if kept is None:
        return PLAIN_TIME.add(at, OFFER)
    return kept.time.add(at, kept.hand_off or OFFER)


def _noted(before: Standing, event: Event, actor: str) -> dict[str, object]:
    """What the history keeps beside the words of the event."""
    match event:
        case Assign() if before.offered_to is not None:
            return {"from": before.owner, "withdrawn": before.offered_to}
        case Assign():
            return {"from": before.owner}
        case Accept():
            return {"owner": before.offered_to, "from": before.owner}
        case Decline():
            return {"offered_to": before.offered_to, "withdrawn": actor != before.offered_to}
        case ReviewBypass():
            return {"bypass": before.bypass}
        case _:
            return {}


def _news(before: Standing, row: WorkItem, event: Event, actor: str) -> Iterator[notices.News]:
    """Who is told of it: never who did it."""
    offered, owner = before.offered_to, before.owner
    match event:
        case HandOff() if event.owner != actor:
            yield _one(row, event.owner, "offered", f"{actor} offers you: {row.title}")
        case Accept() if owner is not None and owner != actor:
            yield _one(row, owner, "accepted", f"{actor} has taken it over: {row.title}")
        case Decline() if actor == offered:
            if owner is not None and owner != actor:
                yield _one(row, owner, "declined", f"{actor} cannot take it: {event.comment} - {row.title}")
        case Assign() if event.owner not in {actor, owner}:
            yield _one(row, event.owner, "assigned", row.title)
        case _:
            pass
    answered = isinstance(event, Accept) or actor == offered
    if offered is not None and row.offered_to is None and not answered and row.owner != offered:
        yield withdrawn(row, offered)


def withdrawn(row: WorkItem, offered: str) -> notices.News:
    """What somebody is told who was offered an item that has gone elsewhere."""
    return _one(row, offered, "withdrawn", f"It is no longer offered to you: {row.title}")


def _one(row: WorkItem, person: str, kind: str, words: str) -> notices.News:
    return notices.News(person, kind, words, f"{kind}:{row.id}:{row.version}:{person}", row.id, row.harm)
