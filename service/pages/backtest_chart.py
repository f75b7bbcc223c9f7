"""What a backtest found, for the eye: items a day under both versions as two lines, and in one sentence. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from service.backtest.result import Counts, Result
from service.pages.words import kind, many

WIDTH, HEIGHT = 720, 200  # units of the picture
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 96, 12, 28
_APART = 16  # between labels, so that they do not touch
_DAYS_A_WEEK = 120  # days: a longer period is shown week by week


@dataclass(frozen=True, slots=True)
class Point:
    """A day, or a week from that day on: what was made, and what would have been."""

    day: date
    now: int
    then: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Two lines as points of a polyline, what the axes say, where the lines' own labels stand."""

    points: Sequence[Point]
    now: str
    then: str
    now_label: float
    then_label: float
    up: Sequence[Tick]
    along: Sequence[Tick]
    unit: str
    words: str


def chart(result: Result, first: date, last: date) -> Chart:
    """The picture of a period, its days of UTC."""
    points = _points(result, first, last)
    unit = "day" if (last - first).days < _DAYS_A_WEEK else "week"
    top = _round_up(max((max(one.now, one.then) for one in points), default=0))

    def x(number: int) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * number / max(len(points) - 1, 1), 1)

    def y(value: int) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top, 1)

    now_label, then_label = _apart(y(points[-1].now), y(points[-1].then))
    marked = sorted({0, len(points) // 2, len(points) - 1})
    return Chart(
        points=points,
        now=" ".join(f"{x(number)},{y(one.now)}" for number, one in enumerate(points)),
        then=" ".join(f"{x(number)},{y(one.then)}" for number, one in enumerate(points)),
        now_label=now_label,
        then_label=then_label,
        up=[Tick(y(value), f"{value:,}") for value in (0, top // 2, top)],
        along=[Tick(x(number), f"{points[number].day.day} {points[number].day:%b}") for number in marked],
        unit=unit,
        words=f"Items a {unit}, from {first:%d %b} to {last:%d %b}: now at most {max(one.now for one in points):,}, "
        f"then at most {max(one.then for one in points):,}.",
    )


def _points(result: Result, first: date, last: date) -> list[Point]:
    """Every day of the period, or every week of a long one; a day on which nothing was made is there too."""
    step = 1 if (last - first).days < _DAYS_A_WEEK else 7
    now, then = Counter[date](), Counter[date]()
    for line in result.days:
        start = first + timedelta(days=max((line.day - first).days, 0) // step * step)
        now[start] += line.now
        then[start] += line.then
    days = [first + timedelta(days=number) for number in range(0, (last - first).days + 1, step)]
    return [Point(day, now[day], then[day]) for day in days]


def _round_up(value: int) -> int:
    """The next number that an axis ends with: 2, 4, 10, 20, 40, 100, ..."""
    end = 2
    while end < value:
        end = end * 5 // 2 if str(end).startswith("4") else end * 2
    return end


def _apart(one: float, other: float) -> tuple[float, float]:
    """Two heights at least a line apart."""
    if abs(one - other) >= _APART:
        return one, other
    middle = (one + other) / 2
    return (middle - _APART / 2, middle + _APART / 2) if one <= other else (middle + _APART / 2, middle - _APART / 2)


def summary(result: Result) -> str:
    """What would change, in one sentence or two."""
    answers = many(result.records, "answer")
    if not result.differing:
        return f"Nothing would change: both versions make the same of all {answers}."
    total = _total(result.kinds)
    parts = [
        f"{many(total.appears, 'item')} would appear" if total.appears else "",
        f"{many(total.vanishes, 'item')} would vanish" if total.vanishes else "",
        f"{many(total.changed, 'item')} would come by another rule or to somebody else" if total.changed else "",
    ]
    told = [part for part in parts if part]
    said = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
    most = max(result.kinds, key=lambda line: abs(line.then - line.now), default=None)
    moved = most is not None and most.then != most.now
    grown = f" Most of it: {_kinds(most.kind, most.then)} instead of {most.now:,}." if most and moved else ""
    return f"Of {answers}, {result.differing:,} would be treated otherwise: {said}.{grown}"


_PLURALS: Mapping[str, str] = {
    "follow_up": "follow-ups",
    "ticket": "tickets",
    "quality_case": "quality cases",
    "backlog_item": "ideas",
    "review": "reviews",
}


def _kinds(name: str, count: int) -> str:
    return many(count, kind(name).lower(), _PLURALS.get(name))


def _total(lines: Sequence[Counts]) -> Counts:
    return Counts(
        now=sum(one.now for one in lines),
        then=sum(one.then for one in lines),
        appears=sum(one.appears for one in lines),
        vanishes=sum(one.vanishes for one in lines),
        changed=sum(one.changed for one in lines),
    )
