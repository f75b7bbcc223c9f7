"""The records behind the numbers of a backtest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, text
from sqlmodel import Session, col, select

from service.backtest.result import Change
from service.store.tables import BacktestCase

MOST_WORDS = 160  # characters
NOBODY = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which cases; None is any. An `owner` of `NOBODY` chooses those of nobody."""

    change: Change | None = None
    kind: str | None = None
    rule: str | None = None
    owner: str | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """An item that one version makes and the other does not, or makes otherwise; `words` begin what was written."""

    number: int
    feedback_id: UUID
    change: Change
    kind: str
    rule: str
    owner: str | None
    day: date
    words: str | None


_WORDS = text(
    "SELECT f.id, (SELECT left(said ->> 'text', :most) FROM jsonb_array_elements(r.body -> 'verbatims') said"
    " WHERE said ->> 'text' ~ '\\S' LIMIT 1) FROM feedback f"
    " JOIN feedback_revision r ON r.feedback_id = f.id AND r.revision = f.revision"
    " WHERE f.id = ANY(:ids) AND f.withdrawn_at IS NULL"
)


def cases(session: Session, backtest: UUID, chosen: Chosen, *, after: int, limit: int) -> list[Case]:
    """Up to `limit` cases in the order in which the records were received, from the number behind `after`."""
    rows = session.exec(
        select(BacktestCase)
        .where(col(BacktestCase.backtest_id) == backtest, col(BacktestCase.number) > after, *_where(chosen))
        .order_by(col(BacktestCase.number))
        .limit(limit)
    ).all()
    words = _words(session, [row.feedback_id for row in rows])
    return [Case(words=words.get(row.feedback_id), **row.model_dump(exclude={"backtest_id"})) for row in rows]


def _where(chosen: Chosen) -> list[ColumnElement[bool]]:
    given: Sequence[tuple[Any, object]] = (
        (BacktestCase.change, chosen.change),
        (BacktestCase.kind, chosen.kind),
        (BacktestCase.rule, chosen.rule),
        (BacktestCase.day, chosen.day),
    )
    parts = [col(column) == value for column, value in given if value is not None]
    if chosen.owner is not None:
        owner = col(BacktestCase.owner)
        parts.append(owner.is_(None) if chosen.owner == NOBODY else owner == chosen.owner)
    return parts


def _words(session: Session, ids: list[UUID]) -> dict[UUID, str | None]:
    found = session.execute(_WORDS, {"ids": ids, "most": MOST_WORDS})
    return {feedback_id: words for feedback_id, words in found}  # noqa: C416 - mypy knows no tuples of a row
