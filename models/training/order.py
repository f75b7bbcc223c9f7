"""What somebody asks to be trained; needs no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.training.course_check import DataFile
from models.training.recipe import Recipe

Device = Literal["cpu", "cuda"]
SHIPPED = Path(__file__).with_name("heed-en.yaml")  # the recipe of the model heed brings


class CannotTrain(RuntimeError):
    """The training cannot begin or go on; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained, from what, where to and on what.

    `files` are those of the recipe as they were checked, `data` the folder they lie in, `out` where the model goes and
    all about its making, `base` an encoder to begin from instead of the one the recipe was written for, and `about`
    what people wrote of the model: its card begins with it.
    """

    recipe: Recipe
    files: tuple[DataFile, ...]
    data: Path
    out: Path
    device: Device = "cpu"
    threads: int = 1
    base: Path | None = None
    about: str = ""

    @property
    def run(self) -> Path:
        """The folder of the run: checkpoint, trained network, run card."""
        return self.out / "run"

    @property
    def model(self) -> Path:
        """The folder that serves: what `HEED_MODEL` names."""
        return self.out / "model"
