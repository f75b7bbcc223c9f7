"""What one transaction knows of people: their accounts, how many open items they have, what bypasses have used up."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import any_, exists, literal, text
from sqlmodel import Session, col, func, select

from service.people.availability import StandIn, away, hours_of, present, substitute_for, zone_of
from service.route.business_time import NeverOpen, time_on
from service.route.clocks import ALWAYS, Calendar
from service.route.policy import People, Policy
from service.store.tables import Notice, User, WorkItem
from service.work.choice import Candidate
from service.work.lifecycle import UNRESOLVED
from service.work.notices import News

_LOCK = 0x68656568  # any constant: whoever counts open items or bypasses assigns alone until the transaction ends


class Staff:
    """People as they are at `at`, read once for all items of a transaction.

    Counts hold what is in the database and what was given out since; an idea in the backlog is nobody's open item, as
    nothing there is due. They are read under one lock, which is taken when a count is first asked for: two workers
    cannot both give away the last place.
    """

    def __init__(self, session: Session, at: datetime) -> None:
        self.session, self.at = session, at
        self._users: dict[str, User | None] = {}
        self._stored: dict[str, int] = {}
        self._given: Counter[str] = Counter()
        self._passed: dict[str, int] = {}
        self._works: dict[tuple[str, str | None], datetime] = {}
        self._told: set[tuple[str, str]] = set()
        self._left_out: set[str] = set()
        self._locked = False
        self.news: list[News] = []  # what admins are to be told of it, at the transaction's end

    def meet(self, names: Collection[str]) -> None:
        """Read the accounts of these people, as far as they are not known yet."""
        new = [name for name in names if name not in self._users]
        if new:
            found = self.session.exec(select(User).where(col(User.name).in_(new)))
            self._users.update(dict.fromkeys(new))
            self._users.update({user.name: user for user in found})

    def leave_out(self, name: str) -> None:
        """Give nothing to somebody, although they are there: it is their work that is given away."""
        self._left_out.add(name)

    def account(self, name: str) -> User | None:
        """Somebody's account, None where they have none; they must have been met."""
        return self._users[name]

    def people(self) -> dict[str, User]:
        """Everybody met so far who has an account."""
        return {name: user for name, user in self._users.items() if user is not None}

    def stand_in(self, name: str) -> StandIn:
        """Somebody who was met, or who stands in for them while they are not there."""
        following = self._users[name]
        while following is not None and following.substitute is not None and not present(following, self.at):
            if following.substitute in self._users:
                break
            self.meet([following.substitute])
            following = self._users[following.substitute]
        return substitute_for(name, self.people(), self.at)

    def away(self, name: str) -> str | None:
        """Why somebody cannot be given anything now, in words; None where they can."""
        user = self._users[name]
        if name in self._left_out:
            return "is who had it"
        if user is None:
            return "has no account"
        if not user.active:
            return "can no longer sign in"
        if not away(user, self.at):
            return None
        return "is away" if user.absent_until is None else f"is away until {_day(user.absent_until, zone_of(user))}"

    def candidates(self, people: People, pool: Collection[str], policy: Policy) -> tuple[Candidate, ...]:
        """The people of a pool as candidates; their items are counted where the group has a capacity or skills."""
        counts = people.capacity is not None or bool(people.skills)
        if people.capacity is not None:
            self._alone()
        if counts:
            self._count(people.people)
        return tuple(
            Candidate(
                name,
                order,
                self._at_work(name, people, policy) if counts else self.at,
                self._stored[name] + self._given[name] if counts else 0,
                self.away(name),
            )
            for order, name in enumerate(people.people)
            if name in pool
        )

    def give(self, name: str) -> None:
        """Note that somebody has one more open item than the database knows."""
        self._given[name] += 1

    def used(self, bypass: str, to: str) -> int:
        """How many items have gone through a bypass since midnight in the zone of who they go to (else UTC)."""
        if bypass not in self._passed:
            self._alone()
            user = self._users[to]
            zone = UTC if user is None else zone_of(user)
            midnight = datetime.combine(self.at.astimezone(zone).date(), time(), zone)
            query = select(func.count()).where(col(WorkItem.bypass) == bypass, col(WorkItem.created_at) >= midnight)
            self._passed[bypass] = self.session.exec(query).one()
        return self._passed[bypass]

    def use(self, bypass: str) -> None:
        """Note that one more item has gone through a bypass."""
        self._passed[bypass] += 1

    def _alone(self) -> None:
        if not self._locked:
            self.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            self._locked = True
            self._stored.clear()  # what was read before may have changed

    def _count(self, names: Collection[str]) -> None:
        new = [name for name in names if name not in self._stored]
        if new:
            query = (
                select(WorkItem.owner, func.count())
                .where(
                    col(WorkItem.owner).in_(new),
                    col(WorkItem.status).in_(UNRESOLVED),
                    col(WorkItem.kind) != "backlog_item",
                )
                .group_by(col(WorkItem.owner))
            )
            self._stored.update(dict.fromkeys(new, 0))
            self._stored.update({owner: count for owner, count in self.session.exec(query) if owner is not None})

    def _at_work(self, name: str, people: People, policy: Policy) -> datetime:
        """When somebody works next: by their own hours, else by the group's calendar, else now."""
        key = (name, people.calendar)
        if key not in self._works:
            user = self._users[name]
            calendar = None if user is None else hours_of(user)
            if calendar is None and people.calendar is not None and people.calendar != ALWAYS:
                calendar = _here(policy.calendars[people.calendar], user)
            self._works[key] = _next_open(calendar, self.at)
        return self._works[key]

    def admins(self, once_key: str) -> Iterator[str]:
        """Everybody who may mend a policy and has not been told this yet; `once_key` goes before their name."""
        told = exists().where(col(Notice.once_key) == literal(once_key) + col(User.name))
        may = literal("admin") == any_(col(User.roles))
        yield from self.session.exec(select(User.name).where(col(User.active), may, ~told).order_by(col(User.name)))

    def first(self, kind: str, about: str) -> bool:
        """Whether this is asked for the first time: what is wrong with every item is told once."""
        new = (kind, about) not in self._told
        self._told.add((kind, about))
        return new


def _next_open(calendar: Calendar | None, at: datetime) -> datetime:
    try:
        return time_on(calendar).next_open(at)
    except NeverOpen:
        return datetime.max.replace(tzinfo=UTC)


def _here(calendar: Calendar, user: User | None) -> Calendar:
    """A calendar in its zone, which may be that of whose it is."""
    zone = calendar.zone if calendar.zone != "owner" else (user.zone if user else None) or "UTC"
    return calendar.model_copy(update={"zone": zone})


def _day(moment: datetime, zone: ZoneInfo) -> str:
    day = moment.astimezone(zone)
    return f"{day:%a} {day.day} {day:%b}"
