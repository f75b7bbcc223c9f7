"""What the inbox shows: filters that live in the address, and the queries they become, fast on 100,000 open items."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, and_, case, func, literal, literal_column, or_, text, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from service.pages.attainment import PROMISES, at_risk_from
from service.store.tables import Decision, Feedback, Source, Timestamp, WorkItem

PAGE = 50
REACH = 20_000  # items, in due order, through which words and sources are looked for at a time
MOST = 1_000  # counted at the head of the page
# Both are written as the index work_item_inbox has them, or it would not be used.
_OPEN = text("work_item.status IN ('open', 'acknowledged', 'waiting') AND work_item.kind <> 'backlog_item'")
_PASSING = {"after", "done", "many", "to"}  # of one page or one answer, and no filters
_DUE: ColumnElement[datetime] = func.coalesce(col(WorkItem.due_at), literal_column("'infinity'::timestamptz"))


class Filters(BaseModel):
    """The address of an inbox. Empty is no filter; `owner` may be `me` or `nobody`."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["", "follow_up", "ticket", "quality_case", "review"] = ""
    status: Literal["", "open", "acknowledged", "waiting"] = ""
    owner: Annotated[str, Field(max_length=128)] = ""
    team: Annotated[str, Field(max_length=128)] = ""
    priority: Literal["", "low", "normal", "high", "urgent"] = ""
    source: Annotated[str, Field(max_length=64)] = ""
    due: Literal["", "missed", "at_risk", "today"] = ""
    q: Annotated[str, Field(max_length=200)] = ""
    after: Annotated[str, Field(max_length=200)] = ""
    done: Annotated[str, Field(max_length=20)] = ""
    many: Annotated[int, Field(ge=0, le=1_000)] = 0
    to: Annotated[str, Field(max_length=128)] = ""

    def address(self, path: str = "/inbox", **changes: str) -> str:
        """The address with these filters; without `after`, unless it is among the changes."""
        kept = {name: value for name, value in self.model_dump(exclude=_PASSING).items() if value}
        asked = {name: value for name, value in {**kept, **changes}.items() if value}
        return f"{path}?{urlencode(asked)}" if asked else path

    @property
    def sifting(self) -> bool:
        """Whether a filter is set that no index answers."""
        return bool(self.q or self.source)

    @property
    def chosen(self) -> list[str]:
        """The names of the filters that are set."""
        return [name for name, value in self.model_dump(exclude=_PASSING).items() if value]


class Lost(ValueError):
    """`after` is no place in the list."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of items; `following` is where the next begins; `looked_through` says that a search stopped half-way."""

    items: Sequence[WorkItem]
    following: str | None
    looked_through: bool = False


@dataclass(frozen=True, slots=True)
class Heads:
    """How much open work there is, each count up to MOST + 1."""

    yours: int
    open: int
    missed: int
    today: int


def find(session: Session, filters: Filters, me: str, now: datetime, midnight: datetime) -> Found:
    """A page of open work in due order.

    Raises:
        Lost: `after` was not given out by us.
    """
    query = _in_order(_conditions(filters, me, now, midnight))
    if not filters.sifting:
        rows = session.exec(query.limit(PAGE + 1)).all()
        return Found(rows[:PAGE], _place(rows[PAGE - 1]) if len(rows) > PAGE else None)
    near = query.add_columns(_DUE.label("due_order")).limit(REACH).subquery()
    item = aliased(WorkItem, near)
    sifted = select(item).where(*_sifting(filters, item)).order_by(near.c.due_order, col(item.id))
    rows = session.exec(sifted.limit(PAGE + 1)).all()
    if len(rows) > PAGE:
        return Found(rows[:PAGE], _place(rows[PAGE - 1]))
    last = session.exec(query.offset(REACH - 1).limit(1)).first()
    return Found(rows, _place(last) if last else None, looked_through=last is not None)


def every(
    session: Session, filters: Filters, me: str, now: datetime, midnight: datetime, limit: int
) -> Sequence[WorkItem]:
    """All open work that these filters keep, in due order, at most `limit`."""
    conditions = [*_conditions(filters, me, now, midnight), *_sifting(filters, WorkItem)]
    return session.exec(_in_order(conditions).limit(limit)).all()


def _in_order(conditions: Sequence[ColumnElement[bool]]) -> SelectOfScalar[WorkItem]:
    return select(WorkItem).where(_OPEN, *conditions).order_by(_DUE, col(WorkItem.id))


def _conditions(filters: Filters, me: str, now: datetime, midnight: datetime) -> list[ColumnElement[bool]]:
    named = {"kind": col(WorkItem.kind), "status": col(WorkItem.status), "priority": col(WorkItem.priority)}
    parts: list[ColumnElement[bool]] = [
        column == asked for name, column in named.items() if (asked := getattr(filters, name))
    ]
    if filters.owner == "nobody":
        parts.append(col(WorkItem.owner).is_(None))
    elif filters.owner:
        parts.append(col(WorkItem.owner) == (me if filters.owner == "me" else filters.owner))
    if filters.team:
        parts.append(col(WorkItem.owner_group) == filters.team)
    if filters.due:
        parts.append(_due_as(filters.due, now, midnight))
    if filters.after:
        due, last = _read(filters.after)
        parts.append(tuple_(_DUE, col(WorkItem.id)) > tuple_(due, literal(last)))
    return parts


def _due_as(due: Literal["missed", "at_risk", "today"], now: datetime, midnight: datetime) -> ColumnElement[bool]:
    """How the next promise stands. While an item waits for its customer, it is judged by when the clock was stopped."""
    runs = col(WorkItem.paused_at).is_(None)
    match due:
        case "missed":
            return and_(now > _DUE, or_(runs, col(WorkItem.paused_at) > _DUE))
        case "at_risk":
            return and_(now <= _DUE, runs, _next_at_risk() <= now)
        case "today":
            return and_(now <= _DUE, midnight > _DUE, runs)


def _next_at_risk() -> ColumnElement[datetime]:
    """From when the promise that is due next is at risk."""
    columns = {one: (getattr(WorkItem, f"{one}_due_at"), getattr(WorkItem, f"{one}_met_at")) for one in PROMISES}
    return case(
        *(
            (and_(col(due) == col(WorkItem.due_at), col(met).is_(None)), at_risk_from(one))
            for one, (due, met) in columns.items()
        )
    )


def _sifting(filters: Filters, item: type[WorkItem]) -> list[ColumnElement[bool]]:
    """What no index answers in due order: words of the item, and where its feedback came from."""
    parts: list[ColumnElement[bool]] = []
    if filters.q:
        asked = filters.q.lower()
        parts.append(or_(*(func.strpos(func.lower(column), asked) > 0 for column in (item.title, item.body))))
    if filters.source:
        came_from = (
            select(Feedback.source)
            .join(Decision, col(Decision.feedback_id) == col(Feedback.id))
            .where(col(Decision.id) == item.decision_id)
        )
        parts.append(came_from.scalar_subquery() == filters.source)
    return parts


def _place(row: WorkItem) -> str:
    due = row.due_at.isoformat() if row.due_at else "infinity"
    return base64.urlsafe_b64encode(json.dumps([due, str(row.id)]).encode()).decode().rstrip("=")


def _read(place: str) -> tuple[ColumnElement[datetime], UUID]:
    try:
        due, last = json.loads(base64.urlsafe_b64decode(place.encode() + b"=="))
        never = literal_column("'infinity'::timestamptz", Timestamp())
        return never if due == "infinity" else literal(datetime.fromisoformat(due), Timestamp()), UUID(last)
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise Lost("This place in the list is not known: begin at its top.") from error


def heads(session: Session, me: str, now: datetime, midnight: datetime) -> Heads:
    """How much is this person's, open, missed and due today."""

    def count(*more: ColumnElement[bool]) -> int:
        some = select(literal(1)).select_from(WorkItem).where(_OPEN, *more).limit(MOST + 1).subquery()
        return session.exec(select(func.count()).select_from(some)).one()

    mine = count(col(WorkItem.owner) == me)
    missed, today = _due_as("missed", now, midnight), _due_as("today", now, midnight)
    return Heads(mine, count(), count(missed), count(today))


def midnight_after(local: datetime) -> datetime:
    """The end of the day that a moment, told in the reader's zone, lies in."""
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def sources(session: Session) -> list[str]:
    """The names of the sources, for choosing one."""
    return list(session.exec(select(Source.name).order_by(col(Source.name)).limit(200)))
