"""The rows of the calibration lab: samples, blind labels, what they prove, and what a proof lets pass by itself."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, Float, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel
from uuid_utils.compat import uuid7

from service.store.tables import MaybeJson, Texts, Timestamp, now


class Numbers(ARRAY[float]):
    """A list of numbers."""

    def __init__(self) -> None:
        super().__init__(Float(53))


class LabelSample(SQLModel, table=True):
    """Texts drawn to be labelled by people, and all it takes to draw them again. `label` None asks the whole axis."""

    __tablename__ = "label_sample"
    __table_args__ = (Index("label_sample_newest", "created_at", "id"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    axis: str
    label: str | None = None
    pool: str  # audit or targeted
    size: int
    source: str | None = None
    since: datetime | None = Field(default=None, sa_type=Timestamp)
    seed: int = Field(sa_type=BigInteger)
    design: str  # its name; the document is what the name is the digest of
    design_document: dict[str, Any] = Field(sa_type=JSONB)
    pool_size: int
    pool_digest: str
    reference: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)  # how the pool's scores are spread
    classifier: str  # by which the whole pool was read
    model_digest: str
    taxonomy: str
    preparation: str
    purpose: str = "asked"  # or weekly (a promise is watched), renewal (it is to be proved anew)
    state: str = "open"  # or done, closed
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    closed_at: datetime | None = Field(default=None, sa_type=Timestamp)


class LabelCard(SQLModel, table=True):
    """A record of a sample as it was drawn. People never see this row: it holds what the model believed."""

    __tablename__ = "label_card"
    __table_args__ = (
        UniqueConstraint("sample_id", "feedback_id"),
        Index("label_card_of_feedback", "feedback_id"),
        Index("label_card_repeats", "sample_id", postgresql_where=text("repeats")),
        Index("label_card_unsettled", "sample_id", postgresql_where=text("state IN ('open', 'third', 'disputed')")),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    sample_id: UUID = Field(foreign_key="label_sample.id")
    feedback_id: UUID = Field(foreign_key="feedback.id")
    revision: int
    probabilities: dict[str, float] = Field(sa_type=JSONB)  # by label of the axis, all of them
    calibrator: str
    source: str
    language: str
    inclusion_probability: float | None = None  # None in the targeted pool
    places: int = 1  # people asked at first: 2 where it overlaps
    repeats: bool = False  # whoever labels it first sees it once more, later
    state: str = "open"  # or third (a third person is asked), disputed (waits for an adjudicator), settled, gone


class LabelSlot(SQLModel, table=True):
    """One showing of a card to one person: what the API calls a card. `rater` holds it until `lease_until`."""

    __tablename__ = "label_slot"
    __table_args__ = (
        UniqueConstraint("card_id", "number"),
        Index(
            "label_slot_open",
            "sample_id",
            "lot",
            postgresql_where=text("filled_at IS NULL AND kind IN ('first', 'third')"),
        ),
        Index("label_slot_repeat", "only_for", postgresql_where=text("filled_at IS NULL AND kind = 'repeat'")),
        Index("label_slot_of_rater", "rater", "sample_id"),
        Index("label_slot_held", "rater", postgresql_where=text("filled_at IS NULL")),
    )
    id: UUID = Field(default_factory=uuid4, primary_key=True)  # shown to people: it tells neither kind nor time
    card_id: UUID = Field(foreign_key="label_card.id")
    sample_id: UUID = Field(foreign_key="label_sample.id")
    number: int
    kind: str = "first"  # or third, repeat (for `only_for`), extra (a label that came after its lease was lost)
    lot: int = Field(default=0, sa_type=BigInteger)  # of the card: where people look for the next one is by lot, too
    only_for: str | None = None
    rater: str | None = None
    leased_at: datetime | None = Field(default=None, sa_type=Timestamp)
    lease_until: datetime | None = Field(default=None, sa_type=Timestamp)
    former: list[str] = Field(default_factory=list, sa_type=Texts)  # whose lease ran out and went to somebody else
    filled_at: datetime | None = Field(default=None, sa_type=Timestamp)


class HumanLabel(SQLModel, table=True):
    """What one person said about a card, kept for ever: the database refuses DELETE, and any UPDATE but an undo."""

    __tablename__ = "human_label"
    __table_args__ = (
        Index("human_label_of_card", "card_id"),
        Index("human_label_of_rater", "rater", "at"),
        Index(
            "human_label_once",
            "slot_id",
            unique=True,
            postgresql_where=text("slot_id IS NOT NULL AND undone_at IS NULL"),
        ),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    card_id: UUID = Field(foreign_key="label_card.id")
    slot_id: UUID | None = Field(default=None, foreign_key="label_slot.id")  # None: of an adjudicator
    rater: str
    labels: list[str] = Field(default_factory=list, sa_type=Texts)  # those that are right; may be empty
    unsure: bool = False
    skip: str | None = None  # why they passed it on; then it answers nothing
    flag: str | None = None  # what somebody should look at
    blind: bool
    adjudicated: bool = False
    reason: str | None = None  # of an adjudicator
    guideline_id: UUID | None = Field(default=None, foreign_key="guideline.id")
    seconds: float | None = None  # from the lease to the label
    at: datetime = Field(default_factory=now, sa_type=Timestamp)
    undone_at: datetime | None = Field(default=None, sa_type=Timestamp)


class Reveal(SQLModel, table=True):
    """Somebody saw what others said about a text: after their own label, or (`slot_id` None) in a dispute."""

    __table_args__ = (Index("reveal_of_rater", "rater", "feedback_id"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    slot_id: UUID | None = Field(default=None, foreign_key="label_slot.id", unique=True)
    rater: str
    feedback_id: UUID = Field(foreign_key="feedback.id")
    at: datetime = Field(default_factory=now, sa_type=Timestamp)


class Guideline(SQLModel, table=True):
    """A sentence by which labels are given; `label` None speaks of the whole axis. Never changed, only ended."""

    __table_args__ = (UniqueConstraint("axis", "number"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    axis: str
    number: int
    label: str | None = None
    sentence: str
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    ended_at: datetime | None = Field(default=None, sa_type=Timestamp)


class CalibrationRun(SQLModel, table=True):
    """Labels judged once: what they prove about each label of an axis, or what is missing."""

    __tablename__ = "calibration_run"
    __table_args__ = (Index("calibration_run_newest", "created_at", "id"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    axis: str
    label: str | None = None
    source: str | None = None
    precision: float
    confidence: float
    seed: int = Field(default=0, sa_type=BigInteger)
    comment: str | None = None
    state: str = "running"  # or done, failed
    reason: str | None = None
    tries: int = 0  # each counted before it begins: whoever loses its worker leaves nobody behind to count it
    result: dict[str, Any] | None = Field(default=None, sa_type=MaybeJson)
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    finished_at: datetime | None = Field(default=None, sa_type=Timestamp)


class Certificate(SQLModel, table=True):
    """A promise that was proved, and for what: any other model, taxonomy, preparation or calibrator has none."""

    __table_args__ = (Index("certificate_of_label", "axis", "label", "state"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    run_id: UUID = Field(foreign_key="calibration_run.id")
    axis: str
    label: str
    sources: list[str] = Field(sa_type=Texts)  # those that were sampled: of no other it says anything
    languages: list[str] = Field(sa_type=Texts)
    classifier: str
    model_digest: str
    taxonomy: str
    preparation: str
    calibrators: dict[str, str] = Field(sa_type=JSONB)  # by source
    designs: list[str] = Field(sa_type=Texts)
    samples: list[str] = Field(sa_type=Texts)
    threshold: float  # where it stands
    rungs: list[float] = Field(sa_type=Numbers)  # where it may stand: every position that was proved, rising
    proved: list[dict[str, Any]] = Field(sa_type=JSONB)  # of each rung: threshold, n, correct, lower_bound
    precision: float
    confidence: float  # of this attempt; a second attempt at the same promise has half the error of the first
    attempt: int = 1
    n: int  # labels at or above `threshold`
    correct: int
    lower_bound: float
    procedure: str
    seed: int = Field(sa_type=BigInteger)
    reference: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)  # the pool's scores, to see drift against
    state: str = "live"  # or waiting (for a second person), superseded, declined
    issued_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    expires_at: datetime = Field(sa_type=Timestamp)
    ended_at: datetime | None = Field(default=None, sa_type=Timestamp)


class GateHold(SQLModel, table=True):
    """A label that goes to people, for a source and language or (None) for all, until the hold is lifted."""

    __tablename__ = "gate_hold"
    __table_args__ = (
        Index(
            "gate_hold_once",
            "axis",
            "label",
            text("coalesce(source, '')"),
            text("coalesce(language, '')"),
            "cause",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    axis: str
    label: str
    source: str | None = None
    language: str | None = None
    certificate_id: UUID | None = Field(default=None, foreign_key="certificate.id")
    cause: str  # alarm, or person
    reason: str
    by: str
    at: datetime = Field(default_factory=now, sa_type=Timestamp)
    lifted_at: datetime | None = Field(default=None, sa_type=Timestamp)


class GateChange(SQLModel, table=True):
    """Who changed what passes by itself, why, and (where it lets more pass) who else agreed."""

    __tablename__ = "gate_change"
    __table_args__ = (Index("gate_change_newest", "at", "id"),)
    id: UUID = Field(default_factory=uuid7, primary_key=True)
    axis: str
    label: str
    source: str | None = None
    language: str | None = None
    certificate_id: UUID | None = Field(default=None, foreign_key="certificate.id")
    hold_id: UUID | None = Field(default=None, foreign_key="gate_hold.id")
    action: str  # issue, move, hold, lift
    before: float | None = None  # the threshold; None where people decide
    after: float | None = None
    loosens: bool
    reason: str
    by: str
    at: datetime = Field(default_factory=now, sa_type=Timestamp)
    state: str = "done"  # or waiting (for a second person), declined
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Timestamp)
    comment: str | None = None  # of whoever decided


class Calibrator(SQLModel, table=True):
    """Maps that correct a source's probabilities, fitted to its reviewed items: `store-survey@2`."""

    __table_args__ = (UniqueConstraint("source", "version"),)
    name: str = Field(primary_key=True)
    source: str = Field(foreign_key="source.name")
    version: int
    classifier: str
    model_digest: str
    maps: dict[str, Any] = Field(sa_type=JSONB)  # by axis
    labels: dict[str, int] = Field(sa_type=JSONB)  # by axis: how many it was fitted to
    state: str = "waiting"  # for a certificate of its own; or live, ended
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
    live_at: datetime | None = Field(default=None, sa_type=Timestamp)


class WeeklyReport(SQLModel, table=True):
    """What changed in a week (its Monday), in at most five sentences."""

    __tablename__ = "weekly_report"
    week: date = Field(primary_key=True)
    sentences: list[str] = Field(sa_type=Texts)
    figures: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    created_at: datetime = Field(default_factory=now, sa_type=Timestamp)
