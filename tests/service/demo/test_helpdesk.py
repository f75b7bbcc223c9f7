import http.client
import json
from datetime import UTC, datetime

import pytest

from service.deliver.catalog import open_destination
from service.deliver.destination import Call, Draft, Rejected
from service.deliver.http import open_client
from service.demo.helpdesk import HelpDesk
from service.standard_webhooks import new_secret

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def desk():
    with HelpDesk(SECRET) as desk:
        yield desk


def webhook(desk, secret=SECRET):
    return open_destination(
        "webhook", {"base_url": desk.url}, [secret], open_client(frozenset({("127.0.0.1", desk.port)}))
    )


def draft(item="w-1", title="Late parcel", body="> Late."):
    return Draft(
        work_item_id=item,
        kind="ticket",
        title=title,
        body=body,
        priority="high",
        mandatory=False,
        tags=(),
        owner=None,
        due_at=None,
        rule="r",
        feedback_ids=(),
        source="s",
        customer=None,
        url=None,
        created_at=datetime.now(UTC),
    )


def call(key):
    now = datetime.now(UTC)
    return Call(key, now, now)


def ask(desk, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=10)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def test_a_work_item_becomes_a_ticket_once(desk):
    hook = webhook(desk)
    first = hook.create(draft(), call("d-1"))
    again = hook.create(draft(), call("d-1"))
    other = hook.create(draft("w-2"), call("d-2"))
    assert first == again
    assert (first.external_ref, first.external_url) == ("HD-1", f"{desk.url}#HD-1")
    assert other.external_ref == "HD-2"
    assert [(ticket.id, ticket.webhook_id, ticket.repeats) for ticket in desk.tickets] == [
        ("HD-1", "d-1", 1),
        ("HD-2", "d-2", 0),
    ]


def test_updates_and_comments_reach_their_ticket_once(desk):
    hook = webhook(desk)
    hook.test(call("d-0"))
    hook.create(draft(), call("d-1"))
    hook.update(draft(title="Late and broken"), "HD-1", call("d-2"))
    for _ in range(2):
        hook.comment(draft(), "HD-1", "Wrote again.", call("d-3"))
    (ticket,) = desk.tickets
    assert (ticket.title, ticket.comments, ticket.repeats) == ("Late and broken", ("Wrote again.",), 0)


def test_a_foreign_signature_is_refused(desk):
    with pytest.raises(Rejected, match="answered 401"):
        webhook(desk, new_secret()).create(draft(), call("d-1"))
    assert desk.tickets == []


def test_the_page_shows_hostile_words_as_words(desk):
    webhook(desk).create(draft(title="<script>alert(1)</script>", body="a\u202eb"), call("d-1"))
    status, headers, page = ask(desk, "GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>" not in page
    assert "<pre><bdi>a⟦RLO⟧b</bdi></pre>" in page


def test_the_tickets_as_json(desk):
    webhook(desk).create(draft(), call("d-1"))
    status, _, text = ask(desk, "GET", "/tickets")
    (ticket,) = json.loads(text)["items"]
    assert status == 200
    assert (ticket["id"], ticket["title"], ticket["repeats"]) == ("HD-1", "Late parcel", 0)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/other", None, {}, 404),
        ("POST", "/", b"{}", {}, 401),
        ("POST", "/", b"{}", {"webhook_id": "a", "webhook_timestamp": "x", "webhook_signature": "v1,é"}, 401),
        ("POST", "/", b"", {"Content_Length": "000000000999999999"}, 413),
        ("PUT", "/", b"{}", {}, 501),
    ],
)
def test_what_is_not_for_the_desk(desk, method, path, body, headers, status):
    assert ask(desk, method, path, body, **headers)[0] == status
    assert desk.tickets == []


def test_a_taken_port_is_an_error(desk):
    with pytest.raises(OSError, match="in use"), HelpDesk(SECRET, desk.port):
        pass
