"""`/review/guidelines`: the numbered sentences by which labels are given; an admin adds one, or ends one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session
from starlette.responses import RedirectResponse

from models.taxonomies.taxonomy import Taxonomy
from service.api.dependencies import SessionDep, WiringDep
from service.api.problems import Problem
from service.lab.labels.choices import AXES, Choice, choices
from service.lab.labels.guidelines import LONGEST, InvalidGuideline, add, end, sentences
from service.pages import axis_words
from service.pages.render import page
from service.pages.visitor import FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.store.lab_tables import Guideline
from service.store.tables import now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("reviewer", "supervisor"))]
Admin = Annotated[SignedIn, Depends(enter("admin"))]

_SAID = {"added": "The sentence is added.", "ended": "The sentence has ended: it is kept, and not cited any more."}


@dataclass(frozen=True, slots=True)
class Chapter:
    """The sentences of an axis: those that hold, and those that have ended."""

    axis: str
    name: str
    holding: Sequence[Guideline]
    ended: Sequence[Guideline]
    labels: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence that could not be added, as it was typed."""

    axis: str = ""
    label: str = ""
    sentence: str = ""
    wrong: str = ""


@router.get("/review/guidelines")
def show_guidelines(
    session: SessionDep, parts: WiringDep, visitor: Visitor, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """All sentences."""
    return _shown(session, parts.reader.taxonomy, visitor, Draft(), _SAID.get(done, ""))


@router.post("/review/guidelines")
def send_guideline(session: SessionDep, parts: WiringDep, visitor: Admin, form: FormDep) -> Response:
    """Add a sentence."""
    axis, _, label = form.text("about").partition(":")
    draft = Draft(axis, label, form.text("sentence"))
    try:
        _require_label(axis, label, parts.reader.taxonomy)
        row = add(session, axis, draft.sentence, label or None, visitor.caller.name)
    except InvalidGuideline as error:
        session.rollback()
        return _shown(session, parts.reader.taxonomy, visitor, Draft(axis, label, draft.sentence, str(error)))
    session.commit()
    return RedirectResponse(f"/review/guidelines?done=added#{row.axis}-{row.number}", 303)


@router.post("/review/guidelines/{guideline_id}/end")
def send_end(guideline_id: UUID, session: SessionDep, visitor: Admin, _form: FormDep) -> Response:
    """End a sentence; what was decided by it still names it."""
    row = end(session, guideline_id, visitor.caller.name, now())
    if row is None:
        raise Problem(404, "There is no such sentence.")
    session.commit()
    return RedirectResponse(f"/review/guidelines?done=ended#{row.axis}-{row.number}", 303)


def _require_label(axis: str, label: str, taxonomy: Taxonomy) -> None:
    if axis not in AXES:
        raise InvalidGuideline("axis", "Choose what the sentence speaks of.")
    if label and label not in {one.label for one in choices(axis, taxonomy).labels}:
        raise InvalidGuideline("label", f"There is no {axis} '{label}': choose what the sentence speaks of once more.")


def _shown(session: Session, taxonomy: Taxonomy, visitor: SignedIn, draft: Draft, said: str = "") -> Response:
    chapters = [_chapter(session, axis, taxonomy) for axis in AXES]
    session.commit()  # the shipped sentences
    return page(
        "guidelines.html.j2",
        visitor,
        status=422 if draft.wrong else 200,
        here="/review",
        said=said,
        chapters=chapters,
        draft=draft,
        longest=LONGEST,
        changes=visitor.caller.may("admin", reading=False),
    )


def _chapter(session: Session, axis: str, taxonomy: Taxonomy) -> Chapter:
    found = sentences(session, axis)
    return Chapter(
        axis,
        axis_words.NAMES[axis],
        [one for one in found if one.ended_at is None],
        [one for one in found if one.ended_at is not None],
        choices(axis, taxonomy).labels,
    )
