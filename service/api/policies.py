"""`/v1/policies`: versions of the rules, published once and never changed, and which of them decides."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from service.api import examples
from service.api.dependencies import InboundDep, LimitDep, SessionDep, StrictRoute, WiringDep, allow
from service.api.problems import Problem, not_found
from service.ingest.strict_json import parse
from service.people.access import Caller
from service.route.versions import activate, active_version, publish
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
            "application/yaml": {"schema": {"type": "string"}, "example": examples.POLICY_YAML},
            "application/json": {"schema": {"type": "object"}, "example": examples.POLICY},
        },
    }
}


class WarningOut(BaseModel):
    """Something the author should know although the policy is fine."""

    line: int
    column: int
    detail: str


class PublishedOut(BaseModel):
    """The version just stored; it decides nothing until it is activated."""

    version: int
    warnings: list[WarningOut]


class PolicyOut(BaseModel):
    """A published version, and by whom, when and why it was last activated: null where it never was."""

    version: int
    name: str
    active: bool
    comment: str | None
    created_by: str
    created_at: datetime
    digest: str
    activated_at: datetime | None
    activated_by: str | None
    activation_comment: str | None


class PolicyDocumentOut(PolicyOut):
    """A published version with its document as written and its canonical tree."""

    document: str
    tree: dict[str, Any]


class PolicyPage(BaseModel):
    """Versions, newest first; `next` is the cursor of the page after."""

    items: list[PolicyOut]
    next: str | None


class ActivateIn(BaseModel):
    """Why this version decides from now on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.ACTIVATION]})

    comment: Annotated[str, Field(min_length=1, max_length=2_000)]
    mode: Literal["live"] = "live"


@router.post(
    "",
    status_code=201,
    summary="Publish a policy",
    responses=examples.answer(201, examples.PUBLISHED),
    openapi_extra=_BODY,
)
def publish_policy(
    request: Request, parts: WiringDep, session: SessionDep, caller: Admin, inbound: InboundDep
) -> PublishedOut:
    """Check a policy and store it as the next version. Errors come with line and column."""
    kind = request.headers.get("content-type", "application/yaml").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise Problem(415, f"A policy is sent as application/yaml or application/json, not {kind[:80]}.")
    if kind == "application/json":
        parse(inbound.raw)  # YAML would take more than JSON does, and tell a slip of JSON in words of YAML
    topics = parts.reader.taxonomy.labels
    published = publish(session, inbound.raw, topics, by=caller.name)
    session.commit()
    warnings = [WarningOut(line=one.line, column=one.column, detail=one.detail) for one in published.warnings]
    return PublishedOut(version=published.version, warnings=warnings)


@router.get("", summary="List policies", responses=examples.answer(200, examples.page(examples.ACTIVATED)))
def list_policies(
    session: SessionDep, _caller: Supervisor, limit: LimitDep = 50, cursor: Annotated[Version, Query()] = 2**31 - 1
) -> PolicyPage:
    """All versions, newest first."""
    query = select(Policy).where(col(Policy.version) < cursor).order_by(col(Policy.version).desc()).limit(limit + 1)
    rows = session.exec(query).all()
    following = str(rows[limit - 1].version) if len(rows) > limit else None
    return PolicyPage(items=[PolicyOut(**shown) for shown in _shown(session, rows[:limit])], next=following)


@router.get("/{version}", summary="Show a policy", responses=examples.answer(200, examples.POLICY_SHOWN))
def get_policy(session: SessionDep, _caller: Supervisor, version: Version) -> PolicyDocumentOut:
    """One version, as it was written."""
    row = _row(session, version)
    (shown,) = _shown(session, [row])
    return PolicyDocumentOut(**shown, document=row.document, tree=row.tree)


@router.post(
    "/{version}/activate",
    summary="Activate a policy",
    responses=examples.answer(200, examples.ACTIVATED, conflict="Approval is needed, and this is the caller's own"),
)
def activate_policy(
    parts: WiringDep, session: SessionDep, caller: Admin, version: Version, body: ActivateIn
) -> PolicyOut:
    """Let a version decide: every decision taken after this answer uses it, in every process."""
    activate(session, version, by=caller.name, comment=body.comment, need_approval=parts.require_approval)
    session.commit()
    (shown,) = _shown(session, [_row(session, version)])
    return PolicyOut(**shown)


def _row(session: Session, version: int) -> Policy:
    row = session.get(Policy, version)
    if row is None:
        raise not_found("policy of this version")
    return row


def _shown(session: Session, rows: Collection[Policy]) -> list[dict[str, Any]]:
    deciding = active_version(session)
    activations = session.exec(
        select(PolicyActivation)
        .where(col(PolicyActivation.policy_version).in_([row.version for row in rows]))
        .where(col(PolicyActivation.mode) == "live")
        .order_by(col(PolicyActivation.from_at))
    )
    last = {one.policy_version: one for one in activations}
    return [
        {
            **row.model_dump(include=set(PolicyOut.model_fields)),
            "active": row.version == deciding,
            "activated_at": one.from_at if one else None,
            "activated_by": one.by if one else None,
            "activation_comment": one.comment if one else None,
        }
        for row, one in ((row, last.get(row.version)) for row in rows)
    ]
