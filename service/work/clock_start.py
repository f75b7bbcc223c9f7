"""The clocks of a new item: its targets as moments, and the snapshot that keeps a later policy from moving them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.route.clocks import Target
from service.route.decide import Plan
from service.route.policy import Policy


@dataclass(frozen=True, slots=True)
class Started:
    """What an item keeps of its service level: the promise as it was then, due times, when to look at it first."""

    snapshot: dict[str, Any] | None = None
    due: dict[Target, datetime] = field(default_factory=dict)
    tick_at: datetime | None = None


def start(policy: Policy, plan: Plan, *, tier: str | None, zone: str | None, at: datetime) -> Started:
    """Start the clocks of a planned item at `at`; `tier` is the customer's, `zone` the owner's."""
    sla = policy.slas.get(plan.sla) if plan.sla else None
    if sla is None:
        return Started()
    due = {name: at + target.elapsed() for name, target in sla.targets(plan.kind, tier).items()}
    first = {name: moment.isoformat() for name, moment in due.items()}
    return Started({"name": plan.sla, "first_due": first, **sla.model_dump(mode="json")}, due)
