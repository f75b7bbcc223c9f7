"""`heed bench models`: CPU, memory and threads of the shipped model beside two Hugging Face pipelines, in one run."""

import os
import platform
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from models.encoder.heed_en import HeedEn
from models.encoder.weights import WeightsRefused
from models.prediction import Verbatim
from models.taxonomies.taxonomy import default_taxonomy
from service.bench.cold_start import Start, heed_command, started
from service.bench.figures import BenchFailed, Series, noisy, paragraphs, ratio, series
from service.bench.gemm_peak import Peak, int8_peak
from service.bench.goals import Goal, all_kept, judged
from service.bench.http_efficiency import service
from service.bench.pipelines import ENVIRONMENT, Checkpoints, Pipelines, checkpoints, pipelines
from service.bench.scaling import Scaling
from service.bench.texts import customer_texts
from service.settings import Settings
from service.store.database import DatabaseUnusable
from service.store.postgres import EmbeddedUnavailable

OPERATIONS = 21.5e6  # of the encoder for one token: 6 layers of 2 (4 * 384^2 + 2 * 384 * 1536), and the attention
PEER = Path(__file__).parents[2] / ".venv-train" / "bin" / "python"
NO_PEER = (
    "So nothing was measured against them: `make .venv-train/.ready` makes an interpreter that has torch and "
    "transformers, or name yours with --peer-python."
)
_TURN = 20  # texts that heed and the pipelines read in turn
_PATHS = ("encoder", "whole")

HOW = paragraphs(
    f"""
    texts: the demo's sentences strung together, log-normal word counts with a mean of 24, one in a hundred above 80;
    every figure is CPU time at one thread and the median of the rounds, a ratio the median of the rounds' own ratios

    pipelines: two of transformers' text-classification (3 and 11 labels) in a process of their own, fp32, one torch
    thread, one text after the other, in turns of {_TURN} texts with heed; two checkpoints of the encoder's architecture
    with the shipped tokenizer and untrained weights, whose values cost no time

    whole reading: everything heed says of a text (language, sentences and clauses, words, topics, types, urgency,
    spans); encoder path: tokens in, beliefs and vector of the whole text out

    share of the peak: {OPERATIONS / 1e6:g} million operations a token * tokens / CPU seconds of the encoder path, over
    the best MatMulInteger (u8 x s8, constant right side) of ONNX Runtime at one thread among 12 shapes in the same run;
    where the processor has matrix units (AMX) that peak is theirs, several times that of its vectors

    start: fresh processes to the first answer and their end, CPU of user and system and the largest resident memory;
    the peer is one pipeline, imported, loaded and asked once

    threads: CPU per text of the service's own pool, each number of threads against one, the worst of them

    HTTP: CPU of reading in this process over CPU of the `heed serve --no-worker` process, per text: posted alone by 64
    clients, and in lists of 100
    """
)


@dataclass(frozen=True, slots=True)
class ModelsReport:
    """The goals and every figure behind them; `notes` says what could not be measured, and why."""

    bench: str
    model: str
    texts: int
    goals: Sequence[Goal]
    kept: bool
    figures: Mapping[str, Series]
    noisy: Sequence[str]
    notes: Sequence[str]
    cores: int
    python: str
    load: tuple[float, float]
    how: Sequence[str]


def measure(settings: Settings, weights: Path, peer: Path, number: int, rounds: int) -> ModelsReport:
    """Run the benchmark.

    Args:
        settings: where a database is, for the service; the data are not touched.
        weights: a folder of shipped weights.
        peer: an interpreter with torch and transformers. Where it has not got them its goals stay unmeasured.
        number: texts in each round.
        rounds: how often everything is repeated, at least once.

    Raises:
        BenchFailed: the weights are refused, or something did not start.
    """
    load = os.getloadavg()[0]
    try:
        bench = _Bench(HeedEn(weights), weights, customer_texts(number))
    except WeightsRefused as error:
        raise BenchFailed(str(error)) from error
    notes: list[str] = []
    with ExitStack() as stack:
        made, theirs = None, None
        try:
            made = stack.enter_context(checkpoints(peer, weights / "tokenizer.json"))
            theirs = stack.enter_context(pipelines(made))
            notes.append(f"Peer: {theirs.versions}.")
        except BenchFailed as error:
            made = None
            notes.append(f"{error} {NO_PEER}")
        for _ in range(rounds):
            bench.read(theirs)
        bench.fresh(made)  # not counted: it fills the disk's caches
        for _ in range(rounds):
            bench.start(made)
    bench.spread(rounds)
    try:
        bench.serve(settings.model_copy(update={"model": str(weights)}), rounds)
    except (DatabaseUnusable, EmbeddedUnavailable) as error:
        notes.append(f"HTTP was not measured, a service needs a database: {error}")
    return bench.report(notes, load)


class _Bench:
    def __init__(self, classifier: HeedEn, weights: Path, texts: Sequence[str]) -> None:
        self._classifier = classifier
        self._weights = weights
        self._texts = texts
        room = classifier.encoder.room(())
        self._tokens = sum(min(len(classifier.encoder.tokens(text).ids), room) + 2 for text in texts)
        self._found: dict[str, list[float]] = defaultdict(list)
        self._whole(texts[:_TURN])

    def read(self, peer: Pipelines | None) -> None:
        """One round of reading, heed and the pipelines in turns, and the int8 peak beside it."""
        spent = {"whole reading": 0.0, "encoder path": 0.0, "two pipelines": 0.0}
        for start in range(0, len(self._texts), _TURN):
            turn = self._texts[start : start + _TURN]
            spent["whole reading"] += self._whole(turn)
            spent["encoder path"] += self._encoder(turn)
            spent["two pipelines"] += peer.read(turn) if peer else 0.0
        for what, seconds in spent.items():
            if seconds:
                self._found[f"{what} (ms a text)"].append(1e3 * seconds / len(self._texts))
        self._peak(int8_peak(), OPERATIONS * self._tokens / spent["encoder path"])

    def _peak(self, peak: Peak, rate: float) -> None:
        self._found["int8 peak (G/s)"].append(peak.best / 1e9)
        self._found["int8 peak at 32 rows (G/s)"].append(peak.fewest_rows / 1e9)
        self._found["encoder path (G/s)"].append(rate / 1e9)

    def _whole(self, texts: Sequence[str]) -> float:
        before = time.process_time()
        for text in texts:
            self._classifier.read([Verbatim(text)], default_taxonomy())
        return time.process_time() - before

    def _encoder(self, texts: Sequence[str]) -> float:
        encoder = self._classifier.encoder
        before = time.process_time()
        for text in texts:
            encoder.run(encoder.tokens(text).ids[: encoder.room(())], (), ())
        return time.process_time() - before

    def fresh(self, peer: Checkpoints | None) -> Mapping[str, Start]:
        """Start a process of each kind, one after the other."""
        found = {path: started(heed_command(path, self._weights), os.environ) for path in _PATHS}
        if peer:
            found["pipeline"] = started(peer.command("answer"), ENVIRONMENT)
        return found

    def start(self, peer: Checkpoints | None) -> None:
        """One round of fresh processes."""
        for who, start in self.fresh(peer).items():
            self._found[f"start, {who} (CPU s)"].append(start.cpu)
            self._found[f"start, {who} (MiB)"].append(start.peak)

    def spread(self, rounds: int) -> None:
        """Threads from one to as many as there are cores."""
        scaling = Scaling(self._classifier, len(os.sched_getaffinity(0)))
        for _ in range(rounds):
            for threads, (cpu, wall) in scaling.round(self._texts).items():
                self._found[f"{threads} threads (CPU ms a text)"].append(1e3 * cpu)
                self._found[f"{threads} threads (texts/s)"].append(1 / wall)

    def serve(self, settings: Settings, rounds: int) -> None:
        """The service over loopback."""
        with service(settings, self._classifier) as running:
            for _ in range(rounds):
                costs = running.round(self._texts)
                self._found["in this process (ms a text)"].append(1e3 * costs.inside)
                self._found["HTTP, single (CPU ms a text)"].append(1e3 * costs.single)
                self._found["HTTP, lists of 100 (CPU ms a text)"].append(1e3 * costs.listed)

    def report(self, notes: Sequence[str], load: float) -> ModelsReport:
        """All rounds together."""
        figures = {name: series(values) for name, values in self._found.items()}
        goals = self._goals()
        cores, after = len(os.sched_getaffinity(0)), os.getloadavg()[0]
        return ModelsReport(
            bench="models",
            model=self._classifier.name,
            texts=len(self._texts),
            goals=goals,
            kept=all_kept(goals),
            figures=figures,
            noisy=noisy(figures),
            notes=notes,
            cores=cores,
            python=platform.python_version(),
            load=(load, after),
            how=HOW,
        )

    def _goals(self) -> list[Goal]:
        return [
            judged(
                "two pipelines / whole reading",
                self._ratio("two pipelines (ms a text)", "whole reading (ms a text)"),
                9,
                12,
            ),
            judged("encoder path / int8 peak", self._ratio("encoder path (G/s)", "int8 peak (G/s)"), 0.37, 0.5),
            *self._start_goals(),
            judged("threads: CPU per text against one", self._worst_threads(), 1.1, better="less"),
            judged(
                "HTTP, 64 clients: in process / service",
                self._ratio("in this process (ms a text)", "HTTP, single (CPU ms a text)"),
                0.8,
            ),
            judged(
                "HTTP, lists of 100: in process / service",
                self._ratio("in this process (ms a text)", "HTTP, lists of 100 (CPU ms a text)"),
                0.93,
            ),
        ]

    def _start_goals(self) -> list[Goal]:
        bounds = (
            ("encoder", "CPU s", 0.10),
            ("encoder", "MiB", 0.40),
            ("whole", "CPU s", 0.30),
            ("whole", "MiB", 0.65),
        )
        against = [
            judged(
                f"start, {path}: {unit} / pipeline's",
                self._ratio(f"start, {path} ({unit})", f"start, pipeline ({unit})"),
                most,
                better="less",
            )
            for path, unit, most in bounds
        ]
        peak = judged(
            "start, whole: peak memory", median(self._found["start, whole (MiB)"]), 400, unit="MiB", better="less"
        )
        return [*against, peak]

    def _ratio(self, over: str, under: str) -> float | None:
        if over not in self._found or under not in self._found:
            return None
        return ratio(self._found[over], self._found[under]).median

    def _worst_threads(self) -> float:
        one = "1 threads (CPU ms a text)"
        many = [name for name in self._found if name.endswith("threads (CPU ms a text)")]
        return max(ratio(self._found[name], self._found[one]).median for name in many)
