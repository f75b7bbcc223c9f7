"""`heed bench ingest`: durable records a second through HTTP, beside what the same database does with the same rows."""

import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from sqlalchemy import text

from service.bench import rows
from service.bench.corpus import records
from service.bench.figures import BenchFailed, Report, machine, noisy, paragraphs, ratio, series
from service.bench.posting import Clients, chunks, clients
from service.bench.programs import Program, family_cpu, running, server_process
from service.bench.scratch import Scratch, scratch
from service.settings import Settings

CONNECTIONS = 32
LIST_CONNECTIONS = 4
LIST = 100
SINGLE, ALONE, LISTED = "single posts, grouped", "single posts, one commit each", "lists of 100"
INSERTED, COPIED = "INSERT of 100 rows", "COPY of 100 rows"

HOW = paragraphs(
    f"""
    records/s, durable when answered: `heed serve --no-worker` on loopback, {CONNECTIONS} connections for single posts,
    {LIST_CONNECTIONS} for lists; clients in two processes of their own, prepared bytes on raw sockets

    one commit each: the same web process and the same code, but every request in a transaction and on a connection of
    its own, all side by side

    the baselines: the rows that ingest had just stored (all columns, the sealed original too), once more under fresh
    ids in the same two tables, by one connection, {LIST} records a transaction; the values lay ready in memory

    rounds are interleaved; a ratio is the median of the rounds' own ratios
    """
)


def measure(settings: Settings, number: int, rounds: int) -> Report:
    """Run the benchmark.

    Args:
        settings: where the server is, as for any command; the data are not touched.
        number: records of each kind in each round, at least one.
        rounds: how often everything is repeated, at least once.

    Raises:
        BenchFailed: something did not start, refused a post or lost a record.
    """
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        place = stack.enter_context(scratch(settings))
        posting = stack.enter_context(clients())
        serve = ("service.cli", "serve", "--no-worker", "--port", "0")
        grouped = stack.enter_context(running(place, *serve, until="web.started"))
        alone = stack.enter_context(running(place, "service.bench.one_commit", until="web.started"))
        bench = _Ingest(place, posting, grouped, alone)
        bench.warm_up()
        for number_of_round in range(rounds):
            bench.round(f"r{number_of_round}", number)
        return bench.report(number, load)


class _Ingest:
    def __init__(self, place: Scratch, posting: Clients, grouped: Program, alone: Program) -> None:
        self._place = place
        self._posting = posting
        self._grouped = grouped
        self._alone = alone
        # A server named by an address may be on another machine: its CPU time is not ours to read.
        here = place.opened.settings.database_url is None
        self._server = server_process(place.opened.database) if here else None
        self._rates: dict[str, list[float]] = defaultdict(list)
        self._cpu: dict[str, list[float]] = defaultdict(list)

    def warm_up(self) -> None:
        """Open the connections and fill the caches; not counted."""
        for program, name in ((self._grouped, "wa"), (self._alone, "wb")):
            self._posting.post(program.port, self._place.key, records(4 * CONNECTIONS, name), CONNECTIONS)

    def round(self, prefix: str, number: int) -> None:
        """Each way once, within seconds of each other."""
        self._post(SINGLE, self._grouped, f"{prefix}a", number, 1)
        self._post(ALONE, self._alone, f"{prefix}b", number, 1)
        self._post(LISTED, self._grouped, f"{prefix}c", number, LIST)
        with rows.connect(self._place.opened.database.conninfo) as connection:
            for name, how in ((INSERTED, rows.insert), (COPIED, rows.copy)):
                both = rows.stored(connection, f"{prefix}c", f"{how.__name__}-")
                seconds = rows.write(connection, both, how, LIST)
                self._rates[name].append(number / seconds)

    def _post(self, name: str, program: Program, prefix: str, number: int, size: int) -> None:
        all_records = records(number, prefix)
        bodies: Sequence[Any] = all_records if size == 1 else chunks(all_records, size)
        connections = CONNECTIONS if size == 1 else LIST_CONNECTIONS
        before = self._clocks(program)
        posted = self._posting.post(program.port, self._place.key, bodies, connections)
        for who, seconds in self._clocks(program).items():
            self._cpu[f"{who}, {name}"].append((seconds - before[who]) / number * 1e3)
        self._rates[name].append(number / posted.seconds)
        self._cpu[f"clients, {name}"].append(posted.cpu / number * 1e3)
        self._all_there(prefix, number)

    def _clocks(self, program: Program) -> dict[str, float]:
        clocks = {"web process": program.cpu()}
        return clocks | {"PostgreSQL": family_cpu(self._server)} if self._server else clocks

    def _all_there(self, prefix: str, number: int) -> None:
        with self._place.opened.database.session() as session:
            query = text("SELECT count(*) FROM feedback WHERE external_id LIKE :prefix")
            there = session.execute(query, {"prefix": f"{prefix}-%"}).scalar_one()
        if there != number:
            raise BenchFailed(f"{number} records were answered with 202 and {there} are stored.")

    def report(self, number: int, load: float) -> Report:
        """All rounds together."""
        rates = self._rates
        ratios = {
            "grouped / one commit each": ratio(rates[SINGLE], rates[ALONE]),
            **{
                f"{name} / {floor.split()[0]}": ratio(rates[name], rates[floor])
                for name in (SINGLE, LISTED)
                for floor in (INSERTED, COPIED)
            },
        }
        figures = {f"{name} (records/s)": series(found) for name, found in rates.items()}
        costs = {f"{name} (CPU ms/record)": series(found) for name, found in self._cpu.items()}
        facts = machine(self._place.opened.database, load)
        return Report("ingest", number, ratios, figures | costs, {}, facts, noisy(figures), HOW)
