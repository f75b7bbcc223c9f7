"""The edge of HTTP: what cannot be read, sizes, kinds, times, and the shape of every error."""

import json
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from builders import record
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from service.api.body import ORDINARY
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


def test_depth_64_and_an_escaped_backslash_are_read(house):
    deep = house.client().post(FEEDBACK, content=b"[" * 64 + b"]" * 64)
    is_problem(deep, 422, "invalid")
    sent = {**record(house.unique()), "context": {"path": "C:\\u0000", "emoji": "😀"}}
    assert house.client().post(FEEDBACK, content=json.dumps(sent)).status_code == 202


@pytest.mark.parametrize(
    "kind", [None, "application/json", "APPLICATION/JSON; charset=utf-8", "application/vnd.acme+json"]
)
def test_json_goes_by_several_names(house, kind):
    headers = {} if kind is None else {"content-type": kind}
    taken = house.client().post(FEEDBACK, content=json.dumps(record(house.unique())), headers=headers)
    assert taken.status_code == 202
    read = house.client().post("/v1/classify", content=b'{"texts": ["Fine."]}', headers=headers)
    assert read.status_code == 200, read.text


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
    with serve(Door(echo, ordinary=replace(ORDINARY, seconds=0.3))) as url:
        begun = time.monotonic()
        answer = told(url, b"POST /v1/ HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
        assert b" 408 " in answer.splitlines()[0]
        assert b"application/problem+json" in answer
        assert b'"type":"too-slow"' in answer
        assert time.monotonic() - begun < 3
        dripped = told(url, b"POST /v1/ HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
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


def test_a_good_answer_carries_the_headers_too(house):
    answer = house.client().get("/v1/feedback")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["content-type"] == "application/json"
