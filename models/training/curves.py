"""The curves of a run as one SVG: how each head's loss fell, step by step; no style sheet, no script, fit for print."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 62, 170, 40, 52
_LINE = 16  # the height of a name in the margin
# Colour is never alone: each curve carries its name at its end, and a pattern of its own.
_COLOURS = ("#1f5fa8", "#b3261e", "#11703c", "#7a3e9d", "#8a5a00", "#0f766e", "#6b7280", "#9d174d")
_DASHES = ("none", "7 3", "2 3", "9 3 2 3", "5 5", "1 2", "12 4", "4 2 1 2")


@dataclass(frozen=True, slots=True)
class Curve:
    """A loss by name: (step, mean loss since the last point), in order."""

    name: str
    points: tuple[tuple[int, float], ...]


def draw(curves: Sequence[Curve], title: str) -> str:
    """An SVG document: loss from 0 up over steps, each curve with its name at its end, and what it shows in words."""
    drawn = [one for one in curves if one.points]
    right = max((step for one in drawn for step, _ in one.points), default=1)
    top = _ceiling(max((loss for one in drawn for _, loss in one.points), default=1.0))
    ends = _apart([_y(one.points[-1][1], top) for one in drawn])
    parts = [_frame(title, right, top)]
    parts.extend(_curve(one, number, right, top, ends[number]) for number, one in enumerate(drawn))
    head = Markup(
        '<svg role="img" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg" font-family="system-ui, sans-serif" '
        'font-size="12"><title>{}</title><desc>{}</desc><rect width="100%" height="100%" fill="#ffffff"/>'
    ).format(WIDTH, HEIGHT, title, _words(drawn))
    return str(head + Markup("").join(parts) + Markup("</svg>\n"))


def _words(curves: Sequence[Curve]) -> str:
    told = [f"{one.name} from {one.points[0][1]:.3f} to {one.points[-1][1]:.3f}" for one in curves]
    return f"Losses over steps: {', '.join(told)}." if told else "No step was reported."


def _ceiling(value: float) -> float:
    """The next of 0.5, 1, 1.5, ... above, so that the lines of the grid carry short numbers."""
    return max(0.5, math.ceil(value * 2) / 2)


def _x(step: int, right: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * step / right


def _y(loss: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * max(0.0, loss) / top


def _apart(heights: Sequence[float]) -> list[float]:
    """The heights of the names, each at its curve's end or as near below the one above as can be read."""
    placed = [0.0] * len(heights)
    free = float(TOP)
    for number in sorted(range(len(heights)), key=heights.__getitem__):
        placed[number] = max(heights[number], free)
        free = placed[number] + _LINE
    over = max(0.0, free - _LINE - (HEIGHT - BOTTOM))
    return [height - over for height in placed]


def _frame(title: str, right: int, top: float) -> Markup:
    bottom, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [_text(LEFT, 22, title, "start", "#111827")]
    for fifth in range(6):
        loss, step = top * fifth / 5, round(right * fifth / 5)
        y = _y(loss, top)
        parts.append(Markup('<path d="M{} {:.1f}H{}" stroke="#d1d5db" fill="none"/>').format(LEFT, y, end))
        parts.append(_text(LEFT - 6, y + 4, f"{loss:.1f}", "end"))
        parts.append(_text(_x(step, right), bottom + 16, f"{step:,}", "middle"))
    parts.append(Markup('<path d="M{0} {1}V{2}H{3}" stroke="#6b7280" fill="none"/>').format(LEFT, TOP, bottom, end))
    parts.append(_text((LEFT + end) / 2, HEIGHT - 12, "step", "middle"))
    turned = Markup('<g transform="translate(14 {:.1f}) rotate(-90)">{}</g>')
    parts.append(turned.format((TOP + bottom) / 2, _text(0, 0, "loss, as weighted in the sum", "middle")))
    return Markup("").join(parts)


def _curve(curve: Curve, number: int, right: int, top: float, end: float) -> Markup:
    colour, dashes = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
    places = [(_x(step, right), _y(loss, top)) for step, loss in curve.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    line = Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="1.8" stroke-dasharray="{}"/>')
    dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.5" fill="{}"/>')  # of a single report there is no line
    link = Markup('<path d="M{:.1f} {:.1f}L{} {:.1f}" stroke="{}" stroke-width="0.6"/>')
    name = f"{curve.name} {curve.points[-1][1]:.3f}"
    return (
        line.format(path, colour, dashes)
        + dot.format(x, y, colour)
        + link.format(x, y, WIDTH - RIGHT + 10, end, colour)
        + _text(WIDTH - RIGHT + 13, end + 4, name, "start", colour)
    )


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#374151") -> Markup:
    text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="{}">{}</text>')
    return text.format(x, y, anchor, colour, words)
