"""The clocks of a new item: its targets as moments, and the snapshot that keeps a later policy from moving them."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from service.route.business_time import NeverOpen, time_on
from service.route.clocks import ALWAYS, OWNER, Calendar, Sla, Target
from service.route.decide import Plan
from service.route.policy import Policy
from service.work.snapshot import Snapshot, at_risk_from


@dataclass(frozen=True, slots=True)
class Started:
    """What an item keeps of its service level: the promise as it was then, due times, when to look at it first."""

    snapshot: Snapshot | None = None
    due: dict[Target, datetime] = field(default_factory=dict)
    tick_at: datetime | None = None


def start(policy: Policy, plan: Plan, *, tier: str | None, zone: str | None, at: datetime) -> Started:
    """Start the clocks of a planned item at `at`; `tier` is the customer's, `zone` the owner's.

    A calendar that goes by its owner's zone goes by UTC where the owner has none, or nobody owns the item yet; a note
    in the item's history says so. It stays with the zone it began with, whoever owns the item later. A calendar that is
    never open long enough, from before checking refused it, gives way to plain time, with a note too.
    """
    sla = policy.slas.get(plan.sla) if plan.sla else None
    if sla is None or plan.sla is None:
        return Started()
    calendar = policy.calendars.get(sla.calendar)  # None is `always`
    notes: tuple[str, ...] = ()
    if calendar is not None and calendar.zone == OWNER:
        known, notes = _zone_of_owner(zone, sla.calendar)
        calendar = calendar.model_copy(update={"zone": known})
    try:
        return _started(plan, plan.sla, sla, calendar, notes, tier, at)
    except NeverOpen:
        note = f"The calendar {sla.calendar} is never open for as long as {plan.sla} asks: its time runs day and night."
        return _started(plan, plan.sla, sla.model_copy(update={"calendar": ALWAYS}), None, (note,), tier, at)


def _started(
    plan: Plan, name: str, sla: Sla, hours: Calendar | None, notes: tuple[str, ...], tier: str | None, at: datetime
) -> Started:
    time = time_on(hours)
    due = {target: time.add(at, duration) for target, duration in sla.targets(plan.kind, tier).items()}
    at_risk = {target: at_risk_from(time, at, moment) for target, moment in due.items()}
    kept = Snapshot(
        name=name,
        calendar=sla.calendar,
        hours=hours,
        first_due=due,
        at_risk=at_risk,
        escalate=sla.escalate,
        hand_off=sla.hand_off,
        notes=notes,
    )
    return Started(kept, due, min(at_risk.values(), default=None))


def _zone_of_owner(zone: str | None, calendar: str) -> tuple[str, tuple[str, ...]]:
    try:
        return ZoneInfo(zone or "").key, ()
    except (LookupError, ValueError, OSError):
        but = f"{zone} is no time zone" if zone else "there is none"
        return "UTC", (f"The calendar {calendar} goes by its owner's time zone, but {but}: its hours are in UTC.",)
