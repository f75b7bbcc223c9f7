"""Ten times what heed can carry: honest refusals, nothing lost, bounded memory, and afterwards all is as before."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx
import pytest
from builders import record
from processes import NOTHING_DOUBLED, Installation, wait_for

Figure = Callable[[str, object], None]

LIST = 50  # records in a post
SENDERS = 16
WORDS = "Parcel came two weeks late and broken, nobody at the desk could tell me why it took so long."


@pytest.fixture
def heed(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "heed", {"HEED_LOG_LEVEL": "warning"})
    yield installation
    installation.end()


@dataclass
class Storm:
    """Senders who never rest, each a source of its own but for half of them, who share one."""

    heed: Installation
    key: str
    answers: Counter[int] = field(default_factory=Counter)
    acknowledged: list[str] = field(default_factory=list)
    offered: int = 0
    without_retry_after: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def blow(self, seconds: float) -> None:
        ending = threading.Timer(seconds, self.over.set)
        ending.start()
        with ThreadPoolExecutor(SENDERS) as pool:
            for _ in pool.map(self._send, range(SENDERS)):
                pass

    def _send(self, number: int) -> None:
        source = "noisy" if number % 2 else f"source-{number}"
        sent = 0
        with client(self.heed, self.key) as http:
            while not self.over.is_set():
                batch = [record(f"{number}-{sent}-{n}", f"{WORDS} ({n})", source=source) for n in range(LIST)]
                answer = http.post("/v1/feedback", json=batch)
                self.answers[answer.status_code] += 1
                self.offered += LIST
                if answer.status_code == 202:
                    self.acknowledged += [one["id"] for one in answer.json()["results"]]
                elif "retry-after" not in answer.headers:
                    self.without_retry_after += 1
                sent += 1


def client(heed: Installation, key: str) -> httpx.Client:
    return httpx.Client(base_url=heed.address, headers={"Authorization": key}, trust_env=False, timeout=60)


def memory(pid: int) -> int:
    """Megabytes a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1_000


def p95(http: httpx.Client, prefix: str, number: int = 40) -> float:
    """Milliseconds within which 95 of 100 posts of one record are answered."""
    took = []
    for n in range(number):
        began = time.monotonic()
        assert http.post("/v1/feedback", json=record(f"{prefix}-{n}", WORDS, source="quiet")).status_code == 202
        took.append((time.monotonic() - began) * 1_000)
    return quantiles(took, n=20)[-1]


def settled(heed: Installation, seconds: float) -> float:
    """Wait until nothing waits; how many seconds that took."""
    return wait_for(lambda: not heed.look.stage("received", "classified"), seconds, "every record decided")


def sustainable(heed: Installation, http: httpx.Client, number: int) -> float:
    """Records a second from the first post to the last record routed."""
    settled(heed, 30)
    began = time.monotonic()
    for first in range(0, number, LIST):
        batch = [record(f"steady-{first + n}", f"{WORDS} ({n})", source="steady") for n in range(LIST)]
        assert http.post("/v1/feedback", json=batch).status_code == 202
    settled(heed, 120)
    return number / (time.monotonic() - began)


def weather(heed: Installation, figure: Figure, seconds: float, most_waiting: int, steady: int) -> None:
    heed.environment["HEED_MOST_WAITING"] = str(most_waiting)
    serve = heed.serve()
    with heed.client() as http:
        key = http.headers["Authorization"]
        p95(http, "warm")
        rate = sustainable(heed, http, steady)
        before = p95(http, "before")
        held = memory(serve.pid)
        storm = Storm(heed, key)
        most_held, most_seen = held, 0
        blowing = threading.Thread(target=storm.blow, args=(seconds,))
        blowing.start()
        while blowing.is_alive():
            most_held = max(most_held, memory(serve.pid))
            most_seen = max(most_seen, heed.look.stage("received", "classified"))
            blowing.join(0.5)
        drained = settled(heed, 600)
        after = p95(http, "after")
    stored = set(map(str, heed.look.scalar("SELECT array_agg(id) FROM feedback")))
    figure("sustainable, records/s", round(rate))
    figure("offered, times the sustainable rate", round(storm.offered / seconds / rate, 1))
    figure("answers", dict(storm.answers))
    figure("acknowledged records, and of them lost", (len(storm.acknowledged), len({*storm.acknowledged} - stored)))
    figure("most waiting, of its bound", (most_seen, most_waiting))
    figure("web process, MB before, most, more", (held, most_held, most_held - held))
    figure("drained by itself, s", round(drained, 1))
    figure("p95 of a post, ms before and after", (round(before), round(after)))
    assert set(storm.answers) <= {202, 429, 503}
    assert storm.answers[429]
    assert not storm.without_retry_after
    assert not {*storm.acknowledged} - stored
    assert most_seen <= most_waiting + SENDERS * LIST  # what is being stored while it is counted comes on top
    assert most_held - held <= 100
    assert heed.look.doubled() == NOTHING_DOUBLED
    assert heed.look.undecided() == 0


@pytest.mark.kills
@pytest.mark.timeout(180)
def test_a_short_storm_is_weathered(heed: Installation, record_property: Figure) -> None:
    weather(heed, record_property, seconds=2, most_waiting=400, steady=100)


@pytest.mark.faults
@pytest.mark.kills
@pytest.mark.timeout(1_800)
def test_ten_times_the_sustainable_rate_for_a_minute(heed: Installation, figure: Figure) -> None:
    weather(heed, figure, seconds=60, most_waiting=20_000, steady=5_000)
