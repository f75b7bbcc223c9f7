"""What an item keeps of its service level, and its clocks as they stand by it."""

from datetime import datetime

from pydantic import ConfigDict, Field

from service.route.business_time import PLAIN_TIME, Time, time_on
from service.route.clocks import ALWAYS, TARGETS, Calendar, Duration, Escalation, Target
from service.route.expression import Shape
from service.store.tables import WorkItem
from service.work.lifecycle import AT_RISK, Clock


class Snapshot(Shape):
    """The promise as it was when the item was made: no later policy changes it.

    `calendar` is the name of the calendar and `hours` the calendar itself, its zone a real one; None is `always`.
    `first_due` and `at_risk` are moments without any pause. Of what is written to `work_item.sla`, older items have no
    `hours` and `at_risk`, and hold the targets as well, which nobody asks for any more.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    calendar: str = ALWAYS
    hours: Calendar | None = None
    first_due: dict[Target, datetime]
    at_risk: dict[Target, datetime] = Field(default_factory=dict)
    escalate: tuple[Escalation, ...] = ()
    hand_off: Duration | None = None
    notes: tuple[str, ...] = ()

    @property
    def time(self) -> Time:
        """The time in which its clocks run and its escalations count."""
        return time_on(self.hours)


def snapshot(row: WorkItem) -> Snapshot | None:
    """The promise of an item, None where it has none."""
    return None if row.sla is None else Snapshot.model_validate(row.sla)


def clocks(row: WorkItem) -> tuple[Clock | None, Clock | None, Clock | None]:
    """The acknowledge, contact and resolve promises of an item."""
    kept = snapshot(row)
    acknowledge, contact, resolve = (_clock(row, kept, target) for target in TARGETS)
    return acknowledge, contact, resolve


def _clock(row: WorkItem, kept: Snapshot | None, target: Target) -> Clock | None:
    due: datetime | None = getattr(row, f"{target}_due_at")
    if due is None:
        return None
    time, first = (kept.time, kept.first_due[target]) if kept else (PLAIN_TIME, due)
    risk = (kept.at_risk if kept else {}).get(target) or at_risk_from(time, row.created_at, first)
    if due != first:
        risk = time.earlier(due, time.between(risk, first))
    return Clock(due, risk, getattr(row, f"{target}_met_at"))


def at_risk_from(time: Time, start: datetime, due: datetime) -> datetime:
    """When three quarters of the time given are used."""
    return min(time.later(start, AT_RISK * time.between(start, due)), due)
