"""The run card: what a model was made of and how, as JSON for programs and a page for people."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import TypeAdapter

from models.training.course_check import DataFile
from models.training.curves import Curve, draw
from models.training.recipe import Numbers

_PACKAGES = ("torch", "transformers", "onnx", "onnxruntime", "tokenizers", "safetensors", "numpy", "spacy")
_ROWS = 12  # of the table of losses: its first and last report, and some between


@dataclass(frozen=True, slots=True)
class Machine:
    """What it ran on."""

    processor: str
    device: str
    threads: int
    python: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: its step of how many, the mean losses since the last report, seconds so far."""

    step: int
    steps: int
    losses: Mapping[str, float]
    seconds: float


@dataclass(frozen=True, slots=True)
class RunCard:
    """Everything that is needed to make the model again, and how its losses fell."""

    model: str
    finished: date
    seconds: float
    steps: int
    weights: int
    base: str
    base_sha256: str
    machine: Machine
    numbers: Numbers
    data: Sequence[DataFile]
    reports: Sequence[Progress]
    figures: Mapping[str, float]


def machine(device: str, threads: int) -> Machine:
    """This machine, with the versions of everything that has a say in the result."""
    versions = {name: found for name in _PACKAGES if (found := _version(name)) is not None}
    return Machine(_processor(), device, threads, platform.python_version(), versions)


def write(card: RunCard, folder: Path) -> None:
    """Leave `run.json`, `run.md` and `curves.svg` in the folder."""
    (folder / "run.json").write_bytes(TypeAdapter(RunCard).dump_json(card, indent=2) + b"\n")
    (folder / "curves.svg").write_text(draw(_curves(card), f"{card.model}: losses of each head"), encoding="utf-8")
    (folder / "run.md").write_text(page(card), encoding="utf-8")


def page(card: RunCard) -> str:
    """The card as Markdown, with the figures behind the curves in a table."""
    return "\n".join(
        [
            f"# {card.model}: how it was trained",
            "",
            _how(card),
            "",
            "The same data, recipe, versions, processor type and number of threads give the same weights again.",
            "",
            *_figures(card.figures),
            "## Data",
            "",
            *_table(
                ("file", "source", "licence", "train", "dev", "SHA-256"),
                [(one.file, one.source, one.licence, one.train, one.dev, f"`{one.sha256}`") for one in card.data],
            ),
            "",
            "## Numbers",
            "",
            *_table(("number", "value"), list(card.numbers.model_dump().items())),
            "",
            "## Losses",
            "",
            "![Losses of each head over steps; the table below holds the figures](curves.svg)",
            "",
            *_losses(card.reports),
            "",
        ]
    )


def _how(card: RunCard) -> str:
    made = card.machine
    versions = ", ".join(f"{name} {found}" for name, found in made.versions.items())
    return (
        f"Finished on {card.finished}: {card.steps:,} steps in {card.seconds:,.0f} seconds with {made.threads} "
        f"{'thread' if made.threads == 1 else 'threads'} ({made.device}; {made.processor}). "
        f"Python {made.python}, {versions}. {card.weights:,} trained weights. Begun from {card.base} "
        f"(SHA-256 `{card.base_sha256}`)."
    )


def _figures(figures: Mapping[str, float]) -> list[str]:
    rows = [(name.replace("_", " "), f"{value:g}") for name, value in figures.items()]
    return ["## Figures", "", *_table(("measured on the texts of `dev`", ""), rows), ""] if rows else []


def _losses(reports: Sequence[Progress]) -> list[str]:
    if not reports:
        return ["No step was reported."]
    names = list(reports[0].losses)
    last = len(reports) - 1
    places = sorted({round(last * place / (_ROWS - 1)) for place in range(_ROWS)})
    rows = [(f"{reports[i].step:,}", *(f"{reports[i].losses[name]:.3f}" for name in names)) for i in places]
    return _table(("step", *names), rows)


def _curves(card: RunCard) -> list[Curve]:
    names = list(card.reports[0].losses) if card.reports else []
    return [Curve(name, tuple((one.step, one.losses[name]) for one in card.reports)) for name in names]


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |" for line in lines]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
