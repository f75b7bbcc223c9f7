"""What a benchmark must reach and aims at, beside what it measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Better = Literal["more", "less"]
Verdict = Literal["aim", "must", "MISSED", "not measured"]


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure and its bounds. `measured` is None where it could not be taken: that is never a success."""

    what: str
    unit: str
    better: Better
    must: float
    aim: float | None
    measured: float | None
    verdict: Verdict


def judged(
    what: str, measured: float | None, must: float, aim: float | None = None, *, unit: str = "", better: Better = "more"
) -> Goal:
    """A goal with its verdict; a figure just on a bound has reached it."""
    return Goal(what, unit, better, must, aim, measured, _verdict(measured, must, aim, better))


def _verdict(measured: float | None, must: float, aim: float | None, better: Better) -> Verdict:
    if measured is None:
        return "not measured"
    sign = 1 if better == "more" else -1
    if aim is not None and sign * measured >= sign * aim:
        return "aim"
    return "must" if sign * measured >= sign * must else "MISSED"


def all_kept(goals: Sequence[Goal]) -> bool:
    """Whether every goal was measured and its bound reached."""
    return all(goal.verdict in {"aim", "must"} for goal in goals)
