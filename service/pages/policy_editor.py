"""`/policies/new` and `/policies/{version}/edit`: a policy is written here, and checked while it is being written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlmodel import Session
from starlette.responses import RedirectResponse

import service.route as policies_room
from service.api.dependencies import SessionDep, WiringDep
from service.api.policies import Version
from service.classify import Reader
from service.pages.document_lines import Looked, looked_at, remarks_of
from service.pages.policies import find_policy
from service.pages.policy_trial import Trial, tried
from service.pages.render import page
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.policies import check_here, publish
from service.route.english import Section, describe
from service.route.findings import InvalidPolicy
from service.route.policy import Policy
from service.route.versions import active_version
from service.store.tables import now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Operator = Annotated[SignedIn, Depends(enter())]
_LONGEST_COMMENT = 2_000
_GUIDE = (Path(policies_room.__file__).parent / "policies.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a document, and the policy that it is, where it is one."""

    looked: Looked
    policy: Policy | None = None

    @property
    def plain(self) -> Sequence[Section]:
        """What it says, where it says something."""
        return describe(self.policy) if self.policy else ()

    @property
    def good(self) -> bool:
        return not self.looked.wrong

    @property
    def said(self) -> str:
        """The outcome in one line, for those who hear it."""
        wrong, doubtful = self.looked.wrong, self.looked.doubtful
        warned = f", {doubtful} to think about" if doubtful else ""
        if wrong:
            return f"{wrong} {'mistake' if wrong == 1 else 'mistakes'}{warned}."
        return f"No mistakes{warned}: it can be published."


@router.get("/policies/new")
def new_policy(session: SessionDep, parts: WiringDep, visitor: Operator) -> Response:
    """Begin with what decides now."""
    row = find_policy(session, active_version(session))
    return _editor(session, parts.reader, visitor, row.document, begun_with=row.version)


@router.get("/policies/{version}/edit")
def edit_policy(session: SessionDep, parts: WiringDep, visitor: Operator, version: Version) -> Response:
    """Begin with this version; it stays as it is, and what comes of it is another one."""
    row = find_policy(session, version)
    return _editor(session, parts.reader, visitor, row.document, begun_with=version)


@router.post("/policies/check")
def check_policy(session: SessionDep, parts: WiringDep, visitor: Operator, form: FormDep) -> Response:
    """Say what is wrong, line by line; nothing is stored."""
    return _editor(session, parts.reader, visitor, _document(form), form.text("comment"))


@router.post("/policies/try")
def try_policy(session: SessionDep, parts: WiringDep, visitor: Operator, form: FormDep) -> Response:
    """Say which stored answers its rules, or the one that is named, would be true for; nothing is stored."""
    document = _document(form)
    policy = checked_document(session, parts.reader, document).policy
    trial = tried(session, policy, form.texts("rule")) if policy else None
    return _editor(session, parts.reader, visitor, document, form.text("comment"), trial=trial)


@router.post("/policies")
def send_policy(session: SessionDep, parts: WiringDep, visitor: Operator, form: FormDep) -> Response:
    """Publish it as a draft: it decides nothing until somebody activates it."""
    document, comment = _document(form), form.text("comment")
    if not 1 <= len(comment) <= _LONGEST_COMMENT:
        wrong = f"Say in up to {_LONGEST_COMMENT:,} characters what this version changes and why."
        return _editor(session, parts.reader, visitor, document, comment, wrong=wrong, status=422)
    try:
        made = publish(session, parts.reader, document, by=visitor.caller.name, comment=comment)
    except InvalidPolicy:
        session.rollback()
        return _editor(session, parts.reader, visitor, document, comment, status=422)
    session.commit()
    return RedirectResponse(f"/policies/{made.version}?done=published", 303)


def _document(form: Form) -> str:
    """The text as it was typed: forms send every end of a line as two characters."""
    return form.secret("document").replace("\r\n", "\n").replace("\r", "\n")


def _editor(
    session: Session,
    reader: Reader,
    visitor: SignedIn,
    document: str,
    comment: str = "",
    *,
    begun_with: int | None = None,
    wrong: str = "",
    status: int = 200,
    trial: Trial | None = None,
) -> Response:
    checked = checked_document(session, reader, document)
    return page(
        "policy_editor.html.j2",
        visitor,
        status=status,
        here="/policies",
        said=trial.said if trial else "" if begun_with else checked.said,
        document=document,
        comment=comment,
        begun_with=begun_with,
        checked=checked,
        trial=trial,
        guide=_GUIDE,
        now=now(),
        wrong=wrong,
        acts=visitor.caller.may(reading=False),
    )


def checked_document(session: Session, reader: Reader, document: str) -> Checked:
    """Check a document, its examples too."""
    try:
        found = check_here(session, reader, document)
    except InvalidPolicy as error:
        return Checked(looked_at(document, remarks_of(error)))
    return Checked(looked_at(document, remarks_of(found.warnings)), found.policy)
