"""`heed bench import`: rows a second and peak memory of `heed import`, beside COPY of the same file."""

import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from service.bench.figures import BenchFailed, Report, machine, noisy, paragraphs, ratio, series
from service.bench.scratch import Scratch, scratch
from service.settings import Settings

HEADER = "external_id,submitted_at,nps,text,customer_id,region,site,lot"
SMALL = 10  # times fewer rows in the file that shows whether memory grows with the file

HOW = paragraphs(
    """
    import: `heed import FILE` in a process of its own, from its first row to its last (the start of the program is not
    counted); every row validated, its original sealed, indexed for search, its job deferred, durable

    COPY: the same bytes by one connection into a table of texts without any index, in one transaction

    memory: the largest resident set of the importing process (VmHWM); the smaller file has a tenth of the rows

    rounds are interleaved, every one with rows of its own; a ratio is the median of the rounds' own ratios
    """
)


@dataclass(frozen=True, slots=True)
class _Ran:
    seconds: float
    peak_mb: float


def measure(settings: Settings, number: int, rounds: int) -> Report:
    """Run the benchmark.

    Args:
        settings: where the server is, as for any command; the data are not touched.
        number: rows of the file in each round, at least ten.
        rounds: how often everything is repeated, at least once.

    Raises:
        BenchFailed: the command failed, or not every row is there.
    """
    load = os.getloadavg()[0]
    rates: dict[str, list[float]] = defaultdict(list)
    peaks: dict[str, list[float]] = defaultdict(list)
    fewer, more = f"peak memory, {number // SMALL:,} rows (MB)", f"peak memory, {number:,} rows (MB)"
    with scratch(settings) as place, TemporaryDirectory(prefix="heed-bench-") as folder:
        file = Path(folder) / "answers.csv"
        for one in range(rounds):
            small = _import(place, _written(file, f"s{one}", number // SMALL), number // SMALL)
            large = _import(place, _written(file, f"r{one}", number), number)
            rates["import"].append(number / large.seconds)
            rates["COPY"].append(number / _copy(place, file))
            peaks[fewer].append(small.peak_mb)
            peaks[more].append(large.peak_mb)
        facts = machine(place.opened.database, load)
    figures = {f"{name} (rows/s)": series(found) for name, found in rates.items()}
    ratios = {
        "import / COPY (rows/s)": ratio(rates["import"], rates["COPY"]),
        f"memory, {SMALL} times the rows": ratio(peaks[more], peaks[fewer]),
    }
    figures |= {name: series(found) for name, found in peaks.items()}
    return Report("import", number, ratios, figures, {}, facts, noisy(figures), HOW)


def _written(file: Path, prefix: str, number: int) -> Path:
    with file.open("w", encoding="utf-8") as stream:
        stream.write(f"{HEADER}\n")
        for row in range(number):
            minute, day = row % 60, row % 28 + 1
            words = f"Parcel {row} came two weeks late, the box was open and nobody answered my {row % 7} calls."
            stream.write(
                f'{prefix}-{row},2026-03-{day:02}T10:{minute:02}:00Z,{row % 11},"{words}",'
                f"c-{row % 1_000},emea,Lodz,L-{row % 97}\n"
            )
    return file


def _import(place: Scratch, file: Path, number: int) -> _Ran:
    mapping = (
        "verbatims.0.text=text",
        "scores.nps=nps",
        "customer.id=customer_id",
        "customer.region=region",
        "context.site=site",
        "context.lot=lot",
    )
    options = [word for one in mapping for word in ("--map", one)]
    command = [sys.executable, "-m", "service.cli", "import", str(file), "--source", "bench", "--json", *options]
    with (file.parent / "told").open("w+b") as out, (file.parent / "errors").open("w+b") as errors:
        process = subprocess.Popen(command, env=dict(place.environment), stdout=out, stderr=errors)
        peak = _peak_mb(process)
        out.seek(0)
        errors.seek(0)
        if process.returncode:
            raise BenchFailed(f"heed import ended with {process.returncode}: {errors.read().decode().strip()}")
        told = json.loads(out.read())
    if told["new"] != number:
        raise BenchFailed(f"The file has {number} rows and {told['new']} are new.")
    begun, ended = (datetime.fromisoformat(told[name]) for name in ("created_at", "finished_at"))
    return _Ran((ended - begun).total_seconds(), peak)


def _peak_mb(process: subprocess.Popen[bytes]) -> float:
    """Wait for its end; the largest resident set the kernel saw (`ru_maxrss` would be ours, from before the exec)."""
    peak = 0
    while process.poll() is None:
        with suppress(OSError):
            found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
            peak = int(found[1]) if found else peak
        time.sleep(0.02)
    return peak / 1_000


def _copy(place: Scratch, file: Path) -> float:
    columns = ", ".join(f"{name} text" for name in HEADER.split(","))
    with psycopg.connect(place.opened.database.conninfo) as connection, file.open("rb") as stream:
        connection.execute(f"CREATE TABLE plain ({columns})".encode())
        connection.commit()
        began = time.perf_counter()
        with connection.cursor().copy("COPY plain FROM STDIN (FORMAT csv, HEADER)") as copy:
            while data := stream.read(1_000_000):
                copy.write(data)
        connection.commit()
        seconds = time.perf_counter() - began
        connection.execute("DROP TABLE plain")
    return seconds
