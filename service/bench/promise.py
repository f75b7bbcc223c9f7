"""`heed bench promise`: simulated worlds whose truth is known, and how often each procedure's promise is kept there."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
from scipy.stats import binom, ttest_1samp

from calibration.arrays import Booleans, Floats
from calibration.comparison.loss_gate import loses_less
from calibration.comparison.outcome_gate import right_more_often
from calibration.comparison.paired import Pairs
from calibration.comparison.promotion import promotion
from calibration.monitoring.audit_alarm import audit_alarm
from calibration.promise import Promise
from calibration.simulation import World
from calibration.thresholds.precision import GRID, Certified, Refused, certify_precision
from service.bench.figures import BenchFailed, paragraphs

PROMISE = Promise(precision=0.90, confidence=0.95)
STRICTER = Promise(precision=0.95, confidence=0.95)
LABELS = 400
WEEKS, GOOD_WEEKS, A_WEEK = 52, 26, 40
GOOD, BAD = 0.95, 0.80
FOUND_WITHIN = 5  # weeks
SHORT = 20  # labels of the rule everybody uses: better by 0.02 on them
FASTER_BY = 0.02
DIFFER = (0.05, 0.10, 0.20, 0.30)  # the share of items on which just one of two equal versions is right
A_LOOK, ATTEMPTS = 15, 4  # labels from one look to the next; how often whoever is refused tries again
A_HAIR = 1e-3
OFTEN, GAIN = 0.99, 0.01  # an equal calibrator that loses a little less on 99 % of items, and much more on the rest

Threshold = Callable[[Floats, Booleans], float | None]
Draw = Callable[[], tuple[Floats, Booleans]]

HOW = paragraphs(
    f"""
    precision: each world draws {LABELS} labels from a binormal model (25 % positives, 3 standard deviations apart) in
    which the promise of 90 % can be kept; broken means that the true precision at the threshold lies below 90 %; the
    point estimate takes the lowest threshold whose observed precision is 90 %

    attempts: {A_LOOK} labels at a time and a look after each, until there are enough to test; a refusal is followed by
    fresh labels and half the error, {ATTEMPTS} attempts in all; in the same model, and where just under 90 % are right
    at every threshold

    alarms: {A_WEEK} blind audit labels a week under a promise of 90 %; a good year has a true precision of {GOOD:.0%},
    or 90 % exactly, for {WEEKS} weeks; a fall is from {GOOD:.0%} to {BAD:.0%} after {GOOD_WEEKS} good weeks

    promotion: candidate and incumbent are equally good, and differ on a share of the items; to promote is wrong
    """
)


@dataclass(frozen=True, slots=True)
class Line:
    """How often something happened in so many worlds; `allowed` is the most it may, None where nothing is promised.

    `holds` forgives a share three standard errors of what is allowed, and is None where nothing is promised.
    """

    what: str
    by: str
    figure: float
    unit: Literal["share", "weeks"]
    worlds: int
    standard_error: float
    allowed: float | None
    holds: bool | None


@dataclass(frozen=True, slots=True)
class PromiseReport:
    """Every line, whether all of them hold, and what was simulated."""

    bench: str
    lines: tuple[Line, ...]
    kept: bool
    labels: int
    seed: int
    how: tuple[str, ...]


def measure(worlds: int, seed: int = 0) -> PromiseReport:
    """Run every procedure in the same `worlds` simulated worlds.

    Raises:
        BenchFailed: MAPIE, the peer, is not installed.
    """
    lines = (*_precision(worlds, seed), *_attempts(worlds, seed), *_alarms(worlds, seed), *_promotion(worlds, seed))
    kept = all(line.holds is not False for line in lines)
    return PromiseReport("promise", lines, kept, LABELS, seed, HOW)


def _share(what: str, by: str, figure: float, worlds: int, allowed: float | None = None) -> Line:
    def spread(rate: float) -> float:
        return math.sqrt(rate * (1 - rate) / worlds)

    holds = None if allowed is None else figure <= allowed + 3 * spread(allowed)
    return Line(what, by, figure, "share", worlds, spread(figure), allowed, holds)


def _mean(what: str, by: str, figures: Floats, worlds: int) -> Line:
    seen = len(figures)
    error = float(figures.std(ddof=1)) / math.sqrt(seen) if seen > 1 else 0.0
    return Line(what, by, float(figures.mean()) if seen else 0.0, "share", worlds, error, None, None)


def _precision(worlds: int, seed: int) -> list[Line]:
    world = World()
    procedures: Mapping[str, Threshold] = {
        "heed, fixed sequence": _ours,
        "MAPIE, Bonferroni-Holm": _mapie("bonferroni_holm"),
        "MAPIE, fixed sequence": _mapie("fixed_sequence"),
        "point estimate": _point_estimate,
    }
    samples = [world.draw(LABELS, seed=seed * worlds + number) for number in range(worlds)]
    best = world.recall(_lowest_true(world))
    lines = []
    for name, threshold in procedures.items():
        found = [threshold(scores, right) for scores, right in samples]
        set_at = [one for one in found if one is not None]
        ours = name.startswith("heed")
        broken = sum(world.precision(one) < PROMISE.precision for one in set_at) / worlds
        refused = 1 - len(set_at) / worlds
        reach = np.array([world.recall(one) for one in set_at]) / best
        lines += [
            _share("90 % promise broken", name, broken, worlds, 0.05 if ours else None),
            _share(f"refused at {LABELS} labels", name, refused, worlds, 0.10 if ours else None),
            _mean("reach, of the most that keeps 90 %, where not refused", name, reach, worlds),
        ]
    return [*lines, *_stricter(samples, world)]


def _stricter(samples: Sequence[tuple[Floats, Booleans]], world: World) -> list[Line]:
    found = [certify_precision(scores, right, STRICTER) for scores, right in samples]
    set_at = [one.threshold for one in found if isinstance(one, Certified)]
    broken = sum(world.precision(one) < STRICTER.precision for one in set_at) / len(samples)
    refused = 1 - len(set_at) / len(samples)
    return [
        _share("95 % promise broken", "heed, fixed sequence", broken, len(samples), 0.05),
        _share(f"95 % promise refused at {LABELS} labels", "heed, fixed sequence", refused, len(samples)),
    ]


def _attempts(worlds: int, seed: int) -> list[Line]:
    generator, world, by = np.random.default_rng(seed), World(), "heed, looks and attempts"

    def nowhere() -> tuple[Floats, Booleans]:
        return generator.uniform(0.3, 1, A_LOOK), generator.random(A_LOOK) < PROMISE.precision - A_HAIR

    def somewhere() -> tuple[Floats, Booleans]:
        return world.draw(A_LOOK, seed=int(generator.integers(2**32)))

    places: Mapping[str, tuple[Draw, Callable[[float], float]]] = {
        "kept somewhere": (somewhere, world.precision),
        "kept nowhere": (nowhere, lambda _threshold: PROMISE.precision - A_HAIR),
    }
    lines = []
    for place, (draw, true) in places.items():
        ends = [_attempted(draw) for _ in range(worlds)]
        broken = [attempt for attempt, threshold in ends if threshold and true(threshold) < PROMISE.precision]
        lines += [
            _share(f"90 % promise broken at the first attempt, {place}", by, broken.count(1) / worlds, worlds, 0.05),
            _share(f"90 % promise broken at any attempt, {place}", by, len(broken) / worlds, worlds, 0.10),
        ]
    return lines


def _attempted(draw: Draw) -> tuple[int, float | None]:
    """The number of the last attempt, and the threshold it certified."""
    for attempt in range(1, ATTEMPTS + 1):
        scores, right = draw()
        outcome = certify_precision(scores, right, PROMISE.at_attempt(attempt))
        while isinstance(outcome, Refused) and not outcome.tested:
            more, answers = draw()
            scores, right = np.concatenate([scores, more]), np.concatenate([right, answers])
            outcome = certify_precision(scores, right, PROMISE.at_attempt(attempt))
        if isinstance(outcome, Certified):
            return attempt, outcome.threshold
    return ATTEMPTS, None


def _ours(scores: Floats, right: Booleans) -> float | None:
    outcome = certify_precision(scores, right, PROMISE)
    return outcome.threshold if isinstance(outcome, Certified) else None


def _point_estimate(scores: Floats, right: Booleans) -> float | None:
    for threshold in GRID:
        passed = right[scores >= threshold]
        if len(passed) and passed.mean() >= PROMISE.precision:
            return float(threshold)
    return None


def _mapie(fwer_method: str) -> Threshold:
    try:
        from mapie.risk_control import BinaryClassificationController  # noqa: PLC0415 (the peer is in no base install)
    except ImportError as error:
        raise BenchFailed("MAPIE, the peer of this bench, is not installed: pip install mapie") from error

    def threshold(scores: Floats, right: Booleans) -> float | None:
        controller = BinaryClassificationController(
            lambda column: np.column_stack([1 - column[:, 0], column[:, 0]]),
            risk="precision",
            target_level=PROMISE.precision,
            confidence_level=PROMISE.confidence,
            list_predict_params=GRID,
            fwer_method=fwer_method,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where nothing can be certified, and answers None
            controller.calibrate(scores[:, None], right.astype(int))
        best = controller.best_predict_param
        return None if best is None else float(best)

    return threshold


def _lowest_true(world: World) -> float:
    return float(next(threshold for threshold in GRID if world.precision(threshold) >= PROMISE.precision))


def _alarms(worlds: int, seed: int) -> list[Line]:
    generator = np.random.default_rng(seed)

    def alarm_week(precision: Floats) -> int | None:
        wrong = generator.binomial(A_WEEK, 1 - precision)
        return audit_alarm(wrong, np.full(WEEKS, A_WEEK), PROMISE.precision).alarm_week

    def false_alarms(precision: float) -> float:
        return sum(alarm_week(np.full(WEEKS, precision)) is not None for _ in range(worlds)) / worlds

    fallen = np.where(np.arange(WEEKS) < GOOD_WEEKS, GOOD, BAD)
    weeks = [alarm_week(fallen) or WEEKS + 1 for _ in range(worlds)]
    found = f"weeks until a fall to {BAD:.0%} is found, median"
    delay = median(week - GOOD_WEEKS for week in weeks if week > GOOD_WEEKS)
    return [
        _share(
            f"false alarm in {WEEKS} weeks at a true {GOOD:.0%}", "heed, audit alarm", false_alarms(GOOD), worlds, 0.05
        ),
        _share(f"false alarm in {WEEKS} weeks at 90 % exactly", "heed, audit alarm", false_alarms(0.9), worlds, 0.05),
        _share(f"false alarm in {WEEKS} weeks at 90 % exactly", "a 5 % test each week", _weekly(worlds, seed), worlds),
        Line(found, "heed, audit alarm", delay, "weeks", worlds, 0.0, FOUND_WITHIN, delay <= FOUND_WITHIN),
    ]


def _weekly(worlds: int, seed: int) -> float:
    wrong = np.random.default_rng(seed).binomial(A_WEEK, 0.1, (worlds, WEEKS))
    return float((binom.sf(wrong - 1, A_WEEK, 0.1) <= 0.05).any(axis=1).mean())


def _promotion(worlds: int, seed: int) -> list[Line]:
    generator = np.random.default_rng(seed)
    lines = []
    for differ in DIFFER:
        what = f"equal model promoted, {differ:.0%} of items differ"
        ours = sum(_promoted(generator, differ) for _ in range(worlds)) / worlds
        naive = sum(_naive(generator, differ) for _ in range(worlds)) / worlds
        lines += [
            _share(what, f"heed, {LABELS} labels", ours, worlds, 0.05),
            _share(what, f"better by {FASTER_BY} on {SHORT} labels", naive, worlds),
        ]
    what = "equal calibrator promoted, mostly a little better"
    gains = [_gains(generator) for _ in range(worlds)]
    ours = sum(_loses_less(gain) for gain in gains) / worlds
    naive = sum(bool(ttest_1samp(gain, 0, alternative="greater").pvalue <= 0.05) for gain in gains) / worlds
    return [
        *lines,
        _share(what, f"heed, {LABELS} labels", ours, worlds, 0.05),
        _share(what, f"paired t-test, {LABELS} labels", naive, worlds),
    ]


def _promoted(generator: np.random.Generator, differ: float) -> bool:
    discordant = int(generator.binomial(LABELS, differ))
    first = int(generator.binomial(discordant, 0.5))
    return promotion(right_more_often(Pairs(n=LABELS, first_only=first, second_only=discordant - first))).promote


def _naive(generator: np.random.Generator, differ: float) -> bool:
    discordant = int(generator.binomial(SHORT, differ))
    first = int(generator.binomial(discordant, 0.5))
    return (2 * first - discordant) / SHORT >= FASTER_BY


def _gains(generator: np.random.Generator) -> Floats:
    seldom = GAIN * OFTEN / (1 - OFTEN)
    exact = np.where(generator.random(LABELS) < OFTEN, GAIN, -seldom)
    return exact + generator.normal(0, 1e-6, LABELS)  # never all the same: a t-test needs a spread


def _loses_less(gain: Floats) -> bool:
    return promotion(loses_less(np.zeros(LABELS), gain, worst=2 * GAIN * OFTEN / (1 - OFTEN))).promote
