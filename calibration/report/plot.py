"""A chart as a value, drawn as one inline SVG: no script, no style sheet needed, readable in print."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 62, 28, 16, 52

Tone = Literal["plain", "good", "bad", "faint"]
Shape = Literal["disc", "cross", "ring"]
_COLOURS: dict[Tone, str] = {"plain": "#1f5fa8", "good": "#11703c", "bad": "#b3261e", "faint": "#6b7280"}


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis of a chart, from `low` to `high`; `ticks` are positions with the words beside them."""

    title: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure: a shape at (x, y), a bar from `low` to `high` around it, and words for whoever points at it.

    The shape carries the meaning too, so that colour is never alone: a disc holds, a cross does not, a ring is unknown.
    """

    x: float
    y: float
    words: str
    low: float | None = None
    high: float | None = None
    shape: Shape = "disc"
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined in order; `words` are written at its start."""

    points: tuple[tuple[float, float], ...]
    words: str = ""
    tone: Tone = "faint"
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """The grey area between two curves: (x, low, high) from left to right."""

    edges: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, back to front. `title` names it, `reading` is what it says, in one sentence."""

    title: str
    reading: str
    x: Scale
    y: Scale
    bands: tuple[Band, ...] = ()
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()

    def _repr_html_(self) -> str:
        """How a notebook shows a chart that ends a cell: Jupyter asks for this name."""
        figure = Markup('<figure style="max-width:{}px">{}<figcaption>{}</figcaption></figure>')
        return figure.format(WIDTH, draw(self), self.reading)


def percent_scale(title: str, low: float = 0.0, high: float = 1.0, steps: int = 5) -> Scale:
    """A scale of shares, written as whole percentages.

    >>> [words for _, words in percent_scale("right").ticks]
    ['0 %', '20 %', '40 %', '60 %', '80 %', '100 %']
    """
    at = [low + (high - low) * step / steps for step in range(steps + 1)]
    return Scale(title, low, high, tuple((one, f"{one * 100:.0f} %") for one in at))


def draw(chart: Chart) -> Markup:
    """The chart as an `<svg>` element whose title and description say in words what it shows.

    >>> flat = Chart("Flat", "Nothing moves.", percent_scale("x"), percent_scale("y"))
    >>> str(draw(flat)).startswith('<svg role="img"')
    True
    """
    head = Markup(
        '<svg role="img" class="chart" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg" '
        'font-family="system-ui, sans-serif" font-size="12"><title>{}</title><desc>{}</desc>'
    ).format(WIDTH, HEIGHT, chart.title, chart.reading)
    parts = [
        *(_band(chart, one) for one in chart.bands),
        _axes(chart),
        *(_line(chart, one) for one in chart.lines),
        *(_mark(chart, one) for one in chart.marks),
    ]
    return head + Markup("").join(parts) + Markup("</svg>")


def _x(chart: Chart, value: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * _share(chart.x, value)


def _y(chart: Chart, value: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _share(chart.y, value)


def _share(scale: Scale, value: float) -> float:
    return (min(max(value, scale.low), scale.high) - scale.low) / (scale.high - scale.low)


def _axes(chart: Chart) -> Markup:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for value, words in chart.y.ticks:
        y = _y(chart, value)
        parts.append(_stroke(((LEFT, y), (right, y)), "#9ca3af", 0.4))
        parts.append(_text(LEFT - 6, y + 4, words, "end"))
    for value, words in chart.x.ticks:
        parts.append(_text(_x(chart, value), bottom + 16, words, "middle"))
    parts.append(_stroke(((LEFT, TOP), (LEFT, bottom), (right, bottom)), "#6b7280", 1))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 12, chart.x.title, "middle"))
    turned = Markup('<g transform="translate(14 {:.1f}) rotate(-90)">{}</g>')
    parts.append(turned.format((TOP + bottom) / 2, _text(0, 0, chart.y.title, "middle")))
    return Markup("").join(parts)


def _band(chart: Chart, band: Band) -> Markup:
    there = [(_x(chart, x), _y(chart, high)) for x, _, high in band.edges]
    back = [(_x(chart, x), _y(chart, low)) for x, low, _ in reversed(band.edges)]
    return Markup('<polygon class="band" points="{}" fill="#9ca3af" fill-opacity="0.3"/>').format(
        _path([*there, *back])
    )


def _line(chart: Chart, line: Line) -> Markup:
    points = [(_x(chart, x), _y(chart, y)) for x, y in line.points]
    drawn = _stroke(points, _COLOURS[line.tone], 1.5, "6 4" if line.dashed else "none", line.tone)
    if not line.words or not points:
        return drawn
    x, y = points[0]
    return drawn + _text(x + 6, max(y - 6, TOP + 10), line.words, "start")


def _mark(chart: Chart, mark: Mark) -> Markup:
    x, y, colour = _x(chart, mark.x), _y(chart, mark.y), _COLOURS[mark.tone]
    bar = Markup("")
    if mark.low is not None and mark.high is not None:
        bar = _stroke(((x, _y(chart, mark.low)), (x, _y(chart, mark.high))), colour, 1.5, "none", mark.tone)
    wrapped = Markup('<g class="mark {}"><title>{}</title>{}{}</g>')
    return wrapped.format(mark.tone, mark.words, bar, _shape(mark.shape, x, y, colour))


def _shape(shape: str, x: float, y: float, colour: str) -> Markup:
    if shape == "cross":
        cross = "M{0:.1f} {2:.1f}L{1:.1f} {3:.1f}M{0:.1f} {3:.1f}L{1:.1f} {2:.1f}".format(x - 4, x + 4, y - 4, y + 4)
        return Markup('<path d="{}" stroke="{}" stroke-width="2" fill="none"/>').format(cross, colour)
    fill = colour if shape == "disc" else "none"
    ring = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4" fill="{}" stroke="{}" stroke-width="1.5"/>')
    return ring.format(x, y, fill, colour)


def _stroke(
    points: Sequence[tuple[float, float]], colour: str, width: float, dashes: str = "none", name: str = "frame"
) -> Markup:
    line = Markup('<polyline class="{}" points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>')
    return line.format(name, _path(points), colour, width, dashes)


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="currentColor">{}</text>')
    return text.format(x, y, anchor, escape(words))


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
