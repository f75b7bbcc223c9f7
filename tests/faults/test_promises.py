"""The promises at their full counts: only `make faults` runs these. Records are small, kills are real."""

import os
import random
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from fragile_worker import ENDS
from processes import NOTHING_DOUBLED, Installation, posted, records, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.kills, pytest.mark.timeout(3600)]

KILLS = 100
CLIENTS = 8
Figure = Callable[[str, object], None]


@pytest.fixture
def heed(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "heed")
    yield installation
    installation.end()


@dataclass
class Senders:
    """Clients that post lists of ten and send each again until it is answered 202, as a good sender does."""

    client: httpx.Client
    accepted: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def sending(self, pause: float) -> Iterator[None]:
        threads = [threading.Thread(target=self._send, args=(one, pause)) for one in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join(60)

    def _send(self, sender: int, pause: float) -> None:
        turn = 0
        while not self.over.wait(pause):
            batch = records(10, f"{sender}-{turn}")
            turn += 1
            while not self._accepted(batch) and not self.over.wait(0.1):
                pass

    def _accepted(self, batch: list[dict[str, object]]) -> bool:
        with suppress(httpx.TransportError):
            answer = self.client.post("/v1/feedback", json=batch)
            self.statuses.append(answer.status_code)
            if answer.status_code == 202:
                self.accepted.update({one["external_id"]: one["id"] for one in answer.json()["results"]})
                return True
        return False


def nothing_lost(heed: Installation, senders: Senders, figure: Figure) -> None:
    """Every answered id is there, every stored record routed, and nothing is there twice."""
    took = wait_for(
        lambda: not heed.look.stage("received", "classified") and not heed.look.doing(), 600, "everything routed"
    )
    ids = list(senders.accepted.values())
    missing = len(ids) - heed.look.scalar("SELECT count(*) FROM feedback WHERE id = ANY(:ids)", ids=ids)
    figure("records answered with 202", len(ids))
    figure("of these lost", missing)
    figure("seconds to route what was left", round(took, 1))
    figure("doubled", heed.look.doubled())
    figure("answers", {status: senders.statuses.count(status) for status in sorted(set(senders.statuses))})
    assert missing == 0
    assert heed.look.doubled() == NOTHING_DOUBLED
    assert heed.look.undecided() == 0
    assert heed.look.stage("quarantined") == 0
    assert set(senders.statuses) <= {202, 503}


def test_100_kills_of_web_and_worker(heed: Installation, figure: Figure) -> None:
    process = heed.serve()
    back: list[float] = []
    with heed.client() as client:
        senders = Senders(client)
        with senders.sending(pause=0.2):
            for _ in range(KILLS):
                before = len(senders.accepted)
                wait_for(lambda seen=before: len(senders.accepted) > seen, 60, "a 202 between two kills")
                worker = heed.child(process)
                for pid in (process.pid, worker):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.wait()
                process = heed.start("-m", "service.cli", "serve", "--port", str(heed.port))
                back.append(heed.until_ready(process))
        figure("kills of web and worker", KILLS)
        figure("seconds until ready again, median / p95", percentiles(back))
        nothing_lost(heed, senders, figure)


def test_100_kills_of_postgresql(heed: Installation, figure: Figure) -> None:
    heed.serve()
    back: list[float] = []
    with heed.client() as client:
        senders = Senders(client)
        with senders.sending(pause=0.2):
            for _ in range(KILLS):
                killed, began = heed.server(), time.monotonic()
                os.kill(killed, signal.SIGKILL)
                heed.server(but=killed)
                before = len(senders.accepted)
                wait_for(lambda seen=before: len(senders.accepted) > seen, 60, "a 202 after the kill")
                back.append(time.monotonic() - began)
        figure("kills of the postmaster", KILLS)
        figure("seconds until a 202 again, median / p95", percentiles(back))
        nothing_lost(heed, senders, figure)


def test_10000_records_and_a_worker_killed_every_5_seconds(heed: Installation, figure: Figure) -> None:
    heed.serve("--no-worker")
    chance = random.Random(3)  # noqa: S311 (which one, no secret)
    workers = [heed.worker(), heed.worker()]
    kills = 0
    with heed.client() as client:
        for part in range(100):
            posted(client, records(100, f"p{part}"))
        began = time.monotonic()
        next_kill = began + 5
        while heed.look.stage("received", "classified"):
            assert time.monotonic() - began < 1800
            if time.monotonic() > next_kill:
                victim = chance.randrange(2)
                workers[victim].kill()
                workers[victim] = heed.worker()
                kills, next_kill = kills + 1, time.monotonic() + 5
            time.sleep(0.2)  # the rows say when it is over
        figure("records / kills of a worker", f"{heed.look.stage('routed')} / {kills}")
        figure("seconds", round(time.monotonic() - began, 1))
        left = wait_for(lambda: not heed.look.doing(), 90, "no job left to a dead worker")
        figure("seconds until no job counted as running", round(left, 1))
        figure("doubled", heed.look.doubled())
    assert heed.look.stage("routed") == 10_000
    assert heed.look.scalar("SELECT count(*) FROM decision") == 10_000
    assert heed.look.doubled() == NOTHING_DOUBLED


def test_records_that_end_their_worker_among_others_with_the_real_clock(heed: Installation, figure: Figure) -> None:
    heed.serve("--no-worker")
    worker: subprocess.Popen[bytes] = heed.fragile()
    with heed.client() as client:
        for part in range(10):
            posted(client, [*records(99, f"p{part}"), *records(1, f"ends{part}", ENDS if part < 2 else "")])
        began = time.monotonic()
        while heed.look.stage("received", "classified"):
            assert time.monotonic() - began < 1200
            if worker.poll() is not None:
                worker = heed.fragile()
            time.sleep(0.2)  # the rows say when it is over
        figure("records routed / quarantined", f"{heed.look.stage('routed')} / {heed.look.stage('quarantined')}")
        figure("seconds", round(time.monotonic() - began, 1))
    assert (heed.look.stage("routed"), heed.look.stage("quarantined")) == (998, 2)
    assert heed.look.doubled() == NOTHING_DOUBLED


def percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return f"{statistics.median(ordered):.1f} / {ordered[int(len(ordered) * 0.95)]:.1f}"
