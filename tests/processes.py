"""Real heed processes on an installation of a test's own: started, killed, frozen, and what the database says then."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from builders import record
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.people.access import create_key
from service.store.database import Database, connect
from service.store.postgres import _address
from service.store.postgres_files import prepare
from service.store.vault import Vault, master_secret

FRAGILE = Path(__file__).parent / "fragile_worker.py"


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until the condition holds; the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gone(pid: int) -> bool:
    """Whether a process that is not our child has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@dataclass
class Installation:
    """A HEED_HOME with processes on it. Their logs are in `home / "logs"`."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    port: int = field(default_factory=free_port)

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Run a program of heed's in a process group of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEED_")}
        logs = self.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{len(self.started)}-{Path(command[-1]).stem.strip('-')}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                env={**kept, "HEED_HOME": str(self.home), "HEED_MODEL": "keywords", **self.environment},
                stdin=subprocess.DEVNULL,
                stderr=log,
                process_group=0,
            )
        self.started.append(process)
        return process

    def serve(self, *options: str) -> subprocess.Popen[bytes]:
        """`heed serve`, from its first answer on."""
        process = self.start("-m", "service.cli", "serve", "--port", str(self.port), *options)
        self.until_ready(process)
        return process

    def until_ready(self, process: subprocess.Popen[bytes], seconds: float = 40) -> float:
        def ready() -> bool:
            assert process.poll() is None, f"heed serve ended: {self.log()}"
            with suppress(httpx.TransportError):
                return httpx.get(f"{self.address}/readyz", trust_env=False).status_code == 200
            return False

        return wait_for(ready, seconds, "an answer of heed serve")

    def worker(self) -> subprocess.Popen[bytes]:
        """`heed worker`, with a sign of life in the database."""
        return self._living(self.start("-m", "service.cli", "worker"))

    def fragile(self, *options: str) -> subprocess.Popen[bytes]:
        """A worker whose classifier stumbles."""
        return self._living(self.start(str(FRAGILE), *options))

    def child(self, serve: subprocess.Popen[bytes]) -> int:
        """The process id of the worker beside a `heed serve`, once it is there."""
        found: list[int] = []

        def started() -> bool:
            for line in Path("/proc").glob("[0-9]*/stat"):
                with suppress(FileNotFoundError, ProcessLookupError):
                    parent = line.read_text().rpartition(")")[2].split()[1]
                    if parent == str(serve.pid) and b"--parent-pipe" in (line.parent / "cmdline").read_bytes():
                        found.append(int(line.parent.name))
            return bool(found)

        wait_for(started, 20, "the worker of heed serve")
        return found[0]

    def _living(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        name = f"{len(self.started) - 1}-*.log"
        (log,) = (self.home / "logs").glob(name)
        wait_for(lambda: "worker.started" in log.read_text() or process.poll() is not None, 40, "the start of a worker")
        assert process.poll() is None, log.read_text()
        return process

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def database(self) -> Database:
        """The embedded server, looked at from outside: this process does not keep it alive."""
        return connect(self.environment.get("HEED_DATABASE_URL") or _address(prepare(self.home)).url, pool=2)

    @property
    def look(self) -> "Look":
        return Look(self.database)

    def server(self, but: int = 0) -> int:
        """The process id of the embedded PostgreSQL, once it is another than this one."""
        file, found = prepare(self.home).data / "postmaster.pid", [but]

        def there() -> bool:
            with suppress(FileNotFoundError, IndexError):
                found[0] = int(file.read_text().split()[0])
            return found[0] != but

        wait_for(there, 30, "the embedded server")
        return found[0]

    def log(self) -> str:
        return "\n".join(one.read_text(errors="replace") for one in sorted((self.home / "logs").iterdir()))

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """An admin's HTTP client."""
        with self.database.session() as session:
            made = create_key(
                session, Vault(master_secret(self.home)), name="test", role="admin", source=None, actor="test"
            )
        headers = {"Authorization": f"Bearer {made.key}"}
        with httpx.Client(base_url=self.address, headers=headers, trust_env=False, timeout=30) as client:
            yield client

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if "database" in self.__dict__:
            self.database.engine.dispose()


@dataclass(frozen=True)
class Look:
    """What the database of an installation says."""

    database: Database

    def scalar(self, query: str, **values: Any) -> Any:
        """One value; while the server is away, asked again for a moment."""
        for pause in (0.2, 0.5, 1, 2, 4, 0):
            try:
                with self.database.session() as session:
                    return session.execute(text(query), values).scalar()
            except DBAPIError:
                if not pause:
                    raise
                time.sleep(pause)
        raise AssertionError

    def stage(self, *stages: str) -> int:
        return int(self.scalar("SELECT count(*) FROM feedback WHERE stage = ANY(:stages)", stages=list(stages)))

    def doing(self, *names: str) -> int:
        """Running jobs, those that look after the others left out."""
        query = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND queue_name <> 'upkeep'"
        return int(self.scalar(f"{query} AND task_name = ANY(:names)" if names else query, names=list(names)))

    def doubled(self) -> dict[str, int]:
        """What there must be none of: decisions, classifications, items or deliveries beyond one of a kind."""
        return {
            name: int(self.scalar(query))
            for name, query in {
                "identities": "SELECT count(*) - count(DISTINCT (source, external_id)) FROM feedback",
                "decisions": "SELECT count(*) - count(DISTINCT (feedback_id, revision)) FROM decision",
                "classifications": "SELECT count(*) - count(DISTINCT (feedback_id, revision)) FROM classification",
                "items": "SELECT count(*) FROM work_item i LEFT JOIN work_item_evidence e"
                " ON e.work_item_id = i.id WHERE e.work_item_id IS NULL",
                "evidence": "SELECT count(*) - count(DISTINCT (feedback_id, kind)) FROM work_item_evidence",
                "deliveries": "SELECT count(*) - count(DISTINCT (work_item_id, destination)) FROM delivery",
            }.items()
        }

    def undecided(self) -> int:
        """Routed records without a decision."""
        return int(
            self.scalar(
                "SELECT count(*) FROM feedback f LEFT JOIN decision d ON d.feedback_id = f.id"
                " WHERE f.stage = 'routed' AND d.id IS NULL"
            )
        )


NOTHING_DOUBLED = dict.fromkeys(("identities", "decisions", "classifications", "items", "evidence", "deliveries"), 0)


def records(number: int, prefix: str = "r", words: str = "Parcel came two weeks late and broken.") -> list[Any]:
    """Records that make a follow-up each."""
    return [record(f"{prefix}-{index}", f"{words} ({index})", scores={"nps": 2}) for index in range(number)]


def posted(client: httpx.Client, batch: Sequence[Any]) -> list[str]:
    """Post a list; the ids it was given."""
    answer = client.post("/v1/feedback", json=list(batch))
    assert answer.status_code == 202, answer.text
    return [one["id"] for one in answer.json()["results"]]
