"""A file of labels in, its report out: JSON, page and the lines for a terminal."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from calibration.certification.gate import AGREEMENT_FLOOR
from calibration.labels.catalog import read_labels
from calibration.promise import Promise
from calibration.report.as_json import to_json
from calibration.report.inert import inert, inert_line
from calibration.report.page import to_html
from calibration.report.report import Report, report
from calibration.report.sentences import headline, next_step, promised, reach
from calibration.thresholds.precision import GRID


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
    threshold: float | None = None,
    agreement_floor: float = AGREEMENT_FLOOR,
    seed: int = 0,
) -> Published:
    """Read a file of labels in any of the known formats and judge it.

    `threshold` is the one to judge, where it was fixed before the labels were made; else a ladder of them is walked.

    Raises:
        InvalidLabels: with the place of every mistake in the file.
        ValueError: a floor outside 0 to 1.

    >>> raw = b"id,text,axis,label,probability,human" + bytes([10]) + b"1,Late,topic,delivery,0.9,1"
    >>> found = publish(raw, name="labels.csv", on=date(2026, 11, 22), promise=Promise(precision=0.90, confidence=0.95))
    >>> found.report.certified
    0
    """
    digest = hashlib.sha256(raw).hexdigest()
    grid = GRID if threshold is None else np.array([threshold])
    found = report(read_labels(raw), promise, grid=grid, agreement_floor=agreement_floor, seed=seed)
    return Published(
        report=found,
        json=to_json(found, file=name, digest=digest),
        html=to_html(found, file=name, digest=digest, on=on),
    )


def lines(found: Report) -> tuple[str, ...]:
    """What a terminal shows: the headline, and a line or more for each label.

    >>> lines(Report(Promise(precision=0.90, confidence=0.95), 0.667, 30, 0, 0, (), ()))
    ('Of 0 labels, 0 keep the promise; every other one belongs to a person.',)
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
