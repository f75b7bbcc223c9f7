"""The slider of a label's report: what each threshold would mean, and putting a certificate at a proved one."""

from collections.abc import Sequence
from dataclasses import dataclass

from calibration.result import Estimate, Undefined
from calibration.thresholds.what_if import Position
from calibration.words import percent
from service.pages.report_canvas import Scale, Tick

WIDTH = 720
_HELD = " Nothing passes now, wherever it stands: people decide."
_SCALE = Scale(0.30, 0.99, 12, WIDTH - 12)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Positions side by side that are all proved, or all not."""

    x: float
    width: float
    proved: bool


@dataclass(frozen=True, slots=True)
class Consequence:
    """A figure of a position in words, with its range."""

    name: str
    value: str
    range: str


@dataclass(frozen=True, slots=True)
class Slider:
    """The slider: the position that is looked at, where the label stands, and what the position would mean."""

    at: float
    stands: float | None
    certified: bool
    proved: bool
    stretches: Sequence[Stretch]
    standing: float | None
    along: Sequence[Tick]
    consequences: Sequence[Consequence]
    now: Sequence[Consequence]
    words: str

    @property
    def moves(self) -> bool:
        """Whether the position may be saved: it is proved, and the certificate stands elsewhere today."""
        return self.certified and self.proved and self.stands is not None and abs(self.at - self.stands) > 1e-9

    @property
    def loosens(self) -> bool:
        """Whether saving it lets more pass, so that a second person has to agree."""
        return self.stands is not None and self.at < self.stands


def slider(
    positions: Sequence[Position], rungs: Sequence[float], stands: float | None, wanted: float | None, *, held: bool
) -> Slider | None:
    """The slider at the wanted position, or else where the label stands; None where no run tells anything yet.

    `rungs` are the positions that the certificate in force proves; without one there are none. `held`: people decide
    about all of them now.
    """
    if not positions:
        return None
    middle = positions[len(positions) // 2].threshold
    at = _nearest(positions, next(one for one in (wanted, stands, middle) if one is not None))
    now = None if stands is None else _nearest(positions, stands)
    proved = _among(at.threshold, rungs)
    return Slider(
        at=at.threshold,
        stands=stands,
        certified=bool(rungs),
        proved=proved,
        stretches=_stretches(positions, rungs),
        standing=None if stands is None else _SCALE(stands),
        along=[Tick(_SCALE(tenth / 10), f"{10 * tenth} %") for tenth in range(3, 10)],
        consequences=_consequences(at),
        now=_consequences(now) if now else (),
        words=_words(at, stands, proved=proved) + (_HELD if held else ""),
    )


def _nearest(positions: Sequence[Position], wanted: float) -> Position:
    return min(positions, key=lambda one: abs(one.threshold - wanted))


def _among(threshold: float, rungs: Sequence[float]) -> bool:
    return any(abs(threshold - one) <= 1e-9 for one in rungs)


def _stretches(positions: Sequence[Position], rungs: Sequence[float]) -> list[Stretch]:
    """The positions as stretches from left to right; each reaches half a step to either side."""
    step = (_SCALE.end - _SCALE.start) / max(len(positions) - 1, 1)
    stretches: list[Stretch] = []
    for one in positions:
        proved, x = _among(one.threshold, rungs), _SCALE(one.threshold) - step / 2
        if stretches and stretches[-1].proved == proved:
            before = stretches.pop()
            stretches.append(Stretch(before.x, round(x + step - before.x, 1), proved))
        else:
            stretches.append(Stretch(round(x, 1), round(step, 1), proved))
    return stretches


def _consequences(position: Position) -> list[Consequence]:
    return [
        _figure("Answers a day that heed acts on by itself", position.tickets),
        _figure("Of them wrong, a day", position.wrong),
        _figure("Missed a day: right, but not sure enough", position.missed),
        _figure("Minutes a day to look at those just below by hand", position.minutes),
    ]


def _figure(name: str, found: Estimate | Undefined) -> Consequence:
    if isinstance(found, Undefined):
        return Consequence(name, "not known yet", found.reason)
    return Consequence(name, _number(found.value), f"{_number(found.low)} to {_number(found.high)}")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _words(position: Position, stands: float | None, *, proved: bool) -> str:
    where = f"From {percent(position.threshold)} sure on"
    if stands is not None and abs(position.threshold - stands) <= 1e-9:
        return f"{where}: this is where it stands today{'' if proved else ', without a proof'}."
    if not proved:
        return f"{where}: not proved. It cannot be saved; more checked answers may prove it."
    if stands is None:
        return f"{where}: proved."
    if position.threshold > stands:
        return f"{where}: proved, and stricter than today. Less passes by itself."
    return f"{where}: proved, and looser than today. More passes by itself: a second person has to agree."
