"""Picture: a drawn plot as values that a template writes out as inline SVG, with the table that says the same. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

WIDTH, HEIGHT = 720, 300  # units of a picture
LEFT, RIGHT, TOP, BOTTOM = 56, 72, 16, 48
_LINE = 16  # between two lines of words

Tone = Literal["plain", "good", "bad", "faint", "warn"]
Shape = Literal["disc", "cross", "ring"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis, and the words beside it."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure; its shape carries the meaning too: a disc holds, a cross does not, a ring is not known."""

    x: float
    y: float
    words: str
    shape: Shape = "disc"
    tone: Tone = "plain"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined in order, or (`area`) an area they go around."""

    points: str
    tone: Tone = "plain"
    dashed: bool = False
    area: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Words in the picture, beside what they are about."""

    x: float
    y: float
    words: str
    tone: Tone = "plain"
    anchor: Literal["start", "middle", "end"] = "start"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar that stands on its axis."""

    x: float
    y: float
    width: float
    height: float
    words: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot. `reading` is what it says, in a sentence; `heads` and `rows` are its table."""

    title: str
    reading: str
    heads: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    up: Sequence[Tick] = ()
    along: Sequence[Tick] = ()
    beside: Sequence[Tick] = ()  # of a second axis, on the right
    along_title: str = ""
    up_title: str = ""
    beside_title: str = ""
    lines: Sequence[Line] = ()
    marks: Sequence[Mark] = ()
    bars: Sequence[Bar] = ()
    notes: Sequence[Note] = ()
    legend: str = ""
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Scale:
    """From values `low` to `high` to places `start` to `end`; what lies outside stands at the end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where the value stands."""
        span = self.high - self.low or 1.0
        share = (min(max(value, self.low), self.high) - self.low) / span
        return round(self.start + share * (self.end - self.start), 1)


def across(low: float, high: float) -> Scale:
    """The scale along the picture."""
    return Scale(low, high, LEFT, WIDTH - RIGHT)


def upward(low: float, high: float, top: float = TOP, bottom: float = HEIGHT - BOTTOM) -> Scale:
    """A scale up the picture, or up a part of it."""
    return Scale(low, high, bottom, top)


def joined(points: Sequence[Point], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    """Points as a polyline has them."""
    return " ".join(f"{x(one)},{y(other)}" for one, other in points)


def percents(low: float, y: Scale, step: float = 0.1) -> list[Tick]:
    """Ticks of shares from `low` to one."""
    number = round((1 - low) / step)
    return [Tick(y(low + step * place), f"{100 * (low + step * place):.0f} %") for place in range(number + 1)]


def round_up(value: float) -> float:
    """The next number that an axis ends with: 1, 2, 5, 10, 20, 50, ...

    >>> [round_up(one) for one in (0.3, 1, 3, 12, 70)]
    [0.5, 1.0, 5.0, 20.0, 100.0]
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return round(next(step * power for step in (1, 2, 5, 10) if value <= step * power * (1 + 1e-9)), 10)


def apart(heights: Sequence[float], least: float = _LINE, bottom: float = HEIGHT - BOTTOM) -> list[float]:
    """Heights of words, moved so that no two touch and none lies below the axis; in the order they came in."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    moved = list(heights)
    for before, place in pairwise(order):
        moved[place] = max(moved[place], moved[before] + least)
    over = max((moved[place] for place in order[-1:]), default=bottom) - bottom
    if over > 0:
        moved[order[-1]] -= over
        for after, place in zip(reversed(order), reversed(order[:-1]), strict=False):
            moved[place] = min(moved[place], moved[after] - least)
    return moved
