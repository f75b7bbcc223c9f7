"""Who gets a new item."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from service.route.case import Case
from service.route.decide import Bypassed, Plan
from service.route.policy import Policy, members


@dataclass(frozen=True, slots=True)
class Assigned:
    """Whose an item is, and what is to be said about it.

    `zone` is the owner's time zone, None where they have none; `bypass` names the bypass that sent it there; `notes`
    say, for the history, why it is not whom one would expect.
    """

    owner: str | None
    group: str | None
    zone: str | None = None
    bypass: str | None = None
    notes: tuple[str, ...] = ()


class Assigner:
    """Finds owners under one policy, for the items of one transaction."""

    def __init__(self, session: Session, policy: Policy, at: datetime) -> None:
        self.session, self.policy, self.at = session, policy, at

    def assign(self, plan: Plan, case: Case, bypassed: Bypassed | None) -> Assigned:
        """Choose the owner of a planned item."""
        if plan.group is None:
            return Assigned(None, None)
        people = members(self.policy, plan.group, case)
        return Assigned(people.people[0] if people else None, plan.group)
