"""How the installation stands, in figures: what waits, what failed, what was given up. Every query is bounded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session, col, select

from service.ingest import backlog
from service.route.in_force import in_force
from service.route.versions import fetch
from service.store.tables import Delivery, DeliveryAttempt, Destination, Feedback, now

COUNTED = 100_000  # rows of a state; beyond that a figure is "100,000+"
SHOWN = 10  # records set aside and dead letters, of each
ATTEMPTS = 10_000  # of the last day, the newest
DAY = timedelta(days=1)
TELLING = 3  # attempts, from which on it tells something that all of them failed
_STEPS = ("received", "classified")


@dataclass(frozen=True, slots=True)
class Amount:
    """A number that was counted up to a bound; `more`: there are more."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        """As people read it: `1,204`, `100,000+`."""
        return f"{self.number:,}{'+' if self.more else ''}"


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for a step, and since when the oldest of it."""

    step: str
    amount: Amount
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Tried:
    """Attempts within the last day, at most the newest `ATTEMPTS`: how many, how many failed, and the last of each."""

    attempts: int = 0
    failed: int = 0
    last_success: datetime | None = None
    last_error: str | None = None

    @property
    def nothing_arrives(self) -> bool:
        """Whether all of several attempts failed."""
        return self.attempts >= TELLING and self.failed == self.attempts


@dataclass(frozen=True, slots=True)
class SetAside:
    """Feedback that was set aside: how much, and that which waits longest for a decision of somebody's."""

    amount: Amount
    first: Sequence[Feedback]


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Deliveries that were given up and that nobody has put away: how many, and the newest of them."""

    amount: Amount
    newest: Sequence[Delivery]


def queues(session: Session) -> list[Queue]:
    """What waits to be read, to be decided and to be sent."""
    return [
        *(Queue(step, counted_stage(session, step), oldest_since(session, step)) for step in _STEPS),
        Queue("pending", _counted(session, "delivery WHERE state = 'pending'"), _oldest_due(session)),
    ]


def counted_stage(session: Session, stage: str) -> Amount:
    """How many records are in a stage."""
    return _counted(session, "feedback WHERE stage = :stage", stage=stage)


def oldest_since(session: Session, stage: str) -> datetime | None:
    """Since when the oldest record of a stage has been in it."""
    since = select(Feedback.stage_since).where(col(Feedback.stage) == stage)
    return session.exec(since.order_by(col(Feedback.stage_since)).limit(1)).first()


def oldest_waiting(session: Session) -> datetime | None:
    """Since when the oldest record has waited for a step."""
    return min((since for step in _STEPS if (since := oldest_since(session, step))), default=None)


def _oldest_due(session: Session) -> datetime | None:
    due = select(Delivery.next_at).where(col(Delivery.state) == "pending", col(Delivery.next_at) < now())
    return session.exec(due.order_by(col(Delivery.next_at)).limit(1)).first()


def waiting_by_source(session: Session) -> Counter[str]:
    """What was pushed and waits, by source."""
    return backlog.count(session).sources


def set_aside(session: Session) -> SetAside:
    """Feedback that was set aside."""
    amount = counted_stage(session, "quarantined")
    query = select(Feedback).where(col(Feedback.stage) == "quarantined").order_by(col(Feedback.stage_since))
    return SetAside(amount, session.exec(query.limit(SHOWN)).all() if amount.number else ())


def dead_letters(session: Session) -> DeadLetters:
    """Deliveries that were given up and that nobody has put away."""
    amount = counted_dead(session)
    query = select(Delivery).where(col(Delivery.state) == "dead", col(Delivery.acknowledged_at).is_(None))
    newest = query.order_by(col(Delivery.created_at).desc(), col(Delivery.id).desc()).limit(SHOWN)
    return DeadLetters(amount, session.exec(newest).all() if amount.number else ())


def counted_dead(session: Session) -> Amount:
    """How many deliveries were given up and put away by nobody."""
    return _counted(session, "delivery WHERE state = 'dead' AND acknowledged_at IS NULL")


def switched_off(session: Session) -> Sequence[Destination]:
    """Destinations that get nothing, by name."""
    off = select(Destination).where(col(Destination.disabled_at).is_not(None))
    return session.exec(off.order_by(col(Destination.name))).all()


def not_set_up(session: Session) -> dict[str, int]:
    """Destinations that do not exist, by name: the rules in force deliver to them, or something waits for them.

    The number says how many deliveries wait for it, at most `COUNTED`.
    """
    waiting = session.execute(  # steps from name to name through an index: what waits for others is not read
        text(
            "WITH RECURSIVE named AS (SELECT min(destination) AS name FROM delivery UNION ALL"
            " SELECT (SELECT min(destination) FROM delivery WHERE destination > named.name) FROM named"
            " WHERE named.name IS NOT NULL)"
            " SELECT name, number FROM named, LATERAL (SELECT count(*) AS number FROM (SELECT FROM delivery"
            " WHERE destination = named.name AND state = 'pending' LIMIT :most) few) waiting"
            " WHERE number > 0 AND NOT EXISTS (SELECT FROM destination WHERE destination.name = named.name)"
        ),
        {"most": COUNTED},
    )
    live = {one.version for one in in_force(session) if one.mode == "live"}
    wanted = {name: 0 for version in live for rule in fetch(session, version).rules for name in rule.then.deliver}
    wanted |= {str(name): int(number) for name, number in waiting}
    known = set(session.exec(select(Destination.name)))
    return {name: wanted[name] for name in sorted(wanted.keys() - known)}


def counted_of(session: Session, destination: str, state: str) -> Amount:
    """How many deliveries to a destination are in a state."""
    rows = "delivery WHERE destination = :name AND state = :state"
    return _counted(session, rows, name=destination, state=state)


def tried(session: Session) -> dict[str, Tried]:
    """What became of the newest attempts of the last day, by destination."""
    found = session.execute(
        text(
            "SELECT destination, count(*), count(*) FILTER (WHERE outcome <> 'delivered'),"
            " max(finished_at) FILTER (WHERE outcome = 'delivered'),"
            " (array_agg(detail ORDER BY finished_at DESC) FILTER (WHERE outcome <> 'delivered'))[1] FROM ("
            " SELECT delivery_id, outcome, detail, finished_at FROM delivery_attempt"
            " WHERE started_at > :since AND finished_at IS NOT NULL ORDER BY started_at DESC LIMIT :most) newest"
            " JOIN delivery ON delivery.id = delivery_id GROUP BY destination"
        ),
        {"since": now() - DAY, "most": ATTEMPTS},
    )
    return {
        str(name): Tried(int(attempts), int(failed), success, error) for name, attempts, failed, success, error in found
    }


def tried_of(session: Session, destination: str, known: Mapping[str, Tried]) -> Tried:
    """What became of the last day's attempts at one destination, and however long ago it was, the last success."""
    found = known.get(destination, Tried())
    if found.last_success is not None:
        return found
    return replace(found, last_success=_last_success(session, destination))


def _last_success(session: Session, destination: str) -> datetime | None:
    done = select(Delivery.id).where(col(Delivery.destination) == destination, col(Delivery.state) == "delivered")
    newest = session.exec(done.order_by(col(Delivery.created_at).desc(), col(Delivery.id).desc()).limit(1)).first()
    attempts = select(DeliveryAttempt.finished_at).where(col(DeliveryAttempt.delivery_id) == newest)
    return session.exec(attempts.order_by(col(DeliveryAttempt.number).desc()).limit(1)).first() if newest else None


def _counted(session: Session, rows: str, **values: str) -> Amount:
    query = text(f"SELECT count(*) FROM (SELECT FROM {rows} LIMIT :most) few")  # noqa: S608 (our own words)
    number = int(session.execute(query, {**values, "most": COUNTED + 1}).scalar_one())
    return Amount(min(number, COUNTED), number > COUNTED)
