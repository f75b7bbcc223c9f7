"""The plot of a promise over time: errors found week by week, the evidence against it, certificates, changes. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from service.pages.report_canvas import (
    LEFT,
    RIGHT,
    WIDTH,
    Bar,
    Line,
    Mark,
    Note,
    Picture,
    Scale,
    Tick,
    Tone,
    across,
    apart,
    round_up,
    upward,
)

HEIGHT = 360
_ERRORS = (16, 128)  # from top to bottom
_METER = (152, 252)
_LIFE = (276, 290)
_LEAST, _MOST = 0.1, 100.0  # of the evidence meter: a figure beyond stands at its end
_BEYOND = 10_000  # a figure of the evidence that nobody has to read
_SHOWN = 4  # words on changes that have room
_LABELS = 10  # weeks whose figures stand beside their bars; of more, that of the last
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Week:
    """A week of audit: answers checked where heed acts by itself, those that were wrong, the evidence after it."""

    day: date
    checked: int
    wrong: int
    evidence: float | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """A certificate's time, from its issue to its end or expiry."""

    since: datetime
    until: datetime
    words: str
    live: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Something that reads or decides otherwise from a day on: a model, a taxonomy, a calibrator, a threshold."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Trail:
    """All that happened to one promise; `watch` and `alarm` are levels of the evidence (None: nothing checked yet)."""

    weeks: Sequence[Week]
    lives: Sequence[Life]
    changes: Sequence[Change]
    watch: float
    alarm: float | None


def audit_trail(trail: Trail, now: datetime) -> Picture | None:
    """Weeks, certificates and changes on one axis of time; None where nothing has happened yet."""
    moments = [datetime.combine(one.day, time(), now.tzinfo) for one in trail.weeks]
    moments += [one.since for one in trail.lives] + [one.at for one in trail.changes]
    if not trail.weeks and not trail.lives:
        return None
    first, last = min([*moments, now - 28 * _DAY]) - 3 * _DAY, now + 7 * _DAY
    x = across(first.timestamp(), last.timestamp())
    errors, meter = _errors(trail, x, now), _meter(trail, x, now)
    lines, notes = _changes(trail.changes, x)
    return Picture(
        title="Has it been kept?",
        reading=_reading(trail),
        heads=("Week from", "Checked", "Wrong", "Evidence against the promise"),
        rows=[
            (f"{one.day:%d %b %Y}", f"{one.checked:,}", f"{one.wrong:,}", _figure(one.evidence)) for one in trail.weeks
        ],
        up=(*errors.up, *meter.up),
        along=[Tick(x(at.timestamp()), f"{at.day} {at:%b}") for at in (first, first + (last - first) / 2, now)],
        up_title="",
        legend="Top: wrong answers found each week, of those checked. Middle: evidence against the promise (1: none; "
        f"from {trail.watch:g} on it is watched{_ends(trail)}). Bottom: certificates. Upright lines: changes.",
        lines=(*meter.lines, *lines),
        bars=(*errors.bars, *_lives(trail.lives, x)),
        marks=meter.marks,
        notes=(
            Note(LEFT, _ERRORS[0] - 4, "wrong answers found", "faint"),
            Note(LEFT, _METER[0] - 8, "evidence against the promise", "faint"),
            Note(LEFT, _LIFE[0] - 6, "certificates", "faint"),
            *errors.notes,
            *meter.notes,
            *notes,
        ),
        height=HEIGHT,
    )


@dataclass(frozen=True, slots=True)
class _Panel:
    up: Sequence[Tick] = ()
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    marks: Sequence[Mark] = ()
    notes: Sequence[Note] = ()


def _errors(trail: Trail, x: Scale, now: datetime) -> _Panel:
    top = round_up(max((one.wrong for one in trail.weeks), default=1))
    y = upward(0, top, *_ERRORS)
    bars, notes = [], []
    for week in (one for one in trail.weeks if one.checked):
        at, height = _at(week.day, x, trail, now), max(_ERRORS[1] - y(week.wrong), 0.0)
        words = f"week from {week.day:%d %b}: {week.wrong} of {week.checked} wrong"
        bars.append(Bar(at - 6, y(week.wrong), 12, height, words, "bad" if week.wrong else "plain"))
        notes.append(Note(at, min(y(week.wrong), _ERRORS[1]) - 4, f"{week.wrong} of {week.checked}", "faint", "middle"))
    shown = notes if len(notes) <= _LABELS else notes[-1:]
    return _Panel(up=[Tick(y(value), f"{value:g}") for value in (0, top)], bars=bars, notes=shown)


def _meter(trail: Trail, x: Scale, now: datetime) -> _Panel:
    scale = upward(math.log10(_LEAST), math.log10(_MOST), *_METER)

    def y(evidence: float) -> float:
        return scale(math.log10(max(evidence, _LEAST)))

    known = [
        (_at(one.day, x, trail, now), one.evidence) for one in trail.weeks if one.checked and one.evidence is not None
    ]
    end = WIDTH - RIGHT
    levels: list[tuple[float, str, Tone]] = [(trail.watch, "watch", "warn")]
    levels += [(trail.alarm, "ends", "bad")] if trail.alarm else []
    heights = apart([y(level) + 4 for level, _, _ in levels], bottom=_METER[1])
    return _Panel(
        up=[Tick(y(value), f"{value:g}") for value in (0.1, 1.0, 10.0, 100.0)],
        lines=[
            Line(" ".join(f"{at},{y(evidence)}" for at, evidence in known), "plain"),
            *(Line(f"{LEFT},{y(level)} {end},{y(level)}", tone, dashed=True) for level, _, tone in levels),
        ],
        marks=[Mark(at, y(evidence), f"evidence {_figure(evidence)}") for at, evidence in known],
        notes=[Note(end + 4, height, words, tone) for (_, words, tone), height in zip(levels, heights, strict=True)],
    )


def _lives(lives: Sequence[Life], x: Scale) -> list[Bar]:
    return [
        Bar(
            x(one.since.timestamp()),
            _LIFE[0],
            max(x(one.until.timestamp()) - x(one.since.timestamp()), 2.0),
            _LIFE[1] - _LIFE[0],
            one.words,
            "good" if one.live else "faint",
        )
        for one in lives
    ]


def _changes(changes: Sequence[Change], x: Scale) -> tuple[list[Line], list[Note]]:
    lines = [
        Line(f"{x(one.at.timestamp())},{_ERRORS[0]} {x(one.at.timestamp())},{_LIFE[1]}", "faint") for one in changes
    ]
    newest = changes[-_SHOWN:]
    notes = []
    for number, one in enumerate(newest):
        at = x(one.at.timestamp())
        right = at > WIDTH / 2
        notes.append(
            Note(
                at + (-4 if right else 4),
                _ERRORS[0] + 10 + 14 * number,
                one.words,
                "faint",
                "end" if right else "start",
            )
        )
    return lines, notes


def _at(day: date, x: Scale, trail: Trail, now: datetime) -> float:
    """Where a week stands: no earlier than the first certificate, about which its answers speak."""
    monday = datetime.combine(day, time(), now.tzinfo)
    return x(min(max([monday, *sorted(one.since for one in trail.lives)[:1]]), now).timestamp())


def _ends(trail: Trail) -> str:
    return f", at {trail.alarm:g} the promise ends" if trail.alarm else ""


def _figure(evidence: float | None) -> str:
    if evidence is None:
        return "not known"
    return (
        f"more than {_BEYOND:,}"
        if evidence > _BEYOND
        else f"{evidence:.1f}"
        if evidence < _MOST
        else f"{evidence:,.0f}"
    )


def _reading(trail: Trail) -> str:
    checked, wrong = sum(one.checked for one in trail.weeks), sum(one.wrong for one in trail.weeks)
    if not checked:
        return "Nothing has been checked since the certificate: draw a sample to see whether the promise is kept."
    known = [one.evidence for one in trail.weeks if one.evidence is not None]
    found = f"Of {checked:,} answers checked since, {wrong:,} were wrong."
    if not known:
        return found
    if trail.alarm is not None and known[-1] >= trail.alarm:
        return f"{found} The evidence ({_figure(known[-1])}) says that the promise is broken."
    if known[-1] >= trail.watch:
        return f"{found} The evidence ({_figure(known[-1])}) is worth watching, but proves nothing yet."
    return (
        f"{found} Nothing speaks against the promise (evidence {_figure(known[-1])}, watched from {trail.watch:g} on)."
    )
