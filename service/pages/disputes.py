"""`/review/disputes`: cards on which people differ, their answers side by side without names, and the decision."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session
from starlette.responses import RedirectResponse

from models.taxonomies.taxonomy import Taxonomy
from service.api.dependencies import SessionDep, WiringDep
from service.api.problems import Problem
from service.lab.labels.disputes import Dispute, NotDisputed, adjudicate, note_shown, open_disputes
from service.lab.labels.guidelines import InvalidGuideline, sentences
from service.lab.labels.labelling import InvalidLabel, UnknownCard
from service.lab.labels.rater import rater_of
from service.pages import axis_words
from service.pages.render import page
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.store.tables import now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("reviewer"))]

_GONE = "This card waits for nobody's decision, or you have labelled it yourself: somebody else decides it then."


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision as it was filled in. `guideline` is the id of a sentence, or `new` for the one that is written."""

    labels: tuple[str, ...] = ()
    reason: str = ""
    guideline: str = ""
    sentence: str = ""
    field: str = ""  # what is wrong, and why
    wrong: str = ""


class _Missing(Exception):
    """A part of the decision is not there. `field` says which, the message what to do."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@router.get("/review/disputes")
def show_disputes(
    session: SessionDep, parts: WiringDep, visitor: Visitor, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """What waits for a decision that this person may make."""
    rater = rater_of(session, visitor.caller)
    found = open_disputes(session, rater, parts.reader.taxonomy)
    note_shown(session, rater, found, now())
    session.commit()
    return page(
        "disputes.html.j2",
        visitor,
        here="/review",
        said="Decided. What everybody had said is kept." if done == "decided" else "",
        disputes=found,
        names=axis_words.NAMES,
        answered=axis_words.answer,
    )


@router.get("/review/disputes/{card_id}")
def show_dispute(card_id: UUID, session: SessionDep, parts: WiringDep, visitor: Visitor) -> Response:
    """One card: the text, the answers side by side, and the form to decide it."""
    dispute = _find(session, visitor, parts.reader.taxonomy, card_id)
    if dispute is None:
        raise Problem(404, _GONE)
    return _shown(session, visitor, dispute, Verdict())


@router.post("/review/disputes/{card_id}")
def send_verdict(card_id: UUID, session: SessionDep, parts: WiringDep, visitor: Visitor, form: FormDep) -> Response:
    """Decide it, with a reason and the sentence by which it is decided."""
    taxonomy = parts.reader.taxonomy
    dispute = _find(session, visitor, taxonomy, card_id)
    if dispute is None:
        raise Problem(404, _GONE)
    verdict = _verdict(form)
    try:
        adjudicate(
            session,
            rater_of(session, visitor.caller),
            card_id,
            taxonomy,
            labels=_chosen(form, verdict),
            reason=_required(verdict),
            guideline=_sentence(verdict),
            at=now(),
        )
    except (InvalidLabel, InvalidGuideline, _Missing) as error:
        session.rollback()
        wrong = Verdict(verdict.labels, verdict.reason, verdict.guideline, verdict.sentence, error.field, str(error))
        return _shown(session, visitor, dispute, wrong)
    except (UnknownCard, NotDisputed) as error:
        raise Problem(404, str(error)) from error
    session.commit()
    return RedirectResponse("/review/disputes?done=decided", 303)


def _find(session: Session, visitor: SignedIn, taxonomy: Taxonomy, card_id: UUID) -> Dispute | None:
    found = open_disputes(session, rater_of(session, visitor.caller), taxonomy)
    return next((one for one in found if one.card_id == card_id), None)


def _verdict(form: Form) -> Verdict:
    return Verdict(
        tuple(filter(None, form.texts("label"))), form.text("reason"), form.text("guideline"), form.text("sentence")
    )


def _chosen(form: Form, verdict: Verdict) -> tuple[str, ...]:
    """The labels; that none is right is chosen, too."""
    if not form.texts("label"):
        raise _Missing("labels", "Choose what is right.")
    if verdict.labels and "" in form.texts("label"):
        raise _Missing("labels", f"You chose both a label and '{axis_words.NONE}': choose one or the other.")
    return verdict.labels


def _required(verdict: Verdict) -> str:
    if not verdict.reason:
        raise _Missing("reason", "Say why, in a sentence: it is kept beside the decision.")
    return verdict.reason


def _sentence(verdict: Verdict) -> UUID | str:
    """The guideline sentence that decides: the id of one, or a new one."""
    if verdict.guideline == "new":
        return verdict.sentence
    try:
        return UUID(verdict.guideline)
    except ValueError as error:
        raise _Missing("guideline", "Choose the sentence that decides it, or write a new one.") from error


def _shown(session: Session, visitor: SignedIn, dispute: Dispute, verdict: Verdict) -> Response:
    holding = [one for one in sentences(session, dispute.axis) if one.ended_at is None]
    session.commit()  # the shipped sentences
    return page(
        "dispute.html.j2",
        visitor,
        status=422 if verdict.wrong else 200,
        here="/review",
        dispute=dispute,
        name=axis_words.NAMES[dispute.axis],
        answered=axis_words.answer,
        none=axis_words.NONE,
        sentences=holding,
        verdict=verdict,
        decides=visitor.caller.may("reviewer", reading=False),
    )
