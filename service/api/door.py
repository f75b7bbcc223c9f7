"""The door every request comes through: a request id, a body bounded in bytes and time, headers, a line in the log."""

import asyncio
import time
from collections.abc import Sequence
from http import HTTPMethod

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import Problem, mistake
from service.telemetry import DURATION, REQUESTS, new_request_id, request_id

log = structlog.get_logger(__name__)

_HEADERS: Sequence[tuple[str, str]] = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
)


class Door:
    """ASGI middleware, outermost. A body is read whole before the application sees the request."""

    def __init__(self, app: ASGIApp, *, most_bytes: int = 10_000_000, seconds: float = 10) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._seconds = seconds

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
            body = await self._body(scope["method"], headers, receive)
            await self._app(scope, _replay(body, receive), marked)
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

    async def _body(self, method: str, headers: Headers, receive: Receive) -> bytes:
        if method in {"GET", "HEAD", "OPTIONS"}:
            return b""
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(415, "Send the body as it is, without a Content-Encoding.")
        too_large = Problem(413, f"A body has at most {self._most_bytes:,} bytes: send fewer records at a time.")
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared[:19]) > self._most_bytes:
            raise too_large
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Problem(400, "The connection ended before the body did.")
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > self._most_bytes:
                        raise too_large
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError as error:
            detail = f"The body took longer than {self._seconds:g} seconds to arrive."
            raise Problem(408, detail, headers={"Connection": "close"}) from error  # or the socket would wait on


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
