"""What heed promises, and what not, in words for people who are no statisticians: so many of a hundred. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from calibration.promise import ROUNDING, Promise
from calibration.result import Estimate
from service.route.phrases import percent

_USUAL = 30  # seconds that a label takes, until there are labels to tell it from
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
class Checked:
    """How many answers people checked blind, and between which days.

    On `acted` of them heed would have acted, being as sure as `threshold` or surer, and `right` of these are right.
    """

    answers: int
    since: date | None
    until: date | None
    threshold: float
    acted: int
    right: int


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


def caught(recall: Estimate | None) -> str:
    """How many of those there are it finds, and that it overlooks the others; empty where nobody knows.

    >>> caught(Estimate(0.66, 0.58, 0.73, 0.95, 120, "Hajek"))
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
    """Where it acts, and what the promise rests on.

    >>> based_on(Checked(412, date(2026, 11, 3), date(2026, 11, 17), 0.8, 152, 147))
    'It acts where it is 80 % sure or more: of 412 answers checked blind between 3 and 17 Nov 2026 these were 152, \
and 147 of them right.'
    """
    said = "1 answer" if checked.answers == 1 else f"{checked.answers:,} answers"
    return (
        f"It acts where it is {percent(checked.threshold)} sure or more: of {said} checked blind"
        f"{_between(checked.since, checked.until)} these were {checked.acted:,}, and "
        f"{'all' if checked.right == checked.acted else f'{checked.right:,}'} of them right."
    )


def far(have: int, need: int, seconds: float | None, *, drawn: int) -> str:
    """What is there and what it takes; how many to label only where they are not `drawn` yet.

    >>> far(18, 29, 49, drawn=0)
    '18 checked answers, at least 29 needed. Label 11 more (about 9 minutes).'
    >>> far(0, 29, 49, drawn=60), far(51, 29, 49, drawn=0)
    ('0 checked answers, at least 29 needed.', '51 checked answers: enough to test it.')
    """
    said = "1 checked answer" if have == 1 else f"{have:,} checked answers"
    if have >= need:
        return f"{said}: enough to test it."
    more = need - have
    label = "" if drawn else f" Label {more:,} more{minutes(more, seconds)}."
    return f"{said}, at least {need:,} needed.{label}"


def too_many_wrong(n: int, right: int, threshold: float, precision: float) -> str:
    """Why a run refused.

    >>> too_many_wrong(29, 22, 0.64, 0.90)
    'Of the 29 checked answers of which heed was surest (64 % or more) 7 were wrong: too many to promise 90 of 100.'
    """
    promised, every = natural(precision)
    wrong = "1 was" if n - right == 1 else f"{n - right:,} were"
    return (
        f"Of the {n:,} checked answers of which heed was surest ({percent(threshold)} or more) {wrong} wrong: too many "
        f"to promise {promised:,} of {every:,}."
    )


def minutes(answers: int, seconds: float | None) -> str:
    """How long that takes at so many seconds each, or at half a minute where nobody knows yet; empty of none.

    >>> minutes(11, 49), minutes(11, None)
    (' (about 9 minutes)', ' (about 6 minutes, at half a minute each)')
    """
    if not answers:
        return ""
    long = max(round(answers * (_USUAL if seconds is None else seconds) / 60), 1)
    guessed = ", at half a minute each" if seconds is None else ""
    return f" (about {long:,} minute{'' if long == 1 else 's'}{guessed})"


def ended(sentence: str) -> str:
    """A sentence of the statistics as people read it: with its capital and full stop, and about heed, not a model.

    >>> ended("3 of 40 are wrong"), ended("The model agrees with rea.")
    ('3 of 40 are wrong.', 'heed agrees with rea.')
    """
    said = re.sub(r"\b[Tt]he model\b", "heed", sentence).rstrip(".") + "."
    return said if said.startswith("heed ") else said[:1].upper() + said[1:]


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
