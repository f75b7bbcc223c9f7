"""A help desk to try heed with: it takes signed webhooks on loopback, remembers tickets and shows them."""

import json
import threading
from dataclasses import asdict, replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Self

from service.demo.page import page
from service.demo.tickets import Memory, Ticket, keep, recall
from service.standard_webhooks import WebhookError, verify

HOST = "127.0.0.1"
LARGEST_REQUEST = 1024 * 1024

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class HelpDesk:
    """A server in a thread, from `with` to its end. `secret` is the `whsec_` secret its messages are signed with.

    With a `file` it keeps its tickets there for the next run, and goes back to the port it had if that is free;
    a file that no desk wrote, or that was cut short, is as good as none. Without one it forgets everything.

    Raises OSError on entering when the port is taken or the file cannot be written; port 0 takes any free one.
    """

    def __init__(self, secret: str, port: int = 0, file: Path | None = None) -> None:
        self.secret = secret
        self.lost_port: int | None = None
        """The port of the last run, where somebody else has it now and old links lead nowhere."""
        self._port = port
        self._file = file
        self._lock = threading.Lock()
        self._tickets: dict[str, Ticket] = {}  # by work item
        self._seen: dict[str, str] = {}  # webhook-id to work item

    def __enter__(self) -> Self:
        memory = recall(self._file) if self._file else None
        if memory:
            self._tickets = {ticket.work_item: ticket for ticket in memory.tickets}
            self._seen = dict(memory.seen)
        self._server = self._open(memory)
        try:
            self._remember()
        except OSError:
            self._server.server_close()
            raise
        self._thread = threading.Thread(target=self._server.serve_forever, name="helpdesk", daemon=True)
        self._thread.start()
        return self

    def _open(self, memory: Memory | None) -> "_Server":
        if memory and not self._port:
            try:
                return _Server((HOST, memory.port), self)
            except OSError:
                self.lost_port = memory.port
        return _Server((HOST, self._port), self)

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where the page is, and where webhooks go."""
        return f"http://{HOST}:{self.port}/"

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def tickets(self) -> list[Ticket]:
        """All tickets so far, oldest first."""
        with self._lock:
            return list(self._tickets.values())

    def receive(self, webhook_id: str, event: str, data: dict[str, object]) -> Ticket | None:
        """Act on one message; the same `webhook-id` again changes nothing but the count. None: nothing to act on.

        Raises OSError when the file cannot be written; the message may then come again.
        """
        item = _text(data, "id")
        with self._lock:
            known = self._tickets.get(item)
            if webhook_id in self._seen:
                return self._repeated(self._seen[webhook_id], webhook_id)
            title, body, priority = (_text(data, name) for name in ("title", "body", "priority"))
            if event == "work_item.created" and known is None:
                ticket = Ticket(f"HD-{len(self._tickets) + 1}", webhook_id, item, title, body, priority)
            elif event in {"work_item.created", "work_item.updated"} and known:
                ticket = replace(known, title=title, body=body, priority=priority)
            elif event == "work_item.commented" and known:
                ticket = replace(known, comments=(*known.comments, _text(data, "comment")))
            else:
                return None
            self._seen[webhook_id] = item
            self._tickets[item] = ticket
            self._remember()
            return ticket

    def _repeated(self, item: str, webhook_id: str) -> Ticket:
        ticket = self._tickets[item]
        if ticket.webhook_id == webhook_id:
            ticket = self._tickets[item] = replace(ticket, repeats=ticket.repeats + 1)
        self._remember()
        return ticket

    def _remember(self) -> None:
        if self._file:
            keep(self._file, Memory(self.port, tuple(self._tickets.values()), self._seen))


def _text(data: dict[str, object], name: str) -> str:
    """A field as text that a file can hold: JSON may escape half a character."""
    return str(data.get(name, "")).encode("utf-8", "replace").decode()


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], desk: HelpDesk) -> None:
        super().__init__(address, _Handler)
        self.desk = desk

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 10
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the page shows what came."""

    def do_GET(self) -> None:
        desk = self.server.desk
        if self.path == "/":
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", page(desk.tickets))
        elif self.path == "/style.css":
            self._answer(
                HTTPStatus.OK, "text/css; charset=utf-8", files("service.demo").joinpath("style.css").read_text()
            )
        elif self.path == "/tickets":
            self._json(HTTPStatus.OK, {"items": [asdict(ticket) for ticket in desk.tickets]})
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": "only / and /tickets are here"})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 7 or int(length) > LARGEST_REQUEST:
            self._json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": "send at most 1 MB with its Content-Length"})
            return
        raw = self.rfile.read(int(length))
        desk = self.server.desk
        try:
            webhook_id = verify([desk.secret], dict(self.headers.items()), raw, datetime.now(UTC))
            message = json.loads(raw)
            event, data = message["type"], dict(message["data"])
        except WebhookError as error:
            self._json(HTTPStatus.UNAUTHORIZED, {"error": str(error)})
        except (ValueError, TypeError, KeyError, RecursionError):
            self._json(HTTPStatus.BAD_REQUEST, {"error": "the body is no event"})
        else:
            self._acted_on(webhook_id, event, data)

    def _acted_on(self, webhook_id: str, event: str, data: dict[str, object]) -> None:
        desk = self.server.desk
        try:
            ticket = desk.receive(webhook_id, event, data)
        except OSError as error:
            self._json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": f"the ticket cannot be kept: {error.strerror}"})
            return
        if ticket is None:
            self._json(HTTPStatus.OK, {})
        else:
            self._json(HTTPStatus.CREATED, {"id": ticket.id, "url": f"{desk.url}#{ticket.id}"})

    def _json(self, status: HTTPStatus, value: object) -> None:
        self._answer(status, "application/json", json.dumps(value))

    def _answer(self, status: HTTPStatus, content_type: str, text: str) -> None:
        raw = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": content_type, "Content-Length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
