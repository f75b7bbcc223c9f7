"""The peer of `heed bench models`: Hugging Face pipelines in a process of their own, asked in turn with heed."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from service.bench.figures import BenchFailed

SCRIPT = Path(__file__).with_name("pipeline_peer.py")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
_QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
ENVIRONMENT = _ONE_THREAD | _QUIET


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """A folder with both checkpoints, and the interpreter that reads them."""

    python: Path
    folder: Path

    def command(self, action: str) -> list[str]:
        """How to start the peer. `-I`: the script's own folder holds names that other packages look for."""
        return _command(self.python, action, str(self.folder))


class Pipelines:
    """A running peer, warm."""

    def __init__(self, process: "subprocess.Popen[str]", errors: IO[str]) -> None:
        self._process = process
        self._errors = errors
        self.versions = str(self._answer()["versions"])

    def read(self, texts: Sequence[str]) -> float:
        """CPU seconds for both pipelines on these texts, one after the other.

        Raises:
            BenchFailed: the peer has ended.
        """
        assert self._process.stdin is not None  # noqa: S101 (it was asked for)
        try:
            self._process.stdin.write(json.dumps(list(texts)) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error
        return float(self._answer()["cpu"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 (as above)
        for line in self._process.stdout:
            if line.startswith("{"):  # libraries print what they like
                return dict(json.loads(line))
        raise self._ended()

    def _ended(self) -> BenchFailed:
        self._process.wait()
        self._errors.seek(0)
        return _failed(self._errors.read())


@contextmanager
def checkpoints(python: Path, tokenizer: Path) -> Iterator[Checkpoints]:
    """Make both checkpoints; they are gone after the block.

    Raises:
        BenchFailed: the interpreter does not start, or lacks torch or transformers.
    """
    with TemporaryDirectory(prefix="heed-bench-") as folder:
        command = _command(python, "make", str(tokenizer), folder)
        try:
            done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BenchFailed(f"The peer's interpreter {python} does not start: {error.strerror}.") from error
        if done.returncode != 0:
            raise _failed(done.stderr)
        yield Checkpoints(python, Path(folder))


@contextmanager
def pipelines(made: Checkpoints) -> Iterator[Pipelines]:
    """Start the peer and warm it up; it ends with the block.

    Raises:
        BenchFailed: it did not start.
    """
    with (made.folder / "errors.log").open("w+") as errors:
        process = subprocess.Popen(
            made.command("read"),
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Pipelines(process, errors)
        finally:
            process.kill()
            process.communicate()


def _command(python: Path, *arguments: str) -> list[str]:
    return [str(python), "-I", str(SCRIPT), *arguments]


def _failed(errors: str) -> BenchFailed:
    last = (errors.strip() or "it said nothing").splitlines()[-1]
    return BenchFailed(f"The Hugging Face pipelines did not run ({last}).")
