"""A policy document line by line, what was found wrong under the line it belongs to. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from service.route.findings import InvalidPolicy, PolicyError, PolicyWarning

Tone = Literal["bad", "warn"]
_NEAR = 2  # lines shown before and after one with a remark


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a line: a sentence, and what was probably meant."""

    line: int
    column: int
    said: str
    tone: Tone
    meant: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the document and what is said under it; `gap`: lines before it are left out."""

    number: int
    text: str
    remarks: Sequence[Remark] = ()
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """A document that was looked at: its lines, and how many remarks of each tone."""

    lines: Sequence[Line]
    remarks: Sequence[Remark]

    @property
    def wrong(self) -> int:
        return sum(remark.tone == "bad" for remark in self.remarks)

    @property
    def doubtful(self) -> int:
        return len(self.remarks) - self.wrong


def remarks_of(found: InvalidPolicy | Iterable[PolicyError | PolicyWarning]) -> list[Remark]:
    """Errors and warnings as remarks, in the order of the document."""
    findings = found.errors if isinstance(found, InvalidPolicy) else found
    told = [
        Remark(one.line, one.column, _sentence(one.detail), "bad", one.suggestion)
        if isinstance(one, PolicyError)
        else Remark(one.line, one.column, _sentence(one.detail), "warn")
        for one in findings
    ]
    return sorted(told, key=lambda one: (one.line, one.column))


def looked_at(document: str, remarks: Sequence[Remark]) -> Looked:
    """The document with its remarks: the lines near a remark; all lines, where there is none."""
    under: dict[int, list[Remark]] = defaultdict(list)
    texts = document.split("\n")
    for remark in remarks:
        under[min(max(remark.line, 1), len(texts))].append(remark)
    shown = _near(under, len(texts)) if remarks else range(1, len(texts) + 1)
    lines, before = [], 0
    for number in shown:
        lines.append(Line(number, texts[number - 1], tuple(under[number]), gap=number > before + 1))
        before = number
    return Looked(tuple(lines), tuple(remarks))


def _near(numbers: Iterable[int], last: int) -> list[int]:
    return sorted({near for one in numbers for near in range(max(one - _NEAR, 1), min(one + _NEAR, last) + 1)})


def _sentence(detail: str) -> str:
    return f"{detail[:1].upper()}{detail[1:].rstrip('.')}."
