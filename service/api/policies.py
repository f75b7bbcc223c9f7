"""`/v1/policies`: versions of the rules, published once and never changed, and which of them decide, for whom."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from sqlmodel import Session, col, select

from service.api import policy_examples
from service.api.dependencies import InboundDep, LimitDep, SessionDep, StrictRoute, WiringDep, allow
from service.api.examples import answer, page
from service.api.policy_shapes import (
    ActivateIn,
    ChangeOut,
    CheckedOut,
    DifferenceOut,
    EndIn,
    PolicyDocumentOut,
    PolicyOut,
    PolicyPage,
    PublishedOut,
    WarningOut,
)
from service.api.problems import Problem, not_found
from service.ingest.strict_json import parse
from service.people.access import Caller
from service.policies import activate, check_here, publish
from service.route.activation import Scope
from service.route.difference import difference
from service.route.findings import PolicyWarning
from service.route.versions import active_version, deactivate, digest_of, fetch, rollback
from service.store.tables import Policy, PolicyActivation

router = APIRouter(prefix="/v1/policies", tags=["policies"], route_class=StrictRoute)
Supervisor = Annotated[Caller, Depends(allow("supervisor"))]
Admin = Annotated[Caller, Depends(allow())]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]

_KINDS = ("application/yaml", "application/x-yaml", "text/yaml", "application/json")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {"schema": {"type": "string"}, "example": policy_examples.POLICY_YAML},
            "application/json": {"schema": {"type": "object"}, "example": policy_examples.POLICY},
        },
    }
}


@router.post(
    "",
    status_code=201,
    summary="Publish a policy",
    responses=answer(201, policy_examples.PUBLISHED),
    openapi_extra=_BODY,
)
def publish_policy(
    request: Request,
    parts: WiringDep,
    session: SessionDep,
    caller: Admin,
    inbound: InboundDep,
    comment: Annotated[str | None, Query(min_length=1, max_length=2_000, description="why this version")] = None,
) -> PublishedOut:
    """Check a policy and store it as the next version, a draft. Errors come with line and column."""
    document = _document(request, inbound.raw)
    published = publish(session, parts.reader, document, by=caller.name, comment=comment)
    session.commit()
    return PublishedOut(version=published.version, warnings=_warnings(published.warnings))


@router.post("/check", summary="Check a policy", responses=answer(200, policy_examples.CHECKED), openapi_extra=_BODY)
def check_policy(
    request: Request, parts: WiringDep, session: SessionDep, _caller: Admin, inbound: InboundDep
) -> CheckedOut:
    """What publishing would answer, its examples run; nothing is stored."""
    sound = check_here(session, parts.reader, _document(request, inbound.raw))
    return CheckedOut(
        name=sound.policy.name,
        rules=len(sound.policy.rules),
        digest=digest_of(sound.policy),
        warnings=_warnings(sound.warnings),
    )


@router.post(
    "/rollback",
    summary="Roll back",
    responses=answer(
        200,
        policy_examples.ACTIVATED,
        conflict="Nothing to go back to, or it is the caller's own",
    ),
)
def roll_back(parts: WiringDep, session: SessionDep, caller: Admin, body: EndIn) -> PolicyOut:
    """Let the version that decided for everyone before decide again; a second rollback takes the first one back."""
    version = rollback(session, by=caller.name, comment=body.comment, need_approval=parts.require_approval)
    return _committed(session, version)


@router.get("", summary="List policies", responses=answer(200, page(policy_examples.ACTIVATED)))
def list_policies(
    session: SessionDep, _caller: Supervisor, limit: LimitDep = 50, cursor: Annotated[Version, Query()] = 2**31 - 1
) -> PolicyPage:
    """All versions, newest first."""
    query = select(Policy).where(col(Policy.version) < cursor).order_by(col(Policy.version).desc()).limit(limit + 1)
    rows = session.exec(query).all()
    following = str(rows[limit - 1].version) if len(rows) > limit else None
    return PolicyPage(items=[PolicyOut(**shown) for shown in _shown(session, rows[:limit])], next=following)


@router.get("/{version}", summary="Show a policy", responses=answer(200, policy_examples.POLICY_SHOWN))
def get_policy(session: SessionDep, _caller: Supervisor, version: Version) -> PolicyDocumentOut:
    """One version, as it was written."""
    row = _row(session, version)
    (shown,) = _shown(session, [row])
    return PolicyDocumentOut(**shown, document=row.document, tree=row.tree)


@router.get("/{version}/diff", summary="Compare two policies", responses=answer(200, policy_examples.POLICY_DIFFERENCE))
def compare_policies(
    session: SessionDep,
    _caller: Supervisor,
    version: Version,
    against: Annotated[Version | None, Query(description="another version; without it, the one that decides")] = None,
) -> DifferenceOut:
    """What a version says otherwise than another, as parts of the document and in plain English."""
    other = active_version(session) if against is None else against
    found = difference(fetch(session, other), fetch(session, version))
    changes = [ChangeOut.model_validate(asdict(change)) for change in found.changes]
    return DifferenceOut(version=version, against=other, changes=changes, sentences=list(found.sentences))


@router.post(
    "/{version}/activate",
    summary="Activate a policy",
    responses=answer(
        200,
        policy_examples.ACTIVATED,
        conflict="It is the caller's own where approval is needed, or decides already",
    ),
)
def activate_policy(
    parts: WiringDep, session: SessionDep, caller: Admin, version: Version, body: ActivateIn
) -> PolicyOut:
    """Let a version decide, for everyone, for some, or beside: every decision after this answer uses it, everywhere.

    Its examples must hold (422 names each that does not). For everyone, it ends all other live activations; with a
    share or a scope it stands beside and takes the records inside, the newest where several would.
    """
    activate(
        session,
        parts.reader,
        version,
        by=caller.name,
        comment=body.comment,
        need_approval=parts.require_approval,
        mode=body.mode,
        share=body.share,
        scope=Scope(tuple(body.scope.region or ()), tuple(body.scope.source or ())),
    )
    return _committed(session, version)


@router.post(
    "/{version}/deactivate",
    summary="End a staged or shadow policy",
    responses=answer(200, policy_examples.ENDED, conflict="It decides for everyone, or is not in force at all"),
)
def deactivate_policy(session: SessionDep, caller: Admin, version: Version, body: EndIn) -> PolicyOut:
    """End what a version does beside the one for everyone."""
    deactivate(session, version, by=caller.name, comment=body.comment)
    return _committed(session, version)


def _document(request: Request, raw: bytes) -> bytes:
    """The body, where it is said to be a policy.

    Raises:
        Problem: 415.
        NotJson: it is said to be JSON, and is not.
    """
    kind = request.headers.get("content-type", "application/yaml").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise Problem(415, f"A policy is sent as application/yaml or application/json, not {kind[:80]}.")
    if kind == "application/json":
        parse(raw)  # YAML would take more than JSON does, and tell a slip of JSON in words of YAML
    return raw


def _warnings(found: Sequence[PolicyWarning]) -> list[WarningOut]:
    return [WarningOut(line=one.line, column=one.column, detail=one.detail) for one in found]


def _row(session: Session, version: int) -> Policy:
    row = session.get(Policy, version)
    if row is None:
        raise not_found("policy of this version")
    return row


def _committed(session: Session, version: int) -> PolicyOut:
    session.commit()
    (shown,) = _shown(session, [_row(session, version)])
    return PolicyOut(**shown)


def _shown(session: Session, rows: Collection[Policy]) -> list[dict[str, Any]]:
    """What is shown of versions, as the fields of `PolicyOut`."""
    deciding = active_version(session)
    activations: dict[int, list[PolicyActivation]] = {row.version: [] for row in rows}
    for one in session.exec(
        select(PolicyActivation)
        .where(col(PolicyActivation.policy_version).in_(list(activations)))
        .order_by(col(PolicyActivation.from_at), col(PolicyActivation.id))
    ):
        activations[one.policy_version].append(one)
    return [
        {
            **row.model_dump(include=set(PolicyOut.model_fields)),
            "active": row.version == deciding,
            **_life(activations[row.version], active=row.version == deciding),
        }
        for row in rows
    ]


def _life(activations: Sequence[PolicyActivation], *, active: bool) -> dict[str, Any]:
    """How far a version is, from its activations, oldest first."""
    now_on = [one for one in activations if one.to_at is None]
    last = next((one for one in reversed(activations) if one.mode == "live"), None)
    modes = {one.mode for one in now_on}
    running = "staged" if "live" in modes else "shadow" if modes else "retired"
    return {
        "state": "active" if active else running if activations else "draft",
        "activations": [_in_force(one) for one in now_on],
        "activated_at": last.from_at if last else None,
        "activated_by": last.by if last else None,
        "activation_comment": last.comment if last else None,
    }


def _in_force(one: PolicyActivation) -> dict[str, Any]:
    return {**one.model_dump(include={"mode", "share", "scope", "by", "comment"}), "since": one.from_at}
