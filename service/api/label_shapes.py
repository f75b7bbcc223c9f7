"""What is asked and answered about samples, cards, labels and disputes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.api import label_examples as examples
from service.ingest.record import Moment
from service.lab.labels.choices import Choices
from service.lab.labels.labelling import LONGEST
from service.lab.labels.samples import LARGEST

Label = Annotated[str, Field(min_length=1, max_length=200)]
Labels = Annotated[list[Label], Field(max_length=200)]
Words = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class SampleIn(BaseModel):
    """What to draw. Without `label` the whole axis is asked about.

    `audit` draws by lot what may certify a threshold, `targeted` what teaches the most. `since` is inclusive and
    compares with the moment of receipt. `overlap` is the share of cards that two people are asked about. The same seed
    draws the same cards from the same pool.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.SAMPLE_ASKED]})

    axis: Annotated[str, Field(max_length=64)]
    label: Label | None = None
    size: Annotated[int, Field(ge=1, le=LARGEST, strict=True)]
    pool: Literal["audit", "targeted"]
    source: Annotated[str, Field(max_length=64)] | None = None
    since: Moment | None = None
    seed: Annotated[int, Field(ge=0, lt=2**53, strict=True)] | None = None
    overlap: Annotated[float, Field(ge=0, le=1, strict=True)] | None = None


class SampleDrawn(BaseModel):
    """A sample that was drawn. `size` is how many cards it has: fewer than asked for where the pool holds no more."""

    id: UUID
    size: int
    design: str
    seed: int
    pool_digest: str


class ProgressOut(BaseModel):
    """How many cards wait for an answer, a third person or a decision, and are settled or gone; and who said how much.

    `gone` are cards whose record was withdrawn. `labels` counts what people said and stand by.
    """

    open: int
    third: int
    disputed: int
    settled: int
    gone: int
    labels: int
    people: int


class SampleOut(SampleDrawn):
    """A sample, how it was drawn and from what, and how far its labels have come."""

    axis: str
    label: str | None
    pool: Literal["audit", "targeted"]
    source: str | None
    since: datetime | None
    design_document: dict[str, Any]
    pool_size: int
    classifier: str
    taxonomy: str
    purpose: str
    state: Literal["open", "done", "closed"]
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    progress: ProgressOut


class VerbatimOut(BaseModel):
    """An open answer, and what was asked."""

    question: str | None
    text: str


class ChoiceOut(BaseModel):
    """A label, and what it means where somebody wrote that down."""

    label: str
    meaning: str


class CardOut(BaseModel):
    """A card, for the caller until `lease_until`. It says nothing of what a model or anybody else thinks.

    `done` are the caller's answers about the sample; `total` adds what still waits for anybody and could be theirs.
    """

    card: UUID
    text: str
    question: str
    axis: str
    choices: list[str]
    meanings: list[ChoiceOut]
    verbatims: list[VerbatimOut]
    lease_until: datetime
    done: int
    total: int


class LabelIn(BaseModel):
    """An answer: the right `labels` (an empty list: none is right), or `unsure`, or `skip` with the reason.

    Of sentiment and urgency exactly one label is right. `flag` says what somebody should look at.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.LABELLED]})

    card: UUID
    labels: Labels
    skip: Words | None = None
    unsure: Annotated[bool, Field(strict=True)] = False
    flag: Words | None = None


class LabelOut(BaseModel):
    """A label as it is kept. One that is not `blind` trains and never certifies."""

    id: UUID
    card: UUID
    labels: list[str]
    unsure: bool
    skip: str | None
    flag: str | None
    blind: bool
    at: datetime


class UndoIn(BaseModel):
    """Which label to take back; without a card the newest. With its card the same request may be sent again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.UNDO_ASKED]})

    card: UUID | None = None


class UndoneOut(BaseModel):
    """The card whose label was taken back; the caller holds it again."""

    card: UUID


class OpinionOut(BaseModel):
    """What somebody said, without their name; the same letter is the same person."""

    who: str
    labels: list[str]
    unsure: bool
    flag: str | None


class RevealedOut(BaseModel):
    """What the model believed, by label, and what colleagues said."""

    card: UUID
    model: dict[str, float]
    colleagues: list[OpinionOut]


class DisputeOut(BaseModel):
    """A card on which people differ. `third`: a third person is asked about it as well."""

    card_id: UUID
    sample: UUID
    axis: str
    question: str
    choices: list[str]
    meanings: list[ChoiceOut]
    text: str
    verbatims: list[VerbatimOut]
    answers: list[OpinionOut]
    third: bool


class DisputesOut(BaseModel):
    """The cards that wait for a decision by the caller, oldest first."""

    items: list[DisputeOut]


class DecisionIn(BaseModel):
    """Which labels are right, why, and by which sentence: the id of one that is there, or a new one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.DECIDED_ASKED]})

    labels: Labels
    reason: Words
    guideline: UUID | None = None
    sentence: Words | None = None


class DecidedOut(BaseModel):
    """A dispute that was decided."""

    id: UUID
    card_id: UUID
    labels: list[str]
    reason: str
    guideline: UUID
    at: datetime


def listed(choices: Choices) -> list[str]:
    """The labels alone."""
    return [choice.label for choice in choices.labels]


def explained(choices: Choices) -> list[ChoiceOut]:
    """The labels with their meanings."""
    return [ChoiceOut(label=choice.label, meaning=choice.meaning) for choice in choices.labels]
