"""The wire under `http.py`: connections that go only to checked addresses and end with the call's deadline."""

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import httpcore

from service.deliver.addresses import Address, Target, all_public, normal_host

DNS_LIMIT = 5.0  # seconds

Resolver = Callable[[str, int], Sequence[Address]]


class CallFailed(Exception):
    """Base of what can go wrong; its text names host and port, never a path or a header.

    CallFailed
      Blocked         this will never be sent
      Unreachable     no whole answer came; whether the other side acted is unknown
        TimedOut      because the deadline passed
    """


class Blocked(CallFailed):
    """The address may not be called, or the request cannot be written: permanent."""


class Unreachable(CallFailed):
    """No whole answer came; try later, with the same idempotency key."""


class TimedOut(Unreachable):
    """The deadline passed."""


def system_resolver(host: str, port: int) -> Sequence[Address]:
    """Every address the operating system knows for a host; raises OSError when there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))


class _Stream(httpcore.NetworkStream):
    """A connection whose every operation is given what is left of the call's time."""

    def __init__(self, inner: httpcore.NetworkStream, ends: float) -> None:
        self._inner = inner
        self._ends = ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline is the timeout
        return self._inner.read(max_bytes, timeout=_left(self._ends))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline is the timeout
        # Not the inner `write`: it starts its timeout anew for each piece a slow reader takes.
        wire: socket.socket = self._inner.get_extra_info("socket")
        try:
            while buffer:
                wire.settimeout(_left(self._ends))
                buffer = buffer[wire.send(buffer) :]
        except TimeoutError as error:
            raise httpcore.WriteTimeout from error
        except OSError as error:
            raise httpcore.WriteError from error

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline is the timeout
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout=_left(self._ends)), self._ends)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    """Looks a name up once, checks every address it has, and connects to what was checked."""

    def __init__(self, allow: frozenset[Target], resolve: Resolver, ends: float) -> None:
        self._allow = allow
        self._resolve = resolve
        self._ends = ends

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline is the timeout
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        found = _look_up(self._resolve, host, port, min(DNS_LIMIT, _left(self._ends)))
        if (normal_host(host), port) not in self._allow and not all_public(found):
            raise inside(host, port)
        plain = httpcore.SyncBackend()
        for behind, address in zip(range(len(found), 0, -1), found, strict=True):
            share = _left(self._ends) / behind
            try:
                stream = plain.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if behind == 1:
                    raise
                continue
            return _Stream(stream, self._ends)
        raise Unreachable(f"{host}:{port} has no address")


def inside(host: str, port: int) -> Blocked:
    """The refusal of a target that is not public."""
    return Blocked(f"{host}:{port} is not on the public internet; an operator can allow it in HEED_ALLOW_TARGETS")


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimedOut("the deadline passed")
    return left


def _look_up(resolve: Resolver, host: str, port: int, limit: float) -> Sequence[Address]:
    """Ask in a thread: the system's resolver knows no deadline, and a slow one must not hold the attempt."""
    answers: queue.SimpleQueue[Sequence[Address] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="heed-dns", daemon=True).start()
    try:
        answer = answers.get(timeout=limit)
    except queue.Empty:
        raise TimedOut(f"{host} was not resolved within {limit:.0f} seconds") from None
    if isinstance(answer, Exception):
        raise Unreachable(f"{host} does not resolve") from answer
    return answer
