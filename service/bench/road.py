"""`heed bench road`: records a second from POST to routed, beside the bare classifier, and where the time goes."""

import os
import time
from collections import defaultdict
from contextlib import ExitStack
from statistics import median

from sqlalchemy import text

from service.bench.corpus import records, texts
from service.bench.figures import BenchFailed, Report, machine, noisy, paragraphs, ratio, series
from service.bench.posting import Clients, chunks, clients
from service.bench.programs import Program, family_cpu, running, server_process
from service.bench.scratch import Scratch, scratch
from service.bench.steps import LIST, StepCosts, bare, step_costs
from service.settings import Settings

CONNECTIONS = 4
PATIENCE = 300  # seconds for a round

HOW = paragraphs(
    f"""
    road: `heed serve --no-worker` and one `heed worker`; lists of {LIST} on {CONNECTIONS} connections; from the first
    byte sent to the moment that the last record's row says it was routed

    bare classifier: the same texts in the worker's micro-batches, one thread of this process; rounds are interleaved,
    a ratio is the median of the rounds' own ratios

    shares: CPU seconds of the web process, of the worker and of PostgreSQL (the embedded one only) from the first post
    to the last record routed; the worker's are split by what the same code needs for as many records in one thread of
    this process without job engine; the rest is the job engine and the contention of threads

    idle: the part of a round in which the worker used no CPU (it can use one core at most, as any Python process)

    received to classified, classified to decided: the rows' own times, the median record of a round
    """
)


def measure(settings: Settings, number: int, rounds: int) -> Report:
    """Run the benchmark.

    Args:
        settings: where the server is and which classifier reads; the data are not touched.
        number: records in each round, at least one.
        rounds: how often everything is repeated, at least once.

    Raises:
        BenchFailed: something did not start, refused a post, or did not get a record to its end in five minutes.
    """
    load = os.getloadavg()[0]
    with scratch(settings) as place:
        with ExitStack() as stack:
            posting = stack.enter_context(clients())
            serve = ("service.cli", "serve", "--no-worker", "--port", "0")
            web = stack.enter_context(running(place, *serve, until="web.started"))
            worker = stack.enter_context(running(place, "service.cli", "worker", until="worker.started"))
            bench = _Road(place, posting, web, worker)
            bench.warm_up()
            for one in range(rounds):
                bench.round(f"r{one}", number)
        # Only now: a worker would take these records' jobs.
        steps = [step_costs(place.opened, records(number, f"s{one}")) for one in range(rounds)]
        return bench.report(number, steps, load)


class _Road:
    def __init__(self, place: Scratch, posting: Clients, web: Program, worker: Program) -> None:
        self._place = place
        self._posting = posting
        self._web = web
        self._worker = worker
        here = place.opened.settings.database_url is None
        self._server = server_process(place.opened.database) if here else None
        self._found: dict[str, list[float]] = defaultdict(list)

    def warm_up(self) -> None:
        """Load the classifier in every process; not counted."""
        few = records(2 * LIST, "w")
        bare(self._place.opened.settings.model, texts(few))
        self._travel("w", len(few))

    def round(self, prefix: str, number: int) -> None:
        """The bare classifier, then the road."""
        found = self._found
        words = texts(records(number, prefix))
        wall, cpu = bare(self._place.opened.settings.model, words)
        found["bare"].append(number / wall)
        found["bare cpu"].append(cpu / number)
        before = self._clocks()
        seconds = self._travel(prefix, number)
        spent = {who: after - before[who] for who, after in self._clocks().items()}
        for who, cpu_seconds in spent.items():
            found[f"{who} cpu"].append(cpu_seconds / number)
        found["road"].append(number / seconds)
        found["idle"].append(max(0.0, 1 - spent["worker"] / seconds))
        self._waits(prefix)

    def _clocks(self) -> dict[str, float]:
        clocks = {"web": self._web.cpu(), "worker": self._worker.cpu()}
        return clocks | {"server": family_cpu(self._server)} if self._server else clocks

    def _travel(self, prefix: str, number: int) -> float:
        begun = time.time()
        bodies = chunks(records(number, prefix), LIST)
        posted = self._posting.post(self._web.port, self._place.key, bodies, CONNECTIONS)
        began = time.time() - posted.seconds
        deadline = begun + PATIENCE
        while True:
            with self._place.opened.database.session() as session:
                query = text(
                    "SELECT count(*), extract(epoch FROM max(stage_since)) FROM feedback"
                    " WHERE external_id LIKE :prefix AND stage = 'routed'"
                )
                routed, last = session.execute(query, {"prefix": f"{prefix}-%"}).one()
            if routed == number:
                return float(last) - began
            if time.time() > deadline:
                raise BenchFailed(f"After {PATIENCE} s only {routed} of {number} records are routed.")
            time.sleep(0.1)

    def _waits(self, prefix: str) -> None:
        query = text(
            "SELECT extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY c.created_at - f.received_at)),"
            " extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY d.decided_at - c.created_at))"
            " FROM feedback f JOIN classification c ON c.feedback_id = f.id JOIN decision d ON d.feedback_id = f.id"
            " WHERE f.external_id LIKE :prefix"
        )
        with self._place.opened.database.session() as session:
            classified, decided = session.execute(query, {"prefix": f"{prefix}-%"}).one()
        self._found["received to classified"].append(float(classified))
        self._found["classified to decided"].append(float(decided))

    def report(self, number: int, steps: list[StepCosts], load: float) -> Report:
        """All rounds together."""
        found = self._found
        figures = {
            "road (records/s)": series(found["road"]),
            "bare classifier (records/s)": series(found["bare"]),
            "worker idle (part of the round)": series(found["idle"]),
            "received to classified (s)": series(found["received to classified"]),
            "classified to decided (s)": series(found["classified to decided"]),
        }
        costs = self._costs(number, steps)
        middle = {name: median(rounds) for name, rounds in costs.items()}
        shares = {name: one / sum(middle.values()) for name, one in middle.items()}
        costs |= {"bare classifier": found["bare cpu"]}
        figures |= {f"{name} (CPU ms/record)": series([one * 1e3 for one in each]) for name, each in costs.items()}
        ratios = {
            "road / bare classifier (records/s)": ratio(found["road"], found["bare"]),
            "bare classifier / worker (CPU per record)": ratio(found["bare cpu"], found["worker cpu"]),
        }
        facts = machine(self._place.opened.database, load)
        return Report("road", number, ratios, figures, shares, facts, noisy(figures), HOW)

    def _costs(self, number: int, steps: list[StepCosts]) -> dict[str, list[float]]:
        """CPU seconds a record, of every part that has a share."""
        found = self._found
        inside = [(one.inference + one.classify_rows + one.decide) / number for one in steps]
        costs = {
            "ingest (web process)": found["web cpu"],
            "classify: inference": [one.inference / number for one in steps],
            "classify: rows": [one.classify_rows / number for one in steps],
            "decide": [one.decide / number for one in steps],
            "job engine and contention": [max(0.0, a - b) for a, b in zip(found["worker cpu"], inside, strict=True)],
        }
        return costs | {"PostgreSQL": found["server cpu"]} if self._server else costs
