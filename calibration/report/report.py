"""The whole report of a file of labels: per question a verdict, the people, the probabilities and the mistakes."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.agreement.krippendorff import krippendorff_alpha
from calibration.agreement.ratings import label_sets
from calibration.agreement.scale import masi
from calibration.arrays import Booleans, Floats
from calibration.certification.agreement import AGREEMENT_FLOOR, LEAST_OVERLAP
from calibration.certification.evidence import Evidence
from calibration.certification.gate import Verdict, judge
from calibration.certification.gold import Gold, settle
from calibration.certification.items import Item, Question, questions
from calibration.labels.label import Label
from calibration.metrics.at_threshold import AtThreshold, at_threshold
from calibration.promise import Promise
from calibration.report.people import People, people
from calibration.report.quality import Quality, Segment, quality, segments
from calibration.result import Estimate, Undefined
from calibration.sampling.planner import FirstTest, Plan, first_test, likeliest_plan
from calibration.sampling.shares import f1, recall
from calibration.thresholds.precision import GRID, Certified, Refused, certify_precision

MISTAKES_SHOWN = 10
NOT_COVERED = (
    "texts of other sources, languages or products than those that were sampled",
    "topics or words that came up after the sample was drawn",
    "single customers or single texts: it is a promise about many",
    "one text that arrives many times: each distinct text counted once, however often it came",
    "a changed model, taxonomy or preparation of texts: each needs a new certificate",
    "the time after: the world changes, and only fresh blind labels can tell",
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A text where model and gold part: passed although wrong, or held back although right."""

    item: Item
    right: bool


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """All that can be said about one label.

    Everything but the verdict is measured on settled texts only. `texts` counts the distinct ones, `duplicates` the
    records whose text was there already. `at` counts the decision at the threshold that the arithmetic allows, None
    where it allows none; where a line was drawn, its recall and F1 weigh the texts below it too, of which its counts
    know nothing. `to_settle` is how many disputed or unsure texts could make the promise hold, decided so.
    """

    texts: int
    duplicates: int
    verdict: Verdict
    at: AtThreshold | None
    plan: Plan | FirstTest | None
    to_settle: int
    people: People
    quality: Quality | None
    segments: tuple[Segment, ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class AxisAgreement:
    """Agreement on all labels of an axis at once: each person's answers to a text are one set of labels."""

    axis: str
    labels: tuple[str, ...]
    alpha: Estimate | Undefined


@dataclass(frozen=True, slots=True)
class Report:
    """Everything, and what it takes to compute it again: the same labels, promise, floor and seed."""

    promise: Promise
    agreement_floor: float
    least_overlap: int
    seed: int
    rows: int
    questions: tuple[QuestionReport, ...]
    axes: tuple[AxisAgreement, ...]
    line: float | None = None
    not_covered: tuple[str, ...] = NOT_COVERED

    @property
    def certified(self) -> int:
        return sum(question.verdict.certified for question in self.questions)


def report(
    labels: Sequence[Label],
    promise: Promise,
    *,
    thresholds: Mapping[str, float] | None = None,
    agreement_floor: float = AGREEMENT_FLOOR,
    seed: int = 0,
    line: float | None = None,
) -> Report:
    """Judge a file of labels. The labels of one axis share the promise's error rate among them (Bonferroni).

    `thresholds` names, by label, the one threshold to judge where it was fixed before the labels were made, under ""
    the one for all other labels. Where none is named, a declared ladder of them is walked. `line` is the lowest score
    whose texts the promises may rest on, as in `judge`.

    Raises:
        InvalidLabels: two rows about one item contradict each other.
        ValueError: a floor outside 0 to 1, or a threshold below the line.

    >>> late = [Label(str(n), f"Late {n}", "topic", "delivery", 0.9, True) for n in range(40)]
    >>> found = report(late, Promise(precision=0.90, confidence=0.95))
    >>> found.certified, found.questions[0].verdict.outcome.threshold
    (0, 0.9)
    """
    asked = questions(labels)
    sharing = Counter(question.axis for question in asked)
    fixed = thresholds or {}
    judged = tuple(
        _question(
            one,
            _Terms(
                promise=promise.shared_among(sharing[one.axis]),
                grid=_grid(fixed.get(one.label, fixed.get(""))),
                agreement_floor=agreement_floor,
                seed=seed,
                line=line,
            ),
        )
        for one in asked
    )
    on_axis: defaultdict[str, list[Verdict]] = defaultdict(list)
    for one in judged:
        on_axis[one.verdict.axis].append(one.verdict)
    return Report(
        promise=promise,
        agreement_floor=agreement_floor,
        least_overlap=LEAST_OVERLAP,
        seed=seed,
        rows=len(labels),
        questions=judged,
        axes=tuple(_axis(axis, together, seed) for axis, together in on_axis.items() if len(together) > 1),
        line=line,
    )


def _grid(threshold: float | None) -> Floats:
    return GRID if threshold is None else np.array([threshold])


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a question is judged by."""

    promise: Promise
    grid: Floats
    agreement_floor: float
    seed: int
    line: float | None


def _question(question: Question, terms: _Terms) -> QuestionReport:
    promise, seed = terms.promise, terms.seed
    verdict = judge(
        question, promise, grid=terms.grid, agreement_floor=terms.agreement_floor, seed=seed, line=terms.line
    )
    settled = [
        pair for pair in zip(verdict.evidence.sample, verdict.evidence.gold, strict=True) if pair[1].right is not None
    ]
    items = [item for item, _ in settled]
    probability, right = _figures(settled)
    threshold = verdict.outcome.threshold if isinstance(verdict.outcome, Certified) else None
    return QuestionReport(
        texts=len(question.items),
        duplicates=question.duplicates,
        verdict=verdict,
        at=None if threshold is None else _at(verdict.evidence, settled, threshold),
        plan=_plan(verdict.outcome),
        to_settle=_to_settle(verdict, terms),
        people=people(verdict.evidence, promise, seed=seed),
        quality=quality(probability, right, seed=seed) if settled else None,
        segments=_segments(items, probability, right),
        mistakes=_mistakes(_settled(verdict.evidence.blind), 0.5 if threshold is None else threshold),
    )


def _settled(items: Sequence[Item]) -> list[tuple[Item, Gold]]:
    return [(item, gold) for item in items if (gold := settle(item)).right is not None]


def _figures(settled: Sequence[tuple[Item, Gold]]) -> tuple[Floats, Booleans]:
    """What the model said, and whether it is right."""
    probability = np.array([item.probability for item, _ in settled], dtype=np.float64)
    return probability, np.array([gold.right for _, gold in settled], dtype=np.bool_)


def _at(evidence: Evidence, sample: Sequence[tuple[Item, Gold]], threshold: float) -> AtThreshold:
    probability, right = _figures(sample)
    counted = at_threshold(right, probability, threshold)
    if evidence.line is None:
        return counted
    everything = _settled(evidence.blind)
    if not evidence.inclusion_stated:
        unknown = Undefined("some texts state no chance of being drawn", len(everything), "weighted ratio")
        return replace(counted, recall=unknown, f1=unknown)
    probability, right = _figures(everything)
    chance = [item.inclusion_probability or 1.0 for item, _ in everything]
    weighed = (probability >= threshold, right, chance)
    return replace(counted, recall=recall(*weighed, fpc=0), f1=f1(*weighed, fpc=0))


def _plan(outcome: Certified | Refused) -> Plan | FirstTest | None:
    if isinstance(outcome, Certified):
        return None
    at = next(rung for rung in outcome.ladder if rung.threshold == outcome.threshold)
    if not outcome.tested:
        return first_test(at.n, outcome.promise, threshold=at.threshold)
    return likeliest_plan(at.n, at.errors, outcome.promise, threshold=at.threshold)


def _to_settle(verdict: Verdict, terms: _Terms) -> int:
    """How many open texts it takes, each decided for the model, to keep the promise: those above the rung, or all."""
    if isinstance(verdict.outcome, Certified):
        return 0
    scores, gold = verdict.evidence.scores, verdict.evidence.gold
    still_open = np.array([one.right is None for one in gold], dtype=np.bool_)
    for chosen in (still_open & (scores >= verdict.outcome.threshold), still_open):
        hoped = verdict.evidence.right | chosen
        if chosen.any() and isinstance(certify_precision(scores, hoped, terms.promise, grid=terms.grid), Certified):
            return int(chosen.sum())
    return 0


def _segments(items: Sequence[Item], probability: Floats, right: Booleans) -> tuple[Segment, ...]:
    sources = segments("source", [item.source or "not stated" for item in items], probability, right)
    return sources + segments("language", [item.language or "not stated" for item in items], probability, right)


def _mistakes(settled: Sequence[tuple[Item, Gold]], threshold: float) -> tuple[Mistake, ...]:
    """The surest false alarms, then the surest misses: what is furthest from the threshold teaches most."""
    wrong = [item for item, gold in settled if item.probability >= threshold and not gold.right]
    missed = [item for item, gold in settled if item.probability < threshold and gold.right]
    wrong.sort(key=lambda item: (-item.probability, item.ids))
    missed.sort(key=lambda item: (item.probability, item.ids))
    return (
        *(Mistake(item, right=False) for item in wrong[:MISTAKES_SHOWN]),
        *(Mistake(item, right=True) for item in missed[:MISTAKES_SHOWN]),
    )


def _axis(axis: str, together: Sequence[Verdict], seed: int) -> AxisAgreement:
    """Of each text and person, the set of labels said to be right; only where the person answered every label."""
    said: defaultdict[tuple[tuple[str, ...], str], dict[int, bool]] = defaultdict(dict)
    for place, verdict in enumerate(together):
        for item in verdict.evidence.blind:
            for answer in item.answers:
                if answer.blind and not (answer.adjudicated or answer.tiebreak) and answer.right is not None:
                    said[item.ids, answer.rater][place] = said[item.ids, answer.rater].get(place, False) or answer.right
    sets: defaultdict[tuple[str, ...], list[list[bool]]] = defaultdict(list)
    for (ids, _), labels in sorted(said.items()):
        if len(labels) == len(together):
            sets[ids].append([labels[place] for place in range(len(together))])
    most = max(map(len, sets.values()), default=0)
    members = np.zeros((len(sets), most, len(together)), dtype=np.bool_)
    given = np.zeros(members.shape[:2], dtype=np.bool_)
    for row, chosen in enumerate(sets.values()):
        members[row, : len(chosen)] = chosen
        given[row, : len(chosen)] = True
    codes, distinct = label_sets(members, given)
    alpha = krippendorff_alpha(codes, distance=masi(distinct), seed=seed)
    return AxisAgreement(axis, tuple(verdict.label for verdict in together), alpha)
