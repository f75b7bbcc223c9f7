"""Label: what one person said about one text and one label, beside what the model believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Pool = Literal["audit", "targeted"]
POOLS: tuple[str, ...] = get_args(Pool)
ERRORS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of one person to one question: is `label` right for this text, on this axis?

    `probability` is the model's for `label`, 0 to 1. `human` is the answer; None is 'not sure'. `pool`, `blind` and
    `inclusion_probability` are None where the file does not say: what is not said never certifies anything.
    `adjudicated` marks the answer that settled a dispute, with all the others in view; `tiebreak` one that was
    asked for only since others differed or doubted, so that it decides and measures nobody's agreement. A file does not
    say so.
    """

    id: str
    text: str
    axis: str
    label: str
    probability: float
    human: bool | None
    rater: str = ""
    pool: Pool | None = None
    inclusion_probability: float | None = None
    blind: bool | None = None
    source: str = ""
    language: str = ""
    adjudicated: bool = False
    tiebreak: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of a file. `row` counts as a spreadsheet does, from 1; 0 is the whole file."""

    row: int
    column: str
    detail: str

    def __str__(self) -> str:
        place = f"row {self.row}" if self.row else "file"
        return f"{place}, column {self.column}: {self.detail}" if self.column else f"{place}: {self.detail}"


class InvalidLabels(ValueError):
    """A file of labels cannot be read; `faults` holds every place, the message the first of them.

    `file` names the file where there are several.
    """

    def __init__(self, faults: Sequence[Fault], *, file: str = "") -> None:
        self.faults = tuple(faults)
        shown = [f"{file}: {fault}" if file else str(fault) for fault in self.faults[:ERRORS_SHOWN]]
        more = len(self.faults) - ERRORS_SHOWN
        super().__init__("\n".join([*shown, f"and {more} more"] if more > 0 else shown))
