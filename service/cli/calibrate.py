"""`heed calibrate`: what a file of labels can promise, without a database."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from calibration.certification.agreement import AGREEMENT_FLOOR
from calibration.labels.label import InvalidLabels
from calibration.promise import Promise
from calibration.report.publish import fixed_thresholds, publish, told
from service.cli.output import AsJson

Labels = Annotated[
    Path,
    typer.Argument(
        metavar="LABELS",
        help="Labels as CSV, or as JSON of Label Studio, Argilla or doccano.",
        exists=True,
        dir_okay=False,
        readable=True,
    ),
]
Folder = Annotated[
    Path, typer.Option(help="The folder for page and JSON.", exists=True, file_okay=False, writable=True)
]


def calibrate(
    labels: Labels,
    precision: Annotated[float, typer.Option(min=0.5, max=0.9999, help="The share that must be right.")] = 0.90,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999, help="How sure to be of it.")] = 0.95,
    threshold: Annotated[
        list[str] | None,
        typer.Option(metavar="[LABEL=]NUMBER", help="Judge only this one, fixed before the labels were made."),
    ] = None,
    agreement: Annotated[
        float,
        typer.Option(min=0, max=1, help="The least that people must agree (alpha's lower bound; see the report)."),
    ] = AGREEMENT_FLOOR,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 0,
    out: Folder = Path(),
    as_json: AsJson = False,
) -> None:
    """Judge a file of labels: which thresholds keep a promise, and why not.

    Writes a page and a JSON file with every count; --json prints the JSON and writes nothing.
    """
    try:
        published = publish(
            labels.read_bytes(),
            name=labels.name,
            on=datetime.now(UTC).date(),
            promise=Promise(precision, confidence),
            thresholds=_fixed(threshold or []),
            agreement_floor=agreement,
            seed=seed,
        )
        if as_json:
            print(published.json)
            return
        page, figures = published.write(out, labels.stem)
    except InvalidLabels as error:
        typer.echo(f"{labels} cannot be used:\n{error}", err=True)
        raise typer.Exit(1) from error
    except OSError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    print(told(published.report, page, figures))


def _fixed(words: list[str]) -> dict[str, float]:
    try:
        return fixed_thresholds(words)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--threshold") from error
