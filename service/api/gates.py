"""`/v1/calibration/certificates` and `/gates`: what was proved, what therefore passes by itself, and who changes it."""

import re
from collections.abc import Iterable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session, select

from service.api import gate_examples as examples
from service.api.dependencies import (
    CursorDep,
    LimitDep,
    Page,
    SessionDep,
    StrictRoute,
    WiringDep,
    allow,
    narrowed,
    newest_first,
    paged,
)
from service.api.examples import answer, page
from service.api.gate_shapes import CertificateOut, DecideIn, GateChangeOut, GateIn, GateOut, GatesOut
from service.api.problems import Problem, not_found
from service.lab.gates import moves
from service.lab.gates.changes import InvalidChange
from service.lab.gates.in_force import Scope
from service.lab.gates.states import gate_states
from service.people.access import Caller
from service.route.definitions import labels_of
from service.route.suggestion import did_you_mean
from service.store.lab_tables import Certificate, GateChange
from service.store.tables import Source, now

router = APIRouter(prefix="/v1/calibration", tags=["calibration"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]
Admin = Annotated[Caller, Depends(allow())]
State = Literal["live", "waiting", "superseded", "declined"]
_NOT_NOW = "It does not wait, it is the caller's own, or what it is about has changed since"


@router.get("/certificates", summary="List certificates", responses=answer(200, page(examples.CERTIFICATE)))
def list_certificates(
    session: SessionDep,
    _caller: Supervisor,
    cursor: CursorDep,
    axis: Annotated[str | None, Query(max_length=200)] = None,
    label: Annotated[str | None, Query(max_length=200)] = None,
    state: Annotated[State | None, Query()] = None,
    limit: LimitDep = 50,
) -> Page[CertificateOut]:
    """Certificates, newest first."""
    asked = ((Certificate.axis, axis), (Certificate.label, label), (Certificate.state, state))
    query = narrowed(select(Certificate), *asked)
    newest = newest_first(query, Certificate.issued_at, Certificate.id, cursor, limit)
    rows, following = paged(session.exec(newest).all(), limit, lambda row: (row.issued_at, row.id))
    return Page(items=[_certificate(row) for row in rows], next=following)


@router.get("/certificates/{certificate_id}", summary="Show a certificate", responses=answer(200, examples.CERTIFICATE))
def get_certificate(session: SessionDep, _caller: Supervisor, certificate_id: UUID) -> CertificateOut:
    """A promise, the labels that prove it, and what it is bound to."""
    row = session.get(Certificate, certificate_id)
    if row is None:
        raise not_found("certificate")
    return _certificate(row)


@router.get("/gates", summary="Show what passes by itself", responses=answer(200, examples.GATES))
def list_gates(
    session: SessionDep,
    _caller: Supervisor,
    axis: Annotated[str | None, Query(max_length=200)] = None,
    label: Annotated[str | None, Query(max_length=200)] = None,
) -> GatesOut:
    """Of each label: where it is promised, where the policy's own value is used, where people decide, and why."""
    found = [
        GateOut.model_validate(one, from_attributes=True)
        for one in gate_states(session, now())
        if axis in {None, one.axis} and label in {None, one.label}
    ]
    return GatesOut(items=found)


@router.post(
    "/gates",
    summary="Change what passes by itself",
    responses={
        **answer(
            200,
            examples.DONE,
            conflict="Nothing there is in force or held, it stands there already, or a change of it waits",
        ),
        202: {**answer(202, examples.CHANGE)[202], "model": GateChangeOut},
    },
)
def change_gate(
    parts: WiringDep, session: SessionDep, caller: Admin, body: GateIn, response: Response
) -> GateChangeOut:
    """Move a certificate to another proved position, hold a label for people, or ask that a hold is lifted.

    200: every decision after this answer uses it. 202: it lets more pass, so it waits until another admin approves.
    """
    if body.action == "hold":
        _require_there(session, parts, body)
    change = _changed(session, caller, body)
    session.commit()
    response.status_code = 202 if change.state == "waiting" else 200
    return _change(change)


@router.post(
    "/gates/{change_id}/approve",
    summary="Approve a change",
    responses=answer(200, examples.DONE, conflict=_NOT_NOW),
)
def approve_change(session: SessionDep, caller: Admin, change_id: UUID, body: DecideIn) -> GateChangeOut:
    """Agree to what somebody else asked for: every decision after this answer uses it."""
    change = moves.approve(session, change_id, caller.name, body.comment, now())
    session.commit()
    return _change(change)


@router.post(
    "/gates/{change_id}/decline",
    summary="Decline a change",
    responses=answer(200, examples.DECLINED, conflict=_NOT_NOW),
)
def decline_change(session: SessionDep, caller: Admin, change_id: UUID, body: DecideIn) -> GateChangeOut:
    """Refuse what somebody else asked for: everything stays as it is."""
    change = moves.decline(session, change_id, caller.name, body.comment, now())
    session.commit()
    return _change(change)


def _require_there(session: Session, parts: WiringDep, body: GateIn) -> None:
    """Refuse to hold what is not there: whoever mistypes a source would believe that people decide."""
    labels = labels_of(body.axis, parts.reader.taxonomy.labels)
    if body.label not in labels:
        raise _mistaken("label", f"The axis {body.axis} has no label '{body.label}'", body.label, labels)
    sources = session.exec(select(Source.name)).all()
    if body.source is not None and body.source not in sources:
        raise _mistaken("source", f"There is no source '{body.source}'", body.source, sources)
    if body.language is not None and not re.fullmatch("[a-z]{2,3}", body.language):
        said = f"heed names a language by two small letters, such as en, or und: '{body.language}' is none"
        raise InvalidChange("language", f"{said}.")


def _mistaken(field: str, said: str, word: str, known: Iterable[str]) -> InvalidChange:
    meant = did_you_mean(word, known)
    return InvalidChange(field, f"{said}: {meant}" if meant else f"{said}.")


def _changed(session: Session, caller: Caller, body: GateIn) -> GateChange:
    scope, by, at = Scope(body.axis, body.label, body.source, body.language), caller.name, now()
    if body.threshold is not None:
        return moves.move(session, scope, threshold=body.threshold, by=by, reason=body.reason, at=at)
    if body.action == "lift":
        return moves.lift(session, scope, by=by, reason=body.reason, at=at)
    held = moves.hold(session, scope, cause="person", by=by, reason=body.reason, at=at)
    if held is None:
        raise Problem(409, "Somebody holds exactly this already.")
    return held


def _certificate(row: Certificate) -> CertificateOut:
    return CertificateOut.model_validate(row, from_attributes=True)


def _change(row: GateChange) -> GateChangeOut:
    return GateChangeOut.model_validate(row, from_attributes=True)
