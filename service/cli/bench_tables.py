"""What `heed bench models` and `heed bench quality` show people: goals beside figures, readers side by side."""

from collections.abc import Sequence

from service.bench.goals import Goal
from service.bench.labelling import LabelReport
from service.bench.models import ModelsReport
from service.bench.quality import READERS, QualityReport, Row
from service.bench.scores import Score
from service.cli.output import print_table


def show_labelling(report: LabelReport) -> None:
    """The goals, then every figure."""
    _goals(report.goals)
    print_table(("figure", ""), [(name, f"{one:,.4g}") for name, one in report.figures.items()])
    machine = report.machine
    print(
        f"\n{report.records:,} records, {report.cards:,} cards, {report.labels:,} labels; the run: {report.verdict}. "
        f"{machine.cores} cores, Python {machine.python}, PostgreSQL {machine.postgresql}, load {machine.load[0]:.1f} "
        f"before and {machine.load[1]:.1f} after."
    )
    _sentences(report.how)


def show_models(report: ModelsReport) -> None:
    """The goals, then every figure."""
    _goals(report.goals)
    print_table(
        ("figure", "median", "spread"),
        [(name, f"{one.median:,.4g}", f"{one.spread:.0%}") for name, one in report.figures.items()],
    )
    before, after = report.load
    print(
        f"\n{report.model}, {report.texts:,} texts a round. {report.cores} cores, Python {report.python}, load "
        f"{before:.1f} before and {after:.1f} after."
    )
    if report.noisy:
        print(f"The machine was noisy, the rounds lie far apart: {', '.join(report.noisy)}. Trust the ratios more.")
    _sentences([*report.notes, *report.how])


def show_quality(report: QualityReport) -> None:
    """A line for each figure of the model card, in percent with intervals of 95 %."""
    print_table(("what", "texts", "must / aim", "", *READERS), [_line(row) for row in report.rows])
    print(f"\n{report.model}; percent, with intervals of 95 %.")
    _sentences([*report.notes, *report.how])


def _goals(goals: Sequence[Goal]) -> None:
    print_table(
        ("goal", "measured", "must", "aim", ""),
        [(one.what, _amount(one), *_bounds(one), one.verdict) for one in goals],
    )
    print()


def _line(row: Row) -> list[object]:
    goal = row.goal
    bounds = (" / ".join(_bounds(goal)), goal.verdict) if goal else ("", "")
    heed = _score(row.scores.get("heed")) or (_amount(goal) if goal and goal.measured is not None else "")
    return [row.what, row.n or "", *bounds, heed, *(_score(row.scores.get(who)) for who in READERS[1:])]


def _score(score: Score | None) -> str:
    return f"{score.value:.1f} ({score.low:.0f}-{score.high:.0f})" if score else ""


def _amount(goal: Goal) -> str:
    return "" if goal.measured is None else f"{goal.measured:.3g}{goal.unit and ' ' + goal.unit}"


def _bounds(goal: Goal) -> tuple[str, str]:
    sign = {"more": "≥", "less": "≤"}[goal.better]
    return f"{sign} {goal.must:g}", "" if goal.aim is None else f"{goal.aim:g}"


def _sentences(told: Sequence[str]) -> None:
    for sentence in told:
        print(f"- {sentence}")
