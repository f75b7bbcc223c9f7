"""The feedback record of the public contract (v1), validated; what it is made of and when two are the same."""

import hashlib
import json
import math
import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator

_DATE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _plain_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("a number is needed here, not a text, true or false")  # noqa: TRY004 (pydantic reads ValueError)
    return value or 0  # -0.0 is no other answer than 0


def _whole_number(value: object) -> object:
    number = _plain_number(value)
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _written_out(value: object) -> object:
    if not isinstance(value, str) or not _DATE.match(value):  # pydantic would take a count of seconds, too
        raise ValueError("a time is written as 2026-11-20T10:00:00Z (RFC 3339)")
    return value


def _no_controls(value: str) -> str:
    if not value.isprintable() and any(unicodedata.category(character) == "Cc" for character in value):
        raise ValueError("control characters are not allowed here")
    return value


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone: 2026-11-20T10:00:00Z (RFC 3339)")
    if not 1970 <= moment.year <= 9998:
        raise ValueError("the year must lie between 1970 and 9998")
    return moment.astimezone(UTC)


def _scalar(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        if abs(value) > 1e15 or not math.isfinite(value):
            raise ValueError("a number beyond 10^15 cannot be kept exactly: send it as a text")
        return _whole_number(value)  # 3 and 3.0 are the same answer
    if isinstance(value, str):
        if len(value) > 10_000:
            raise ValueError("a text here has at most 10,000 characters")
        return value
    raise ValueError("only a text, a number, true, false or null can stand here")


def _or_none_given(value: object) -> object:
    return {} if value is None else value


def _few(values: dict[str, Any]) -> dict[str, Any]:
    if len(values) > 50:
        raise ValueError(f"{len(values)} entries are given, at most 50 are kept")
    for key in values:
        if not 1 <= len(key) <= 128:
            raise ValueError("a name here has 1 to 128 characters")
    return {key: value for key, value in values.items() if value is not None}


# Beside the bounds, never around a type that has them: pydantic leaves the bounds out of the JSON schema otherwise.
WHOLE = BeforeValidator(_whole_number)
NUMBER = BeforeValidator(_plain_number)
Moment = Annotated[datetime, Field(strict=False), BeforeValidator(_written_out), AfterValidator(_in_utc)]
Scalar = Annotated[Any, AfterValidator(_scalar)]
Scalars = Annotated[dict[str, Scalar], BeforeValidator(_or_none_given), AfterValidator(_few)]
Short = Annotated[str, Field(max_length=256)]
_SOURCE_NAME = r"[A-Za-z0-9._-]{1,64}"
SourceName = Annotated[str, Field(pattern=f"^{_SOURCE_NAME}$")]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Scores(_Shape):
    """Survey scores on the scales of the contract; sources rescale at the door."""

    nps: Annotated[int, Field(ge=0, le=10), WHOLE] | None = None
    csat: Annotated[float, Field(ge=1, le=5), NUMBER] | None = None
    stars: Annotated[float, Field(ge=1, le=5), NUMBER] | None = None
    ces: Annotated[float, Field(ge=1, le=7), NUMBER] | None = None


class VerbatimIn(_Shape):
    """One open-text answer and the question it answers."""

    question: Annotated[str, Field(max_length=2_000)] | None = None
    text: Annotated[str, Field(max_length=100_000)]


class Customer(_Shape):
    """Who answered, as far as the survey platform knows."""

    id: Short | None = None
    email: Short | None = None
    tier: Short | None = None
    region: Short | None = None
    account_value: Annotated[float, Field(ge=-1e15, le=1e15), NUMBER] | None = None
    attributes: Scalars = Field(default_factory=dict)


class Consent(_Shape):
    contact: StrictBool | None = None


class FeedbackRecord(_Shape):
    """One survey response or review."""

    source: SourceName
    external_id: Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_no_controls)]
    revision: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE] = 1
    submitted_at: Moment | None = None
    scores: Scores = Field(default_factory=Scores)
    verbatims: Annotated[list[VerbatimIn], Field(max_length=100)] = Field(default_factory=list)
    customer: Customer = Field(default_factory=Customer)
    context: Scalars = Field(default_factory=dict)
    consent: Consent = Field(default_factory=Consent)
    language: Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: part for name, part in value.items() if part is not None or name in {"source", "external_id"}}

    @model_validator(mode="after")
    def _something_to_read(self) -> "FeedbackRecord":
        if not self.verbatims and not self.scores.model_dump(exclude_none=True):
            raise ValueError("at least one score or one verbatim is needed")
        return self

    def content(self) -> dict[str, Any]:
        """The answer itself as plain JSON: without its identity, without what is absent or empty."""
        plain = self.model_dump(mode="json", exclude_none=True, exclude={"source", "external_id", "revision"})
        if not plain["customer"]["attributes"]:
            del plain["customer"]["attributes"]
        return {name: part for name, part in plain.items() if part not in ({}, [])}

    def canonical(self) -> str:
        """The content as JSON text: equal for the same answer, whatever its key order and our defaults."""
        return json.dumps(self.content(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def is_source_name(name: str) -> bool:
    """Whether a source can be called so."""
    return re.fullmatch(_SOURCE_NAME, name) is not None


def digest_of(canonical: str) -> str:
    """SHA-256 (hex) of a record's canonical content."""
    return hashlib.sha256(canonical.encode()).hexdigest()
