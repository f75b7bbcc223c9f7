"""`heed policy backtest`: what a version would have made of a past period, worked out here and now."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from service.backtest import job
from service.backtest.result import Counts, Result
from service.cli.actor import actor
from service.cli.output import AsJson, print_json, print_table
from service.cli.policy_steps import Version
from service.cli.sentences import FAILED, USED_WRONGLY
from service.installation import Opened, open_installation
from service.route.versions import UnknownVersion
from service.settings import Settings
from service.store.tables import Backtest, now

INTERRUPTED = 130
_NOW = "now"
_SHOWN = 20  # lines of a table
_CHANGES = ("now", "then", "appears", "vanishes", "changed")

Since = Annotated[str, typer.Option(help="From this day or moment on (UTC where it names no zone).", metavar="WHEN")]
Until = Annotated[
    str, typer.Option(help="Up to before this day or moment; where it is left out, until now.", metavar="WHEN")
]
Against = Annotated[
    int | None,
    typer.Option(help="Compare with this version, not with the one that decides now.", min=1, max=2**31 - 1),
]


def backtest(
    version: Version, since: Since, until: Until = _NOW, against: Against = None, as_json: AsJson = False
) -> None:
    """Say what a version would have made of a past period: items, load and targets. Nothing is changed by it."""
    wanted = job.Wanted(
        version, _moment(since, "--since"), now() if until == _NOW else _moment(until, "--until"), against, {}
    )
    with open_installation(Settings(), pool=2) as opened:
        begun = _begun(opened, wanted)
        try:
            with _progress(as_json) as tell:
                job.run(opened.database, begun, tell)
        except KeyboardInterrupt:
            with opened.database.session() as session:
                job.cancel(session, begun, by=actor())
            typer.echo("Cancelled: nothing of it is kept.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        with opened.database.session() as session:
            row = session.get_one(Backtest, begun)
            period = job.stored_period(session)
    if row.result is None:
        typer.echo(row.reason or f"It is {row.state}.", err=True)
        raise typer.Exit(FAILED)
    result = Result.model_validate(row.result)
    if as_json:
        print_json(row.model_dump())
    elif result.records + result.unread == 0:
        print(f"There are no records from {since} to {until}.{_where_some_are(period)}")
    else:
        _show(row, result)


def _moment(told: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(told)
    except ValueError as error:
        typer.echo(f"{option} {told} is no day or moment: write 2026-10-01 or 2026-10-01T08:00.", err=True)
        raise typer.Exit(USED_WRONGLY) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _begun(opened: Opened, wanted: job.Wanted) -> UUID:
    try:
        with opened.database.session() as session:
            return job.begin(session, wanted, by=actor()).id
    except (UnknownVersion, job.InvalidBacktest) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error


@contextmanager
def _progress(as_json: bool) -> Iterator[job.Tell]:
    """A bar on a terminal; nothing elsewhere."""
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.completed:,.0f} of {task.total:,.0f} records"))
    hidden = as_json or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=hidden) as progress:
        task = progress.add_task("records", total=0)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def _where_some_are(period: tuple[datetime, datetime] | None) -> str:
    if period is None:
        return " There are none at all yet."
    oldest, newest = period
    return f" There are some from {oldest:%Y-%m-%d} to {newest:%Y-%m-%d}."


def _show(row: Backtest, result: Result) -> None:
    print(
        f"Version {row.policy_version} (then) beside version {row.against_version} (now). "
        f"Records: {result.records:,}; that come out differently: {result.differing:,}.\n"
    )
    print_table(
        ("kind", "rule", *_CHANGES),
        [
            *((line.kind, "(all)", *_numbers(line)) for line in result.kinds),
            *((line.kind, line.rule, *_numbers(line)) for line in result.rules),
        ],
    )
    above = [line for line in result.owners if line.days_above_now or line.days_above_then]
    if above:
        columns = ("above capacity", "capacity", "days now", "days then", "most a day now", "most a day then")
        rows = [
            (one.owner, one.capacity, one.days_above_now, one.days_above_then, one.busiest_now, one.busiest_then)
            for one in above
        ]
        _table(columns, rows)
    else:
        print("\nNobody is above a capacity on any day.")
    _show_queue(result)
    print(f"\n{result.promises.sentence}")
    for sentence in result.assumptions:
        print(f"- {sentence}")
    print(f"\nDifferences kept as backtest {row.id}: {result.cases:,}. It took {result.seconds:.1f} seconds.")


def _show_queue(result: Result) -> None:
    queue = result.queue
    print(f"\nTargets that would be missed: {queue.missed_now:,} now, {queue.missed_then:,} then.")
    missed = [one for one in queue.misses if one.missed_now or one.missed_then]
    if missed:
        columns = ("service level", "owner", "target", "now", "of", "then", "of")
        rows = [
            (one.sla, one.owner, one.target, one.missed_now, one.items_now, one.missed_then, one.items_then)
            for one in missed
        ]
        _table(columns, rows)
    for sentence in queue.assumptions:
        print(f"- {sentence}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    print()
    print_table(columns, [[_cell(cell) for cell in row] for row in rows[:_SHOWN]])
    if len(rows) > _SHOWN:
        print(f"and {len(rows) - _SHOWN:,} more: `--json` gives all.")


def _cell(value: object) -> object:
    return f"{value:,}" if isinstance(value, int) else value


def _numbers(counts: Counts) -> list[str]:
    return [f"{getattr(counts, name):,}" for name in _CHANGES]
