"""The weekly audit of one label, everywhere and in each cell (a source and a language), at one false-alarm rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.arrays import Floats, Integers, confidence_level, counts
from calibration.monitoring.audit_alarm import HORIZON, AuditAlarm, audit_alarm
from calibration.monitoring.promise_broken import ALPHA, WATCH, Level
from calibration.words import counted


@dataclass(frozen=True, slots=True)
class Cell:
    """Where texts come from and what they are written in."""

    source: str
    language: str


@dataclass(frozen=True, slots=True)
class CellWeeks:
    """Of a cell's `n` blind audit labels week by week, how many were `wrong`; every cell has the same weeks.

    `since` is the week (from 0) in which the cell's first text was drawn, labelled by then or not; where it is not
    given, the week of its first label. Labels that come late would move the latter, and with it other cells' levels.
    """

    cell: Cell
    wrong: tuple[int, ...]
    n: tuple[int, ...]
    since: int | None = None


@dataclass(frozen=True, slots=True)
class CellWatch:
    """The audit of one cell, or of all together where `cell` is None, and what to tell people about it."""

    cell: Cell | None
    level: Level
    alarm: AuditAlarm
    sentence: str


@dataclass(frozen=True, slots=True)
class Watch:
    """All audits of one label; any of them is falsely broken with probability `alpha` at most within the horizon."""

    everywhere: CellWatch
    cells: tuple[CellWatch, ...]
    alpha: float

    @property
    def broken(self) -> tuple[CellWatch, ...]:
        """Where the promise is broken: everywhere (one entry whose `cell` is None), or else each cell where it is."""
        if self.everywhere.level == "alarm":
            return (self.everywhere,)
        return tuple(one for one in self.cells if one.level == "alarm")

    @property
    def watched(self) -> tuple[CellWatch, ...]:
        """Where evidence against the promise is building up, without being enough yet."""
        return tuple(one for one in (self.everywhere, *self.cells) if one.level == "watch")


def watch_cells(
    weeks_by_cell: Sequence[CellWeeks], precision: float, *, alpha: float = ALPHA, horizon: int = HORIZON
) -> Watch:
    """Whether the promise is broken everywhere, or in single cells, from the audit labels of each week.

    Labels must be a blind uniform sample of what passed the threshold. Half of `alpha` goes to the alarm on all cells
    together, half to those of single cells. Of the latter, the cells drawn first share a half
    equally, those that come next share half of what is left, and so on: the level of a cell never changes after its
    first week, whichever come later, and all levels together stay within `alpha` (Bonferroni). Each alarm is the
    `audit_alarm`, so that one may look every week. The promise was made for all cells together: a cell whose precision
    is truly below it may be found although the promise as a whole holds, which is no false alarm.

    A single cell is watched once its evidence, times its share of the cells' level, reaches what `promise_broken`
    watches from; so weighted the cells' evidence is one e-value, and a crowd of cells brings no crowd of warnings.

    Source: `audit_alarm`; C. E. Bonferroni (1936); weighted sums of e-values: V. Vovk and R. Wang, "E-values:
    calibration, combination and applications", Annals of Statistics 49 (2021).

    Raises:
        ValueError: no cell, a cell given twice, cells with different numbers of weeks, and as `audit_alarm`.

    >>> german = CellWeeks(Cell("shop", "de"), (9, 10, 12), (30, 30, 30))
    >>> english = CellWeeks(Cell("shop", "en"), (0, 1, 0), (60, 60, 60))
    >>> watch = watch_cells([german, english], 0.90)
    >>> watch.everywhere.level, [one.cell.language for one in watch.broken]
    ('quiet', ['de'])
    """
    confidence_level(alpha, "alpha")
    wrong, n = _weeks(weeks_by_cell)
    everywhere = audit_alarm(wrong.sum(axis=0), n.sum(axis=0), precision, alpha=alpha / 2, horizon=horizon)
    shares = _shares(n, [one.since for one in weeks_by_cell])
    watched = []
    for place, one in enumerate(weeks_by_cell):
        share = float(shares[place])
        alarm = audit_alarm(wrong[place], n[place], precision, alpha=share * alpha / 2, horizon=horizon)
        watched.append(_told(one.cell, alarm, _level(alarm, share)))
    return Watch(_told(None, everywhere, everywhere.level), tuple(watched), alpha)


def _weeks(cells: Sequence[CellWeeks]) -> tuple[Integers, Integers]:
    if not cells:
        raise ValueError("there must be at least one cell to watch")
    if len({one.cell for one in cells}) < len(cells):
        raise ValueError("each cell must be given once, with all its weeks")
    if len({len(weeks) for one in cells for weeks in (one.wrong, one.n)}) > 1:
        raise ValueError("every cell must have the same weeks: a week without labels is 0 of 0")
    shape = (len(cells), None)
    return counts([one.wrong for one in cells], "wrong", shape=shape), counts(
        [one.n for one in cells], "n", shape=shape
    )


def _shares(n: Integers, since: Sequence[int | None]) -> Floats:
    """Each cell's share of the cells' error rate, by the week it came up first; they add up to 1 at most."""
    weeks = n.shape[1]
    labelled = n > 0
    first = np.where(labelled.any(axis=1), labelled.argmax(axis=1) if weeks else 0, weeks)
    first = np.array([week if told is None else told for week, told in zip(first, since, strict=True)])
    arrivals, place, together = np.unique(first, return_inverse=True, return_counts=True)
    shares: Floats = (0.5 ** np.arange(1, len(arrivals) + 1) / together)[place]
    return shares


def _level(alarm: AuditAlarm, share: float) -> Level:
    if alarm.level == "alarm" or not alarm.broken.e_values:
        return alarm.level
    return "watch" if share * alarm.broken.e_values[-1] >= WATCH else "quiet"


def _told(cell: Cell | None, alarm: AuditAlarm, level: Level) -> CellWatch:
    where = "Everywhere" if cell is None else f"{cell.source or 'no source'}, {cell.language or 'no language'}"
    return CellWatch(cell, level, alarm, f"{where}: {_finding(alarm, level)}")


def _finding(alarm: AuditAlarm, level: Level) -> str:
    wrong = f"{alarm.broken.wrong} of {counted(alarm.broken.n, 'audit answer', 'audit answers')}"
    said = {
        "alarm": f"the promise is broken since week {alarm.alarm_week}",
        "watch": "evidence against the promise is building up",
        "quiet": "nothing speaks against the promise",
    }[level]
    were = "was" if alarm.broken.wrong == 1 else "were"
    return f"{said}; {wrong} {were} wrong."
