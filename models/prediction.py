"""The shared words of every classifier: what goes in (a verbatim) and what comes out (readings, spans)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

SENTIMENTS = ("negative", "neutral", "positive")
TYPES = ("suggestion", "complaint", "praise", "question")
URGENCIES = ("low", "normal", "high")

AbstainReason = Literal["language", "short", "empty", "quote", "out-of-domain"]
Axis = Literal["sentiment", "topic", "type", "urgency"]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """One open-text answer: the words, the question they answer and the language the source declared (BCP 47)."""

    text: str
    question: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The words behind a belief: code points `start` (inclusive) to `end` (exclusive) of verbatim number `verbatim`."""

    start: int
    end: int
    axis: Axis
    label: str
    probability: float
    verbatim: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything one pass over one text found, on every axis.

    Probabilities lie in [0, 1]; `sentiment` and `urgency` sum to 1 over their labels, `types` and `topics` are
    independent of each other. `topics` holds *every* topic of the taxonomy, also those below their threshold.
    `logits` are the raw scores per axis in label order, `vector` the sentence vector (None where there is none);
    `length` is that of the text as given, in code points: what a record's verbatims are weighed by.
    On `abstain` the probabilities stay, but nothing may act on them.
    """

    sentiment: Mapping[str, float]
    topics: Mapping[str, float]
    types: Mapping[str, float]
    urgency: Mapping[str, float]
    language: str
    language_probability: float
    mixed: bool = False
    truncated: bool = False
    degraded: bool = False
    abstain: AbstainReason | None = None
    spans: tuple[Span, ...] = ()
    logits: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    vector: tuple[float, ...] | None = None
    length: int = 0


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelBelief(_Shape):
    """The likeliest label of an exclusive axis and the probability of each."""

    label: str
    probabilities: dict[str, float]


class TypeBelief(_Shape):
    """Independent probabilities: a text may be praise and a suggestion at once."""

    probabilities: dict[str, float]


class TopicBelief(_Shape):
    """A topic at or above its threshold."""

    label: str
    probability: float
    threshold: float


class LanguageBelief(_Shape):
    """The language the text seems to be in, as an ISO 639-1 code ('und' when nothing can be said)."""

    code: str
    probability: float


class Abstention(_Shape):
    """Why nothing may act on this text."""

    reason: AbstainReason


class SpanOut(_Shape):
    """A span as the API shows it: code points, end exclusive."""

    verbatim: int
    start: int
    end: int
    axis: Axis
    label: str
    probability: float


class Classification(_Shape):
    """A reading in the words of the public contract (v1)."""

    classifier: str
    sentiment: LabelBelief
    topics: list[TopicBelief]
    type: TypeBelief
    urgency: LabelBelief
    language: LanguageBelief
    mixed: bool
    truncated: bool
    degraded: bool
    abstain: Abstention | None
    spans: list[SpanOut]


class DocumentClassification(Classification):
    """A whole feedback record: the document, and each verbatim in order."""

    verbatims: list[Classification]
