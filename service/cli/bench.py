"""`heed bench`: what each part carries and whether promises are kept, each beside a named peer in the same run."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from models.encoder.heed_en import SHIPPED
from service.bench import backtest as backtest_bench
from service.bench import importing as import_bench
from service.bench import ingest as ingest_bench
from service.bench import labelling as label_bench
from service.bench import models as models_bench
from service.bench import pages as pages_bench
from service.bench import promise as promise_bench
from service.bench import quality as quality_bench
from service.bench import road as road_bench
from service.bench import route as route_bench
from service.bench.figures import BenchFailed, Report
from service.cli.bench_tables import show_labelling, show_models, show_quality
from service.cli.output import AsJson, print_json, print_table
from service.settings import Settings

app = typer.Typer(
    help="Measure: ingest, road, import, backtest, pages, label, promise, route, models, quality.",
    no_args_is_help=True,
)

CHECK_FAILED = 3
Measured = TypeVar("Measured")
Weights = Annotated[Path, typer.Option(help="A folder of weights; else those heed brings.", file_okay=False)]
Rounds = Annotated[int, typer.Option(min=1, max=100, help="How often everything is repeated; medians are reported.")]


@app.command()
def ingest(
    records: Annotated[int, typer.Option(min=100, max=100_000, help="Records of each kind in each round.")] = 1_000,
    rounds: Rounds = 5,
    as_json: AsJson = False,
) -> None:
    """Durable records a second through HTTP, against INSERT and COPY of the same rows and a commit per request."""
    _run(lambda: ingest_bench.measure(Settings(), records, rounds), _show, as_json)


@app.command()
def road(
    records: Annotated[int, typer.Option(min=64, max=100_000, help="Records in each round.")] = 1_000,
    rounds: Rounds = 3,
    as_json: AsJson = False,
) -> None:
    """Records a second from POST to routed, against the bare classifier, and where the time goes."""
    _run(lambda: road_bench.measure(Settings(), records, rounds), _show, as_json)


@app.command("import")
def import_files(
    rows: Annotated[int, typer.Option(min=100, max=10_000_000, help="Rows of the file in each round.")] = 100_000,
    rounds: Rounds = 3,
    as_json: AsJson = False,
) -> None:
    """Rows a second and peak memory of `heed import`, against COPY of the same file and a file of a tenth the rows."""
    _run(lambda: import_bench.measure(Settings(), rows, rounds), _show, as_json)


@app.command()
def backtest(
    records: Annotated[int, typer.Option(min=300, max=10_000_000, help="Stored feedback records.")] = 100_000,
    rounds: Rounds = 3,
    as_json: AsJson = False,
) -> None:
    """Records a second of a backtest, against nothing but deciding the same cases. Exit 3 when a goal is missed."""
    report = _run(lambda: backtest_bench.measure(Settings(), records, rounds), _show, as_json)
    _require(kept=report.kept)


@app.command()
def pages(
    records: Annotated[int, typer.Option(min=100, max=10_000_000, help="Feedback records.")] = 100_000,
    items: Annotated[int, typer.Option(min=10, max=1_000_000, help="Open work items.")] = 10_000,
    requests: Annotated[int, typer.Option(min=20, max=10_000, help="Requests for each page.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Server time of the five busiest pages of a full installation, against one without rows. Exit 3 when too slow."""
    report = _run(lambda: pages_bench.measure(Settings(), records, items, requests), _show_pages, as_json)
    _require(kept=report.kept)


def _show_pages(report: pages_bench.PagesReport) -> None:
    print_table(
        ("page", "at once", "p50 ms", "p95 ms", "against sign-in", ""),
        [
            (
                line.page,
                line.at_once,
                f"{line.p50:.1f}",
                f"{line.p95:.1f}",
                f"{line.ratio:.1f} x",
                "holds" if line.holds else f"OVER {report.allowed_p95:.0f}",
            )
            for line in report.lines
        ],
    )
    machine = report.machine
    print(
        f"\n{report.records:,} records, {report.open_items:,} open items. {machine.cores} cores, "
        f"Python {machine.python}, PostgreSQL {machine.postgresql}, load {machine.load[0]:.1f} before and "
        f"{machine.load[1]:.1f} after."
    )
    for sentence in report.how:
        print(f"- {sentence}")


@app.command()
def label(
    records: Annotated[int, typer.Option(min=300, max=10_000_000, help="Classified records.")] = 1_000_000,
    cards: Annotated[int, typer.Option(min=100, max=100_000, help="Cards of the sample that is labelled.")] = 2_000,
    as_json: AsJson = False,
) -> None:
    """A label's round trip with 20 reviewers at once; a draw and a run over all records. Exit 3: a goal was missed."""
    report = _run(lambda: label_bench.measure(Settings(), records, cards), show_labelling, as_json)
    _require(kept=report.kept)


@app.command()
def promise(
    worlds: Annotated[int, typer.Option(min=100, max=100_000, help="Simulated worlds for each line.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Where the worlds begin.")] = 0,
    as_json: AsJson = False,
) -> None:
    """How often promises, alarms and promotions go wrong in worlds whose truth is known. Exit 3 when one is broken."""
    report = _run(lambda: promise_bench.measure(worlds, seed), _show_promises, as_json)
    _require(kept=report.kept)


@app.command()
def route(
    records: Annotated[int, typer.Option(min=50, max=100_000, help="Records in each round.")] = 1_000,
    rounds: Rounds = 5,
    as_json: AsJson = False,
) -> None:
    """Records a second that 1, 20 and 200 rules decide, against cel-expr-python, and how soon bad ones are refused.

    Exit 3 when a goal is missed.
    """
    report = _run(lambda: route_bench.measure(records, rounds), _show_route, as_json)
    _require(kept=report.kept)


@app.command()
def models(
    weights: Weights = SHIPPED,
    peer_python: Annotated[
        Path, typer.Option(help="An interpreter with torch and transformers, for the pipelines.")
    ] = models_bench.PEER,
    texts: Annotated[int, typer.Option(min=20, max=100_000, help="Texts in each round.")] = 300,
    rounds: Rounds = 5,
    as_json: AsJson = False,
) -> None:
    """CPU, memory and threads of the shipped model, against two Hugging Face pipelines. Exit 3: a goal was missed."""
    report = _run(lambda: models_bench.measure(Settings(), weights, peer_python, texts, rounds), show_models, as_json)
    _require(kept=report.kept)


@app.command()
def quality(
    data: Annotated[Path, typer.Option(help="A folder of labelled sets; models/training/data.md names them.")],
    weights: Weights = SHIPPED,
    most: Annotated[int, typer.Option(min=20, max=1_000_000, help="Texts judged of each set, at most.")] = 2_000,
    as_json: AsJson = False,
) -> None:
    """How often the shipped model is right, beside VADER, TF-IDF and the keywords. Exit 3: a goal was missed."""
    report = _run(lambda: quality_bench.measure(data, str(weights), most), show_quality, as_json)
    _require(kept=report.kept)


def _show_route(report: route_bench.RouteReport) -> None:
    print_table(
        ("rules", "fires /s", "decide /s", "cel-expr-python /s", "fires against it", "decide against it"),
        [
            (
                line.rules,
                *(f"{one.median:,.0f}" for one in (line.fires, line.decide, line.peer)),
                *(f"{one.median:.1f} x" for one in (line.fires_ratio, line.decide_ratio)),
            )
            for line in report.lines
        ],
    )
    ratio, growth = report.lines[-1].fires_ratio.median, report.growth.median
    print()
    print_table(
        ("goal", "measured", "wanted", ""),
        [
            (
                "against the peer at 200 rules",
                f"{ratio:.1f} x",
                f"{route_bench.LEAST_RATIO:g} x",
                _met(holds=ratio >= route_bench.LEAST_RATIO),
            ),
            (
                "cost of a record, 200 rules for 20",
                f"{growth:.1f} x",
                f"< {route_bench.MOST_GROWTH:g} x",
                _met(holds=growth < route_bench.MOST_GROWTH),
            ),
            (
                f"slowest of {report.hostile} refusals: {report.slowest.name}",
                f"{report.slowest.milliseconds:.2f} ms",
                f"< {route_bench.MOST_MILLISECONDS:g} ms",
                _met(holds=report.slowest.milliseconds < route_bench.MOST_MILLISECONDS),
            ),
        ],
    )
    print(
        f"\nThe same of decide {report.decide_growth.median:.1f} x, of the peer {report.peer_growth.median:.1f} x. "
        f"{report.records:,} records a round, {report.compared:,} answers compared, 0 differ. {report.cores} cores, "
        f"Python {report.python}, load {report.load:.1f}."
    )
    for sentence in report.how:
        print(f"- {sentence}")


def _show_promises(report: promise_bench.PromiseReport) -> None:
    print_table(
        ("what", "by", "measured", "allowed", ""),
        [
            (
                line.what,
                line.by,
                _measured(line),
                _allowed(line),
                {True: "holds", False: "BROKEN", None: ""}[line.holds],
            )
            for line in report.lines
        ],
    )
    print(f"\n{report.lines[0].worlds:,} worlds a line, seed {report.seed}; a rate may exceed what is allowed by 3 SE.")
    for sentence in report.how:
        print(f"- {sentence}")


def _met(*, holds: bool) -> str:
    return "holds" if holds else "MISSED"


def _measured(line: promise_bench.Line) -> str:
    return f"{line.figure:g}" if line.unit == "weeks" else f"{line.figure:.1%} ± {line.standard_error:.1%}"


def _allowed(line: promise_bench.Line) -> str:
    if line.allowed is None:
        return ""
    return f"{line.allowed:g}" if line.unit == "weeks" else f"{line.allowed:.0%}"


def _run(measure: Callable[[], Measured], show: Callable[[Measured], None], as_json: bool) -> Measured:
    try:
        report = measure()
    except BenchFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        print_json(report)
    else:
        show(report)
    return report


def _require(*, kept: bool) -> None:
    if not kept:
        raise typer.Exit(CHECK_FAILED)


def _show(report: Report) -> None:
    print_table(
        ("ratio", "median", "spread"),
        [(name, f"{one.median:.3g}", f"{one.spread:.0%}") for name, one in report.ratios.items()],
    )
    if report.shares:
        print()
        print_table(("share of the CPU time", ""), [(name, f"{share:.1%}") for name, share in report.shares.items()])
    print()
    print_table(
        ("figure", "median", "spread"),
        [(name, _figure(one.median), f"{one.spread:.0%}") for name, one in report.figures.items()],
    )
    machine = report.machine
    print(
        f"\n{report.records:,} records a round. {machine.cores} cores, Python {machine.python}, "
        f"PostgreSQL {machine.postgresql}, load {machine.load[0]:.1f} before and {machine.load[1]:.1f} after."
    )
    if report.noisy:
        print(f"The machine was noisy, the rounds lie far apart: {', '.join(report.noisy)}. Trust the ratios more.")
    for sentence in report.how:
        print(f"- {sentence}")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
