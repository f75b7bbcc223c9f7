"""The plots of a label's report, drawn from figures: promise ladder, reliability, people beside the model. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from calibration.words import percent
from service.pages.report_canvas import (
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Line,
    Mark,
    Note,
    Picture,
    Scale,
    Shape,
    Tick,
    Tone,
    across,
    apart,
    joined,
    percents,
    round_up,
    upward,
)

_SHAPES: dict[str, tuple[Shape, Tone]] = {"passed": ("disc", "good"), "failed": ("cross", "bad")}
_FAR = 3  # times the most that passes: room beyond that would press the line flat
_OUTCOMES = {
    "passed": "passed",
    "failed": "failed",
    "too few": "not tested: too few answers",
    "not reached": "not tested: the walk stopped before",
    "unseen": "no position: no checked answer lies between here and the next proved one",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """A candidate threshold: of `n` checked answers at or above it `right` were right, at least `lower_bound` are.

    Both are None where nothing was tested: what nobody has looked at is not shown.
    """

    threshold: float
    n: int
    right: int | None
    lower_bound: float | None
    outcome: Literal["passed", "failed", "too few", "not reached", "unseen"]
    daily: float | None = None  # answers a day that would pass there


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs, what was to be proved, and where heed acts today (None: nowhere), with a certificate or without."""

    rungs: Sequence[Rung]
    precision: float
    stands: float | None
    refusal: str = ""
    room: float | None = None  # items a day that the people have room for
    certified: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """Answers of which the model believed about the same: how many of them people found so, and what chance draws."""

    said: float
    share: float
    low: float
    high: float
    n: int
    chance_low: float
    chance_high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often somebody says what the majority of the others says."""

    name: str
    share: float
    low: float
    high: float
    n: int
    model: bool = False


def promise_ladder(ladder: Ladder) -> Picture:
    """Per candidate threshold: what is at least right there, against the promise; and how much would pass."""
    tested = [rung for rung in ladder.rungs if rung.n and rung.lower_bound is not None]
    floor = max(0.0, int(10 * min([ladder.precision, *(one.lower_bound or 0 for one in tested)])) / 10)
    lowest = min([0.9, *(rung.threshold for rung in ladder.rungs)])
    x, y = across(lowest, 1.0), upward(floor, 1.0)
    marks = [
        Mark(x(one.threshold), y(one.lower_bound or 0), _rung_words(one), *_SHAPES.get(one.outcome, ("ring", "faint")))
        for one in tested
    ]
    promised = y(ladder.precision)
    lines = [Line(f"{LEFT},{promised} {WIDTH - RIGHT},{promised}", "warn", dashed=True)]
    notes = [Note(LEFT + 6, promised - 6, f"promise: {percent(ladder.precision)} right", "warn")]
    if ladder.stands is not None:
        here = x(ladder.stands)
        tone: Tone = "good" if ladder.certified else "bad"
        lines.append(Line(f"{here},{TOP} {here},{y(floor)}", tone))
        side: Literal["start", "end"] = "end" if here > WIDTH / 2 else "start"
        said = f"acts from {percent(ladder.stands)} on{'' if ladder.certified else ', unproved'}"
        notes.append(Note(here + (-6 if side == "end" else 6), y(floor) - 8, said, tone, side))
    volume = _volume(ladder, x)
    return Picture(
        title="How far down the promise holds",
        reading=_ladder_reading(ladder, tested),
        heads=("From this sureness on", "Checked", "Right", "At least right", "Outcome", "Answers a day"),
        rows=[_rung_row(one) for one in ladder.rungs],
        up=percents(floor, y, 0.1 if floor >= 0.3 else 0.2),
        along=[Tick(x(tenth / 10), f"{10 * tenth} %") for tenth in range(round(lowest * 10), 11)],
        along_title="how sure heed has to be to act by itself",
        up_title="right at least",
        legend="Disc: proved. Cross: not proved. Ring: not tested, or no answer lies there."
        + (" The blue line counts answers a day (right side)." if volume.lines else ""),
        lines=(*lines, *volume.lines),
        marks=marks,
        notes=(*notes, *volume.notes),
        beside=volume.ticks,
        beside_title="answers a day" if volume.lines else "",
    )


@dataclass(frozen=True, slots=True)
class _Volume:
    lines: Sequence[Line] = ()
    notes: Sequence[Note] = ()
    ticks: Sequence[Tick] = ()


def _volume(ladder: Ladder, x: Scale) -> _Volume:
    """The second axis: answers a day that would pass, and what the people can take."""
    known = [(one.threshold, one.daily) for one in ladder.rungs if one.daily is not None]
    if not known:
        return _Volume()
    most = max(daily for _, daily in known)
    room = ladder.room if ladder.room is not None and ladder.room <= _FAR * most else None
    top = round_up(max(most, room or 0))
    y = upward(0, top)
    lines = [Line(joined(known, x, y), "plain")]
    notes = []
    if room is not None:
        lines.append(Line(f"{LEFT},{y(room)} {WIDTH - RIGHT},{y(room)}", "faint", dashed=True))
        notes.append(Note(WIDTH - RIGHT - 6, y(room) - 6, f"room for about {room:,.0f} a day", "faint", "end"))
    return _Volume(lines, notes, [Tick(y(value), f"{value:g}") for value in (0, top / 2, top)])


def _rung_words(rung: Rung) -> str:
    found = f"{rung.right} of {rung.n} right, at least {_bound(rung)}; {_OUTCOMES[rung.outcome]}"
    return f"from {percent(rung.threshold)} sure: {found}"


def _bound(rung: Rung) -> str:
    return "not shown yet" if rung.lower_bound is None else percent(rung.lower_bound, 1)


def _rung_row(rung: Rung) -> tuple[str, ...]:
    right = "not shown yet" if rung.right is None else f"{rung.right:,}"
    daily = "not known" if rung.daily is None else f"about {rung.daily:.1f}"
    return percent(rung.threshold), f"{rung.n:,}", right, _bound(rung), _OUTCOMES[rung.outcome], daily


def _ladder_reading(ladder: Ladder, tested: Sequence[Rung]) -> str:
    proved = [one for one in tested if one.outcome == "passed"]
    if not proved:
        return f"No position is proved. {ladder.refusal}".rstrip()
    last = min(proved, key=lambda one: one.threshold)
    there = next((one for one in tested if one.threshold == ladder.stands), last)
    where = "where it acts" if there.threshold == ladder.stands else f"from {percent(there.threshold)} on"
    return (
        f"The promise is proved where heed is {percent(last.threshold)} sure or more. Of {there.n:,} checked answers "
        f"{where}, {there.right or 0:,} were right: at least {_bound(there)} are, with bad luck counted in."
    )


def reliability(groups: Sequence[Group], n: int) -> Picture | None:
    """What the model believed against what people found, and in grey what chance alone draws; None without a group."""
    if not groups:
        return None
    x, y = across(0, 1), upward(0, 1)
    outside = [one for one in groups if not one.chance_low <= one.share <= one.chance_high]
    there = joined([(one.said, one.chance_high) for one in groups], x, y)
    back = joined([(one.said, one.chance_low) for one in reversed(groups)], x, y)
    return Picture(
        title="Does it mean what it says?",
        reading=_reliability_reading(groups, outside, n),
        heads=("heed said (mean)", "People found so", "Range", "Answers", "Chance alone draws"),
        rows=[
            (
                percent(one.said),
                percent(one.share),
                f"{percent(one.low)} to {percent(one.high)}",
                f"{one.n:,}",
                f"{percent(one.chance_low)} to {percent(one.chance_high)}",
            )
            for one in groups
        ],
        up=percents(0, y, 0.2),
        along=[Tick(x(fifth / 5), f"{20 * fifth} %") for fifth in range(6)],
        along_title="how sure heed was",
        up_title="so, people said",
        legend="Grey: what chance alone would draw if heed meant exactly what it says. Bars: 95 % range.",
        lines=(
            Line(f"{there} {back}", "faint", area=True),
            Line(f"{x(0)},{y(0)} {x(1)},{y(1)}", "faint", dashed=True),
        ),
        marks=[
            Mark(
                x(one.said),
                y(one.share),
                f"said {percent(one.said)}, so in {percent(one.share)} of {one.n}",
                "disc" if one not in outside else "cross",
                "plain" if one not in outside else "bad",
                y(one.low),
                y(one.high),
            )
            for one in groups
        ],
        notes=[Note(x(one.said) + 7, y(one.share) + 4, f"{one.n}", "faint") for one in groups],
    )


def _reliability_reading(groups: Sequence[Group], outside: Sequence[Group], n: int) -> str:
    if not outside:
        return f"heed means what it says: all {len(groups)} groups lie within what chance alone would draw (n = {n:,})."
    worst = max(outside, key=lambda one: abs(one.share - one.said))
    way = "surer than it should be" if worst.share < worst.said else "less sure than it could be"
    return (
        f"In {len(outside)} of {len(groups)} groups heed is off by more than chance (n = {n:,}): where it says "
        f"{percent(worst.said)}, people found {percent(worst.share)}. It is {way} there."
    )


def people_and_model(people: Sequence[Agreement], sentence: str) -> Picture | None:
    """Each person and the model, by how often they say what the majority of the others says; None without anybody."""
    if not people:
        return None
    x, y = across(0, len(people)), upward(0, 1)
    labels = apart([y(one.share) + 4 for one in people])
    return Picture(
        title="heed beside your people",
        reading=sentence,
        heads=("Who", "Agrees with the others", "Range", "Answers compared"),
        rows=[
            (one.name, percent(one.share), f"{percent(one.low)} to {percent(one.high)}", f"{one.n:,}") for one in people
        ],
        up=percents(0, y, 0.2),
        along=[Tick(x(place + 0.5), _short(one.name)) for place, one in enumerate(people)],
        up_title="agrees",
        legend="Disc: a person. Ring: heed. Bars: 95 % range.",
        marks=[
            Mark(
                x(place + 0.5),
                y(one.share),
                f"{one.name}: {percent(one.share)} ({percent(one.low)} to {percent(one.high)}, n = {one.n})",
                "ring" if one.model else "disc",
                "good" if one.model else "plain",
                y(one.low),
                y(one.high),
            )
            for place, one in enumerate(people)
        ],
        notes=[
            Note(x(place + 0.5) + 9, height, percent(one.share), "good" if one.model else "plain")
            for place, (one, height) in enumerate(zip(people, labels, strict=True))
        ],
    )


def _short(name: str) -> str:
    return name if len(name) <= 12 else name[:11] + "…"
