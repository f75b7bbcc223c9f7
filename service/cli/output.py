"""What commands print: JSON for programs, tables for people."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.deliver.plain_text import visible

_WIDE = 1_000  # characters: a column is as wide as its content, so a pipe gets each row in one line
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(value: Any) -> None:  # noqa: ANN401 (any JSON value)
    """One JSON value on standard output."""
    print(json.dumps(to_jsonable_python(value), ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A plain table, as wide as it needs to be where no terminal sets a width; no cell is read as markup."""
    table = Table(box=None, pad_edge=False)
    for column in columns:  # an id is there to be copied: it is never cut
        table.add_column(column, no_wrap=column == "id", min_width=36 if column == "id" else None)
    for row in rows:
        table.add_row(*(Text("" if cell is None else visible(str(cell))) for cell in row))
    console = Console()
    if console.is_terminal:
        console.print(table)
    else:
        Console(width=_WIDE).print(table, crop=False)
