"""The door every request comes through: a request id, a body bounded in bytes and time, headers, a line in the log."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPMethod

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.body import FILES, FORMS, ORDINARY, Bounds, Incoming
from service.api.problems import Problem, mistake
from service.api.room import Room
from service.telemetry import DURATION, REQUESTS, new_request_id, request_id

log = structlog.get_logger(__name__)

_HEADERS: Sequence[tuple[str, str]] = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
)


# Where a file is sent: the application reads the body as it comes, and nobody holds it.
_STREAMED = frozenset({("POST", "/v1/imports"), ("POST", "/imports")})
_ALWAYS = frozenset({"/livez", "/readyz", "/metrics"})  # whoever looks after an overloaded service needs its answer


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much one process takes on at once."""

    requests: int = 256
    files: int = 8
    held_bytes: int = 32_000_000  # read, they take ten times as much


CAPACITY = Capacity()


class Door:
    """ASGI middleware, outermost. A body is read whole before the application sees the request, but for files."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        ordinary: Bounds = ORDINARY,
        forms: Bounds = FORMS,
        files: Bounds = FILES,
        capacity: Capacity = CAPACITY,
    ) -> None:
        self._app = app
        self._ordinary = ordinary
        self._forms = forms
        self._streamed = dict.fromkeys(_STREAMED, files)
        self._requests = Room(capacity.requests, "heed has as many requests under way as it can carry.")
        self._files = Room(capacity.files, "heed is taking in as many files as it can carry.")
        self._bodies = Room(capacity.held_bytes, "heed holds as many bodies as it has room for.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        current = new_request_id(headers.get("x-request-id"))
        token = request_id.set(current)
        status = 500

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                outgoing = MutableHeaders(scope=message)
                outgoing["x-request-id"] = current
                for name, value in _HEADERS:
                    outgoing.setdefault(name, value)
            await send(message)

        try:
            _address(scope)
            await self._serve(scope, headers, receive, marked)
        except Problem as problem:
            await problem.response()(scope, receive, marked)
        except Exception as error:  # noqa: BLE001 (the last that can still answer, with a request id to find it by)
            await mistake(error).response()(scope, receive, marked)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in HTTPMethod.__members__ else "other"
            route = getattr(scope.get("route"), "path", "unmatched")
            REQUESTS.labels(method, route, str(status)).inc()
            DURATION.labels(method, route).observe(seconds)
            log.info("http.answered", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
            request_id.reset(token)

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if path in _ALWAYS or method in {"GET", "HEAD", "OPTIONS"}:
            with nullcontext() if path in _ALWAYS else self._requests.one():
                await self._app(scope, _replay(b"", receive), send)
            return
        program = path.startswith("/v1/")
        in_parts = headers.get("content-type", "").lower().startswith("multipart/")  # a form of any other kind is held
        streamed = self._streamed.get((method, path)) if program or in_parts else None
        usual = self._ordinary if program else self._forms  # forms are read by the event loop itself
        incoming = Incoming(receive, streamed or usual)
        incoming.check(headers)
        if streamed:
            with self._files.one():
                await self._app(scope, incoming.receive, send)
            return
        self._requests.check()  # before its body takes up room, but who sends slowly keeps nobody out
        with self._bodies.share() as hold:
            body = await incoming.whole(hold)
            with self._requests.one():
                await self._app(scope, _replay(body, receive), send)


def _address(scope: Scope) -> None:
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise Problem(422, "The address holds a NUL character (%00): remove it.")


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
