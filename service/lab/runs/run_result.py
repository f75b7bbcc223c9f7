"""What a run found: per label a verdict, the people, the probabilities and the mistakes. Figures and ids, no words."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from calibration.agreement.against_people import AgainstPeople
from calibration.agreement.confusion import NoiseCeiling
from calibration.metrics.at_threshold import AtThreshold
from calibration.metrics.noise_floor import MeasuredError
from calibration.metrics.reliability import ReliabilityBin
from calibration.report.people import Rater
from calibration.report.quality import Segment
from calibration.result import Estimate, Undefined
from calibration.thresholds.precision import Outcome
from calibration.thresholds.what_if import Position

Measured = Estimate | Undefined


class Part(BaseModel):
    """A frozen part of a result."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Proved(Part):
    """A position at which the promise was proved: so many labels at or above it, so many of them right."""

    threshold: float
    n: int
    correct: int
    lower_bound: float


class LabelNext(Part):
    """What to draw next: so many cards of the audit pool, in a sample for this label; `minutes` one person needs."""

    axis: str
    label: str
    source: str | None
    size: int
    minutes: int
    sentence: str


class CertifiedThreshold(Part):
    """The promise holds at each of `proved`, rising; `value` is where the certificate puts the threshold.

    `state` is `waiting` where that would let more pass than now: then a second person decides.
    """

    status: Literal["certified"] = "certified"
    value: float
    n: int
    correct: int
    lower_bound: float
    proved: tuple[Proved, ...]
    certificate: UUID
    state: Literal["live", "waiting"]
    expires_at: datetime


class RefusedThreshold(Part):
    """No promise: `have` labels count, `need` are needed; `reason` says it, `label_next` what to do about it.

    `tested` is False where nothing was tested, so that the next run may use the same labels and costs nothing more.
    """

    status: Literal["refused"] = "refused"
    reason_code: Literal[
        "too few labels", "too many errors", "too many attempts", "drawn at random", "blind", "people agree"
    ]
    reason: str
    have: int
    need: int
    tested: bool
    label_next: LabelNext | None


class Condition(Part):
    """One condition of a promise, and what was found; where it fails, also what to do."""

    name: Literal["drawn at random", "blind", "people agree", "labels suffice"]
    holds: bool
    finding: str


class RungLine(Part):
    """A candidate threshold and the labels at or above it; how many are right is None where nothing was tested."""

    threshold: float
    n: int
    correct: int | None
    lower_bound: float | None
    outcome: Outcome


class Counts(Part):
    """Where the labels come from: cards heard, of how many distinct texts, and what did not count.

    `sample` texts count for the promise (those at or above the line, thinned where chances differ), `unsettled` of
    them as wrong: `third` cards wait for a third person, `disputed` ones for an adjudicator, `passed_on`
    ones for somebody who does not pass them on. Beside all these `open`
    cards wait for answers, and `unread` ones have no reading as their source is read now.
    """

    cards: int
    texts: int
    blind: int
    sample: int
    unsettled: int
    third: int
    disputed: int
    passed_on: int = 0
    open: int
    unread: int
    adjudicated: int
    majority: int


class Metrics(Part):
    """How good the model's probabilities are for a label, on `n` settled texts, `positive` of which people call so.

    `at_threshold` counts what would pass where the promise holds; None where it holds nowhere.
    """

    n: int
    positive: int
    at_threshold: AtThreshold | None
    log_loss: Measured
    brier: Measured
    auc: Measured
    calibration_error: MeasuredError | Undefined


class Agreement(Part):
    """How people agree on `overlap` texts that two or more of them judged, and the model with them.

    `model` sets the model and each rater (by place in `raters`) against the majority of the others.
    """

    overlap: int
    percent: Measured
    alpha: Measured
    ac1: Measured
    kappa: Measured
    raters: tuple[Rater, ...]
    ceiling: NoiseCeiling | None
    model: AgainstPeople | Undefined | None


class Mistake(Part):
    """A text where model and people part: passed although wrong, or held back although right."""

    feedback_id: UUID
    probability: float
    right: bool


class LabelResult(Part):
    """Everything about one label.

    `held_back` is None, or says why what the model got right is not shown: metrics, reliability, mistakes and what-if
    are then empty. `confidence` is that of this attempt, after the axis' labels shared it.
    """

    label: str
    sentence: str
    attempt: int
    precision: float
    confidence: float
    threshold: CertifiedThreshold | RefusedThreshold
    checks: tuple[Condition, ...]
    ladder: tuple[RungLine, ...]
    counts: Counts
    agreement: Agreement
    held_back: str | None
    metrics: Metrics | None
    reliability: tuple[ReliabilityBin, ...]
    segments: tuple[Segment, ...]
    mistakes: tuple[Mistake, ...]
    what_if: tuple[Position, ...]
    procedure: str


class Promised(Part):
    """What was asked to be proved."""

    precision: float
    confidence: float


class ReadAs(Part):
    """The way all cards of the run were read, and which calibrator each source had."""

    classifier: str
    model_digest: str
    taxonomy: str
    preparation: str
    calibrators: dict[str, str]


class RunResult(Part):
    """A finished run: all it found, what it rests on, and what it takes to compute it again."""

    axis: str
    source: str | None
    promise: Promised
    headline: str
    notes: tuple[str, ...]  # what is still open, what did not count, why it may be believed after several looks
    labels: tuple[LabelResult, ...]
    agreement: Measured | None = None  # of people, on all labels of the axis at once
    read_as: ReadAs
    sources: tuple[str, ...]
    languages: tuple[str, ...]
    samples: tuple[UUID, ...]
    designs: tuple[str, ...]
    rows: int  # answers judged: one for each card, label and person
    labels_digest: str  # SHA-256 of them
    seed: int
    agreement_floor: float
    at: datetime
    not_covered: tuple[str, ...]
