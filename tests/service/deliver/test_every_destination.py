"""The exam that every destination of the catalog sits. A new kind needs a line in `BENCHES`, or the exam fails."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from service.deliver.catalog import DESTINATIONS, check_settings, new_secret, open_destination
from service.deliver.destination import InvalidDestination, Notification, Receipt, Rejected, Told, TryLater

TOLD = Notification("eva", (Told("escalated", "Nobody has taken this up in time: Ticket", None, None, 1, None),))
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

# How each kind is set up against a server on loopback: settings and secrets.
BENCHES: dict[str, Callable[[str], tuple[dict[str, object], list[str]]]] = {
    "webhook": lambda url: ({"base_url": url}, [SECRET]),
}


@pytest.fixture(params=sorted(DESTINATIONS))
def kind(request):
    return request.param


@pytest.fixture
def bench(kind, client):
    def open_against(server, **more):
        settings, secrets = BENCHES[kind](server.url)
        return open_destination(kind, settings, secrets, client(server, **more))

    return open_against


def operations(destination, draft, call):
    return [
        lambda: destination.create(draft, call),
        lambda: destination.update(draft, "X-1", call),
        lambda: destination.comment(draft, "X-1", "A remark.", call),
        lambda: destination.notify(TOLD, call),
        lambda: destination.test(call),
    ]


def test_opening_calls_nobody(receiver, bench):
    server = receiver()
    bench(server)
    assert server.connections == 0


def test_creating_gives_a_receipt(receiver, bench, answer, draft, call):
    server = receiver(answer(201, b'{"id": "X-1", "url": "https://desk.example/1"}'))
    assert bench(server).create(draft, call) == Receipt("X-1", "https://desk.example/1")


def test_a_retry_carries_the_same_key(receiver, bench, answer, draft, call):
    server = receiver(answer(503), answer(201, b"{}"))
    destination = bench(server)
    with pytest.raises(TryLater):
        destination.create(draft, call)
    destination.create(draft, call)
    if destination.idempotent:
        assert [call.key in seen.headers.values() or call.key.encode() in seen.body for seen in server.seen] == [
            True
        ] * 2


def test_one_call_is_one_attempt(receiver, bench, answer, draft, call):
    server = receiver(answer(503, Retry_After="30"))
    for number, operation in enumerate(operations(bench(server), draft, call), start=1):
        with pytest.raises(TryLater) as error:
            operation()
        assert error.value.after == timedelta(seconds=30)
        assert server.connections == number


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_is_final_and_holds_no_secret(receiver, bench, kind, answer, draft, call, status):
    server = receiver()
    _, secrets = BENCHES[kind](server.url)
    server.answers = [answer(status, " ".join(secrets).encode())]
    for operation in operations(bench(server), draft, call):
        with pytest.raises(Rejected) as error:
            operation()
        assert not any(secret in str(error.value) for secret in secrets)


def test_a_redirect_is_final_and_not_followed(receiver, bench, answer, draft, call):
    target = receiver()
    server = receiver(answer(307, Location=target.url))
    for operation in operations(bench(server), draft, call):
        with pytest.raises(Rejected):
            operation()
    assert target.connections == 0


def test_a_connection_that_breaks_after_the_effect_is_tried_again(receiver, bench, draft, call):
    def behave(connection):
        server.read(connection)
        server.reset(connection)

    server = receiver(behave=behave)
    for operation in operations(bench(server), draft, call):
        with pytest.raises(TryLater):
            operation()


def test_silence_ends_with_the_deadline(receiver, bench, draft, call):
    server = receiver(behave=lambda _: server.over.wait(10))
    for operation in operations(bench(server, deadline=0.2), draft, call):
        with pytest.raises(TryLater):
            operation()


def test_unknown_settings_are_refused_by_name(receiver, kind, client):
    server = receiver()
    settings, secrets = BENCHES[kind](server.url)
    with pytest.raises(InvalidDestination) as error:
        check_settings(kind, {**settings, "colour": "red"}, secrets, client(server))
    assert [problem.pointer for problem in error.value.problems] == ["/settings/colour"]


def test_the_address_is_checked(receiver, kind, client):
    server = receiver()
    settings, secrets = BENCHES[kind](server.url)
    with pytest.raises(InvalidDestination) as error:
        check_settings(kind, settings, secrets, client())
    assert [problem.pointer for problem in error.value.problems] == ["/settings/base_url"]


def test_a_secret_of_our_making_is_good_enough(receiver, kind, client):
    server = receiver()
    settings, _ = BENCHES[kind](server.url)
    secret = new_secret(kind)
    if secret is not None:
        check_settings(kind, settings, [secret], client(server))


def test_an_unknown_kind_names_the_known_ones(client):
    for attempt in (lambda: new_secret("fax"), lambda: open_destination("fax", {}, [], client())):
        with pytest.raises(InvalidDestination, match=r"/kind: .* known kinds: .*webhook"):
            attempt()
