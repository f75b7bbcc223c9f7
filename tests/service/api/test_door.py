"""The door under pressure: files that stream through, bodies beyond the room there is, senders who never finish."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn
from builders import record
from fastapi import FastAPI, Request
from starlette.types import ASGIApp

from service.api.body import FILES, FORMS, ORDINARY, Bounds
from service.api.connection import Connection
from service.api.door import CAPACITY, Door
from service.api.problems import install
from service.app import create_app
from service.ingest.group import GroupedIntake

Serve = Callable[[ASGIApp], AbstractContextManager[str]]


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def app(gate: threading.Event) -> FastAPI:
    """A little application that waits at `/wait` until the gate opens, and counts what is sent to it."""
    made = FastAPI()
    install(made)

    @made.post("/wait")
    def wait() -> str:
        assert gate.wait(20)
        return "in"

    @made.post("/v1/imports")
    async def take(request: Request) -> dict[str, int]:
        pieces = [len(piece) async for piece in request.stream()]
        return {"bytes": sum(pieces), "most": max(pieces)}

    @made.post("/imports")
    async def form(request: Request) -> dict[str, int]:
        async with request.form() as fields:
            return {"fields": len(fields)}

    @made.post("/v1/refuses")
    @made.post("/sign-in")
    @made.get("/livez")
    async def at_once() -> str:
        return "here"

    return made


@contextmanager
def fast(app: ASGIApp, patience: float = 0.3) -> Iterator[str]:
    """Serve with connections that lose their patience early."""
    hasty = type("Hasty", (Connection,), {"patience": patience})
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(512)
        config = uvicorn.Config(app, http=hasty, ws="none", log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def connected(url: str, sent: bytes = b"") -> socket.socket:
    line = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)
    line.sendall(sent)
    return line


def ended(line: socket.socket) -> bytes:
    """All that comes until the other side ends the connection."""
    answer = b""
    try:
        while part := line.recv(65_536):
            answer += part
    except ConnectionResetError:
        pass
    return answer


def chunked(pieces: int, size: int = 100_000) -> Iterator[bytes]:
    yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    for _ in range(pieces):
        yield b"x" * size


def post(url: str, content: bytes | Iterator[bytes] = b"", **headers: str) -> httpx.Response:
    return httpx.post(url, content=content, headers=headers, trust_env=False, timeout=20)


def is_problem(answer: httpx.Response, status: int, kind: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (status, kind), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_file_of_more_than_ten_megabytes_streams_through(serve: Serve, app: FastAPI) -> None:
    with serve(Door(app, capacity=replace(CAPACITY, held_bytes=1_000))) as url:
        taken = post(f"{url}/v1/imports", chunked(150)).json()
    assert taken["bytes"] > 15_000_000
    assert taken["most"] < 1_000_000  # never held


@pytest.mark.parametrize("path", ["/v1/imports", "/imports"])
def test_a_file_over_its_bound_is_413_with_and_without_a_length(serve: Serve, app: FastAPI, path: str) -> None:
    kind = {"content-type": "multipart/form-data; boundary=b"}
    with serve(Door(app, files=replace(FILES, most_bytes=250_000))) as url:
        is_problem(post(f"{url}{path}", chunked(3), **kind), 413, "too-large")
        is_problem(post(f"{url}{path}", b"x" * 250_001, **kind), 413, "too-large")


@pytest.mark.parametrize("path", ["/v1/imports", "/imports"])
def test_a_file_that_comes_too_slowly_is_408(serve: Serve, app: FastAPI, path: str) -> None:
    with serve(Door(app, files=replace(FILES, seconds=0.3))) as url:
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\n"
        with connected(url, f"{head}content-length: 100\r\n\r\n--b\r\n".encode()) as line:
            answer = ended(line)
    assert b" 408 " in answer.splitlines()[0]
    assert b'"type":"too-slow"' in answer


def test_a_form_is_smaller_than_what_programs_send(serve: Serve, app: FastAPI) -> None:
    form = b"&" * (FORMS.most_bytes + 1)  # ten times as much kept the event loop for seconds
    with serve(Door(app)) as url:
        for path in ("/sign-in", "/imports"):  # nor is a file sent as such a form
            kind = {"content-type": "application/x-www-form-urlencoded"}
            is_problem(post(f"{url}{path}", form, **kind), 413, "too-large")
        assert post(f"{url}/sign-in", form[:-1]).status_code == 200
        assert post(f"{url}/v1/refuses", form).status_code == 200


def test_who_sends_much_is_waited_for_longer() -> None:
    bounds = Bounds(200_000_000, 120, 50_000, "")
    assert [bounds.patience(size) for size in (0, 500_000, 5_000_000, 200_000_000)] == [10, 20, 110, 120]
    assert [ORDINARY.patience(size) for size in (0, 10_000_000)] == [10, 10]


def test_a_sender_of_a_file_who_leaves_is_no_mistake_of_ours(serve: Serve, app: FastAPI) -> None:
    door = Door(app, capacity=replace(CAPACITY, files=1))
    with serve(door) as url:
        for _ in range(3):
            connected(url, b"POST /v1/imports HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").close()
        for _ in range(50):  # the place it took is given back
            answer = post(f"{url}/v1/imports", b"whole")
            if answer.status_code == 200:
                return
    pytest.fail(answer.text)


def test_bodies_beyond_the_room_there_is_are_503_until_the_others_are_done(
    serve: Serve, app: FastAPI, gate: threading.Event
) -> None:
    with serve(Door(app, capacity=replace(CAPACITY, held_bytes=1_000))) as url, ThreadPoolExecutor() as pool:
        first = pool.submit(post, f"{url}/wait", b"x" * 600)
        refused = until(lambda: post(f"{url}/v1/refuses", b"x" * 600), 503)
        is_problem(refused, 503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert post(f"{url}/v1/refuses", b"x" * 300).status_code == 200
        gate.set()
        assert first.result().json() == "in"
        assert post(f"{url}/v1/refuses", b"x" * 1_000).status_code == 200


def test_requests_beyond_the_bound_are_503_at_once_but_for_who_looks_after_the_service(
    serve: Serve, app: FastAPI, gate: threading.Event
) -> None:
    with serve(Door(app, capacity=replace(CAPACITY, requests=4))) as url, ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(post, f"{url}/wait") for _ in range(4)]
        refused = until(lambda: post(f"{url}/v1/refuses"), 503)
        is_problem(refused, 503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert httpx.get(f"{url}/livez", trust_env=False).status_code == 200
        gate.set()
        assert [one.result().json() for one in waiting] == ["in"] * 4
        assert post(f"{url}/v1/refuses").status_code == 200


def test_half_sent_bodies_keep_nobody_out(serve: Serve, app: FastAPI) -> None:
    half = b"POST /v1/refuses HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf"
    with serve(Door(app, capacity=replace(CAPACITY, requests=4))) as url, ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connected(url, half))
        assert post(f"{url}/v1/refuses", b"whole").status_code == 200


UNFINISHED = {
    "nothing at all": b"",
    "half a line": b"GET /livez HT",
    "half of the headers": b"GET /livez HTTP/1.1\r\nhost: x\r\n",
    "half of a second request": b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\nGET /livez HTTP/1.1\r\nhos",
    "a body that has its answer": b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\nhalf",
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_what_is_never_finished_is_closed(app: FastAPI, sent: bytes) -> None:
    with fast(Door(app)) as url, connected(url, sent) as line:
        answer = ended(line)
    assert answer.count(b"HTTP/1.1 ") == sent.count(b"\r\n\r\n")


def test_headers_that_drip_are_closed_all_the_same(app: FastAPI) -> None:
    with fast(Door(app)) as url, connected(url, b"GET /livez HTTP/1.1\r\n") as line:
        line.settimeout(0.05)
        dripped = 0
        while True:
            try:
                line.sendall(b"x: y\r\n")
                if not line.recv(1_000):
                    break
            except TimeoutError:
                dripped += 1
            except OSError:
                break
            assert dripped < 100
    assert dripped


def test_two_hundred_half_sent_headers_keep_nobody_out(app: FastAPI, gate: threading.Event) -> None:
    with fast(Door(app), patience=1) as url, ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        halves = [stack.enter_context(connected(url, b"POST /v1/refuses HTTP/1.1\r\nho")) for _ in range(200)]
        long = pool.submit(post, f"{url}/wait", b"{}")
        assert post(f"{url}/v1/refuses").status_code == 200
        assert [ended(line) for line in halves] == [b""] * 200
        gate.set()  # a request that merely takes long outlives them all
        assert long.result().json() == "in"


def until(call: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """Ask until the answer has this status: whoever was to come first may still be on the way."""
    for _ in range(200):
        answer = call()
        if answer.status_code == status:
            return answer
    pytest.fail(f"never {status}: {answer.text}")


def test_a_push_while_too_much_waits_is_429_and_stores_nothing(house, serve):
    house.drain()
    narrow = replace(house.wiring, intake=GroupedIntake(house.database, house.vault, most_waiting=4))
    noisy, quiet = house.unique(), house.unique()
    headers = {"authorization": f"Bearer {house.key('source')}"}
    with (
        serve(create_app(narrow)) as url,
        httpx.Client(base_url=url, headers=headers, trust_env=False) as client,
    ):
        assert client.post("/v1/feedback", json=[record(f"n-{n}", source=noisy) for n in range(2)]).status_code == 202
        refused = client.post("/v1/feedback", json=[record("q", source=quiet), record("one too many", source=noisy)])
        is_problem(refused, 429, "too-many-waiting")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        taken = client.post("/v1/feedback", json=record("q", source=quiet))
        assert (taken.status_code, taken.json()["results"][0]["status"]) == (202, "new")  # nothing of it was stored
