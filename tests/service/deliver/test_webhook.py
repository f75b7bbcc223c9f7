import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import standardwebhooks

from service import standard_webhooks
from service.deliver.catalog import open_destination
from service.deliver.destination import InvalidDestination, Notification, Receipt, Rejected, Told, TryLater
from service.deliver.http import open_client

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def opened(client, server, *secrets, **more):
    return open_destination("webhook", {"base_url": server.url}, secrets or [SECRET], client(server, **more))


def test_an_event_is_signed_json_that_the_reference_library_accepts(receiver, client, draft, call):
    server = receiver()
    now = datetime.now(call.now.tzinfo)
    opened(client, server).create(draft, replace(call, now=now))
    (seen,) = server.seen
    event = standardwebhooks.Webhook(SECRET).verify(seen.body, seen.headers)
    assert seen.line == "POST /hook HTTP/1.1"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["user-agent"].startswith("heed/")
    assert seen.headers["webhook-id"] == call.key
    assert (event["type"], event["timestamp"]) == ("work_item.created", "2026-11-20T10:00:00Z")
    assert event["data"] == {
        "id": draft.work_item_id,
        "kind": "follow_up",
        "status": "open",
        "title": draft.title,
        "body": draft.body,
        "priority": "high",
        "mandatory": True,
        "tags": ["delivery"],
        "owner": "ana",
        "due_at": "2026-11-20T10:00:00Z",
        "rule": "detractor-follow-up",
        "feedback_ids": list(draft.feedback_ids),
        "source": "store-survey",
        "customer": "c-77",
        "url": draft.url,
        "created_at": "2026-11-20T10:00:00Z",
    }


def test_an_update_a_comment_and_a_test(receiver, client, draft, call):
    server = receiver()
    webhook = opened(client, server)
    webhook.update(draft, "HD-1", call)
    webhook.comment(draft, None, "Customer wrote again.", call)
    webhook.test(call)
    events = [json.loads(seen.body) for seen in server.seen]
    assert [event["type"] for event in events] == ["work_item.updated", "work_item.commented", "ping"]
    assert events[0]["data"]["external_ref"] == "HD-1"
    assert events[1]["data"] == {"id": draft.work_item_id, "external_ref": None, "comment": "Customer wrote again."}


def test_a_person_is_told_all_at_once(receiver, client, draft, call):
    server = receiver()
    late = Told("escalated", "Nobody has taken this up in time", draft.work_item_id, draft.url, 2, draft.due_at)
    left = Told("owner_gone", "ana can no longer sign in", None, None, None, None)
    opened(client, server).notify(Notification("eva", (late, left)), call)
    (event,) = [json.loads(seen.body) for seen in server.seen]
    nothing = {"work_item_id": None, "url": None, "level": None, "due_at": None}
    assert event == {
        "type": "person.notified",
        "timestamp": "2026-11-20T10:00:00Z",
        "data": {
            "person": "eva",
            "notices": [
                {
                    "kind": "escalated",
                    "words": "Nobody has taken this up in time",
                    "work_item_id": draft.work_item_id,
                    "url": draft.url,
                    "level": 2,
                    "due_at": "2026-11-20T10:00:00Z",
                },
                {"kind": "owner_gone", "words": "ana can no longer sign in", **nothing},
            ],
        },
    }


def test_a_retry_is_the_same_message_signed_anew(receiver, client, draft, call):
    server = receiver()
    webhook = opened(client, server)
    webhook.create(draft, call)
    webhook.create(draft, replace(call, now=call.now + timedelta(minutes=5)))
    first, second = server.seen
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 300
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_while_rotating_either_secret_opens_it(receiver, client, draft, call):
    server = receiver()
    other = standard_webhooks.new_secret()
    opened(client, server, SECRET, other).create(draft, call)
    (seen,) = server.seen
    assert standard_webhooks.verify([SECRET], seen.headers, seen.body, call.now) == call.key
    assert standard_webhooks.verify([other], seen.headers, seen.body, call.now) == call.key


def test_words_of_any_kind_arrive(receiver, client, draft, call):
    server = receiver()
    words = 'żółć 😀 \u202e \ud800 </script> "'
    opened(client, server).create(replace(draft, body=words), call)
    assert json.loads(server.seen[0].body)["data"]["body"] == words


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (b'{"id": "HD-17", "url": "https://desk.example/17"}', Receipt("HD-17", "https://desk.example/17")),
        (b'{"id": "HD-17"}', Receipt("HD-17", None)),
        (b'{"id": 17, "url": ["x"]}', Receipt(None, None)),
        (b'{"id": "", "url": "javascript:alert(1)"}', Receipt(None, None)),
        (b'{"id": "a\\nb", "url": "https://a b"}', Receipt(None, None)),
        (b'{"id": "\\ud800"}', Receipt(None, None)),
        (b'{"id": "' + b"x" * 257 + b'"}', Receipt(None, None)),
        (b'{"url": "https://a/' + b"x" * 2001 + b'"}', Receipt(None, None)),
        (b'["HD-17"]', Receipt(None, None)),
        (b"OK", Receipt(None, None)),
        (b"\xff", Receipt(None, None)),
        (b"[" * 60_000, Receipt(None, None)),
        (b"9" * 60_000, Receipt(None, None)),
        (b'{"id": "' + b"x" * 100_000, Receipt(None, None)),
        (b"", Receipt(None, None)),
    ],
    ids=lambda value: ascii(value)[:40],
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_the_receipt(receiver, client, answer, draft, call, status, body, receipt):
    server = receiver(answer(status, body))
    assert opened(client, server).create(draft, call) == receipt


@pytest.mark.parametrize("status", [400, 404, 405, 413, 422, 300, 301, 304, 308])
def test_a_refusal_is_final(receiver, client, answer, draft, call, status):
    server = receiver(answer(status, b"" if status == 304 else b"no such field"))
    with pytest.raises(Rejected, match=f"answered {status}") as error:
        opened(client, server).create(draft, call)
    assert not error.value.disable


def test_gone_disables_the_destination(receiver, client, answer, draft, call):
    server = receiver(answer(410))
    with pytest.raises(Rejected, match=r"answered 410$") as error:
        opened(client, server).create(draft, call)
    assert error.value.disable


@pytest.mark.parametrize("status", [401, 403, 408, 409, 425, 429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize(("wish", "after"), [("30", timedelta(seconds=30)), ("-1", None)])
def test_trouble_is_tried_again(receiver, client, answer, draft, call, status, wish, after):
    server = receiver(answer(status, b"busy", Retry_After=wish))
    with pytest.raises(TryLater, match=f"answered {status}: busy") as error:
        opened(client, server).create(draft, call)
    assert error.value.after == after


def test_no_answer_is_tried_again(receiver, client, draft, call):
    server = receiver(behave=lambda _: server.over.wait(10))
    with pytest.raises(TryLater, match="the deadline passed") as error:
        opened(client, server, deadline=0.3).create(draft, call)
    assert error.value.after is None


def test_an_answer_that_echoes_the_request_does_not_reach_the_log(receiver, client, answer, draft, call):
    server = receiver(answer(400, f"{SECRET} from ana@example.com \x1b[2J".encode()))
    webhook = opened(client, server)
    with pytest.raises(Rejected) as error:
        webhook.create(draft, call)
    assert str(error.value) == "answered 400: [redacted] from [address] ⟦U+001B⟧[2J"
    assert SECRET not in repr(webhook)


def test_a_permission_withdrawn_later_ends_the_delivery(receiver, client, draft, call):
    server = receiver()
    webhook = replace(opened(client, server), http=open_client())
    with pytest.raises(Rejected, match="HEED_ALLOW_TARGETS"):
        webhook.create(draft, call)
    assert server.connections == 0


@pytest.mark.parametrize(
    ("settings", "secrets", "pointers"),
    [
        ({}, [SECRET], ["/settings/base_url"]),
        ({"base_url": 7}, [SECRET], ["/settings/base_url"]),
        ({"base_url": ""}, [SECRET], ["/settings/base_url"]),
        ({"base_url": "http://example.com/"}, [SECRET], ["/settings/base_url"]),
        ({"base_url": "https://127.0.0.1/"}, [SECRET], ["/settings/base_url"]),
        ({"base_url": "https://example.com/" + "a" * 2048}, [SECRET], ["/settings/base_url"]),
        ({"base_url": "https://example.com/", "to/ken~": "x"}, [SECRET], ["/settings/to~1ken~0"]),
        ({"base_url": "https://example.com/"}, [], ["/secrets"]),
        ({"base_url": "https://example.com/"}, [SECRET, "hunter2"], ["/secrets/1"]),
        ({"base_url": "http://example.com/"}, ["hunter2"], ["/settings/base_url", "/secrets/0"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_without_its_value(settings, secrets, pointers):
    with pytest.raises(InvalidDestination) as error:
        open_destination("webhook", settings, secrets, open_client())
    assert [problem.pointer for problem in error.value.problems] == pointers
    assert "hunter2" not in str(error.value)
