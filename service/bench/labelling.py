"""`heed bench label`: a label's round trip with 20 reviewers at once; a draw and a run over many classified records."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import quantiles
from uuid import UUID

import httpx
from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import Session, col, select

from service.bench.figures import BenchFailed, Machine, machine, paragraphs
from service.bench.goals import Goal, all_kept, judged
from service.bench.multiplied import READ, fill
from service.bench.programs import Program, running
from service.bench.reviewers import SLIPS, Desk, Pace, Trip, idle, work
from service.bench.scratch import Scratch, scratch
from service.lab.runs.run_result import RunResult
from service.people.access import create_key
from service.settings import Settings
from service.store.lab_tables import CalibrationRun, LabelCard
from service.store.tables import FeedbackRevision

REVIEWERS = 20
ALLOWED = 150.0  # ms, p95 of a round trip
READING = Pace(reading=3.0, cards=15)  # of people who read fast
_HASTE = Pace(reading=0.0, cards=1_000_000)
_PATIENCE = 600  # seconds for a draw, and for a run
_AXIS, _LABEL = "sentiment", "negative"
_PLAIN = (
    "SELECT count(DISTINCT md5(lower(r.body -> 'verbatims' ->> 0))), "
    "avg((c.document #>> '{sentiment,probabilities,negative}')::float8) FROM classification c "
    "JOIN feedback_revision r ON (r.feedback_id, r.revision) = (c.feedback_id, c.revision)"
)

HOW = paragraphs(
    f"""
    the demo's feedback was received and read once; its rows were copied until there were as many records as asked for,
    two years back, each with a text and probabilities of its own; then VACUUM ANALYZE

    draw: `POST /v1/calibration/samples` on {_AXIS}: {_LABEL}, audit pool, from the request to its answer. one plain
    statement: PostgreSQL alone reads the text and the probability of every record once

    round trip: `POST /v1/calibration/labels` and the `GET /v1/calibration/next` after it, from the first byte sent to
    the last byte read, by {REVIEWERS} reviewers at once, each with a key and a kept connection of their own, from
    other processes, to `heed serve --no-worker` on loopback; every label is durable when it is answered

    reading: {READING.cards} cards each, answered after {0.5 * READING.reading:g} to {1.5 * READING.reading:g} seconds.
    not reading: all other cards, the next label sent the moment a card is there, which no person does; it shows what
    the process carries. two requests that look at no row: as many clients, `GET /livez` twice

    what is right for a card is drawn by the model's own probabilities, and reviewers slip in {SLIPS:.0%}; where two
    differ a third is asked

    run: `POST /v1/calibration/runs` to its verdict, done by one `heed worker`. memory: the largest resident set (VmHWM)
    of the web process during the draw, of the worker during the run
    """
)


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What was measured, with how much there was to draw from. `verdict` is what the run came to."""

    bench: str
    records: int
    cards: int
    labels: int
    verdict: str
    goals: Sequence[Goal]
    figures: Mapping[str, float]
    kept: bool
    machine: Machine
    how: Sequence[str]


class _Named(BaseModel):
    id: UUID


def measure(settings: Settings, records: int, cards: int, reading: Pace = READING) -> LabelReport:
    """Run the benchmark.

    Args:
        settings: where the server is; the data are not touched.
        records: classified records to draw from, at least.
        cards: of the sample that is drawn and labelled.
        reading: the pace of people who read.

    Raises:
        BenchFailed: something did not start, a call was refused, or a run took more than ten minutes.
    """
    load = os.getloadavg()[0]
    with (
        scratch(settings) as place,
        running(place, "service.cli", "serve", "--no-worker", "--port", "0", until="web.started") as web,
    ):
        filled = fill(place, web.port, records, 0, READ)
        with _admin(place, web) as admin:
            figures = {"one plain statement (s)": _one_statement(place)}
            sample, drawn = _drawn(admin, web, cards)
            figures |= drawn
            read, hasty = _labelled(place, web, sample, reading)
            figures |= _figures("reading", read) | _figures("not reading", hasty)
            figures["two requests that look at no row, p95 (ms)"] = _p(idle(web.port, len(hasty), REVIEWERS))[1]
            verdict, ran = _run(place, admin)
        figures |= ran
        facts = machine(place.opened.database, load)
    goals = [
        judged(f"round trip of {REVIEWERS} reviewers, {pace}, p95", _trips(trips)[1], ALLOWED, unit="ms", better="less")
        for pace, trips in (("reading", read), ("not reading", hasty))
    ]
    labels = len(read) + len(hasty)
    return LabelReport("label", filled.records, cards, labels, verdict, goals, figures, all_kept(goals), facts, HOW)


def _admin(place: Scratch, web: Program) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{web.port}",
        headers={"Authorization": f"Bearer {_key(place, 'bench-admin', 'admin')}"},
        trust_env=False,
        timeout=_PATIENCE,
    )


def _key(place: Scratch, name: str, role: str) -> str:
    with place.opened.database.session() as session:
        return create_key(session, place.opened.vault, name=name, role=role, actor="bench").key


def _one_statement(place: Scratch) -> float:
    began = time.perf_counter()
    with place.opened.database.engine.connect() as connection:
        connection.execute(text(_PLAIN)).one()
    return time.perf_counter() - began


def _drawn(admin: httpx.Client, web: Program, cards: int) -> tuple[UUID, dict[str, float]]:
    wanted = {"axis": _AXIS, "label": _LABEL, "size": cards, "pool": "audit", "seed": 7}
    _forget_peak(web)
    began = time.perf_counter()
    sample = _Named.model_validate_json(_answered(admin.post("/v1/calibration/samples", json=wanted)))
    seconds = time.perf_counter() - began
    return sample.id, {"draw (s)": seconds, "draw, peak memory (MB)": _peak_mb(web)}


def _labelled(place: Scratch, web: Program, sample: UUID, pace: Pace) -> tuple[list[Trip], list[Trip]]:
    desk = Desk(web.port, sample, _truth(place, sample))
    keys = [_key(place, f"reviewer {number}", "reviewer") for number in range(REVIEWERS)]
    return work(desk, keys, pace), work(desk, keys, _HASTE)


def _truth(place: Scratch, sample: UUID) -> Mapping[str, tuple[str, str]]:
    """What is right for each text of the sample, drawn by the model's own probabilities, and another answer."""
    chance = Random(7)  # noqa: S311 (a simulated truth)
    answers = {}
    with Session(place.opened.database.engine) as session:
        cards = select(LabelCard.probabilities, FeedbackRevision.body).join(
            FeedbackRevision,
            (col(FeedbackRevision.feedback_id) == LabelCard.feedback_id)
            & (col(FeedbackRevision.revision) == LabelCard.revision),
        )
        for probabilities, body in session.exec(cards.where(LabelCard.sample_id == sample).order_by(col(LabelCard.id))):
            labels = sorted(probabilities)
            right = chance.choices(labels, [probabilities[label] for label in labels])[0]
            shown = "\n\n".join(answer["text"] for answer in body["verbatims"])
            answers[shown] = (right, next(label for label in labels if label != right))
    return answers


def _run(place: Scratch, admin: httpx.Client) -> tuple[str, dict[str, float]]:
    wanted = {"axis": _AXIS, "label": _LABEL, "promise": {"precision": 0.8, "confidence": 0.95}}
    with running(place, "service.cli", "worker", until="worker.started") as worker:
        _forget_peak(worker)
        began = time.perf_counter()
        begun = _Named.model_validate_json(_answered(admin.post("/v1/calibration/runs", json=wanted)))
        run = _ended(place, begun.id, began + _PATIENCE)
        seconds = time.perf_counter() - began
        peak = _peak_mb(worker)
    return _verdict(run), {"run (s)": seconds, "run, peak memory (MB)": peak}


def _ended(place: Scratch, begun: UUID, deadline: float) -> CalibrationRun:
    while time.perf_counter() < deadline:
        with Session(place.opened.database.engine) as session:
            run = session.get_one(CalibrationRun, begun)
        if run.state == "failed":
            raise BenchFailed(f"The run failed: {run.reason}")
        if run.state == "done":
            return run
        time.sleep(0.05)
    raise BenchFailed(f"After {_PATIENCE} s the run is not done.")


def _verdict(run: CalibrationRun) -> str:
    found = RunResult.model_validate(run.result).labels[0].threshold
    return f"certified at {found.value:g}" if found.status == "certified" else f"refused, {found.reason}"


def _answered(answer: httpx.Response) -> bytes:
    if answer.is_error:
        raise BenchFailed(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}")
    return answer.content


def _figures(pace: str, trips: Sequence[Trip]) -> dict[str, float]:
    named = {
        "round trip": [trip.label + trip.card for trip in trips],
        "label": [trip.label for trip in trips],
        "next card": [trip.card for trip in trips],
    }
    found = {}
    for what, times in named.items():
        found[f"{what}, {pace}, p50 (ms)"], found[f"{what}, {pace}, p95 (ms)"] = _p(times)
    return found


def _trips(trips: Sequence[Trip]) -> tuple[float, float]:
    return _p([trip.label + trip.card for trip in trips])


def _p(times: Sequence[float]) -> tuple[float, float]:
    hundredths = quantiles(times, n=100, method="inclusive")
    return hundredths[49], hundredths[94]


def _forget_peak(program: Program) -> None:
    """From here on VmHWM is that of what follows (proc_pid_clear_refs(5))."""
    Path(f"/proc/{program.pid}/clear_refs").write_text("5")


def _peak_mb(program: Program) -> float:
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{program.pid}/status").read_text(), re.MULTILINE)
    if found is None:
        raise BenchFailed("The kernel does not say how much memory a process has used.")
    return int(found[1]) / 1_000
