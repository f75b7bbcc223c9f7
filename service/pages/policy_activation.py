"""`/policies/{version}/activate`: who lets a version decide, for whom, and why; and the way back."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session, col, select
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep, WiringDep
from service.api.policies import Version
from service.pages.policies import find_policy, policies_page, standings
from service.pages.render import page
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.policies import BrokenExamples, activate
from service.route.activation import Scope
from service.route.versions import NotNow, OwnPolicy, active_version, deactivate, rollback
from service.store.tables import Source, now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Operator = Annotated[SignedIn, Depends(enter())]
_LONGEST = 2_000
_NO_COMMENT = f"Say in up to {_LONGEST:,} characters why."
_DONE: Mapping[str, str] = {"everyone": "activated", "part": "staged", "shadow": "shadow"}


class InvalidForm(Exception):
    """What was typed cannot be used. `errors` holds a sentence by field name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors


@router.get("/policies/{version}/activate")
def ask_activation(session: SessionDep, parts: WiringDep, visitor: Operator, version: Version) -> Response:
    """How, for whom and why."""
    return _asked(session, visitor, version, approval=parts.require_approval)


@router.post("/policies/{version}/activate")
def send_activation(
    session: SessionDep, parts: WiringDep, visitor: Operator, form: FormDep, version: Version
) -> Response:
    """Let it decide, or look on."""
    find_policy(session, version)
    typed = form.given("how", "percent", "region", "source", "comment")
    how = typed.get("how", "everyone")
    try:
        share, scope = _part(form, how)
        activate(
            session,
            parts.reader,
            version,
            by=visitor.caller.name,
            comment=typed["comment"],
            need_approval=parts.require_approval,
            mode="shadow" if how == "shadow" else "live",
            share=share,
            scope=scope,
        )
    except InvalidForm as wrong:
        return _asked(
            session, visitor, version, approval=parts.require_approval, typed=typed, wrong=wrong.errors, status=422
        )
    except (NotNow, OwnPolicy, BrokenExamples) as refusal:
        session.rollback()
        told = {"": _why_not(refusal)}
        return _asked(session, visitor, version, approval=parts.require_approval, typed=typed, wrong=told, status=409)
    session.commit()
    return RedirectResponse(f"/policies?done={_DONE[how]}", 303)


@router.post("/policies/{version}/end")
def send_end(session: SessionDep, visitor: Operator, _form: FormDep, version: Version) -> Response:
    """End what it does beside the one for everyone."""
    find_policy(session, version)
    try:
        deactivate(session, version, by=visitor.caller.name)
    except NotNow as refusal:
        session.rollback()
        return policies_page(session, visitor, wrong=str(refusal), status=409)
    session.commit()
    return RedirectResponse("/policies?done=ended", 303)


@router.post("/policies/roll-back")
def send_rollback(session: SessionDep, parts: WiringDep, visitor: Operator, form: FormDep) -> Response:
    """Let the version before decide again."""
    comment = form.text("comment")
    if not 1 <= len(comment) <= _LONGEST:
        return policies_page(session, visitor, comment=comment, wrong_comment=_NO_COMMENT, status=422)
    try:
        rollback(session, by=visitor.caller.name, comment=comment, need_approval=parts.require_approval)
    except (NotNow, OwnPolicy) as refusal:
        session.rollback()
        return policies_page(session, visitor, comment=comment, wrong=str(refusal), status=409)
    session.commit()
    return RedirectResponse("/policies?done=rolled-back", 303)


def _why_not(refusal: NotNow | OwnPolicy | BrokenExamples) -> str:
    if not isinstance(refusal, BrokenExamples):
        return str(refusal)
    told = "; ".join(one.detail for one in refusal.broken)
    return f"Its examples have to hold first: {told}. Edit a copy, and mend the rules or the examples."


def _part(form: Form, how: str) -> tuple[float, Scope]:
    """Whose records: everyone's, or a share of the customers, of these regions and sources.

    Raises:
        InvalidForm: with a sentence for each field that is wrong.
    """
    wrong = {}
    if how not in _DONE:
        wrong["how"] = "Choose whom it decides for."
    if not 1 <= len(form.text("comment")) <= _LONGEST:
        wrong["comment"] = _NO_COMMENT
    share = _percent(form.text("percent"))
    scope = Scope(_names(form.text("region")), _names(form.text("source")))
    if how != "everyone" and share is None:
        wrong["percent"] = "Give a number from 0.1 to 100, or leave it empty for all of them."
    if how == "part" and share == 1 and scope == Scope():
        wrong["percent"] = "Say which part: a share of the customers, regions or sources."
    if wrong:
        raise InvalidForm(wrong)
    return (1.0, Scope()) if how == "everyone" else (share or 1.0, scope)


def _percent(text: str) -> float | None:
    try:
        percent = float(text.replace(",", ".").removesuffix("%")) if text else 100
    except ValueError:
        return None
    return percent / 100 if 0.1 <= percent <= 100 else None


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def _asked(
    session: Session,
    visitor: SignedIn,
    version: int,
    *,
    approval: bool,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    (one,) = standings(session, [find_policy(session, version)])
    return page(
        "policy_activate.html.j2",
        visitor,
        status=status,
        here="/policies",
        one=one,
        deciding=active_version(session),
        approval=approval,
        own=approval and one.row.created_by == visitor.caller.name,
        sources=session.exec(select(Source.name).order_by(col(Source.name)).limit(200)).all(),
        typed=typed or {"how": "everyone"},
        wrong=wrong or {},
        acts=visitor.caller.may(reading=False),
        now=now(),
    )
