"""From nothing to the first answer: CPU seconds and peak memory of fresh processes, as a whole."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from service.bench.figures import BenchFailed


@dataclass(frozen=True, slots=True)
class Start:
    """CPU seconds, user and system, and the largest resident memory in MiB."""

    cpu: float
    peak: float


def started(command: Sequence[str], environment: Mapping[str, str]) -> Start:
    """Run a program to its end; the last line it prints is its peak memory in KiB.

    The kernel's own figure for an ended child is at least the memory of this process, which it was copied from.

    Raises:
        BenchFailed: it failed, or printed something else.
    """
    with TemporaryFile() as out, TemporaryFile() as errors:
        process = subprocess.Popen(command, env=dict(environment), stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said, complaints = _text(out), _text(errors)
    last = (said.strip() or "nothing").splitlines()[-1]
    if process.returncode != 0 or not last.isdecimal():
        reason = (complaints.strip() or last).splitlines()[-1]
        raise BenchFailed(f"A fresh process gave no first answer ({reason}).")
    return Start(usage.ru_utime + usage.ru_stime, int(last) / 1024)


def heed_command(path: str, weights: Path) -> list[str]:
    """How to start heed up to its first answer; `path` is `encoder` or `whole`."""
    return [sys.executable, "-m", "service.bench.first_answer", path, str(weights)]


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
