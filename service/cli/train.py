"""`heed train`: a model of your own from labelled texts; `--check` only reads them. Needs no database."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from models.training import course_check
from models.training.base_weights import NoBaseWeights
from models.training.corpus import BadCorpus
from models.training.course_check import Counted, CourseCheck
from models.training.order import SHIPPED, CannotTrain, Device, Order
from models.training.recipe import BadRecipe, Recipe, parse_recipe
from models.training.run_card import Progress, RunCard
from service.cli.output import AsJson, print_json, print_table
from service.deliver.plain_text import visible

_LABELS_SHOWN = 12
_NEEDED = ("torch", "transformers", "onnx")

Data = Annotated[
    Path, typer.Argument(metavar="DATA_FOLDER", help="Where the files of the recipe lie.", exists=True, file_okay=False)
]
RecipeFile = Annotated[
    Path, typer.Option("--recipe", help="Files, columns and numbers of the training.", exists=True, dir_okay=False)
]
Base = Annotated[
    Path | None,
    typer.Option(
        help="Begin from the encoder of this folder (safetensors), not from the recipe's.", exists=True, file_okay=False
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, max=256, help="Of the processor; without it, all it may use.")]


def train(
    data: Data,
    recipe: RecipeFile = SHIPPED,
    out: Annotated[
        Path, typer.Option(help="Where the model goes, into `model`, and all about its making, into `run`.")
    ] = Path("trained"),
    only_check: Annotated[
        bool, typer.Option("--check", help="Only read the data and say what is wrong with it, and what it holds.")
    ] = False,
    base: Base = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = "cpu",
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Train a model of your own from labelled texts; what they look like is in models/training/data.md.

    A training that was interrupted and is typed again goes on after the last epoch it finished, and ends as if nothing
    had happened. Needs torch, transformers and onnx, which `make train` brings; --check does not.
    Exit 1 when a file is wrong.
    """
    try:
        course = parse_recipe(_text(recipe))
        checked = course_check.check(course, data)
        if only_check or checked.troubles:
            _tell(course, checked, as_json)
            raise typer.Exit(1 if checked.troubles else 0)
        _require_torch()
        cores = threads or len(os.sched_getaffinity(0))
        order = Order(course, checked.files, data, out, device, cores, base, _about(recipe))
        card = _build(order)
    except (BadRecipe, BadCorpus, NoBaseWeights, CannotTrain) as error:
        typer.echo(visible(str(error)), err=True)
        raise typer.Exit(1) from error
    if as_json:
        print_json(card)
    else:
        texts = sum(one.train for one in card.data)
        print(f"{card.model} learned from {texts:,} texts; {order.run / 'run.md'} says how it was made.")
        print(f"To read with it: HEED_MODEL={order.model}")


def _about(recipe: Path) -> str:
    """What people wrote of the model: the Markdown file beside its recipe, if there is one."""
    page = recipe.with_suffix(".md")
    return _text(page).strip() if page.is_file() else ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadRecipe(f"{file} is not UTF-8 (at byte {error.start}): save it as UTF-8.") from error
    except OSError as error:
        raise BadRecipe(f"{file} cannot be read ({error.strerror}).") from error


def _require_torch() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise CannotTrain(
            f"Training needs {', '.join(missing)}, which this environment does not have: type `make train DATA=FOLDER` "
            "in a checkout, or `pip install 'heed[train]'`."
        )


def _build(order: Order) -> RunCard:
    from models.training.build import build  # noqa: PLC0415 (torch: seconds, and an extra of its own)

    try:
        with _shown(order.recipe) as tell:
            return build(order, tell)
    except KeyboardInterrupt as error:
        raise CannotTrain("Interrupted. The same command goes on after the last epoch that was finished.") from error
    except OSError as error:
        raise CannotTrain(
            f"{error.filename or order.out}: {error.strerror or error}. Make room, or name a folder you may write to "
            "with --out; the same command goes on after the last epoch that was finished."
        ) from error


@contextmanager
def _shown(recipe: Recipe) -> Iterator[Callable[[Progress], None]]:
    """A bar on a terminal, else a line for each report; on standard error, beside the result."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda at: print(_words(at), file=sys.stderr, flush=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("reading and preparing", total=None)
        yield lambda at: bar.update(task, description=_brief(recipe, at), completed=at.step, total=at.steps)


def _brief(recipe: Recipe, at: Progress) -> str:
    return f"{recipe.name}: loss {sum(at.losses.values()):.3f}"


def _words(at: Progress) -> str:
    losses = ", ".join(f"{name} {value:.3f}" for name, value in at.losses.items())
    return f"step {at.step:,} of {at.steps:,}: {losses}"


def _tell(recipe: Recipe, checked: CourseCheck, as_json: bool) -> None:
    if as_json:
        print_json(checked)
        return
    if checked.counts:
        rows = [(one.file, one.split, one.axis, one.texts, _labels(one)) for one in checked.counts]
        print_table(("file", "split", "axis", "texts", "labels"), rows)
    for sentence in checked.notes:
        typer.echo(visible(f"Note: {sentence}"), err=True)
    for sentence in checked.troubles:
        typer.echo(visible(sentence), err=True)
    if checked.left_out:
        typer.echo(f"... and {checked.left_out:,} more.", err=True)
    if not checked.troubles:
        files, texts = len(checked.files), sum(one.train for one in checked.files)
        named = f"{files} file{'' if files == 1 else 's'} can be used, {texts:,} text{'' if texts == 1 else 's'}"
        print(f"\n{recipe.name}: {named} to learn from.")


def _labels(counted: Counted) -> str:
    shown = ", ".join(f"{label} {count:,}" for label, count in counted.labels[:_LABELS_SHOWN])
    more = len(counted.labels) - _LABELS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
