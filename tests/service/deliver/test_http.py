import gzip
import ipaddress
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deliver.http import LARGEST_BODY, Answer, open_client
from service.deliver.wire import Blocked, TimedOut, Unreachable

NOW = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


def post(client, url, content=b"{}", **headers):
    return client.send("POST", url, headers, content)


def resolving(*addresses):
    return lambda *_: [ipaddress.ip_address(address) for address in addresses]


# What an ordinary call looks like


def test_a_call_and_its_answer(receiver, client, answer):
    server = receiver(answer(201, b'{"id": "1"}', X_Thing="Yes"))
    got = post(client(server), server.url, b"body", **{"X-Mine": "v"})
    assert (got.status, got.body, got.truncated, got.headers["x-thing"]) == (201, b'{"id": "1"}', False, "Yes")
    assert 0 < got.elapsed < 5
    (seen,) = server.seen
    assert (seen.line, seen.body, seen.headers["x-mine"]) == ("POST /hook HTTP/1.1", b"body", "v")
    assert seen.headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_its_target_never_visited(receiver, client, answer, status):
    target = receiver()
    server = receiver(answer(status, Location=target.url))
    assert post(client(server, target), server.url).status == status
    assert target.connections == 0


def test_proxies_of_the_environment_are_not_used(receiver, client, monkeypatch):
    server, proxy = receiver(), receiver()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    assert post(client(server, proxy), server.url).status == 200
    assert proxy.connections == 0


def test_a_cookie_is_not_kept(receiver, client, answer):
    server = receiver(answer(200, Set_Cookie="a=b"))
    once = client(server)
    post(once, server.url)
    post(once, server.url)
    assert "cookie" not in server.seen[1].headers


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\x00", "ü€"])
def test_a_header_that_cannot_be_written_is_permanent_and_not_shown(receiver, client, value):
    server = receiver()
    with pytest.raises(Blocked) as error:
        post(client(server), server.url, **{"X-Token": "s3cret" + value})
    assert "s3cret" not in str(error.value)
    assert server.seen == []


# Where a call may go

REFUSED = [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "//example.com/",
    "example.com",
    "",
    "https://",
    "https:///path",
    "https://exa mple.com/",
    "https://example.com:99999/",
    "https://example.com:22/",
    "https://example.com:80/",
    "https://[::1/",
    "https://user:pass@example.com/",
    "https://user@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com\\@127.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost:8443/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127。0。0。1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://%31%32%37.0.0.1/",
    "https://０.０.０.０/",
    "https://0/",
    "https://10.1.2.3/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://192.168.0.1:8443/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[fe80::1%25eth0]/",
    "https://[fd00::1]/",
    "https://example.com\n.evil/",
    "https://\u202eexample.com/",
]


@pytest.mark.parametrize("url", REFUSED, ids=ascii)
def test_an_address_that_may_not_be_called_is_refused_without_asking_the_network(url):
    asked = []
    client = open_client(resolve=lambda *target: asked.append(target) or [])
    with pytest.raises(Blocked):
        client.check(url)
    with pytest.raises(Blocked):
        post(client, url)
    assert asked == []


@pytest.mark.parametrize(
    "url", ["https://example.com/a?b=c", "https://example.com:8443/", "https://8.8.8.8/", "HTTPS://Bücher.example/"]
)
def test_an_address_that_may_be_called(url):
    open_client().check(url)


def test_a_permission_holds_for_its_host_and_port_alone():
    client = open_client(frozenset({("127.0.0.1", 8081), ("::1", 9000), ("crm.internal", 80)}))
    for url in ("http://127.0.0.1:8081/", "https://127.0.0.1:8081/", "http://[0:0::1]:9000/", "http://CRM.internal/"):
        client.check(url)
    for url in (
        "http://127.0.0.1:8082/",
        "http://localhost:8081/",
        "http://2130706433:8081/",
        "https://crm.internal:22/",
        "http://u@127.0.0.1:8081/",
    ):
        with pytest.raises(Blocked):
            client.check(url)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::a00:1"],
        ["2002:a00:1::"],
        ["8.8.8.8", "127.0.0.1"],
        ["2606:4700::1", "fe80::1"],
    ],
)
def test_a_name_with_one_address_inside_is_refused_when_it_is_called(addresses):
    client = open_client(resolve=resolving(*addresses), deadline=5)
    client.check("https://rebound.example/")
    with pytest.raises(Blocked, match=r"rebound\.example:443 is not on the public internet"):
        post(client, "https://rebound.example/")


def test_a_permission_does_not_cover_another_name_on_its_port():
    client = open_client(frozenset({("crm.internal", 8443)}), resolve=resolving("127.0.0.1"))
    with pytest.raises(Blocked):
        post(client, "https://other.example:8443/")


def test_a_name_is_looked_up_once_and_the_checked_address_is_the_one_called(receiver):
    server = receiver()
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    def rebinding(*_):
        return [ipaddress.ip_address(address) for address in answers.pop(0)]

    client = open_client(frozenset({("crm.internal", server.port)}), resolve=rebinding)
    assert post(client, f"http://crm.internal:{server.port}/").status == 200
    assert answers == [["127.0.0.2"]]
    assert server.seen[0].headers["host"] == f"crm.internal:{server.port}"


def test_a_dead_address_gives_way_to_the_next(receiver):
    server = receiver()
    client = open_client(frozenset({("crm.internal", server.port)}), resolve=resolving("127.0.0.2", "127.0.0.1"))
    assert post(client, f"http://crm.internal:{server.port}/").status == 200


# What can go wrong on the way


def test_nobody_listens(receiver, client):
    server = receiver()
    server.close()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{server.port}"):
        post(client(server), server.url)


@pytest.mark.parametrize("error", [OSError("no such host"), UnicodeError("label too long")])
def test_a_name_without_address(error):
    def resolve(host, port):
        raise error

    with pytest.raises(Unreachable, match="does not resolve"):
        post(open_client(resolve=resolve), "https://nowhere.example/")


def test_a_slow_look_up_ends_with_the_deadline(receiver):
    server = receiver()
    client = open_client(resolve=lambda *_: [server.over.wait(10)], deadline=0.3)
    start = time.monotonic()
    with pytest.raises(TimedOut, match="not resolved"):
        post(client, "https://slow.example/")
    assert time.monotonic() - start < 2


def drip_headers(server, connection):
    server.read(connection)
    server.drip(connection, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 400)


def drip_body(server, connection):
    server.read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
    server.drip(connection, b"a" * 400)


def drip_chunks(server, connection):
    server.read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    server.drip(connection, b"1\r\na\r\n" * 100)


def go_on(server, connection):
    server.read(connection)
    while not server.over.wait(0.01):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def black_hole(server, connection):
    server.over.wait(10)


def slow_reader(server, connection):
    while not server.over.wait(0.02) and connection.recv(65536):
        pass


@pytest.mark.parametrize("behave", [drip_headers, drip_body, drip_chunks, go_on, black_hole, slow_reader])
def test_every_way_of_being_slow_ends_with_the_deadline(receiver, client, behave):
    server = receiver(behave=lambda connection: behave(server, connection))
    start = time.monotonic()
    with pytest.raises(TimedOut, match="the deadline passed"):
        post(client(server, deadline=0.5), server.url, b"x" * (20_000_000 if behave is slow_reader else 10))
    assert 0.4 < time.monotonic() - start < 2


def test_a_tls_handshake_that_stands_still_ends_with_the_deadline(receiver, client):
    server = receiver(behave=lambda connection: black_hole(server, connection))
    start = time.monotonic()
    with pytest.raises(TimedOut, match="the deadline passed"):
        post(client(server, deadline=0.5), server.url.replace("http", "https"))
    assert 0.4 < time.monotonic() - start < 2


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
    ],
    ids=["nothing", "half a head", "half a body", "no chunk", "no HTTP", "endless head"],
)
@pytest.mark.parametrize("reset", [True, False])
def test_an_answer_that_breaks_off_is_of_unknown_fate(receiver, client, said, reset):
    def behave(connection):
        server.read(connection)
        connection.sendall(said)
        if reset:
            server.reset(connection)

    server = receiver(behave=behave)
    with pytest.raises(Unreachable) as error:
        post(client(server), server.url + "?token=s3cret")
    assert error.type is Unreachable
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked", b"Connection: close"]
)
def test_a_huge_answer_is_read_up_to_64_kb(receiver, client, framing):
    sent = 0

    def behave(connection):
        nonlocal sent
        server.read(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        block = b"a" * 65536
        chunk = b"10000\r\n" + block + b"\r\n" if b"chunked" in framing else block
        while sent < 10**9:
            connection.sendall(chunk)
            sent += len(block)

    server = receiver(behave=behave)
    got = post(client(server), server.url)
    server.close()
    assert (got.status, len(got.body), got.truncated) == (200, LARGEST_BODY, True)
    assert sent < 50_000_000  # what the socket buffers took, before the connection was closed


def test_a_compressed_answer_is_not_asked_for_and_not_unpacked(receiver, client, answer):
    bomb = gzip.compress(b"\0" * 20_000_000)
    server = receiver(answer(200, bomb, Content_Encoding="gzip"))
    assert post(client(server), server.url).body == bomb
    assert server.seen[0].headers["accept-encoding"] == "identity"


# How long the other side asks us to wait


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("30", timedelta(seconds=30)),
        (" 30 ", timedelta(seconds=30)),
        ("86400", timedelta(hours=24)),
        ("86401", timedelta(hours=24)),
        ("1000000000000", timedelta(hours=24)),
        ("9" * 6000, timedelta(hours=24)),
        ("0", None),
        ("-1", None),
        ("1e12", None),
        ("1.5", None),
        ("٣٠", None),
        ("", None),
        ("soon", None),
        ("Fri, 20 Nov 2026 10:00:30 GMT", timedelta(seconds=30)),
        ("Fri, 20 Nov 2026 10:00:30 -0000", timedelta(seconds=30)),
        ("Friday, 20-Nov-26 10:01:00 GMT", timedelta(minutes=1)),
        ("Fri, 20 Nov 2026 09:59:59 GMT", None),
        ("Fri, 20 Nov 2099 10:00:00 GMT", timedelta(hours=24)),
        ("Fri, 99 Nov 2026 10:00:00 GMT", None),
        ("Fri, 20 Nov 2026 10:00:00 +9999", None),
    ],
)
def test_retry_after(text, wait):
    assert Answer(503, {"retry-after": text}, b"", truncated=False, elapsed=0).retry_after(NOW) == wait


@given(st.text())
def test_no_retry_after_breaks_us(text):
    wait = Answer(503, {"retry-after": text}, b"", truncated=False, elapsed=0).retry_after(NOW)
    assert wait is None or timedelta(0) < wait <= timedelta(hours=24)


def test_no_retry_after():
    assert Answer(503, {}, b"", truncated=False, elapsed=0).retry_after(NOW) is None
