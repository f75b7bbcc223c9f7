"""Outbound HTTP: the one module over httpx. A deadline for the whole call, no redirects, a size cap, no way inside.

httpx names the request; httpcore, its engine, carries it, because httpx offers no place for a network backend.
Each call has its own connection, opened to an address that was checked and not looked up again.
"""

import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpcore
import httpx

from service.deliver.addresses import InvalidHost, Target, all_public, literal_address, normal_host
from service.deliver.wire import Backend, Blocked, Resolver, TimedOut, Unreachable, inside, system_resolver

DEADLINE = 15.0  # seconds; Standard Webhooks suggests 15 to 30
LARGEST_BODY = 64 * 1024  # bytes
LONGEST_WAIT = timedelta(hours=24)
PORTS = frozenset({443, 8443})


@dataclass(frozen=True)
class Answer:
    """What came back. Redirects are answers like any other: nobody follows them."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes  # as sent, never decompressed; at most 64 KB
    truncated: bool
    elapsed: float  # seconds

    def retry_after(self, now: datetime) -> timedelta | None:
        """How long the other side asks us to wait (RFC 9110 10.2.3), at most a day; None without a usable wish."""
        text = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]+", text):
            wait = timedelta(seconds=int(text)) if len(text) <= 6 else LONGEST_WAIT
        else:
            wait = (_date(text) or now) - now
        return min(wait, LONGEST_WAIT) if wait > timedelta(0) else None


@dataclass(frozen=True)
class Client:
    """Sends requests to public addresses and to the targets an operator allowed. Made by `open_client`."""

    allow: frozenset[Target]
    deadline: float
    resolve: Resolver
    tls: ssl.SSLContext

    def check(self, url: str) -> None:
        """Refuse an address that could never be called, without asking the network.

        Raises:
            Blocked: not https (http is for allowed targets), another port than 443 or 8443, a user name in the
                address, or a host that is visibly not public.
        """
        self._permitted(url)

    def send(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Make one call: look up, connect, write and read within one deadline.

        Raises:
            Blocked, TimedOut, Unreachable: see `wire.CallFailed`.
        """
        address, (host, port) = self._permitted(url)
        start = time.monotonic()
        backend = Backend(self.allow, self.resolve, start + self.deadline)
        with _told(f"{host}:{port}"):
            plain = {**headers, "Accept-Encoding": "identity", "Connection": "close"}
            request = httpx.Request(method, address, headers=plain, content=content)
            wire = httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=port, target=address.raw_path)
            with (
                httpcore.ConnectionPool(ssl_context=self.tls, network_backend=backend) as pool,
                pool.stream(method, wire, headers=request.headers.raw, content=content) as response,
            ):
                body = _read(response.iter_stream())
            return Answer(
                status=response.status,
                headers=dict(httpx.Headers(response.headers).items()),
                body=body[:LARGEST_BODY],
                truncated=len(body) > LARGEST_BODY,
                elapsed=time.monotonic() - start,
            )

    def _permitted(self, url: str) -> tuple[httpx.URL, Target]:
        try:
            address = httpx.URL(url)
            host = normal_host(address.raw_host.decode("ascii"))
        except (httpx.InvalidURL, InvalidHost, UnicodeError) as error:
            raise Blocked("this is not an address that can be called; write https://host/path") from error
        port = address.port or (80 if address.scheme == "http" else 443)
        if address.userinfo:
            raise Blocked("the address holds a user name or password; leave them out")
        if address.scheme in {"http", "https"} and (host, port) in self.allow:
            return address, (host, port)
        if address.scheme != "https":
            raise Blocked(f"only https is called; http needs {host}:{port} in HEED_ALLOW_TARGETS")
        if port not in PORTS:
            raise Blocked(f"port {port} is not called; use 443 or 8443, or allow {host}:{port} in HEED_ALLOW_TARGETS")
        literal = literal_address(host)
        if (literal and not all_public([literal])) or host == "localhost" or host.endswith(".localhost"):
            raise inside(host, port)
        return address, (host, port)


def open_client(
    allow: frozenset[Target] = frozenset(),
    *,
    deadline: float = DEADLINE,
    resolve: Resolver = system_resolver,
    tls: ssl.SSLContext | None = None,
) -> Client:
    """A client for one process; it may be shared between threads.

    Args:
        allow: targets that may be called although they are not public, from `addresses.parse_targets`.
        deadline: seconds for one whole call, the look-up included.
        resolve: who knows the addresses of a name.
        tls: which certificates are trusted; by default the public authorities. The environment (proxies,
            certificate files) is not read.
    """
    return Client(allow, deadline, resolve, tls or httpx.create_ssl_context(trust_env=False))


def _read(chunks: Iterator[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > LARGEST_BODY:
            break
    return bytes(body)


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Turn the engine's errors into ours."""
    try:
        yield
    except TimedOut as error:
        raise TimedOut(f"{where}: {error}") from error
    except httpcore.TimeoutException as error:
        raise TimedOut(f"{where}: the deadline passed") from error
    except (httpcore.LocalProtocolError, UnicodeEncodeError) as error:
        raise Blocked(f"{where}: a header of the request holds a character HTTP forbids") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unreachable(f"{where}: the connection failed ({type(error).__name__})") from error


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
