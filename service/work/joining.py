"""Planned items that join an open one: found and decided in the database, under locks that all workers share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, SQLModel

from service.route.decide import Plan
from service.route.policy import Priority
from service.work import notices
from service.work.harm import harm_of
from service.work.held import Held, hold
from service.work.join_key import join_key, joined_priority, lock_number, since
from service.work.lifecycle import UNRESOLVED
from service.work.making import Ruling, evidence_of, make

_EVER = datetime(1, 1, 1, tzinfo=UTC)
Key = tuple[str, str]  # kind, join key


@dataclass(slots=True)
class Joinable:
    """The open items that planned ones may join, newest first; what is made meanwhile is added."""

    open: dict[Key, list[Held]] = field(default_factory=dict)

    def find(self, plan: Plan, ruling: Ruling) -> Held | None:
        """The open item that this plan joins."""
        key = join_key(plan, ruling.case)
        if key is None:
            return None
        return next((held for held in self.open.get((plan.kind, key), ()) if _fits(held, plan, ruling.at)), None)

    def add(self, held: Held) -> None:
        """What was made a moment ago is joined by what comes next."""
        if held.row.join_key is not None:
            self.open.setdefault((held.row.kind, held.row.join_key), []).insert(0, held)


def _fits(held: Held, plan: Plan, at: datetime) -> bool:
    """Whether the item is open, young enough, and has a service level where the plan promises one."""
    row, earliest = held.row, since(plan, at)
    promised = plan.sla is None or row.sla is not None  # what history made keeps no promise
    return row.status in UNRESOLVED and promised and (earliest is None or row.created_at >= earliest)


def lock_keys(session: Session, plans: Iterable[tuple[Ruling, Plan]]) -> dict[UUID, Key]:
    """Shut out every other worker from the keys of these plans until the transaction ends; open items that have them.

    All locks are taken in one order, so that no two workers wait for each other.
    """
    earliest: dict[Key, datetime] = {}
    for ruling, plan in plans:
        key = join_key(plan, ruling.case)
        if key is not None:
            wanted = since(plan, ruling.at) or _EVER
            earliest[plan.kind, key] = min(wanted, earliest.get((plan.kind, key), wanted))
    if not earliest:
        return {}
    locks = sorted(lock_number(kind, key) for kind, key in earliest)
    session.execute(
        text("SELECT pg_advisory_xact_lock(number) FROM unnest(CAST(:locks AS bigint[])) AS number"), {"locks": locks}
    )
    found = session.execute(
        text(
            "SELECT item.id, item.kind, item.join_key FROM work_item item"
            " JOIN unnest(CAST(:kinds AS varchar[]), CAST(:keys AS varchar[]), CAST(:since AS timestamptz[]))"
            " AS wanted (kind, join_key, since) USING (kind, join_key)"
            " WHERE item.status = ANY(:unresolved) AND item.created_at >= wanted.since"
            " ORDER BY item.created_at DESC, item.id DESC"
        ),
        {
            "kinds": [kind for kind, _ in earliest],
            "keys": [key for _, key in earliest],
            "since": list(earliest.values()),
            "unresolved": list(UNRESOLVED),
        },
    )
    return {row.id: (row.kind, row.join_key) for row in found}


def joinable(keys: Mapping[UUID, Key], held: Mapping[UUID, Held]) -> Joinable:
    """The items that `lock_keys` found, now that they are held."""
    found = Joinable()
    for item, key in keys.items():
        if item in held:
            found.open.setdefault(key, []).append(held[item])
    return found


def join(held: Held, ruling: Ruling, plan: Plan) -> list[SQLModel]:
    """Let a planned item join an open one: its answer stands behind that, which becomes as urgent as both are.

    The open item keeps its owner and its clocks. An answer from history joins silently: nobody hears of it.
    """
    row, before = held.row, held.row.priority
    held.answers, held.standing = held.answers + 1, held.standing + 1
    row.priority = raised = joined_priority(cast(Priority, before), plan.priority, held.answers)
    row.mandatory = row.mandatory or plan.mandatory
    weighed = replace(plan, priority=raised, mandatory=row.mandatory)
    row.harm = max(row.harm, harm_of(weighed, ruling.decision, ruling.case))
    told = {
        "feedback_id": str(ruling.feedback_id),
        "revision": ruling.revision,
        "decision_id": str(ruling.decision_id),
        "rule": plan.rules[0],
        "answers": held.answers,
    }
    if row.priority != before:
        told["priority"] = [before, row.priority]
    event = held.note("joined", told, actor=ruling.by, at=ruling.at, once_key=f"joined:{ruling.feedback_id}")
    sent = [] if ruling.case.history else held.send("comment", at=ruling.at)
    return [evidence_of(ruling, row), event, *sent]


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a plan: the rows it led to, and the item that it made or joined."""

    rows: Sequence[SQLModel]
    held: Held
    joined: bool
    silent: bool


def place(plan: Plan, ruling: Ruling, among: Joinable) -> Placed:
    """Join the open item that is the same as the planned one, else make it."""
    found = among.find(plan, ruling)
    if found is not None:
        return Placed(join(found, ruling, plan), found, joined=True, silent=ruling.case.history)
    made = make(ruling, plan)
    among.add(made.held)
    return Placed(made.rows, made.held, joined=False, silent=ruling.case.history)


def news_of(placed: Sequence[Placed]) -> list[notices.News]:
    """What owners are told: each of their new items, and once of all answers that joined one of them."""
    new = [one.held for one in placed if not one.joined and not one.silent]
    joined: dict[UUID, list[Placed]] = {}
    for one in placed:
        if one.joined and not one.silent:
            joined.setdefault(one.held.row.id, []).append(one)
    return [
        *(_news(held, "assigned", held.row.title, held.row.owner) for held in new if held.row.owner),
        *(_joined(ones) for ones in joined.values() if ones[0].held.row.owner),
    ]


def _joined(ones: Sequence[Placed]) -> notices.News:
    held, number = ones[0].held, len(ones)
    words = "Another answer" if number == 1 else f"{number} more answers"
    return _news(held, "joined", f"{words} joined: {held.row.title}", str(held.sequence))


def _news(held: Held, kind: str, words: str, what: str) -> notices.News:
    row = held.row
    return notices.News(row.owner or "", kind, words, f"{kind}:{row.id}:{what}", row.id, row.harm)


def place_alone(session: Session, wanted: Sequence[tuple[Ruling, Plan]]) -> list[Placed]:
    """Place plans that are no part of a batch."""
    keys = lock_keys(session, wanted)
    among = joinable(keys, hold(session, keys))
    return [place(plan, ruling, among) for ruling, plan in wanted]
