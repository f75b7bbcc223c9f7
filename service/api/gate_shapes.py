"""What `/v1/calibration/certificates` and `/v1/calibration/gates` take and answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.prediction import Axis
from service.api import gate_examples as examples
from service.ingest.record import NUMBER

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


class RungOut(BaseModel):
    """A position at which the promise is proved: the labels at or above it, how many were right, the lower bound."""

    threshold: float
    n: int
    correct: int
    lower_bound: float


class CertificateOut(BaseModel):
    """A proved promise and all that it is bound to: any other model, taxonomy, preparation or calibrator has none.

    `rungs` are all positions that were proved; it stands at `threshold`, where `n` labels were given and `correct` of
    them were right. `waiting`: for a second person. `live` after `expires_at` or beside a hold it gives no value.
    """

    id: UUID
    run_id: UUID
    axis: str
    label: str
    state: Literal["live", "waiting", "superseded", "declined"]
    sources: list[str]
    languages: list[str]
    classifier: str
    model_digest: str
    taxonomy: str
    preparation: str
    calibrators: dict[str, str]
    designs: list[str]
    samples: list[str]
    threshold: float
    rungs: list[float]
    proved: list[RungOut]
    precision: float
    confidence: float
    attempt: int
    n: int
    correct: int
    lower_bound: float
    procedure: str
    seed: int
    issued_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class GateChangeOut(BaseModel):
    """Who changed what passes by itself, from where to where, why, and who else decided about it.

    `before` and `after` are thresholds, null where people decide. What `loosens` waits until a second person decided.
    """

    id: UUID
    axis: str
    label: str
    source: str | None
    language: str | None
    certificate_id: UUID | None
    hold_id: UUID | None
    action: Literal["issue", "move", "hold", "lift"]
    before: float | None
    after: float | None
    loosens: bool
    reason: str
    by: str
    at: datetime
    state: Literal["done", "waiting", "declined"]
    decided_by: str | None
    decided_at: datetime | None
    comment: str | None


class HoldOut(BaseModel):
    """Since when people decide, who wanted it and why; of one source and language, or (null) of all."""

    id: UUID
    source: str | None
    language: str | None
    certificate_id: UUID | None
    cause: str
    reason: str
    by: str
    at: datetime


class CellOut(BaseModel):
    """A threshold for a source and language; null stands for all that no other cell names.

    `promised`: a certificate gives the value. `uncertified`: the policy does. `review`: a person decides, and why.
    """

    threshold: str
    source: str | None
    language: str | None
    state: Literal["promised", "uncertified", "review"]
    value: float | None
    certificate: UUID | None
    reason: str | None


class GateOut(BaseModel):
    """A label and what passes by itself: by cell, and what was changed, newest first."""

    axis: str
    label: str
    cells: list[CellOut]
    certificates: list[CertificateOut]
    holds: list[HoldOut]
    waiting: list[GateChangeOut]
    history: list[GateChangeOut]


class GatesOut(BaseModel):
    """Every label that a threshold of the policy, a certificate or a hold is about."""

    items: list[GateOut]


class GateIn(BaseModel):
    """A change: `move` a certificate to another of its rungs, `hold` a label for people, `lift` such a hold.

    Without `source` or `language` it is about all of them.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.ASKED, examples.HELD]})

    axis: Axis
    label: Annotated[str, Field(min_length=1, max_length=200)]
    action: Literal["move", "hold", "lift"]
    threshold: Annotated[float, Field(ge=0, le=1), NUMBER] | None = None
    source: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    language: Annotated[str, Field(min_length=1, max_length=35)] | None = None
    reason: Reason

    @model_validator(mode="after")
    def _threshold_moves(self) -> "GateIn":
        if (self.action == "move") is not (self.threshold is not None):
            raise ValueError("a move names the threshold to move to, and nothing else does")
        return self


class DecideIn(BaseModel):
    """What whoever decides says about it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.COMMENT]})

    comment: Reason
