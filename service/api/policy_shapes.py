"""What `/v1/policies` takes and answers: a version and its life, an activation, a difference."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.api import policy_examples as examples
from service.ingest.record import NUMBER
from service.route.activation import Mode

Name = Annotated[str, Field(min_length=1, max_length=256)]


class WarningOut(BaseModel):
    """Something the author should know although the policy is fine."""

    line: int
    column: int
    detail: str


class PublishedOut(BaseModel):
    """The version just stored, a draft: it decides nothing until it is activated."""

    version: int
    warnings: list[WarningOut]


class CheckedOut(BaseModel):
    """A document that could be published, and what its author should know. Nothing was stored."""

    name: str
    rules: int
    digest: str
    warnings: list[WarningOut]


class ActivationOut(BaseModel):
    """What a version does now: `live` or `shadow`, for which share (0 to 1) of the customers in which scope."""

    mode: Mode
    share: float
    scope: dict[str, list[str]]
    since: datetime
    by: str
    comment: str | None


class PolicyOut(BaseModel):
    """A published version. `active`: it decides for everyone; `state`: how far it is in its life.

    `draft` was never activated, `active` decides for everyone, `staged` for some, `shadow` looks on, `retired` did one
    of these once. By whom, when and why it last became live is null where it never was.
    """

    version: int
    name: str
    active: bool
    state: Literal["draft", "active", "staged", "shadow", "retired"]
    activations: list[ActivationOut]
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


class FieldChangeOut(BaseModel):
    """One field, spelled as the document does; null where it is not there."""

    field: str
    before: str | None
    after: str | None


class ChangeOut(BaseModel):
    """What became of one part of the policy; `section` is the key of the document, `policy` for its single values."""

    section: str
    name: str
    kind: Literal["added", "removed", "changed", "moved"]
    fields: list[FieldChangeOut]
    sentences: list[str]


class DifferenceOut(BaseModel):
    """What `version` says otherwise than `against`, by part and in plain English; empty where both say the same."""

    version: int
    against: int
    changes: list[ChangeOut]
    sentences: list[str]


class _Why(BaseModel):
    model_config = ConfigDict(extra="forbid")

    comment: Annotated[str, Field(min_length=1, max_length=2_000)]


class ScopeIn(BaseModel):
    """Whose records: those from one of the regions and one of the sources; what is left out does not matter."""

    model_config = ConfigDict(extra="forbid")

    region: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = None
    source: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = None


class ActivateIn(_Why):
    """Why this version decides from now on; for whom, where not for everyone; `shadow`: beside, without effect."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACTIVATION, examples.STAGED]})

    mode: Mode = "live"
    share: Annotated[float, Field(gt=0, le=1), NUMBER] = 1.0
    scope: ScopeIn = Field(default_factory=ScopeIn)


class EndIn(_Why):
    """Why a version no longer decides for some, or looks on."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACTIVATION]})
