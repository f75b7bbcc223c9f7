"""COMMANDS: the one list of commands. The file of a command is loaded when it is called: some need half a second."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives (`file:name`, a function or a group of its own) and what `heed --help` says of it."""

    place: str
    summary: str


COMMANDS: Mapping[str, Command] = {
    "demo": Command("demo:demo", "Show the whole road: our own feedback in, work items and delivered tickets out."),
    "serve": Command("serve:serve", "Serve the API, with one worker beside it: one command, one terminal."),
    "worker": Command("serve:worker", "Run jobs. Any number of workers, on any machines, share one database."),
    "import": Command("imports:import_file", "Import a file of feedback: CSV, NDJSON or XLSX."),
    "classify": Command("classify:classify", "Read a text, or the lines of standard input, on every axis."),
    "calibrate": Command(
        "calibrate:calibrate", "Judge a file of labels: which thresholds keep a promise, and why not."
    ),
    "train": Command("train:train", "Train a model of your own from labelled texts."),
    "labels": Command("labels:app", "Labels: convert files to and from Label Studio, Argilla and doccano."),
    "policy": Command(
        "policy:app", "Policies: check, add, list, show, diff, backtest, activate, rollback, export, import."
    ),
    "taxonomy": Command("taxonomy:app", "Topics of your own: check, fit, evaluate."),
    "keys": Command("keys:app", "API keys: create, list, revoke."),
    "users": Command("users:app", "People who sign in to the pages: add, list, set, deactivate, activate."),
    "deliveries": Command("deliveries:app", "Deliveries: list, replay."),
    "doctor": Command("doctor:doctor", "Look at everything an installation needs and say what is wrong."),
    "migrate": Command("migrate:migrate", "Bring the database to the newest schema."),
    "bench": Command(
        "bench:app", "Measure: ingest, road, import, backtest, pages, label, promise, route, models, quality."
    ),
}


def load(name: str) -> Any:  # noqa: ANN401 (typer's commands have no public type)
    """A command with its options, its file imported."""
    file, _, attribute = COMMANDS[name].place.partition(":")
    found = getattr(import_module(f"service.cli.{file}"), attribute)
    alone = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
        return cast(TyperGroup, typer.main.get_command(alone)).commands[name]
    alone.command(name)(found)
    return typer.main.get_command(alone)


class Lazy(TyperGroup):
    """Shows the list without loading anything, and loads what is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:  # noqa: ANN401 (as above)
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(name or args[0]), rest
