"""What heed promises, and what not, in words for people who are no statisticians: so many of a hundred. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from calibration.promise import ROUNDING, Promise

_TAKEN: Mapping[tuple[str, str], str] = {
    ("sentiment", "negative"): "negative",
    ("sentiment", "neutral"): "neutral",
    ("sentiment", "positive"): "positive",
    ("type", "complaint"): "a complaint",
    ("type", "suggestion"): "a suggestion",
    ("type", "praise"): "praise",
    ("type", "question"): "a question",
    ("urgency", "low"): "something that can wait",
    ("urgency", "normal"): "as urgent as most",
    ("urgency", "high"): "urgent",
}
_TITLES: Mapping[tuple[str, str], str] = {
    ("sentiment", "negative"): "Negative answers",
    ("sentiment", "neutral"): "Neutral answers",
    ("sentiment", "positive"): "Positive answers",
    ("type", "complaint"): "Complaints",
    ("type", "suggestion"): "Suggestions",
    ("type", "praise"): "Praise",
    ("type", "question"): "Questions",
    ("urgency", "low"): "Answers that can wait",
    ("urgency", "normal"): "Answers as urgent as most",
    ("urgency", "high"): "Urgent answers",
}


@dataclass(frozen=True, slots=True)
class Range:
    """A share with the range it lies in."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Checked:
    """How many answers people checked blind, and between which days."""

    answers: int
    since: date | None = None
    until: date | None = None


def title(axis: str, label: str) -> str:
    """What a report on this label is about.

    >>> title("sentiment", "negative"), title("topic", "billing")
    ('Negative answers', 'Answers about billing')
    """
    return _TITLES.get((axis, label), f"Answers about {label}")


def taken_for(axis: str, label: str) -> str:
    """What heed takes an answer for: `negative`, `one about billing`."""
    return _TAKEN.get((axis, label), f"one about {label}")


def promised(axis: str, label: str, promise: Promise) -> str:
    """The promise in natural frequencies.

    >>> promised("sentiment", "negative", Promise(precision=0.90, confidence=0.95))
    'Of every 100 answers that heed takes for negative by itself, at least 90 are (we can be wrong about this \
statement 1 time in 20).'
    """
    right, every = natural(promise.precision)
    doubt = f"{1 / (1 - promise.confidence):.0f}"
    return (
        f"Of every {every:,} answers that heed takes for {taken_for(axis, label)} by itself, at least {right:,} are "
        f"(we can be wrong about this statement 1 time in {doubt})."
    )


def caught(recall: Range | None) -> str:
    """How many of those there are it finds, and that it overlooks the others; empty where nobody knows.

    >>> caught(Range(0.66, 0.58, 0.73, 120))
    'It finds about 66 of 100 such answers (58 to 73); the other 34 it does not act on.'
    """
    if recall is None:
        return ""
    found = round(100 * recall.value)
    return (
        f"It finds about {found} of 100 such answers ({100 * recall.low:.0f} to {100 * recall.high:.0f}); the other "
        f"{100 - found} it does not act on."
    )


def based_on(checked: Checked) -> str:
    """What it rests on.

    >>> based_on(Checked(412, date(2026, 11, 3), date(2026, 11, 17)))
    'Based on 412 answers checked blind between 3 and 17 Nov 2026.'
    """
    said = "1 answer" if checked.answers == 1 else f"{checked.answers:,} answers"
    return f"Based on {said} checked blind{_between(checked.since, checked.until)}."


def missing(have: int, need: int, seconds: float | None) -> str:
    """What is there and what it takes.

    >>> missing(18, 29, 49)
    '18 checked answers, 29 needed. Label 11 more (about 9 minutes).'
    """
    said = "1 checked answer" if have == 1 else f"{have:,} checked answers"
    more = max(need - have, 0)
    return f"{said}, {need:,} needed. Label {more:,} more{minutes(more, seconds)}."


def minutes(answers: int, seconds: float | None) -> str:
    """How long that takes at so many seconds each: ` (about 9 minutes)`; empty where nobody knows."""
    if seconds is None or not answers:
        return ""
    long = max(round(answers * seconds / 60), 1)
    return f" (about {long:,} minute{'' if long == 1 else 's'})"


def ended(sentence: str) -> str:
    """A sentence with its capital and its full stop.

    >>> ended("3 of 40 are wrong")
    '3 of 40 are wrong.'
    """
    return sentence[:1].upper() + sentence[1:].rstrip(".") + "."


def natural(share: float) -> tuple[int, int]:
    """The share as so many of so many, of 100 where that is exact, never rounded up.

    >>> natural(0.9), natural(0.995)
    ((90, 100), (995, 1000))
    """
    bases = (100, 1_000, 10_000)
    every = next((base for base in bases if math.isclose(share * base, round(share * base))), bases[-1])
    return math.floor(share * every + ROUNDING), every


def day(at: date) -> str:
    """A day as people write it: `17 Nov 2026`."""
    return f"{at.day} {at:%b %Y}"


def _between(since: date | None, until: date | None) -> str:
    if since is None or until is None:
        return ""
    if since == until:
        return f" on {day(until)}"
    if since.year != until.year:
        return f" between {day(since)} and {day(until)}"
    month = "" if since.month == until.month else f" {since:%b}"
    return f" between {since.day}{month} and {day(until)}"
