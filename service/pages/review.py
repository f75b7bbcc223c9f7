"""`/review`: what a reviewer labels, one text at a time and blind: saved, skipped, taken back, revealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session
from starlette.responses import RedirectResponse

from service.api.dependencies import SessionDep, WiringDep
from service.api.problems import Problem
from service.lab.labels.choices import AXES, Choice
from service.lab.labels.disputes import open_disputes
from service.lab.labels.guidelines import sentences
from service.lab.labels.labelling import (
    AlreadySaid,
    InvalidLabel,
    LabelStays,
    NotYours,
    Said,
    Saved,
    UnknownCard,
    reveal,
    submit,
    undo,
)
from service.lab.labels.rater import rater_of
from service.lab.labels.slots import Showing, next_showings
from service.pages import axis_words
from service.pages.last_answer import find_last
from service.pages.render import page
from service.pages.visitor import Form, FormDep, PageRoute, enter
from service.people.sessions import SignedIn
from service.route.phrases import sure
from service.store.lab_tables import Guideline
from service.store.tables import now

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Visitor = Annotated[SignedIn, Depends(enter("reviewer"))]

# One key each; those of the page itself and of lists are left out, and 0 says that no label is right.
_KEYS = "123456789qwrtyiopdlzcvbm"
_REASONS = (
    "I cannot read this language",
    "I do not understand what is meant",
    "I know who wrote this, or it is about me",
    "The text is empty, broken or cut off",
)
# From so many characters or answers on, the text has a place of its own to scroll, and the question stays in sight.
_LONG, _MANY = 1_500, 5
_NO_CARD = "There is no such card of yours: go on with the next one."
_LATE = "Your time for that card was over and somebody else has been asked too; both answers are kept."


@dataclass(frozen=True, slots=True)
class Told:
    """What became of the last answer, in a few words with a sign; `more` where that takes a sentence."""

    tone: str
    words: str
    more: str = ""


_TOLD: Mapping[str, Told] = {
    "saved": Told("good", "saved"),
    "unsure": Told("good", "saved: not sure"),
    "skipped": Told("good", "skipped: somebody else gets it"),
    "late": Told("good", "saved, after your time", _LATE),
    "undone": Told("good", "taken back: answer it again"),
    "nothing": Told("warn", "there is nothing to take back"),
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that could not be saved, as it was given, and why."""

    slot: UUID
    said: Said
    words: str


@dataclass(frozen=True, slots=True)
class Option:
    """A label to choose, and its key, empty where there are more labels than keys; `value` is what the form says."""

    label: str
    value: str
    key: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Answering:
    """The form for one axis of the text."""

    slot: UUID
    axis: str
    asks: str
    exclusive: bool
    options: Sequence[Option]
    wrong: str
    flag: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The guideline of an axis, beside its form."""

    axis: str
    name: str
    sentences: Sequence[Guideline]
    meanings: Sequence[Choice]


@router.get("/review")
def show_review(
    session: SessionDep, parts: WiringDep, visitor: Visitor, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """The next text for this person."""
    return _shown(session, parts, visitor, _TOLD.get(done))


@router.post("/review/cards/{slot_id}")
def send_label(slot_id: UUID, session: SessionDep, parts: WiringDep, visitor: Visitor, form: FormDep) -> Response:
    """Keep an answer, or why there is none."""
    said = _said(form)
    try:
        _require_answer(form, said)
        saved = submit(session, rater_of(session, visitor.caller), slot_id, said, parts.reader.taxonomy, now())
        done = _done(said, saved, slot_id)
        session.commit()
    except InvalidLabel as error:
        session.rollback()
        return _shown(session, parts, visitor, None, Wrong(slot_id, said, str(error)))
    except (UnknownCard, NotYours) as error:
        raise Problem(404, _NO_CARD) from error
    except AlreadySaid as error:
        raise Problem(409, "You have answered this card otherwise. Take that back first, then answer again.") from error
    return RedirectResponse(f"/review?done={done}", 303)


@router.post("/review/undo")
def send_undo(session: SessionDep, visitor: Visitor, form: FormDep) -> Response:
    """Take the last answer back, or that to the card which is named."""
    try:
        card = UUID(form.text("card")) if form.text("card") else None
        undone = undo(session, rater_of(session, visitor.caller), now(), card)
    except ValueError as error:
        raise Problem(422, "This card has no id of ours: open the page again.") from error
    except UnknownCard as error:
        raise Problem(404, _NO_CARD) from error
    except LabelStays as error:
        raise Problem(409, str(error)) from error
    session.commit()
    return RedirectResponse(f"/review?done={'undone' if undone else 'nothing'}", 303)


@router.post("/review/cards/{slot_id}/reveal")
def send_reveal(slot_id: UUID, session: SessionDep, visitor: Visitor, _form: FormDep) -> Response:
    """Show what the model and colleagues said about a card that this person has answered; it is noted."""
    rater = rater_of(session, visitor.caller)
    last = find_last(session, rater.name, slot_id)
    try:
        seen = reveal(session, rater, slot_id, now())
    except (UnknownCard, NotYours) as error:
        raise Problem(404, _NO_CARD) from error
    except LabelStays as error:
        raise Problem(409, str(error)) from error
    session.commit()
    return page(
        "review_revealed.html.j2",
        visitor,
        here="/review",
        own=last.words if last else "",
        beliefs=[(label, sure(one)) for label, one in axis_words.likeliest(seen.model)],
        colleagues=seen.colleagues,
        answered=axis_words.answer,
    )


def _said(form: Form) -> Said:
    flag = form.text("flag") or None
    if form.texts("skip"):
        return Said(skip=form.text("skip") or form.text("why") or None)
    if form.text("unsure"):
        return Said(unsure=True, flag=flag)
    return Said(labels=tuple(filter(None, form.texts("label"))), flag=flag)


def _require_answer(form: Form, said: Said) -> None:
    """That none is right is an answer, to be chosen: a key pressed twice must not say so of the next card."""
    if said.skip or said.unsure:
        return
    if form.texts("skip"):
        raise InvalidLabel("skip", "Say why you skip it: choose a reason.")
    if not form.texts("label"):
        raise InvalidLabel("labels", "Nothing is chosen yet: choose what is right, or say that you are not sure.")
    if said.labels and "" in form.texts("label"):
        raise InvalidLabel("labels", f"You chose both a label and '{axis_words.NONE}': choose one or the other.")


def _done(said: Said, saved: Saved, slot: UUID) -> str:
    if saved.label.slot_id != slot:  # it is kept beside, as the card is with somebody else
        return "late"
    return "skipped" if said.skip else "unsure" if said.unsure else "saved"


def _shown(
    session: Session, parts: WiringDep, visitor: SignedIn, told: Told | None, wrong: Wrong | None = None
) -> Response:
    rater, taxonomy, moment = rater_of(session, visitor.caller), parts.reader.taxonomy, now()
    labels = visitor.caller.may("reviewer", reading=False)
    showings = _in_order(next_showings(session, rater, taxonomy, moment)) if labels else []
    rules = [_rules(session, one) for one in showings]
    disputes = len(open_disputes(session, rater, taxonomy)) if labels and not showings else 0
    last = find_last(session, rater.name) if labels else None
    session.commit()  # what was leased, and the shipped guideline
    if wrong:
        beside = wrong.slot in {one.card for one in showings}
        told = Told("bad", "not saved" if beside else wrong.words)
    return page(
        "review.html.j2",
        visitor,
        status=422 if wrong else 200,
        here="/review",
        labels=labels,
        blind=rater.blind,
        told=told,
        last=last,
        reveals=last is not None and last.given and last.feedback not in {one.feedback for one in showings},
        progress=_progress(showings),
        verbatims=showings[0].verbatims if showings else (),
        long=bool(showings) and (len(showings[0].text) >= _LONG or len(showings[0].verbatims) >= _MANY),
        forms=[_answering(one, wrong if wrong and wrong.slot == one.card else None) for one in showings],
        lease=min((one.lease_until for one in showings), default=moment),
        guidelines=rules,
        reasons=_REASONS,
        disputes=disputes,
    )


def _in_order(showings: Sequence[Showing]) -> list[Showing]:
    """The axes in the same order on every screen."""
    return sorted(showings, key=lambda one: AXES.index(one.choices.axis))


def _rules(session: Session, one: Showing) -> Rules:
    axis = one.choices.axis
    found = [sentence for sentence in sentences(session, axis) if sentence.ended_at is None]
    return Rules(axis, axis_words.NAMES[axis], found, [choice for choice in one.choices.labels if choice.meaning])


def _answering(one: Showing, wrong: Wrong | None) -> Answering:
    chosen = wrong.said.labels if wrong else ()
    labels = [choice.label for choice in one.choices.labels]
    options = [
        Option(label, label, key, label in chosen)
        for label, key in zip_longest(labels, _KEYS[: len(labels)], fillvalue="")
    ]
    if not one.choices.exclusive:
        options.append(Option(axis_words.NONE, "", "0", chosen=False))
    return Answering(
        slot=one.card,
        axis=one.choices.axis,
        asks=one.question,
        exclusive=one.choices.exclusive,
        options=options,
        wrong=wrong.words if wrong else "",
        flag=(wrong.said.flag or "") if wrong else "",
    )


def _progress(showings: Sequence[Showing]) -> str:
    """`Sentiment: 12 of 60; Topics: 3 of 60, about 9 min left`: the samples this text is of, and all their time."""
    samples = {showing.sample: showing for showing in showings}.values()
    far = "; ".join(f"{axis_words.NAMES[one.choices.axis]}: {one.done} of {one.total}" for one in samples)
    seconds = [one.seconds_left for one in samples if one.seconds_left is not None]
    return f"{far}, about {max(1, round(sum(seconds) / 60))} min left" if seconds else far
