"""`heed import`: a file of feedback into the database, from where it lies; says first how it understood it."""

import csv
import os
import shlex
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from service import csv_out
from service.api.shapes import import_out
from service.cli.actor import actor
from service.cli.output import AsJson, print_json, print_table
from service.cli.sentences import FAILED, USED_WRONGLY
from service.deliver.plain_text import visible
from service.ingest import importing
from service.ingest.cells import example
from service.ingest.field_map import InvalidMap
from service.ingest.field_names import known, like_time
from service.ingest.file_layout import recognise
from service.ingest.importing import Asked, Mistake, Understood
from service.ingest.record import is_source_name
from service.installation import Opened, open_installation
from service.settings import Settings
from service.store.tables import Import

SOME_REJECTED = 3
LOOKED_AT = 1_000  # rows, in a dry run
SHOWN = 10  # errors at the end; rows of a dry run
_WIDEST = 60  # characters of a value that is shown
_COUNTS = ("new", "duplicate", "revision", "stale", "rejected")

File = Annotated[
    Path, typer.Argument(help="A CSV, NDJSON or XLSX file.", metavar="FILE", exists=True, dir_okay=False, readable=True)
]
Change = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Read FIELD from COLUMN; `FIELD=` leaves the field out."),
]
Rejects = Annotated[
    Path | None, typer.Option("--errors", metavar="FILE", help="Write the rejected rows to this CSV.", dir_okay=False)
]


def import_file(
    file: File,
    source: Annotated[str, typer.Option(help="The source that the feedback belongs to.")],
    change: Change = None,
    history: Annotated[bool, typer.Option("--history", help="Of the past: starts no clocks, sends nothing.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show how it is understood; store nothing.")] = False,
    rejects: Rejects = None,
    as_json: AsJson = False,
) -> None:
    """Import a file of feedback: CSV, NDJSON or XLSX. After an interruption the same command goes on where it stood.

    Ends with 0 when every row is in, 3 when some were rejected, 1 when it failed, 2 when it was called wrongly.
    """
    asked = _asked(file, source, change or (), history)
    if dry_run:
        _rehearse(file, asked, as_json)
    if not as_json:
        _show_mapping(asked, importing.preview(file, asked, LOOKED_AT // 10))
    with open_installation(Settings(), pool=2) as opened, _opened(rejects) as stream:
        begun = _begun(opened, asked, as_json)
        ended = _store(opened, begun, file, stream, as_json)
    if as_json:
        print_json(import_out(ended))
    else:
        _show(ended)
    if ended.state == "failed":
        _end(f"The import stopped after row {ended.position:,}: {ended.reason}", FAILED)
    if ended.rejected:
        raise typer.Exit(SOME_REJECTED)


def _end(sentence: str, code: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def _asked(file: Path, source: str, change: Sequence[str], history: bool) -> Asked:
    if not is_source_name(source):
        _end(f"No source can be called {source!r}: its name has 1 to 64 of A-Z a-z 0-9 . _ -", USED_WRONGLY)
    try:
        guessed = importing.guessed(file, recognise(file, file.name))
        told = _told(change)
        free = {field: column for field, column in guessed.items() if column not in told.values()}
        chosen = {field: column for field, column in (free | told).items() if column}
        return importing.ask(file, file.name, source=source, mapping=chosen, history=history)
    except InvalidMap as error:
        wrong = "\n".join(f"{field}: {detail}" if field else detail for field, detail in error.problems)
        _end(f"{wrong}\n`--map FIELD=COLUMN` says from which column a field is read.", USED_WRONGLY)


def _told(change: Sequence[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    for one in change:
        field, equals, column = one.partition("=")
        if not equals:
            _end(f"--map {one} has no '=': write FIELD=COLUMN, such as external_id=id.", USED_WRONGLY)
        told[field.strip()] = column
    return told


def _show_mapping(asked: Asked, first: Sequence[Understood]) -> None:
    layout = asked.layout
    how = {"encoding": layout.encoding, "delimiter": layout.delimiter, "sheet": layout.sheet}
    told = ", ".join(f"{name} {value!r}" for name, value in how.items() if value)
    print(f"{visible(asked.file_name)}: {layout.format}{', ' + told if told else ''}\n")
    print_table(
        ("field", "", "column", "such as"),
        [(field, "<-", column, _example(first, column)) for field, column in asked.mapping.items()],
    )
    unused = [column for column in layout.columns if column not in asked.mapping.values()]
    if unused:
        print(f"Not imported: {visible(', '.join(unused))}")
    _show_missing(asked)
    print()


def _show_missing(asked: Asked) -> None:
    if "external_id" not in asked.mapping:
        print(
            "No column is used as the answer's own id. The same file sent twice is recognised all the same, but a row"
            " that was changed counts as a new answer: --map external_id=COLUMN names it."
        )
    if "submitted_at" in asked.mapping:
        return
    print("No column is used as the time when they answered: every answer counts as given when it is taken in.")
    for column in asked.layout.columns:
        if like_time(column) or (known(column) or ("",))[0] == "submitted_at":
            option = shlex.quote(f"submitted_at={column}")
            print(visible(f"'{column}' is named as a time: --map {option} uses it, and rejects the rows without one."))


def _example(first: Sequence[Understood], column: str) -> str:
    return next((_short(example(one.cells[column])) for one in first if one.cells.get(column) not in {None, ""}), "")


def _short(value: str) -> str:
    words = " ".join(value.split())
    return words if len(words) <= _WIDEST else f"{words[: _WIDEST - 1]}…"


def _rehearse(file: Path, asked: Asked, as_json: bool) -> NoReturn:
    understood = importing.preview(file, asked, LOOKED_AT)
    mistakes = [mistake for one in understood for mistake in one.mistakes]
    first = [one for one in understood if one.record is not None][:SHOWN]
    if as_json:
        records = [one.record.model_dump(mode="json", exclude_defaults=True) for one in first if one.record]
        print_json({"mapping": asked.mapping, "rows": len(understood), "records": records, "errors": mistakes})
    else:
        _show_mapping(asked, understood)
        for one in first:
            if one.record is not None:
                words = one.record.model_dump_json(exclude_defaults=True, exclude={"source"})
                print(f"row {one.number:,}: {visible(words)}")
        rejected = sum(one.record is None for one in understood)
        print(f"\nOf the first {len(understood):,} rows {rejected:,} would be rejected. Nothing was stored.")
        _show_mistakes(mistakes[:SHOWN])
    raise typer.Exit(SOME_REJECTED if mistakes else 0)


def _begun(opened: Opened, asked: Asked, as_json: bool) -> Import:
    with opened.database.session() as session:
        left = importing.unfinished(session, asked)
        begun = left or importing.begin(session, asked, by=actor())
    if left is not None and left.position and not as_json:
        print(f"This file was begun before: going on after row {left.position:,}.")
    return begun


def _store(opened: Opened, begun: Import, file: Path, rejects: TextIO | None, as_json: bool) -> Import:
    standing = begun
    shows = sys.stderr.isatty() and not as_json
    with ExitStack() as stack:
        write = _writing(rejects, begun) if rejects else _ignore
        show = stack.enter_context(_showing(begun, _lines(file)) if shows else nullcontext(_ignore_standing))
        try:
            for progress in importing.pieces(opened.database, opened.vault, begun, file):
                standing = progress.standing
                write(progress.rejected)
                show(standing)
        except KeyboardInterrupt:
            _end(f"Interrupted after row {standing.position:,}: the same command goes on from there.", FAILED)
    return standing


def _ignore(_rejected: Sequence[Understood]) -> None:
    """Nobody asked for the rejected rows."""


def _ignore_standing(_standing: Import) -> None:
    """Nobody watches."""


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO | None]:
    """The file for rejected rows: nothing is begun where it cannot be written."""
    if path is None:
        yield None
        return
    try:
        stream = path.open("a", encoding="utf-8", newline="")
    except OSError as error:
        _end(f"{path} cannot be written: {error.strerror}.", FAILED)
    with stream:
        yield stream


def _writing(stream: TextIO, begun: Import) -> Callable[[Sequence[Understood]], None]:
    """Rejected rows as CSV, as they come; what an interrupted import wrote is kept."""
    columns = begun.layout["columns"]
    writer = csv.writer(stream)
    if not begun.position:
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):  # a terminal or a pipe holds nothing of before
            stream.truncate(0)
        writer.writerow(["row", "errors", *map(csv_out.cell, columns)])

    def write(rejected: Sequence[Understood]) -> None:
        for one in rejected:
            told = "; ".join(f"{it.column}: {it.detail}" if it.column else it.detail for it in one.mistakes)
            values = ("" if one.cells.get(name) is None else str(one.cells[name]) for name in columns)
            writer.writerow([one.number, *map(csv_out.cell, (told, *values))])
        stream.flush()

    return write


@contextmanager
def _showing(begun: Import, lines: int | None) -> Iterator[Callable[[Import], None]]:
    """A bar on the terminal; `lines` is about how many rows there are, None where nobody knows."""
    began = time.monotonic()
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=lines)

        def show(standing: Import) -> None:
            rate = (standing.rows - begun.rows) / max(time.monotonic() - began, 0.001)
            rejected = f", {standing.rejected:,} rejected" if standing.rejected else ""
            told = f"{standing.rows:,} rows, {rate:,.0f} rows/s{rejected}"
            bar.update(task, completed=standing.position, description=told)

        yield show


def _lines(file: Path) -> int | None:
    """How many lines a text has: about as many rows."""
    with file.open("rb") as stream:
        if stream.read(2) == b"PK":
            return None
        return sum(piece.count(b"\n") for piece in iter(partial(stream.read, 1_000_000), b""))


def _show(ended: Import) -> None:
    counts = [f"{getattr(ended, name):,} {name}" for name in _COUNTS if getattr(ended, name)]
    print(f"{ended.rows:,} rows: {', '.join(counts) or 'nothing in them'}.")
    _show_mistakes([Mistake(**one) for one in ended.errors[:SHOWN]])
    if ended.rejected > SHOWN:
        print("... and more: --errors FILE writes every rejected row; `heed import` with the mended file adds them.")


def _show_mistakes(mistakes: Sequence[Mistake]) -> None:
    if mistakes:
        print()
        print_table(("row", "column", "what is wrong"), [(f"{one.row:,}", one.column, one.detail) for one in mistakes])
