import http.client
import json
from datetime import UTC, datetime

import pytest

from service.deliver.catalog import open_destination
from service.deliver.destination import Call, Draft, TryLater
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
    with pytest.raises(TryLater, match="answered 401"):
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


def test_tickets_and_the_port_outlive_a_run(tmp_path):
    file = tmp_path / "helpdesk.json"
    with HelpDesk(SECRET, file=file) as first:
        webhook(first).create(draft(title="half \ud83d"), call("d-1"))
        webhook(first).comment(draft(), "HD-1", "Wrote again.", call("d-2"))
        kept, port = first.tickets, first.port
    with HelpDesk(SECRET, file=file) as second:
        assert (second.tickets, second.port, second.lost_port) == (kept, port, None)
        assert webhook(second).create(draft(), call("d-1")).external_ref == "HD-1"
        assert second.tickets[0].repeats == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_port_that_somebody_took_is_named(tmp_path):
    file = tmp_path / "helpdesk.json"
    with HelpDesk(SECRET, file=file) as first:
        file_of_first = file.read_bytes()
        with HelpDesk(SECRET, file=file) as second:
            assert second.lost_port == first.port
            assert second.port != first.port
            assert file.read_bytes() != file_of_first


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"port": 40000, "tickets": [{"id": "HD-1"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"port": 22}',
        b'{"port": 40000, "tickets": [{"id": 7}]}',
        b'{"port": 40000, "seen": {"d-1": "unknown"}}',
    ],
)
def test_a_file_no_desk_wrote_is_as_good_as_none(tmp_path, content):
    file = tmp_path / "helpdesk.json"
    file.write_bytes(content)
    with HelpDesk(SECRET, file=file) as desk:
        webhook(desk).create(draft(), call("d-1"))
        assert [ticket.id for ticket in desk.tickets] == ["HD-1"]


def test_the_page_counts_shows_the_newest_first_and_asks_for_its_own_style(desk):
    for number in (1, 2):
        webhook(desk).create(draft(f"w-{number}", f"Title {number}"), call(f"d-{number}"))
    _, headers, page = ask(desk, "GET", "/")
    assert "2 tickets, newest first" in page
    assert page.index("Title 2") < page.index("Title 1")
    assert "<ul>" not in page
    assert "style-src 'self'" in headers["Content-Security-Policy"]
    status, headers, style = ask(desk, "GET", "/style.css")
    assert (status, headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "pre-wrap" in style
