"""The report's charts: the promise ladder, the reliability dots, and people beside the model."""

from collections.abc import Mapping, Sequence

from calibration.metrics.reliability import ReliabilityBin
from calibration.report.inert import inert_line
from calibration.report.people import People
from calibration.report.plot import Band, Chart, Line, Mark, Scale, Shape, Tone, percent_scale
from calibration.result import Undefined
from calibration.thresholds.precision import Certified, Refused, Rung
from calibration.words import counted, percent

LEGEND = (
    "Disc: passed; cross: failed; ring: not tested, or no text scores there. The bar ends at the lower bound; not "
    "every threshold is drawn."
)
PEOPLE_DRAWN = 12  # more names than these run into each other
RUNGS_DRAWN = 24  # of up to 70: so many can be told apart
_SHAPES: Mapping[str, tuple[Shape, Tone]] = {"passed": ("disc", "good"), "failed": ("cross", "bad")}


def promise_ladder(outcome: Certified | Refused) -> Chart:
    """Per candidate threshold: the share that was right, with its exact lower bound, against the promise.

    >>> from calibration.promise import Promise
    >>> from calibration.thresholds.precision import certify_precision
    >>> chart = promise_ladder(certify_precision([0.9] * 40, [1] * 40, Promise(precision=0.90, confidence=0.95)))
    >>> chart.reading.split(". ")[0]
    'The promise holds from 0.9 on: 40 of 40 were right there'
    """
    promise = outcome.promise
    tested = [rung for rung in outcome.ladder if rung.n]
    low = min([promise.precision, *(rung.lower_bound for rung in tested)], default=0.5)
    floor = max(0.0, int(low * 10) / 10)
    lines = [
        Line(((0.3, promise.precision), (1.0, promise.precision)), f"promise {percent(promise.precision)}", dashed=True)
    ]
    if isinstance(outcome, Certified):
        lines.append(Line(((outcome.threshold, floor), (outcome.threshold, 1.0)), "", "good"))
        held = f"The promise holds from {outcome.threshold:g} on: {outcome.right} of {outcome.n} were right there."
    else:
        held = f"No threshold keeps the promise: {outcome.reason}."
    return Chart(
        title="Promise ladder",
        reading=f"{held} {LEGEND}",
        x=_thresholds(outcome.ladder),
        y=percent_scale("right, with lower bound", floor, 1.0, round((1 - floor) * 10) or 1),
        lines=tuple(lines),
        marks=tuple(_rung(one) for one in _spread(tested)),
    )


def _rung(rung: Rung) -> Mark:
    shape, tone = _SHAPES.get(rung.outcome, ("ring", "faint"))
    share = rung.right / rung.n
    bound = percent(rung.lower_bound, 1)
    words = f"{rung.threshold:g}: {rung.right} of {rung.n} right, lower bound {bound}; {rung.outcome}"
    return Mark(rung.threshold, share, words, rung.lower_bound, share, shape, tone)


def _spread(rungs: Sequence[Rung]) -> Sequence[Rung]:
    """At most so many rungs, evenly, and each whose outcome differs from that of the one before."""
    step = max(1, -(-len(rungs) // RUNGS_DRAWN))
    turns = {place for place in range(1, len(rungs)) if rungs[place].outcome != rungs[place - 1].outcome}
    return [rung for place, rung in enumerate(rungs) if place % step == 0 or place in turns or place + 1 in turns]


def _thresholds(ladder: Sequence[Rung]) -> Scale:
    low = min(0.9, *(rung.threshold for rung in ladder))
    ticks = tuple((tenth / 10, f"{tenth / 10:.1f}") for tenth in range(int(low * 10), 11))
    return Scale("threshold: the model's probability from which it would act", low, 1.0, ticks)


def reliability(bins: Sequence[ReliabilityBin]) -> Chart:
    """What the model said against what people found, and in grey what pure chance would draw if it were perfect.

    >>> from calibration.metrics.reliability import reliability_bins
    >>> reliability(reliability_bins([0, 1, 1, 1], [0.2, 0.2, 0.8, 0.8], bins=2)).reading
    '0 of 2 groups outside what chance alone would draw.'
    """
    seen = [(one, one.share) for one in bins if not isinstance(one.share, Undefined)]
    outside = sum(not one.chance_low <= share.value <= one.chance_high for one, share in seen)
    return Chart(
        title="Reliability",
        reading=f"{outside} of {counted(len(seen), 'group', 'groups')} outside what chance alone would draw.",
        x=percent_scale("what the model said (mean probability of a group)"),
        y=percent_scale("how often people said yes"),
        bands=(Band(tuple((one.mean_probability, one.chance_low, one.chance_high) for one in bins)),),
        lines=(Line(((0.0, 0.0), (1.0, 1.0)), dashed=True),),
        marks=tuple(
            Mark(
                one.mean_probability,
                share.value,
                f"said {percent(one.mean_probability)}, true in {percent(share.value)} of {one.count}",
                share.low,
                share.high,
            )
            for one, share in seen
        ),
    )


def people_and_model(people: People) -> Chart | None:
    """Each person and the model, by how often they agree with the majority of the others; None where nobody can tell.

    >>> from calibration.report.people import people
    >>> from calibration.certification.evidence import gather
    >>> from calibration.certification.items import questions
    >>> from calibration.labels.label import Label
    >>> from calibration.promise import Promise
    >>> said = [Label(str(n), f"Text {n}", "topic", "price", 0.9, n < 40, rater=r) for n in range(60) for r in "ab"]
    >>> chart = people_and_model(people(gather(questions(said)[0]), Promise(precision=0.90, confidence=0.95)))
    >>> [words for _, words in chart.x.ticks]
    ['a', 'b', 'model']
    """
    found = people.model
    if isinstance(found, Undefined) or not found.raters:
        return None
    busiest = sorted(found.raters, key=lambda one: -one.person.n)[:PEOPLE_DRAWN]
    drawn = [one for one in found.raters if one in busiest]
    rows = [(inert_line(people.raters[one.rater or 0].name) or "no name", one.person) for one in drawn]
    rows.append(("model", found.pooled.model))
    marks = [
        Mark(
            place + 0.5,
            share.value,
            f"{name}: {percent(share.value)} ({percent(share.low)} to {percent(share.high)}, n = {share.n})",
            share.low,
            share.high,
            "ring" if name == "model" else "disc",
        )
        for place, (name, share) in enumerate(rows)
        if not isinstance(share, Undefined)
    ]
    return Chart(
        title="People and model",
        reading=found.sentence + _left_out(len(found.raters)),
        x=Scale("", 0, len(rows), tuple((place + 0.5, _short(name)) for place, (name, _) in enumerate(rows))),
        y=percent_scale("agreement with the others"),
        marks=tuple(marks),
    )


def _left_out(raters: int) -> str:
    return f" The {PEOPLE_DRAWN} people with the most shared texts of {raters} are drawn." * (raters > PEOPLE_DRAWN)


def _short(name: str) -> str:
    return name if len(name) <= 12 else name[:11] + "…"
