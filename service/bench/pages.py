"""`heed bench pages`: the server's time for the five busiest pages of a full installation, beside one without rows."""

import http.client
import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from statistics import quantiles
from urllib.parse import urlencode

from sqlalchemy import text

from service.bench.figures import BenchFailed, Machine, machine, paragraphs
from service.bench.multiplied import fill
from service.bench.programs import running
from service.bench.scratch import Scratch, scratch
from service.people.users import add_user
from service.settings import Settings

ALLOWED = 150.0  # ms, p95
PEER = "sign-in (no rows)"
_SIDE_BY_SIDE = 4
_DIFFERENT = 200  # items and records that are opened in turn

HOW = paragraphs(
    f"""
    the demo's feedback went down the whole road once; every row it left was copied until there were as many as asked
    for, two years back, each copy under ids of its own with its receipt, events and deliveries; then VACUUM ANALYZE

    `heed serve --no-worker` on loopback; ms from the request sent to the last byte read, by signed-in clients on
    kept connections, one at a time and {_SIDE_BY_SIDE} at once; a work item and a story are another one every time

    the peer is the sign-in page of the same process, which looks at no row; every p95 must be at most {ALLOWED:.0f} ms
    """
)


@dataclass(frozen=True, slots=True)
class Line:
    """One page, by so many clients at once. `ratio` is its p50 over the peer's."""

    page: str
    at_once: int
    requests: int
    p50: float
    p95: float
    ratio: float
    holds: bool


@dataclass(frozen=True, slots=True)
class PagesReport:
    """What was measured, in milliseconds, with how much there was to look through."""

    bench: str
    records: int
    open_items: int
    allowed_p95: float
    lines: Sequence[Line]
    kept: bool
    machine: Machine
    how: Sequence[str]


def measure(settings: Settings, number: int, items: int, requests: int) -> PagesReport:
    """Run the benchmark.

    Args:
        settings: where the server is, as for any command; the data are not touched.
        number: records of feedback.
        items: open work items.
        requests: for each page, one at a time; and as many again four at once.

    Raises:
        BenchFailed: something did not start, or a page was not 200.
    """
    load = os.getloadavg()[0]
    with (
        scratch(settings) as place,
        running(place, "service.cli", "serve", "--no-worker", "--port", "0", until="web.started") as web,
    ):
        filled = fill(place, web.port, number, items)
        visitor = _Visitor(web.port, _signed_in(place, web.port))
        pages = _pages(place)
        for addresses in pages.values():  # plans and caches, as of somebody who has been working for a while
            visitor.times(addresses, 10, 1)
        lines = [line for at_once in (1, _SIDE_BY_SIDE) for line in _lines(visitor, pages, requests, at_once)]
        facts = machine(place.opened.database, load)
    kept = all(line.holds for line in lines)
    return PagesReport("pages", filled.records, filled.open, ALLOWED, lines, kept, facts, HOW)


def _lines(visitor: "_Visitor", pages: Mapping[str, Sequence[str]], requests: int, at_once: int) -> list[Line]:
    lines: list[Line] = []
    for name, addresses in pages.items():
        times = quantiles(visitor.times(addresses, requests, at_once), n=100, method="inclusive")
        p50, p95 = times[49], times[94]
        peer = lines[0].p50 if lines else p50
        lines.append(Line(name, at_once, requests, p50, p95, p50 / peer, p95 <= ALLOWED))
    return lines


def _pages(place: Scratch) -> Mapping[str, Sequence[str]]:
    """The peer first."""
    items = _ids(place, "SELECT id FROM work_item WHERE status = 'open' AND kind <> 'backlog_item'")
    records = _ids(place, "SELECT id FROM feedback")
    return {
        PEER: ["/sign-in"],
        "inbox": ["/inbox"],
        "inbox of one owner": ["/inbox?owner=ana", "/inbox?owner=rosa"],
        "work item": [f"/work-items/{item}" for item in items],
        "story": [f"/feedback/{record}" for record in records],
        "backlog": ["/backlog"],
    }


def _ids(place: Scratch, query: str) -> list[str]:
    with place.opened.database.engine.connect() as connection:
        rows = connection.execute(text(f"{query} ORDER BY md5(id::text) LIMIT {_DIFFERENT}"))
        return [str(row[0]) for row in rows]


def _signed_in(place: Scratch, port: int) -> str:
    password = secrets.token_urlsafe(16)
    with place.opened.database.session() as session:
        add_user(session, name="bench", roles=["admin"], password=password, actor="bench")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    form = urlencode({"username": "bench", "password": password})
    connection.request("POST", "/sign-in", form, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    cookie = re.match(r"heed_session=[^;]+", answer.getheader("set-cookie", ""))
    connection.close()
    if cookie is None:
        raise BenchFailed(f"Nobody could sign in: heed answered {answer.status}.")
    return cookie[0]


@dataclass(frozen=True, slots=True)
class _Visitor:
    port: int
    cookie: str

    def times(self, addresses: Sequence[str], requests: int, at_once: int) -> list[float]:
        """Milliseconds of so many requests in turn through the addresses, shared by `at_once` connections."""
        wanted = [addresses[number % len(addresses)] for number in range(requests)]
        with ThreadPoolExecutor(at_once) as pool:
            shares = pool.map(self._in_turn, [wanted[number::at_once] for number in range(at_once)])
            return [one for share in shares for one in share]

    def _in_turn(self, addresses: Sequence[str]) -> list[float]:
        times = []
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            for address in addresses:
                cookie = {} if address == "/sign-in" else {"Cookie": self.cookie}
                began = time.perf_counter()
                connection.request("GET", address, headers={"Accept": "text/html", **cookie})
                answer = connection.getresponse()
                answer.read()
                times.append((time.perf_counter() - began) * 1e3)
                if answer.status != http.client.OK:
                    raise BenchFailed(f"{address} answered {answer.status}, not 200.")
        return times
