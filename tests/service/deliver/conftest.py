"""A server that misbehaves to order, on loopback, and the values a destination is called with."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from service.deliver.destination import Call, Draft
from service.deliver.http import open_client

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Listens on a loopback port; each connection is given to `behave`, in a thread of its own."""

    behave: Callable[[socket.socket], None] | None = None
    answers: list[bytes] = field(default_factory=list)  # used up in order; the last one stays
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def close(self):
        self.over.set()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self.threads.append(thread)
                thread.start()

    def _serve(self, connection):
        with connection, suppress(OSError):
            connection.settimeout(10)
            (self.behave or self.reply)(connection)

    def read(self, connection) -> Seen:
        with connection.makefile("rb") as file:
            line = file.readline().decode().strip()
            if not line:
                raise ConnectionResetError("hung up without a request")
            headers = {}
            while (header := file.readline().decode().strip()) != "":
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            seen = Seen(line, headers, file.read(int(headers.get("content-length", 0))))
        self.seen.append(seen)
        return seen

    def reply(self, connection):
        self.read(connection)
        connection.sendall(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def drip(self, connection, data: bytes, pause: float = 0.05):
        for byte in data:
            if self.over.wait(pause):
                return
            connection.sendall(bytes([byte]))

    @staticmethod
    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def http_answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def answer():
    return http_answer


@pytest.fixture
def receiver():
    """Make receivers; all are closed, and their threads have ended, after the test."""
    with ExitStack() as stack:

        def make(*answers: bytes, behave=None) -> Receiver:
            made = Receiver(behave, list(answers) or [http_answer(200)])
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def client():
    """A client that may call the given receivers, and nothing else inside."""

    def make(*receivers: Receiver, deadline: float = 5.0, **more):
        return open_client(frozenset(("127.0.0.1", made.port) for made in receivers), deadline=deadline, **more)

    return make


@pytest.fixture
def draft():
    return Draft(
        work_item_id="0198c0de-0000-7000-8000-000000000001",
        kind="follow_up",
        title='Detractor (NPS 3): "Parcel came two weeks late and broken."',
        body="Why?\n> Parcel came two weeks late and broken.",
        priority="high",
        mandatory=True,
        tags=("delivery",),
        owner="ana",
        due_at=NOW,
        rule="detractor-follow-up",
        feedback_ids=("0198c0de-0000-7000-8000-000000000002",),
        source="store-survey",
        customer="c-77",
        url="https://heed.example.com/work-items/1",
        created_at=NOW,
    )


@pytest.fixture
def call():
    return Call(key="dlv_0198c0de", happened_at=NOW, now=NOW)
