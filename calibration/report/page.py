"""The report as one self-contained HTML page: no script, nothing fetched, readable in print and by a screen reader."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from calibration.certification.agreement import SAME_ANSWER_FLOOR
from calibration.report import sentences
from calibration.report.charts import people_and_model, promise_ladder, reliability
from calibration.report.inert import inert
from calibration.report.plot import Chart, draw
from calibration.report.report import QuestionReport, Report

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart and the sentence that reads it."""

    chart: Chart
    svg: Markup


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of one question, None where there is nothing to draw."""

    ladder: Drawn
    reliability: Drawn | None
    people: Drawn | None


def to_html(report: Report, *, file: str, digest: str, on: date) -> str:
    """The page; `file` and `digest` (SHA-256) name the labels it was made from, `on` is the day it was made.

    >>> from calibration.promise import Promise
    >>> empty = Report(Promise(precision=0.90, confidence=0.95), 0.667, 30, 0, 0, (), ())
    >>> "<script" in to_html(empty, file="<script>.csv", digest="00", on=date(2026, 11, 22))
    False
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "inert": inert,
        "figure": sentences.figure,
        "beside_chance": sentences.beside_chance,
        "promised": sentences.promised,
        "reach": sentences.reach,
        "honest": sentences.honest,
        "next_step": sentences.next_step,
        "among_people": sentences.among_people,
    }
    return environment.get_template("page.html.j2").render(
        report=report,
        same_answer_floor=SAME_ANSWER_FLOOR,
        headline=sentences.headline(report),
        asked=sentences.asked(report.promise),
        risk=sentences.risk(report.promise),
        charts=[_charts(question) for question in report.questions],
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
        file=file,
        digest=digest,
        on=on.isoformat(),
    )


def _charts(question: QuestionReport) -> Charts:
    return Charts(
        ladder=_drawn(promise_ladder(question.verdict.outcome)),
        reliability=_drawn(reliability(question.quality.bins)) if question.quality else None,
        people=_drawn(chart) if (chart := people_and_model(question.people)) else None,
    )


def _drawn(chart: Chart) -> Drawn:
    return Drawn(chart, draw(chart))
