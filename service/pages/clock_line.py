"""The clock of a work item as a line: made, now, due, pauses; positions for a picture, words for everybody. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.api.shapes import EventOut, TargetOut, TargetsOut
from service.pages.words import span_of

WIDTH = 360  # units of the picture
_EDGE = 8
_LETTER = 8.5  # about the width of one
_STATES = {
    "running": ("on time", "calm"),
    "paused": ("clock stands", "calm"),
    "at_risk": ("at risk", "warn"),
    "met": ("kept", "good"),
    "missed": ("missed", "bad"),
}
_PROMISES = {"acknowledge": "Acknowledge", "contact": "Contact", "resolve": "Finish"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the line; `lane` is how far below it its label stands, so that labels do not touch."""

    label: str
    x: float
    lane: int
    anchor: str
    look: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A pause on the line."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise for the table: what, by when, how it stands."""

    name: str
    at_risk_at: datetime
    due_at: datetime
    met_at: datetime | None
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class ClockLine:
    """The whole picture; `words` say the same."""

    marks: Sequence[Mark]
    pauses: Sequence[Stretch]
    now_x: float
    height: int
    words: str
    promises: Sequence[Promise]


Pause = tuple[datetime, datetime]


def pauses_of(events: Sequence[EventOut], now: datetime) -> list[Pause]:
    """When the clock stood; a pause that has not ended lasts until now."""
    begun: datetime | None = None
    found = []
    for event in events:
        if event.type == "wait":
            begun = event.at
        elif begun and event.type in {"resume", "resolve", "judge"}:
            found.append((begun, event.at))
            begun = None
    return [*found, (begun, now)] if begun else found


def clock_line(
    created: datetime, now: datetime, targets: TargetsOut, pauses: Sequence[Pause], at_risk: Mapping[str, datetime]
) -> ClockLine | None:
    """The picture of the promises of an item, at risk from these moments; None where its service level makes none."""
    named = [(name, getattr(targets, name)) for name in _PROMISES]
    kept: list[tuple[str, TargetOut]] = [(name, target) for name, target in named if target is not None]
    if not kept:
        return None
    last = max([now, *(target.due_at for _, target in kept)])
    whole = max(last - created, timedelta(seconds=1))

    def x(at: datetime) -> float:
        share = min(max((at - created) / whole, 0.0), 1.0)
        return round(_EDGE + share * (WIDTH - 2 * _EDGE), 1)

    moments = [("made", created, "calm"), ("now", now, "now")]
    moments += [(_label(name, target), target.due_at, _STATES[target.state][1]) for name, target in kept]
    moments += [("at risk", at_risk[name], "warn") for name in _next(kept)]
    marks = _laid_out([(label, x(at), look) for label, at, look in sorted(moments, key=lambda one: one[1])])
    promises = [
        Promise(_PROMISES[name], at_risk[name], target.due_at, target.met_at, *_STATES[target.state])
        for name, target in kept
    ]
    return ClockLine(
        marks=marks,
        pauses=[Stretch(x(begun), max(x(ended) - x(begun), 1)) for begun, ended in pauses],
        now_x=x(now),
        height=34 + 16 * (1 + max(mark.lane for mark in marks)),
        words=_words(created, now, promises, pauses),
        promises=promises,
    )


def _label(name: str, target: TargetOut) -> str:
    return f"{_PROMISES[name].lower()}{', missed' if target.state == 'missed' else ''}"


def _next(kept: Sequence[tuple[str, TargetOut]]) -> Sequence[str]:
    """The promise that falls due next, if one is still to be kept: of more, the line would be all labels."""
    running = [(target.due_at, name) for name, target in kept if target.state in {"running", "paused", "at_risk"}]
    return [name for _, name in sorted(running)[:1]]


def _laid_out(moments: Sequence[tuple[str, float, str]]) -> list[Mark]:
    """Each label in the first lane where it does not touch one before it."""
    ends: list[float] = []
    marks = []
    for label, x, look in moments:
        width = _LETTER * len(label)
        anchor = "start" if x < width / 2 else "end" if x > WIDTH - width / 2 else "middle"
        left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
        lane = next((number for number, end in enumerate(ends) if end + 6 <= left), len(ends))
        ends[lane : lane + 1] = [left + width]
        marks.append(Mark(label, x, lane, anchor, look))
    return marks


def _words(created: datetime, now: datetime, promises: Sequence[Promise], pauses: Sequence[Pause]) -> str:
    told = [f"Made {span_of(now - created)} ago"]
    for promise in promises:
        when = (
            f"due in {span_of(promise.due_at - now)}"
            if promise.due_at >= now
            else f"was due {span_of(now - promise.due_at)} ago"
        )
        told.append(f"{promise.name}: {when}, {promise.state}")
    if pauses:
        stood = sum((ended - begun for begun, ended in pauses), timedelta())
        told.append(f"the clock stood for {span_of(stood)}")
    return "; ".join(told) + "."
