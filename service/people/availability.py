"""Who is there, when they may be told something, and who stands in for them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from service.route.business_time import NeverOpen, time_on
from service.route.clocks import Calendar
from service.store.tables import User

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who is reached in somebody's place, None where nobody is; `because` says step by step why it is not them."""

    person: str | None
    because: tuple[str, ...] = ()


def away(user: User, at: datetime) -> bool:
    """Whether somebody is absent at this moment; an absence without an end lasts until they end it."""
    if user.absent_from is None or at < user.absent_from:
        return False
    return user.absent_until is None or at < user.absent_until


def present(user: User, at: datetime) -> bool:
    """Whether somebody has an open account and is not absent."""
    return user.active and not away(user, at)


def reachable(user: User, at: datetime) -> bool:
    """Whether somebody is there, and still will be when their hours begin: who is told on Monday is not away then."""
    return present(user, at) and not away(user, time_on(hours_of(user)).next_open(at))


def substitute_for(name: str, people: Mapping[str, User], at: datetime) -> StandIn:
    """Follow substitutes from somebody to the first who can be reached: themselves, where they can."""
    because: list[str] = []
    met: set[str] = set()
    following: str | None = name
    while following is not None:
        user = people.get(following)
        if user is None:
            return StandIn(None, (*because, f"{following} has no account"))
        if reachable(user, at):
            return StandIn(following, tuple(because))
        if following in met:
            return StandIn(None, (*because, "they stand in for each other, and nobody is there"))
        met.add(following)
        because.append(f"{following} is away" if user.active else f"{following} can no longer sign in")
        following = user.substitute
    return StandIn(None, (*because, "nobody stands in"))


def zone_of(user: User) -> ZoneInfo:
    """Where somebody's day begins and ends: their zone, UTC where they have set none."""
    return ZoneInfo(user.zone or "UTC")


def hours_of(user: User) -> Calendar | None:
    """When somebody may be told something, None: at any time."""
    return None if user.hours is None else Calendar(zone=user.zone or "UTC", hours=user.hours)


def opening(user: User, at: datetime) -> datetime:
    """The first moment from `at` on that is within somebody's hours and not in their absence.

    Of an absence without an end nobody knows better: the answer is a day later, to be asked again then.
    """
    back = at
    if away(user, at):
        back = user.absent_until or at + _DAY
    try:
        moment = time_on(hours_of(user)).next_open(back)
    except NeverOpen:  # they are back in the last days of the year 9998, where time ends
        return back
    if user.absent_until is not None and away(user, moment):  # it began after `at`
        return opening(user, user.absent_until)
    return moment


def digest(user: User, at: datetime) -> datetime:
    """When somebody is told what does not press, from `at` on: with their digest, without one as soon as they may be.

    Outside their hours the digest waits for their next opening.
    """
    if user.digest is None:
        return opening(user, at)
    zone, hour = zone_of(user), time.fromisoformat(user.digest)
    start = user.absent_until if away(user, at) and user.absent_until is not None else at
    day = start.astimezone(zone).date() - _DAY
    while (moment := opening(user, datetime.combine(day, hour, zone))) < start:
        day += _DAY
    return moment


def day_of(user: User, at: datetime) -> tuple[datetime, datetime]:
    """The day that it is for somebody at this moment: its beginning, and the next one's."""
    zone = zone_of(user)
    today = at.astimezone(zone).date()
    first, following = (datetime.combine(day, time.min, zone) for day in (today, today + _DAY))
    return first, following
