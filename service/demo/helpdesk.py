"""A help desk to try heed with: it takes signed webhooks on loopback, remembers tickets and shows them."""

import html
import json
import threading
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from service.deliver.plain_text import visible
from service.standard_webhooks import WebhookError, verify

HOST = "127.0.0.1"
LARGEST_REQUEST = 1024 * 1024

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Ticket:
    """What the help desk knows of one work item."""

    id: str
    webhook_id: str
    work_item: str
    title: str
    body: str
    priority: str
    comments: tuple[str, ...] = ()
    repeats: int = 0  # how often its creation was sent again


class HelpDesk:
    """A server in a thread, from `with` to its end. `secret` is the `whsec_` secret its messages are signed with.

    Raises OSError on entering when the port is taken; port 0 takes any free one.
    """

    def __init__(self, secret: str, port: int = 0) -> None:
        self.secret = secret
        self._port = port
        self._lock = threading.Lock()
        self._tickets: dict[str, Ticket] = {}  # by work item
        self._seen: dict[str, str] = {}  # webhook-id to work item

    def __enter__(self) -> Self:
        self._server = _Server((HOST, self._port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, name="helpdesk", daemon=True)
        self._thread.start()
        return self

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
        """Act on one message; the same `webhook-id` again changes nothing but the count. None: nothing to act on."""
        item = str(data.get("id", ""))
        with self._lock:
            known = self._tickets.get(item)
            if webhook_id in self._seen:
                return self._repeated(self._seen[webhook_id], webhook_id)
            title, body, priority = (str(data.get(name, "")) for name in ("title", "body", "priority"))
            if event == "work_item.created" and known is None:
                ticket = Ticket(f"HD-{len(self._tickets) + 1}", webhook_id, item, title, body, priority)
            elif event in {"work_item.created", "work_item.updated"} and known:
                ticket = replace(known, title=title, body=body, priority=priority)
            elif event == "work_item.commented" and known:
                ticket = replace(known, comments=(*known.comments, str(data.get("comment", ""))))
            else:
                return None
            self._seen[webhook_id] = item
            self._tickets[item] = ticket
            return ticket

    def _repeated(self, item: str, webhook_id: str) -> Ticket:
        ticket = self._tickets[item]
        if ticket.webhook_id == webhook_id:
            ticket = self._tickets[item] = replace(ticket, repeats=ticket.repeats + 1)
        return ticket


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
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", _page(desk.tickets))
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
            ticket = desk.receive(webhook_id, event, data)
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


def _page(tickets: list[Ticket]) -> str:
    items = "\n".join(_shown(ticket) for ticket in reversed(tickets)) or "<p>No ticket so far.</p>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Demo help desk</title></head>\n'
        f"<body><h1>Demo help desk</h1>\n<p>Tickets: {len(tickets)}</p>\n{items}\n</body></html>\n"
    )


def _shown(ticket: Ticket) -> str:
    def safe(text: str) -> str:
        return f"<bdi>{html.escape(visible(text))}</bdi>"

    comments = "".join(f"<li>{safe(comment)}</li>" for comment in ticket.comments)
    return (
        f'<article id="{html.escape(ticket.id)}"><h2>{html.escape(ticket.id)}: {safe(ticket.title)}</h2>\n'
        f"<p>Priority: {safe(ticket.priority)}. Sent again: {ticket.repeats}.</p>\n"
        f"<pre>{safe(ticket.body)}</pre><ul>{comments}</ul></article>"
    )
