"""The people who get what a threshold lets pass: how many open items each may have, has, and gets a day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from service.lab.incoming.sureness import DAYS
from service.lab.watch.load import Load
from service.route.policy import Group, Named, People, Policy, Split
from service.store.tables import WorkItem
from service.work.lifecycle import UNRESOLVED


def loads_of(session: Session, policy: Policy, threshold: str, at: datetime) -> tuple[list[Load], bool]:
    """The groups with a limit to which rules that use the threshold give items, and whether others have none."""
    rules = [rule for rule in policy.rules if threshold in rule.condition.thresholds]
    groups = sorted({rule.then.assign for rule in rules if rule.then.assign})
    found = dict(one for group in groups for one in _people(policy, group))
    limited = {group: people for group, people in found.items() if people.capacity is not None}
    lying, daily = _items(session, {one for people in limited.values() for one in people.people}, at)
    loads = [
        Load(
            group=group,
            people=people.people,
            each=people.capacity or 0,
            open=[lying[one] for one in people.people],
            daily=sum(daily[one] for one in people.people),
            fallback=people.fallback or policy.fallback or "",
        )
        for group, people in limited.items()
    ]
    return loads, len(limited) < len(found)


def _people(policy: Policy, group: str) -> list[tuple[str, People]]:
    """The people whom a group comes down to, by the group's name and, where it splits, the value."""
    todo: list[tuple[str, Group | None]] = [(group, policy.groups.get(group))]
    found: dict[str, People] = {}
    seen: set[str] = set()
    while todo:
        name, one = todo.pop()
        if isinstance(one, People):
            found[name] = one
        elif isinstance(one, Split):
            todo += [(f"{name} ({value})", part) for value, part in one.values.items()]
            todo.append((f"{name} (all others)", one.default))
        elif isinstance(one, Named) and one.name not in seen:
            seen.add(one.name)
            todo.append((one.name, policy.groups.get(one.name)))
    return sorted(found.items())


def _items(session: Session, people: Collection[str], at: datetime) -> tuple[Mapping[str, int], Mapping[str, float]]:
    """How many open items each has, as assignment counts them, and how many came to them a day in the last weeks."""
    if not people:
        return {}, {}
    theirs = (col(WorkItem.owner).in_(people), col(WorkItem.kind) != "backlog_item")
    unresolved = col(WorkItem.status).in_(UNRESOLVED)
    lying = session.exec(select(WorkItem.owner, func.count()).where(*theirs, unresolved).group_by("owner")).all()
    since = at - timedelta(days=DAYS)
    came = session.exec(
        select(WorkItem.owner, func.count(), func.min(WorkItem.created_at))
        .where(*theirs, col(WorkItem.created_at) >= since, col(WorkItem.created_at) <= at)
        .group_by("owner")
    ).all()
    days = max((at - min((first for _, _, first in came), default=at)) / timedelta(days=1), 1.0)
    a_day = {owner: count / days for owner, count, _ in came if owner is not None}
    return Counter({owner: count for owner, count in lying if owner is not None}), defaultdict(float, a_day)
