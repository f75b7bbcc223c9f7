"""The edge of HTTP: what cannot be read, sizes, kinds, times, and the shape of every error."""

import gzip
import json
import re
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from builders import record
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from service.api.door import Door
from service.app import create_app

FEEDBACK = "/v1/feedback"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["x-request-id"])
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (kind, status)
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert problem["title"]
    assert problem["detail"]
    return problem


GOOD = json.dumps(record())
UNREADABLE = {
    "empty": b"",
    "blank": b"  \n",
    "NaN": b'{"scores": {"nps": NaN}}',
    "Infinity": b'{"scores": {"nps": Infinity}}',
    "-Infinity": b"[-Infinity]",
    "double key": b'{"source": "a", "source": "b"}',
    "double key inside": b'{"context": {"a": 1, "\\u0061": 2}}',
    "bad UTF-8": b'{"source": "\xff"}',
    "Latin-1": '{"source": "é"}'.encode("latin-1"),
    "UTF-16": GOOD.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "depth 65": b"[" * 65 + b"]" * 65,
    "depth 65 of objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "depth 100,000": b"[" * 100_000 + b"]" * 100_000,
    "depth 100,000, open": b'{"a":' * 100_000,
    "truncated": GOOD[:-5].encode(),
    "two values": b"{} {}",
    "trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "comment": b"{} // why",
    "raw control character": b'{"source": "a\x01"}',
    "raw NUL": b'{"source": "a\x00"}',
    "5,000 digits": b'{"scores": {"nps": ' + b"9" * 5_000 + b"}}",
    "1e400": b'{"scores": {"csat": 1e400}}',
    "-1e400": b"-1e400",
    "a million names": ("{" + ",".join(f'"{n:x}":1' for n in range(700_000)) + "}").encode(),
    "a form": b"source=a&external_id=1",
}


@pytest.mark.parametrize("path", [FEEDBACK, "/v1/classify"])
@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_400(house, path, raw):
    answer = house.client().post(path, content=raw, headers={"content-type": "application/json"})
    is_problem(answer, 400, "not-parseable")


UNKEPT = {
    "NUL": (b'{"source": "a\\u0000b"}', "/source"),
    "half a pair": (b'{"verbatims": [{"text": "a\\ud800"}]}', "/verbatims/0/text"),
    "the other half": (b'[{"context": {"a/b": "\\uDFFF"}}]', "/0/context/a~1b"),
    "a pair in the wrong order": (b'{"texts": ["\\udc00\\ud800"]}', "/texts/0"),
    "in a name": (b'{"context": {"\\u0000": 1}}', "/context"),
    "half a pair in a name": (b'{"context": {"\\ud83d": 1}}', "/context"),
}


@pytest.mark.parametrize("path", [FEEDBACK, "/v1/classify"])
@pytest.mark.parametrize(("raw", "pointer"), UNKEPT.values(), ids=UNKEPT)
def test_what_no_database_can_keep_is_422(house, path, raw, pointer):
    problem = is_problem(house.client().post(path, content=raw), 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_depth_64_and_an_escaped_backslash_are_read(house):
    deep = house.client().post(FEEDBACK, content=b"[" * 64 + b"]" * 64)
    is_problem(deep, 422, "invalid")
    sent = {**record(house.unique()), "context": {"path": "C:\\u0000", "emoji": "😀"}}
    assert house.client().post(FEEDBACK, content=json.dumps(sent)).status_code == 202


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x", "text/json"]
)
@pytest.mark.parametrize("path", [FEEDBACK, "/v1/classify", "/v1/destinations"])
def test_other_kinds_of_body_are_415(house, path, kind):
    answer = house.client().post(path, content=b"{}", headers={"content-type": kind})
    is_problem(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    "kind", [None, "application/json", "APPLICATION/JSON; charset=utf-8", "application/vnd.acme+json"]
)
def test_json_goes_by_several_names(house, kind):
    headers = {} if kind is None else {"content-type": kind}
    taken = house.client().post(FEEDBACK, content=json.dumps(record(house.unique())), headers=headers)
    assert taken.status_code == 202
    read = house.client().post("/v1/classify", content=b'{"texts": ["Fine."]}', headers=headers)
    assert read.status_code == 200, read.text


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "GZIP"])
def test_a_content_encoding_is_415(house, encoding):
    body = gzip.compress(GOOD.encode())
    answer = house.client().post(FEEDBACK, content=body, headers={"content-encoding": encoding})
    is_problem(answer, 415, "unsupported-media-type")


def test_over_ten_megabytes_is_413_with_and_without_a_length(house):
    just = json.dumps(record(house.unique(), "x" * 99_000)).encode()
    padded = just + b" " * (10_000_000 - len(just))
    assert house.client().post(FEEDBACK, content=padded).status_code == 202

    def chunks() -> Iterator[bytes]:
        yield padded
        yield b" "

    is_problem(house.client().post(FEEDBACK, content=padded + b" "), 413, "too-large")
    is_problem(house.client().post(FEEDBACK, content=chunks()), 413, "too-large")


def test_a_huge_declared_length_is_refused_before_a_byte_is_read(house):
    head = f"POST {FEEDBACK} HTTP/1.1\r\nhost: x\r\ncontent-length: {10**12}\r\n\r\n"
    with connected(house.url) as line:
        line.sendall(head.encode())
        assert b" 413 " in line.recv(65_536).splitlines()[0]


def connected(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)


def told(url: str, raw: bytes) -> bytes:
    """What a raw socket is answered, until the other side closes."""
    with connected(url) as line:
        line.sendall(raw)
        answer = b""
        while part := line.recv(65_536):
            answer += part
        return answer


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await JSONResponse({"bytes": len(body)})(scope, receive, send)


def test_a_body_that_stops_half_way_is_408(serve):
    with serve(Door(echo, seconds=0.3)) as url:
        begun = time.monotonic()
        answer = told(url, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
        assert b" 408 " in answer.splitlines()[0]
        assert b"application/problem+json" in answer
        assert b'"type":"too-slow"' in answer
        assert time.monotonic() - begun < 3
        dripped = told(url, b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
        assert b" 408 " in dripped.splitlines()[0]
        assert httpx.post(url, content=b"whole", trust_env=False).json() == {"bytes": 5}


def test_a_sender_who_leaves_half_way_harms_nobody(house):
    for _ in range(5):
        with connected(house.url) as line:
            line.sendall(f"POST {FEEDBACK} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf".encode())
    assert house.client().get("/livez").status_code == 200


def test_a_bug_is_a_500_that_its_request_id_finds(house, serve, capsys):
    app = create_app(house.wiring)

    @app.get("/boom")
    def boom() -> None:
        raise ZeroDivisionError("Ada Lovelace, ada@example.com")

    with serve(app) as url:
        answer = httpx.get(f"{url}/boom", headers={"x-request-id": "find-me"}, trust_env=False)
    problem = is_problem(answer, 500, "internal")
    assert answer.headers["x-request-id"] == "find-me"
    assert "Ada" not in json.dumps(problem)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/", 404, "not-found"),
        ("GET", "/docs", 404, "not-found"),
        ("POST", "/v1/hooks/typeform", 404, "not-found"),
        ("PUT", "/v1/feedback", 405, "method-not-allowed"),
        ("DELETE", "/v1/classify", 405, "method-not-allowed"),
        ("BREW", "/v1/feedback", 405, "method-not-allowed"),
        ("GET", "/v1/feedback/0199a0f0-0000-7000-8000-000000000000", 404, "not-found"),
        ("GET", "/v1/feedback/not-an-id", 422, "invalid"),
        ("GET", "/v1/policies/99", 404, "not-found"),
        ("GET", "/v1/policies/0", 422, "invalid"),
        ("GET", f"/v1/policies/{2**70}", 422, "invalid"),
        ("GET", "/v1/policies/9999999999", 422, "invalid"),
        ("GET", "/v1/destinations/nobody", 404, "not-found"),
        ("GET", "/v1/destinations/%00", 422, "invalid"),
        ("GET", "/v1/destinations/%FF%FE", 404, "not-found"),
        ("GET", "/v1/feedback?source=%00", 422, "invalid"),
        ("GET", "/v1/feedback?label=topic:%00", 422, "invalid"),
        ("GET", "/v1/work-items?owner=%00", 422, "invalid"),
        ("GET", "/v1/work-items?owner=%ED%A0%80", 200, ""),
        ("GET", "/v1/destinations?cursor=%00", 422, "invalid"),
        ("GET", "/v1/deliveries?destination=%00", 422, "invalid"),
        ("GET", "/v1/feedback/..%2F..%2Fetc%2Fpasswd", 404, "not-found"),
    ],
)
def test_addresses(house, method, path, status, kind):
    answer = house.client().request(method, path)
    if status == 200:
        assert answer.status_code == 200
        return
    is_problem(answer, status, kind)
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize("offered", ["abc-123", "A.b_c", "x" * 64])
def test_a_harmless_request_id_comes_back(house, offered):
    assert house.client().get("/livez", headers={"x-request-id": offered}).headers["x-request-id"] == offered


@pytest.mark.parametrize("offered", ["x" * 65, "a b", "a\tb", '"><script>', "ana@example.com", "", "é"])
def test_any_other_request_id_is_replaced(house, offered):
    got = house.client().get("/livez", headers={"x-request-id": offered.encode()}).headers["x-request-id"]
    assert got != offered
    assert re.fullmatch(r"[0-9a-f-]{36}", got)


def test_a_good_answer_carries_the_headers_too(house):
    answer = house.client().get("/v1/feedback")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["content-type"] == "application/json"
