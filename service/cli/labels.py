"""`heed labels`: files of labels from the format of one labelling tool into another's."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from calibration.labels.catalog import FORMATS
from calibration.labels.convert import convert as convert_labels
from calibration.labels.label import InvalidLabels

app = typer.Typer(help="Labels: convert files to and from Label Studio, Argilla and doccano.", no_args_is_help=True)
FormatName = StrEnum("FormatName", list(FORMATS))  # type: ignore[misc]  # its members are the catalog's


@app.command()
def convert(
    files: Annotated[
        list[Path], typer.Argument(help="Labels in any of the formats.", exists=True, dir_okay=False, readable=True)
    ],
    to: Annotated[FormatName, typer.Option(help="The format to write.")],
    out: Annotated[Path | None, typer.Option(help="The file to write; else standard output.", dir_okay=False)] = None,
) -> None:
    """Write files of labels as one, in another format. Of several files, rows without a rater get their file's name."""
    try:
        written = convert_labels([(path.name, path.read_bytes()) for path in files], to=to.value)
        if out is None:
            sys.stdout.buffer.write(written)
        else:
            out.write_bytes(written)
    except (InvalidLabels, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
