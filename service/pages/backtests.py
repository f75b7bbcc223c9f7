"""`/backtests/{id}`: what a version would have made of a past period; each number opens its cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep
from service.api.policies import Version
from service.api.problems import not_found
from service.backtest.job import InvalidBacktest, Wanted, begin, cancel, defer
from service.backtest.queueing import HANDLING
from service.backtest.result import CHANGES, Change, Result
from service.pages import found
from service.pages.backtest_chart import chart, summary
from service.pages.policies import find_policy, standings
from service.pages.render import page
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.route.versions import active_version
from service.store.tables import Backtest, BacktestCase, Policy, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("supervisor"))]
Operator = Annotated[SignedIn, Depends(enter())]
_PAGE = 50
_DAYS = 30
_DAY = timedelta(days=1)
_LONGEST = 10_000  # minutes of work in an item
CHANGED = {
    "appears": "would appear",
    "vanishes": "would vanish",
    "changed": "would come by another rule or to somebody else",
}


class Cases(BaseModel):
    """Which cases of a backtest. `owner` is None for every one, empty for nobody's."""

    model_config = ConfigDict(frozen=True)

    change: Change | None = None
    kind: Annotated[str, Field(max_length=64)] = ""
    rule: Annotated[str | None, Field(max_length=1_000)] = None
    owner: Annotated[str | None, Field(max_length=128)] = None
    day: date | None = None
    after: Annotated[int, Field(ge=0, lt=2**63)] = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One item that the versions disagree on, and the record behind it; None where that is gone."""

    row: BacktestCase
    record: found.Record | None


@router.get("/policies/{version}/backtest")
def ask_backtest(session: SessionDep, visitor: Visitor, version: Version) -> Response:
    """Over which period, beside which version; and the backtests there have been."""
    today = now().astimezone(UTC).date()
    typed = {"since": (today - _DAYS * _DAY).isoformat(), "until": today.isoformat()}
    return _asked(session, visitor, version, typed)


@router.post("/policies/{version}/backtest")
def send_backtest(session: SessionDep, visitor: Operator, form: FormDep, version: Version) -> Response:
    """Begin one."""
    find_policy(session, version)
    typed = form.given("since", "until", "against", *(f"minutes-{kind}" for kind in HANDLING))
    wanted, wrong = _wanted(form, version)
    if wanted is not None and not wrong:
        try:
            row = begin(session, wanted, by=visitor.caller.name)
        except InvalidBacktest as error:
            wrong = {error.field: str(error)}
        else:
            defer(session, row.id)
            session.commit()
            return RedirectResponse(f"/backtests/{row.id}", 303)
    session.rollback()
    return _asked(session, visitor, version, typed, wrong, 422)


@router.get("/backtests/{backtest_id}")
def show_backtest(session: SessionDep, visitor: Visitor, backtest_id: UUID, done: str = "") -> Response:
    """How far it has come, or what it found."""
    row = _find(session, backtest_id)
    (one, other) = standings(session, [find_policy(session, v) for v in (row.policy_version, row.against_version)])
    result = Result.model_validate(row.result) if row.state == "done" and row.result else None
    return page(
        "backtest.html.j2",
        visitor,
        here="/policies",
        said="Cancelled." if done == "cancelled" else "",
        row=row,
        one=one,
        other=other,
        result=result,
        missed=[line for line in result.queue.misses if line.missed_now or line.missed_then] if result else [],
        summary=summary(result) if result else "",
        chart=chart(result, row.since.date(), (row.until - timedelta(microseconds=1)).date()) if result else None,
        cases=partial(_address, row.id),
        changes=CHANGES,
        acts=visitor.caller.may(reading=False),
        now=now(),
    )


@router.post("/backtests/{backtest_id}/cancel")
def send_cancel(session: SessionDep, visitor: Operator, _form: FormDep, backtest_id: UUID) -> Response:
    """Stop it; one that has ended stays as it is."""
    _find(session, backtest_id)
    stopped = cancel(session, backtest_id, by=visitor.caller.name)
    session.commit()
    return RedirectResponse(f"/backtests/{backtest_id}{'?done=cancelled' if stopped else ''}", 303)


@router.get("/backtests/{backtest_id}/cases")
def show_cases(session: SessionDep, visitor: Visitor, backtest_id: UUID, asked: Annotated[Cases, Query()]) -> Response:
    """The cases behind a number."""
    row = _find(session, backtest_id)
    rows = _cases(session, backtest_id, asked)
    records = found.by_ids(session, [one.feedback_id for one in rows[:_PAGE]])
    kept = {
        name: value for name, value in asked.model_dump(mode="json").items() if value is not None and name != "after"
    }
    following = urlencode({**kept, "after": rows[_PAGE - 1].number}) if len(rows) > _PAGE else None
    return page(
        "backtest_cases.html.j2",
        visitor,
        here="/policies",
        row=row,
        asked=asked,
        changed=CHANGED,
        cases=[Case(one, records.get(one.feedback_id)) for one in rows[:_PAGE]],
        more=following,
        now=now(),
    )


def _find(session: Session, backtest_id: UUID) -> Backtest:
    row = session.get(Backtest, backtest_id)
    if row is None:
        raise not_found("backtest")
    return row


def _cases(session: Session, backtest_id: UUID, asked: Cases) -> Sequence[BacktestCase]:
    query = select(BacktestCase).where(
        col(BacktestCase.backtest_id) == backtest_id, col(BacktestCase.number) > asked.after
    )
    if asked.change is not None:
        query = query.where(col(BacktestCase.change) == asked.change)
    if asked.kind:
        query = query.where(col(BacktestCase.kind) == asked.kind)
    if asked.rule is not None:
        query = query.where(col(BacktestCase.rule) == asked.rule)
    if asked.owner is not None:
        owner = col(BacktestCase.owner)
        query = query.where(owner == asked.owner if asked.owner else owner.is_(None))
    if asked.day is not None:
        query = query.where(col(BacktestCase.day) == asked.day)
    return session.exec(query.order_by(col(BacktestCase.number)).limit(_PAGE + 1)).all()


def _address(backtest_id: UUID, **asked: object) -> str:
    """Where the cases behind a number are."""
    return f"/backtests/{backtest_id}/cases?{urlencode({name: one for name, one in asked.items() if one is not None})}"


def _wanted(form: Form, version: int) -> tuple[Wanted | None, dict[str, str]]:
    """What is asked for, days of UTC, the last one included; and a sentence by field for what cannot be read."""
    wrong: dict[str, str] = {}
    days: dict[str, date] = {}
    for name in ("since", "until"):
        try:
            days[name] = date.fromisoformat(form.text(name))
        except ValueError:
            wrong[name] = "Give a day."
    handling = {}
    for kind in HANDLING:
        text = form.text(f"minutes-{kind}")
        if text and not (text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= _LONGEST):
            wrong[f"minutes-{kind}"] = f"A whole number of minutes from 1 to {_LONGEST:,}."
        elif text:
            handling[kind] = int(text)
    against = form.text("against")
    if against and not (against.isdecimal() and len(against) <= 9):
        wrong["against"] = "Choose a version."
    if wrong or not date(1970, 1, 1) <= days["since"] <= days["until"] < date(9999, 12, 31):
        return None, wrong or {"until": "The period ends before it begins: give a later day."}
    since, until = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (days["since"], days["until"] + _DAY))
    return Wanted(version, since, until, int(against) if against else None, handling), {}


def _asked(
    session: Session,
    visitor: SignedIn,
    version: int,
    typed: dict[str, str],
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    (one,) = standings(session, [find_policy(session, version)])
    newest = session.exec(select(Policy.version, Policy.name).order_by(col(Policy.version).desc()).limit(200)).all()
    before = session.exec(
        select(Backtest)
        .where(col(Backtest.policy_version) == version)
        .order_by(col(Backtest.created_at).desc(), col(Backtest.id).desc())
        .limit(20)
    ).all()
    return page(
        "backtest_ask.html.j2",
        visitor,
        status=status,
        here="/policies",
        one=one,
        deciding=active_version(session),
        versions=[(str(number), f"version {number}, {name}") for number, name in newest],
        handling=HANDLING,
        before=before,
        typed=typed,
        wrong=wrong or {},
        acts=visitor.caller.may(reading=False),
        now=now(),
    )
