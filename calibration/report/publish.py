"""A file of labels in, its report out: JSON, page and the lines for a terminal."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from calibration.certification.agreement import AGREEMENT_FLOOR
from calibration.labels.catalog import read_labels
from calibration.promise import Promise
from calibration.report.as_json import to_json
from calibration.report.inert import inert, inert_line
from calibration.report.page import to_html
from calibration.report.report import Report, report
from calibration.report.sentences import headline, next_step, promised, reach


@dataclass(frozen=True, slots=True)
class Published:
    """The report of one file in its two forms."""

    report: Report
    json: str
    html: str

    def write(self, folder: Path, stem: str) -> tuple[Path, Path]:
        """Write `<stem>.calibration.html` and `.json` into `folder`, and say where they are.

        Raises:
            OSError: the folder cannot be written.
        """
        page, figures = folder / f"{stem}.calibration.html", folder / f"{stem}.calibration.json"
        page.write_text(self.html, encoding="utf-8")
        figures.write_text(self.json, encoding="utf-8")
        return page, figures


def publish(
    raw: bytes,
    *,
    name: str,
    on: date,
    promise: Promise,
    thresholds: Mapping[str, float] | None = None,
    agreement_floor: float = AGREEMENT_FLOOR,
    seed: int = 0,
) -> Published:
    """Read a file of labels in any of the known formats and judge it.

    `thresholds` as in `report`.

    Raises:
        InvalidLabels: with the place of every mistake in the file.
        ValueError: a floor outside 0 to 1.

    >>> raw = b"id,text,axis,label,probability,human" + bytes([10]) + b"1,Late,topic,delivery,0.9,1"
    >>> found = publish(raw, name="labels.csv", on=date(2026, 11, 22), promise=Promise(precision=0.90, confidence=0.95))
    >>> found.report.certified
    0
    """
    digest = hashlib.sha256(raw).hexdigest()
    found = report(read_labels(raw), promise, thresholds=thresholds, agreement_floor=agreement_floor, seed=seed)
    return Published(
        report=found,
        json=to_json(found, file=name, digest=digest),
        html=to_html(found, file=name, digest=digest, on=on),
    )


def fixed_thresholds(words: Iterable[str]) -> dict[str, float]:
    """Thresholds as they are typed: `0.83` for every label, `negative=0.83` for one; by label, "" for every other.

    Raises:
        ValueError: no number from 0 to 1.

    >>> fixed_thresholds(["0.9", "negative=0.83"])
    {'': 0.9, 'negative': 0.83}
    """
    fixed = {}
    for word in words:
        label, _, number = word.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not 0 <= value <= 1:
            raise ValueError(f"a threshold is a number from 0 to 1, such as 0.83 or negative=0.83, not {word!r}")
        fixed[label] = value
    return fixed


def lines(found: Report) -> tuple[str, ...]:
    """What a terminal shows: the headline, and a line or more for each label.

    >>> lines(Report(Promise(precision=0.90, confidence=0.95), 0.667, 30, 0, 0, (), ()))
    ('Of 0 labels, 0 keep the promise.',)
    """
    shown = [headline(found)]
    for question in found.questions:
        verdict = question.verdict
        mark = "✓" if verdict.certified else "✗"
        shown.append("")
        shown.append(f"{mark} {inert_line(verdict.axis)}: {inert_line(verdict.label)}")
        shown.append(f"  {promised(question)} {reach(question)}".rstrip())
        failed = [check for check in verdict.checks if not check.holds and check.name != "labels suffice"]
        shown.extend(f"  - {check.name}: {check.finding}" for check in failed)
        if step := next_step(question):
            shown.append(f"  Next: {step}")
    return tuple(shown)


def told(found: Report, page: Path, figures: Path) -> str:
    """What a terminal shows once page and figures are written.

    >>> told(Report(Promise(precision=0.90, confidence=0.95), 0.667, 30, 0, 0, (), ()), Path("a"), Path("b"))[-37:]
    'The report is in a, every count in b.'
    """
    where = f"The report is in {inert(str(page))}, every count in {inert(str(figures))}."
    return "\n".join((*lines(found), "", where))
