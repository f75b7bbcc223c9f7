"""The clients of a benchmark: processes of their own that write prepared bytes to sockets, so that they cost little."""

import json
import multiprocessing
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from service.bench.figures import BenchFailed

PROCESSES = 2
_HEAD_START = 0.2  # seconds in which every client connects before all begin at once


@dataclass(frozen=True, slots=True)
class Posted:
    """How long all posts took, from the common start to the last answer, and the clients' own CPU time, in seconds."""

    seconds: float
    cpu: float


class Clients:
    """Processes that post on many connections at once, each of which has one request under way."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def post(
        self, port: int, key: str, bodies: Sequence[object], connections: int, path: str = "/v1/feedback"
    ) -> Posted:
        """Post every body to this path of this machine.

        Raises:
            BenchFailed: an answer was neither 200 nor 202.
        """
        requests = [_request(key, body, path) for body in bodies]
        begin = time.monotonic() + _HEAD_START
        each = connections // PROCESSES
        shares = [share for number in range(PROCESSES) if (share := requests[number::PROCESSES])]
        runs = [self._pool.submit(_post_all, port, share, each, begin) for share in shares]
        done = [run.result() for run in runs]
        return Posted(max(end for end, _ in done) - begin, sum(cpu for _, cpu in done))


@contextmanager
def clients() -> Iterator[Clients]:
    """Start the client processes; they end with the block."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context) as pool:
        for ready in [pool.submit(time.sleep, 0.1) for _ in range(PROCESSES)]:
            ready.result()
        yield Clients(pool)


def _request(key: str, body: object, path: str) -> bytes:
    content = json.dumps(body, ensure_ascii=False).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _post_all(port: int, requests: Sequence[bytes], connections: int, begin: float) -> tuple[float, float]:
    before = time.process_time()
    shares = [share for number in range(connections) if (share := requests[number::connections])]
    with ThreadPoolExecutor(len(shares)) as pool:
        ends = list(pool.map(lambda share: _post_in_turn(port, share, begin), shares))
    return max(ends), time.process_time() - before


def _post_in_turn(port: int, requests: Sequence[bytes], begin: float) -> float:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        time.sleep(max(0.0, begin - time.monotonic()))
        for request in requests:
            connection.sendall(request)
            head, content = _answer(connection)
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
                raise BenchFailed(f"heed answered {head.splitlines()[0].decode()}: {content[:300].decode()}")
    return time.monotonic()


def _answer(connection: socket.socket) -> tuple[bytes, bytes]:
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _some(connection)
    head = bytes(received[:end])
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(received) < end + 4 + length:
        received += _some(connection)
    return head, bytes(received[end + 4 :])


def _some(connection: socket.socket) -> bytes:
    if not (chunk := connection.recv(65_536)):
        raise BenchFailed("heed closed a connection in the middle of an answer.")
    return chunk


def chunks(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Lists of `size` and one shorter rest."""
    return [values[start : start + size] for start in range(0, len(values), size)]
