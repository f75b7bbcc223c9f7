"""A long text in windows the model can read: whole sentences, as many as fit, and what did not fit marked."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from models.encoder.segments import Segment
from models.encoder.session import Tokens

MOST_WINDOWS = 8  # runs per text, about 2,000 tokens: who writes more has said it by then


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `start` (inclusive) to `end` (exclusive) of a text, read in one run."""

    start: int
    end: int


def token_range(tokens: Tokens, part: Segment) -> tuple[int, int]:
    """The tokens that begin within a part of the text, as a range; empty where there are none."""
    return bisect_left(tokens.offsets, (part.start,)), bisect_left(tokens.offsets, (part.end,))


def within(tokens: Tokens, parts: Sequence[Segment], window: Window) -> list[tuple[Segment, tuple[int, int]]]:
    """The parts of a text that begin in a window, each with its tokens there, counted from the window's first."""
    found = []
    for part in parts:
        start, end = token_range(tokens, part)
        if window.start <= start < min(end, window.end):
            found.append((part, (start - window.start, min(end, window.end) - window.start)))
    return found


def windows(tokens: Tokens, sentences: Sequence[Segment], room: int) -> tuple[list[Window], bool]:
    """The windows of a text, and whether anything was left out.

    A text that fits is one window. A longer one is packed sentence by sentence; of a sentence that is longer than
    `room` the rest is left out, and so is what comes after the eighth window.
    """
    size = len(tokens.ids)
    if size <= room:
        return [Window(0, size)], False
    found: list[Window] = []
    cut = False
    for sentence in sentences:
        start, end = token_range(tokens, sentence)
        if found and end - found[-1].start <= room and found[-1].end == start:
            found[-1] = Window(found[-1].start, end)
        elif start < end:
            cut = cut or end - start > room
            found.append(Window(start, min(end, start + room)))
    return found[:MOST_WINDOWS], cut or len(found) > MOST_WINDOWS
