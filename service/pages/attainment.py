"""How well promises were kept, by team and owner: counted in the database, a rate never without its n and interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.selectable import LateralFromClause
from sqlmodel import Session, col

from service.pages.share import Share, share
from service.store.tables import Timestamp, WorkItem, WorkItemEvent
from service.work.lifecycle import AT_RISK

Promise = Literal["acknowledge", "contact", "resolve"]
PROMISES: Sequence[Promise] = ("acknowledge", "contact", "resolve")
State = Literal["kept", "missed", "running", "at_risk"]
STATES: Sequence[State] = ("kept", "missed", "running", "at_risk")
MOST_OWNERS = 200
Name = tuple[str | None, str | None]  # team, owner


@dataclass(frozen=True, slots=True)
class Kept:
    """One promise: how many were kept, missed and still run, and how many of those that run are at risk now."""

    kept: int = 0
    missed: int = 0
    running: int = 0
    at_risk: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(
            self.kept + other.kept,
            self.missed + other.missed,
            self.running + other.running,
            self.at_risk + other.at_risk,
        )

    @property
    def share(self) -> Share | None:
        """Of those that are decided the share that was kept; None where none is decided yet."""
        return share(self.kept, self.kept + self.missed)


@dataclass(frozen=True, slots=True)
class Attainment:
    """The three promises of one owner, one team or everybody; a name that is None belongs to nobody.

    `items` are those they have now; what was missed counts for whose it was then, who may have none of these.
    """

    team: str | None
    owner: str | None
    items: int
    acknowledge: Kept
    contact: Kept
    resolve: Kept

    def with_missed(self, promise: Promise, number: int) -> "Attainment":
        """With so many more promises missed."""
        more = Kept(missed=number)
        match promise:
            case "acknowledge":
                return replace(self, acknowledge=self.acknowledge + more)
            case "contact":
                return replace(self, contact=self.contact + more)
            case "resolve":
                return replace(self, resolve=self.resolve + more)

    @property
    def most_missed(self) -> int:
        return max(self.acknowledge.missed, self.contact.missed, self.resolve.missed)


def attained(session: Session, since: datetime, now: datetime) -> list[Attainment]:
    """One line for each owner in each team, of the items made since then whose service level promised something."""
    counts = [func.count().filter(in_state(promise, state, now)) for promise in PROMISES for state in STATES]
    team, owner = col(WorkItem.owner_group), col(WorkItem.owner)
    query = select(team, owner, func.count(), *counts).where(*promised(since)).group_by(team, owner)
    lines = {(line.team, line.owner): line for line in (_line(*row) for row in session.execute(query).all())}
    for promise, now_of, then_of, number in _moved(session, since, now):
        for whose, missed in ((now_of, -number), (then_of, number)):
            line = lines.setdefault(whose, Attainment(*whose, 0, Kept(), Kept(), Kept()))
            lines[whose] = line.with_missed(promise, missed)
    return list(lines.values())


def _line(team: str | None, owner: str | None, items: int, *counts: int) -> Attainment:
    acknowledge, contact, resolve = (Kept(*counts[at : at + len(STATES)]) for at in range(0, len(counts), len(STATES)))
    return Attainment(team, owner, items, acknowledge, contact, resolve)


def _moved(session: Session, since: datetime, now: datetime) -> Iterator[tuple[Promise, Name, Name, int]]:
    """How many missed promises are of items that somebody else has now: whose they are, and whose they were."""
    then = when_missed()
    team, owner = col(WorkItem.owner_group), col(WorkItem.owner)
    missed = {promise: in_state(promise, "missed", now) for promise in PROMISES}
    names = (then.c.promise, team, owner, then.c.team, then.c.owner)
    query = (
        select(*names, func.count())
        .select_from(WorkItem)
        .join(then, or_(*(and_(then.c.promise == promise, state) for promise, state in missed.items())))
        .where(*promised(since), or_(*missed.values()))
        .group_by(*names)
    )
    for promise, *whose, number in session.execute(query):
        yield promise, (whose[0], whose[1]), (whose[2], whose[3]), number


def when_missed() -> LateralFromClause:
    """Of an item each `promise` that was missed, with the `team` and `owner` that it was of at that moment.

    Events of before these were kept in them are left out: then it counts for whoever has the item now.
    """
    data = col(WorkItemEvent.data)
    promise = data["target"].astext
    return (
        select(promise.label("promise"), data["group"].astext.label("team"), data["owner"].astext.label("owner"))
        .where(
            col(WorkItemEvent.work_item_id) == col(WorkItem.id),
            col(WorkItemEvent.type) == "missed",
            data["owner"].is_not(None),  # the null of JSON, nobody, is something
        )
        .ext(distinct_on(promise))
        .order_by(promise, col(WorkItemEvent.sequence).desc())  # the newest: an item may have been restored
        .correlate(WorkItem)
        .lateral("then")
    )


def promised(since: datetime) -> Sequence[ColumnElement[bool]]:
    """Items made since then that had a service level and were not taken back."""
    return (
        col(WorkItem.created_at) >= since,
        col(WorkItem.status) != "retracted",
        or_(*(_due(promise).is_not(None) for promise in PROMISES)),
    )


def in_state(promise: Promise, state: State, now: datetime) -> ColumnElement[bool]:
    """Whether a promise stands so; while an item waits for its customer, it is judged by when the clock was stopped."""
    due, met = _due(promise), _met(promise)
    judged = func.coalesce(col(WorkItem.paused_at), now)
    running = and_(met.is_(None), due >= judged)
    match state:
        case "kept":
            return met <= due
        case "missed":
            return or_(met > due, and_(met.is_(None), due < judged))
        case "running":
            return running
        case "at_risk":
            return and_(running, col(WorkItem.paused_at).is_(None), at_risk_from(promise) <= now)


def _due(promise: Promise) -> Mapped[Any]:
    return col(getattr(WorkItem, f"{promise}_due_at"))


def _met(promise: Promise) -> Mapped[Any]:
    return col(getattr(WorkItem, f"{promise}_met_at"))


def at_risk_from(promise: Promise) -> ColumnElement[datetime]:
    """The moment from which a promise is at risk, later by as long as its clock stood (by the wall's clock).

    Items from before that moment was kept are at risk when so much of the time given is gone.
    """
    first = f"(work_item.sla -> 'first_due' ->> '{promise}')::timestamptz"
    plain = f"{first} - ({first} - work_item.created_at) * {1 - AT_RISK}"
    kept = f"(work_item.sla -> 'at_risk' ->> '{promise}')::timestamptz"
    stood = f"work_item.{promise}_due_at - {first}"
    return literal_column(f"coalesce({kept}, {plain}) + ({stood})", Timestamp())


def by_team(lines: Sequence[Attainment]) -> list[Attainment]:
    """The same, added up for each team; who missed most stands first."""
    teams = {line.team for line in lines}
    return in_order([_added([one for one in lines if one.team == team], team) for team in teams])


def everybody(lines: Sequence[Attainment]) -> Attainment:
    """The same, added up."""
    return _added(lines, None)


def in_order(lines: Sequence[Attainment]) -> list[Attainment]:
    """Who missed most stands first."""
    return sorted(lines, key=lambda one: (-one.most_missed, -one.items, one.team or "", one.owner or ""))


def _added(lines: Sequence[Attainment], team: str | None) -> Attainment:
    nothing = Kept()
    return Attainment(
        team,
        None,
        sum(one.items for one in lines),
        sum((one.acknowledge for one in lines), nothing),
        sum((one.contact for one in lines), nothing),
        sum((one.resolve for one in lines), nothing),
    )
