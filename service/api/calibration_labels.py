"""`/v1/calibration` for labels: samples, the next card, what was said, and disputes."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel
from sqlmodel import Session, select

from service.api import label_examples as examples
from service.api.dependencies import (
    CursorDep,
    LimitDep,
    Page,
    SessionDep,
    StrictRoute,
    Unasked,
    UnaskedDep,
    Unread,
    UnreadDep,
    WiringDep,
    allow,
    newest_first,
    paged,
)
from service.api.examples import answer, page
from service.api.label_shapes import (
    CardOut,
    DecidedOut,
    DecisionIn,
    DisputeOut,
    DisputesOut,
    LabelIn,
    LabelOut,
    OpinionOut,
    ProgressOut,
    RevealedOut,
    SampleDrawn,
    SampleIn,
    SampleOut,
    UndoIn,
    UndoneOut,
    VerbatimOut,
    explained,
    listed,
)
from service.api.problems import Problem, not_found
from service.lab.labels import disputes, labelling, samples
from service.lab.labels.hearing import Opinion
from service.lab.labels.progress import Progress, progress
from service.lab.labels.rater import rater_of
from service.lab.labels.slots import Showing, Shown, next_showings
from service.people.access import Caller
from service.store.lab_tables import LabelSample
from service.store.tables import now

router = APIRouter(tags=["calibration"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]
Reviewer = Annotated[Caller, Depends(allow("reviewer"))]
Admin = Annotated[Caller, Depends(allow())]
_LABEL = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/LabelIn"}}},
    }
}
_NO_CARD = {"description": "There is no such card, or it was shown to somebody else"}


@router.post(
    "/v1/calibration/samples",
    status_code=201,
    summary="Draw a sample",
    responses=answer(201, examples.SAMPLE_DRAWN),
)
def create_sample(session: SessionDep, parts: WiringDep, caller: Admin, body: SampleIn) -> SampleDrawn:
    """Draw records to be labelled by people, each distinct text once; reviewers find them at once.

    Drawing from a million records takes half a minute; meanwhile another draw is answered 409.
    """
    made = samples.draw(session, samples.Wanted(**body.model_dump()), parts.reader.taxonomy, by=caller.name, at=now())
    session.commit()
    return SampleDrawn.model_validate(made, from_attributes=True)


@router.get("/v1/calibration/samples", summary="List samples", responses=answer(200, page(examples.SAMPLE)))
def list_samples(session: SessionDep, _caller: Supervisor, cursor: CursorDep, limit: LimitDep = 50) -> Page[SampleOut]:
    """Samples, newest first, and how far their labels have come."""
    newest = newest_first(select(LabelSample), LabelSample.created_at, LabelSample.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.created_at, row.id))
    far = progress(session, [row.id for row in rows])
    return Page(items=[_sample(row, far[row.id]) for row in rows], next=following)


@router.get("/v1/calibration/samples/{sample_id}", summary="Show a sample", responses=answer(200, examples.SAMPLE))
def get_sample(session: SessionDep, _caller: Supervisor, sample_id: UUID) -> SampleOut:
    """How a sample was drawn, and how far its labels have come."""
    return _sample(_row(session, sample_id), progress(session, [sample_id])[sample_id])


@router.post(
    "/v1/calibration/samples/{sample_id}/close",
    summary="Close a sample",
    responses=answer(200, {**examples.SAMPLE, "state": "closed", "closed_at": examples.SAMPLE["created_at"]}),
)
def close_sample(session: SessionDep, caller: Admin, sample_id: UUID) -> SampleOut:
    """Show nobody any more cards of a sample. What was said stays, and counts. One that is done stays done."""
    row = _row(session, sample_id)
    samples.close(session, row, now(), by=caller.name)
    session.commit()
    return _sample(row, progress(session, [sample_id])[sample_id])


@router.get(
    "/v1/calibration/next",
    summary="Show the next card",
    response_model=CardOut,
    responses={
        **answer(200, examples.CARD),
        204: {"description": "Nothing is left for this person"},
        404: {"description": "There is no such sample"},
    },
)
async def next_card(
    unasked: UnaskedDep, sample: Annotated[UUID | None, Query(description="only cards of this sample")] = None
) -> Response:
    """The card that the caller holds, or the next one by lot; until `lease_until` nobody else is asked in its place."""
    return await unasked.in_a_thread(partial(_next, sample))


def _next(sample: UUID | None, unasked: Unasked) -> Response:
    caller = unasked.caller("reviewer")
    if not caller.may("reviewer", reading=False):  # an auditor may look, and has nothing to label
        return Response(status_code=204)
    with unasked.parts.database.session() as session:
        found = next_showings(session, rater_of(session, caller), unasked.parts.reader.taxonomy, now(), sample)
    return _json(_card(found[0])) if found else Response(status_code=204)


@router.post(
    "/v1/calibration/labels",
    status_code=201,
    summary="Say what is right",
    response_model=LabelOut,
    openapi_extra=_LABEL,
    responses={
        **answer(201, examples.KEPT, conflict="The caller has given this card another answer"),
        404: _NO_CARD,
        200: {"model": LabelOut, "description": "It was kept before", **answer(200, examples.KEPT)[200]},
    },
)
async def create_label(unread: UnreadDep) -> Response:
    """Keep what the caller says about a card. The same again is answered 200 and kept once."""
    return await unread.in_a_thread(_labelled)


def _labelled(unread: Unread) -> Response:
    caller, body = unread.read(LabelIn, "reviewer")
    said = labelling.Said(tuple(body.labels), body.unsure, body.skip, body.flag)
    with unread.parts.database.session() as session:
        rater, taxonomy = rater_of(session, caller), unread.parts.reader.taxonomy
        saved = labelling.submit(session, rater, body.card, said, taxonomy, now())
    kept = LabelOut(card=body.card, **saved.label.model_dump(include=set(LabelOut.model_fields)))
    return _json(kept, 200 if saved.again else 201)


@router.post(
    "/v1/calibration/labels/undo",
    summary="Take a label back",
    responses={
        **answer(200, examples.UNDONE, conflict="Nothing to take back, or it was revealed or built upon"),
        404: _NO_CARD,
    },
)
def undo_label(session: SessionDep, caller: Reviewer, body: UndoIn) -> UndoneOut:
    """Take one of the caller's last 50 labels back; they hold its card again. What was said stays on record."""
    card = labelling.undo(session, rater_of(session, caller), now(), body.card)
    session.commit()
    if card is None:
        raise Problem(409, "There is no label of yours that could be taken back.")
    return UndoneOut(card=card)


@router.post(
    "/v1/calibration/cards/{card}/reveal",
    summary="Reveal a card",
    responses=answer(200, examples.REVEALED, conflict="The caller has not labelled it yet"),
)
def reveal_card(session: SessionDep, caller: Reviewer, card: UUID) -> RevealedOut:
    """What the model and colleagues said about a card that the caller has labelled; that they looked is kept."""
    seen = labelling.reveal(session, rater_of(session, caller), card, now())
    session.commit()
    return RevealedOut(card=card, model=dict(seen.model), colleagues=[_opinion(one) for one in seen.colleagues])


@router.get("/v1/calibration/disputes", summary="List disputes", responses=answer(200, examples.DISPUTES))
def list_disputes(session: SessionDep, parts: WiringDep, caller: Reviewer, limit: LimitDep = 50) -> DisputesOut:
    """Cards on which people differ and which the caller may decide: for a reviewer, those they have not labelled.

    A reviewer who was answered a text here is asked to label it no more.
    """
    rater = rater_of(session, caller)
    found = disputes.open_disputes(session, rater, parts.reader.taxonomy, most=limit)
    disputes.note_shown(session, rater, found, now())
    session.commit()
    return DisputesOut(items=[_dispute(one) for one in found])


@router.post(
    "/v1/calibration/disputes/{card_id}",
    status_code=201,
    summary="Decide a dispute",
    responses=answer(201, examples.DECIDED, conflict="Nobody has to decide it, or the caller has labelled it"),
)
def decide_dispute(
    session: SessionDep, parts: WiringDep, caller: Reviewer, card_id: UUID, body: DecisionIn
) -> DecidedOut:
    """Say which labels are right, why, and by which sentence of the guideline. What everybody said stays."""
    label = disputes.adjudicate(
        session,
        rater_of(session, caller),
        card_id,
        parts.reader.taxonomy,
        labels=tuple(body.labels),
        reason=body.reason,
        guideline=_sentence(body),
        at=now(),
    )
    session.commit()
    return DecidedOut(guideline=label.guideline_id, **label.model_dump(include=set(DecidedOut.model_fields)))


def _sentence(body: DecisionIn) -> UUID | str:
    """The sentence that decides: the id of one, or a new one."""
    named = [one for one in (body.guideline, body.sentence) if one is not None]
    if len(named) != 1:
        detail = "Name the sentence that decides: the id of one that is there, or a new one in `sentence`."
        raise Problem(422, detail, errors=[{"pointer": "/guideline", "detail": detail}])
    return named[0]


def _row(session: Session, sample_id: UUID) -> LabelSample:
    row = session.get(LabelSample, sample_id)
    if row is None:
        raise not_found("sample")
    return row


def _json(said: BaseModel, status: int = 200) -> Response:
    """Written in the thread that knows it: FastAPI would check it once more, in another one."""
    return Response(said.model_dump_json(), status, media_type="application/json")


def _sample(row: LabelSample, far: Progress) -> SampleOut:
    shown = row.model_dump(include=set(SampleOut.model_fields))
    return SampleOut(**shown, progress=ProgressOut.model_validate(far, from_attributes=True))


def _card(one: Showing) -> CardOut:
    return CardOut(
        card=one.card,
        text=one.text,
        question=one.question,
        axis=one.choices.axis,
        choices=listed(one.choices),
        meanings=explained(one.choices),
        verbatims=_verbatims(one.verbatims),
        lease_until=one.lease_until,
        done=one.done,
        total=one.total,
    )


def _dispute(one: disputes.Dispute) -> DisputeOut:
    return DisputeOut(
        card_id=one.card_id,
        sample=one.sample,
        axis=one.axis,
        question=one.question,
        choices=listed(one.choices),
        meanings=explained(one.choices),
        text=one.text,
        verbatims=_verbatims(one.verbatims),
        answers=[_opinion(said) for said in one.answers],
        third=one.third,
    )


def _opinion(one: Opinion) -> OpinionOut:
    return OpinionOut.model_validate(one, from_attributes=True)


def _verbatims(shown: Sequence[Shown]) -> list[VerbatimOut]:
    return [VerbatimOut.model_validate(one, from_attributes=True) for one in shown]
