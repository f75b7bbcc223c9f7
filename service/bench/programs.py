"""Real heed processes for a benchmark: started, found, stopped, and what CPU time they took (Linux: from /proc)."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from service.bench.figures import BenchFailed
from service.bench.scratch import Scratch
from service.store.database import Database

PATIENCE = 60  # seconds for a process to say that it has started
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Program:
    """A running process; `port` is 0 for one that does not listen."""

    pid: int
    port: int

    def cpu(self) -> float:
        """CPU seconds it has used so far, all threads, user and system."""
        return _cpu(self.pid)


@contextmanager
def running(scratch: Scratch, module: str, *arguments: str, until: str) -> Iterator[Program]:
    """Run `python -m module` in the scratch installation, from the log event `until` to the end of the block.

    Raises:
        BenchFailed: it ended, or said nothing for a minute.
    """
    log = scratch.opened.settings.home / f"{module}.{'.'.join(arguments[:1])}.log"
    command = [sys.executable, "-m", module, *arguments]
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=dict(scratch.environment), stdin=subprocess.DEVNULL, stderr=file)
    try:
        yield Program(process.pid, _wait(process, log, until))
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path, until: str) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in log.read_text(errors="replace").splitlines():
            if f'"{until}"' in line:
                return int(json.loads(line).get("port", 0))
        if process.poll() is not None:
            break
        time.sleep(0.05)
    last = (log.read_text(errors="replace").strip() or "nothing").splitlines()[-1]
    raise BenchFailed(f"heed did not start ({log.stem}); the last it said: {last}")


def _stat(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) from the third on: those before may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu(pid: int) -> float:
    user, system = _stat(pid)[11:13]
    return (int(user) + int(system)) / _TICK


def server_process(database: Database) -> int:
    """The process id of a PostgreSQL on this machine."""
    with database.engine.connect() as connection:
        backend = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        return int(_stat(backend)[1])


def family_cpu(parent: int) -> float:
    """CPU seconds of a process and of its children, those that have ended included."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = _stat(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent in {int(folder.name), int(fields[1])}:
            total += sum(int(field) for field in fields[11:15])
    return total / _TICK
