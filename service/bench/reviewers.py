"""The reviewers of a benchmark: people who label over real HTTP, each with a key and a connection of their own."""

import http.client
import json
import multiprocessing
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from service.bench.figures import BenchFailed

PROCESSES = 2
SLIPS = 0.03  # of the answers of a reviewer are another than they should be
_HEAD_START = 0.2  # seconds in which every reviewer connects before all begin at once


@dataclass(frozen=True, slots=True)
class Desk:
    """Where reviewers sit: the web process, the sample, and for each text what is right and what a slip would be."""

    port: int
    sample: UUID
    answers: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long somebody reads before they answer, on average and in seconds, and how many cards they take at most."""

    reading: float
    cards: int


@dataclass(frozen=True, slots=True)
class Trip:
    """One label sent and the next card shown, in milliseconds."""

    label: float
    card: float


def work(desk: Desk, keys: Sequence[str], pace: Pace) -> list[Trip]:
    """The trips of all reviewers, who begin together and end when each has had their cards or none is left.

    Raises:
        BenchFailed: heed did not take a label, or gave no card.
    """
    begin = time.monotonic() + _HEAD_START + 1.0
    shares = [list(enumerate(keys))[number::PROCESSES] for number in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        runs = [pool.submit(_share, desk, share, pace, begin) for share in shares if share]
        return [trip for run in runs for trip in run.result()]


def idle(port: int, trips: int, at_once: int) -> list[float]:
    """Milliseconds of trips of two requests that look at no row, by as many clients."""
    with ThreadPoolExecutor(at_once) as pool:
        each = pool.map(lambda _: _two_requests(port, -(-trips // at_once)), range(at_once))
        return [one for times in each for one in times]


def _two_requests(port: int, trips: int) -> list[float]:
    times = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for _ in range(trips):
            began = time.perf_counter()
            for _ in range(2):
                connection.request("GET", "/livez")
                connection.getresponse().read()
            times.append((time.perf_counter() - began) * 1e3)
    return times


def _share(desk: Desk, share: Sequence[tuple[int, str]], pace: Pace, begin: float) -> list[Trip]:
    with ThreadPoolExecutor(len(share)) as pool:
        each = pool.map(lambda one: _Reviewer(desk, *one).label(pace, begin), share)
        return [trip for trips in each for trip in trips]


class _Card(BaseModel):
    card: UUID
    text: str


class _Reviewer:
    def __init__(self, desk: Desk, number: int, key: str) -> None:
        self._desk = desk
        self._key = key
        self._chance = random.Random(number)  # noqa: S311 (how long somebody reads, and where they slip)

    def label(self, pace: Pace, begin: float) -> list[Trip]:
        trips: list[Trip] = []
        with closing(http.client.HTTPConnection("127.0.0.1", self._desk.port, timeout=60)) as connection:
            connection.connect()
            time.sleep(max(0.0, begin - time.monotonic()))
            card = self._next(connection)
            while card is not None and len(trips) < pace.cards:
                time.sleep(self._chance.uniform(0.5, 1.5) * pace.reading)
                began = time.perf_counter()
                self._send(connection, card)
                between = time.perf_counter()
                card = self._next(connection)
                ended = time.perf_counter()
                trips.append(Trip((between - began) * 1e3, (ended - between) * 1e3))
        return trips

    def _send(self, connection: http.client.HTTPConnection, card: _Card) -> None:
        right, slip = self._desk.answers[card.text]
        said = slip if self._chance.random() < SLIPS else right
        self._call(connection, "POST", "/v1/calibration/labels", {"card": str(card.card), "labels": [said]})

    def _next(self, connection: http.client.HTTPConnection) -> _Card | None:
        shown = self._call(connection, "GET", f"/v1/calibration/next?sample={self._desk.sample}", None)
        return _Card.model_validate_json(shown) if shown else None

    def _call(self, connection: http.client.HTTPConnection, method: str, path: str, body: object) -> bytes:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status not in {http.client.OK, http.client.CREATED, http.client.NO_CONTENT}:
            raise BenchFailed(f"{method} {path} answered {answer.status}: {content[:300].decode()}")
        return content
