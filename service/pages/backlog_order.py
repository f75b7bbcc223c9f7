"""Which backlog items a page shows and in which order: the filters of its address, and the query they make."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, func, literal, text, tuple_
from sqlmodel import Session, col, select

from service.api.backlog import IS_BACKLOG
from service.api.problems import Problem
from service.store.tables import Feedback, FeedbackRevision, WorkItem, WorkItemEvidence
from service.work.lifecycle import UNRESOLVED

A_PAGE = 50
_RECENT = 1_000  # items whose tags are offered
_KEYS = {"score": col(WorkItem.score), "newest": col(WorkItem.created_at), "value": col(WorkItem.account_value)}

Typed = Annotated[str, Field(max_length=200), AfterValidator(str.strip)]


class Wanted(BaseModel):
    """What an address asks for; an empty field asks for nothing."""

    model_config = ConfigDict(frozen=True)

    order: Literal["score", "newest", "value"] = "score"
    tag: Typed = ""
    source: Typed = ""
    status: Literal["", "all", "open", "acknowledged", "waiting", "resolved", "retracted"] = ""
    words: Typed = ""
    after: Typed = ""

    def address(self, path: str = "/backlog", **changed: str) -> str:
        """The address of this list, with some fields changed."""
        fields = {**self.model_dump(exclude_defaults=True), **changed}
        kept = {name: value for name, value in fields.items() if value}
        return f"{path}?{urlencode(kept)}" if kept else path

    @property
    def narrowed(self) -> bool:
        """Whether something is left out that is still open."""
        return bool(self.tag or self.source or self.words or self.status not in {"", "all"})


def find(session: Session, wanted: Wanted, limit: int = A_PAGE) -> tuple[Sequence[WorkItem], str]:
    """A page of items, and where the next one begins (empty: nowhere).

    Raises:
        Problem: 422, `after` is no place in this order.
    """
    key = _KEYS[wanted.order]
    query = select(WorkItem).where(IS_BACKLOG, *_conditions(wanted)).order_by(key.desc(), col(WorkItem.id).desc())
    if wanted.after:
        query = query.where(tuple_(key, col(WorkItem.id)) < _place(wanted))
    rows = session.exec(query.limit(limit + 1)).all()
    return rows[:limit], _after(wanted, rows[limit - 1]) if len(rows) > limit else ""


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status != "all":
        conditions.append(col(WorkItem.status).in_([wanted.status] if wanted.status else UNRESOLVED))
    if wanted.tag:
        conditions.append(col(WorkItem.tags).contains([wanted.tag]))
    if wanted.source:
        conditions.append(_heard(col(Feedback.source) == wanted.source))
    if wanted.words:
        query = func.websearch_to_tsquery(text("'simple'"), wanted.words)
        conditions.append(_heard(func.feedback_words(col(FeedbackRevision.body)).op("@@")(query)))
    return conditions


def _heard(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the newest answer of a record behind the item is like this."""
    return (
        select(literal(1))
        .select_from(WorkItemEvidence)
        .join(Feedback, col(Feedback.id) == col(WorkItemEvidence.feedback_id))
        .join(FeedbackRevision, col(FeedbackRevision.feedback_id) == col(Feedback.id))
        .where(
            col(WorkItemEvidence.work_item_id) == col(WorkItem.id),
            col(FeedbackRevision.revision) == col(Feedback.revision),
            condition,
        )
        .exists()
    )


def _after(wanted: Wanted, row: WorkItem) -> str:
    keys = {"score": repr(row.score), "newest": row.created_at.isoformat(), "value": repr(row.account_value)}
    return f"{keys[wanted.order]}~{row.id}"


def _place(wanted: Wanted) -> tuple[float | datetime, UUID]:
    key, _, row_id = wanted.after.partition("~")
    try:
        return (datetime.fromisoformat(key) if wanted.order == "newest" else float(key)), UUID(row_id)
    except ValueError as error:
        raise Problem(422, "This address is no page of the list: open the backlog from the left.") from error


def tags(session: Session, chosen: str) -> list[str]:
    """The tags of the newest items, and the chosen one."""
    newest = select(WorkItem.tags).where(IS_BACKLOG).order_by(col(WorkItem.created_at).desc()).limit(_RECENT).subquery()
    found = session.exec(select(func.unnest(newest.c.tags)).distinct())
    return sorted({*found, *([chosen] if chosen else [])})
