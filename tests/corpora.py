"""The files of `tests/corpora`: bad and odd input as data, each case with what must come back."""

import base64
import json
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

Case = Mapping[str, Any]
_FOLDER = Path(__file__).parent / "corpora"


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of one file."""
    return list(YAML(typ="safe", pure=True).load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


def expanded(value: Any) -> Any:
    """A value with its recipes carried out: {repeat: x, times: n}, {count: form, times: n}, {entries: n}."""
    match value:
        case {"repeat": part, "times": times}:
            return part * times
        case {"count": form, "times": times}:
            return "".join(form.format(number) for number in range(1, times + 1))
        case {"entries": times}:
            return {f"k{number}": number for number in range(times)}
        case dict():
            return {key: expanded(inner) for key, inner in value.items()}
        case list():
            return [expanded(inner) for inner in value]
    return value


def text(value: Any) -> str:
    """One text out of a text, a recipe or a list of both."""
    return "".join(map(expanded, value)) if isinstance(value, list) else expanded(value)


def raw(case: Case) -> bytes:
    r"""The body a case sends: `raw` or `document` as UTF-8, `parts` together, `bytes` with \xNN for single bytes."""
    if "bytes" in case:
        return escaped(case["bytes"])
    return text(case["parts"] if "parts" in case else case.get("raw", case.get("document"))).encode()


def escaped(written: str) -> bytes:
    r"""Bytes from a text in which \xNN, \r and \n stand for single ones."""
    signs = {"r": "\r", "n": "\n"}
    found = re.sub(r"\\(x([0-9a-f]{2})|r|n)", lambda one: signs.get(one[1]) or chr(int(one[2], 16)), written)
    return found.encode("latin-1")


def forged(value: object) -> str:
    """A cursor that looks like one of ours."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def named(found: Iterable[Case]) -> Iterator[Case]:
    """The cases, after a look that no two have one name."""
    seen: set[str] = set()
    for case in found:
        name = str(case["name"])
        assert name not in seen, f"two cases are called {name}"
        seen.add(name)
        yield case


def changed(good: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A good body with one place set; `path` is dotted."""
    *parents, last = path.split(".")
    at: Any = good
    for step in parents:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, [None] if last.isdigit() else {})
    at[int(last) if isinstance(at, list) else last] = value
    return good


def sent_at(sent: Any, path: str) -> Any:
    """What a body holds at a place; `path` is dotted."""
    for step in path.split("."):
        sent = sent[int(step)] if isinstance(sent, list) else sent[step]
    return sent


def exchanged(url: str, written: bytes, *, ends: bool = False) -> httpx.Response | None:
    """What a raw socket is answered, until the other side closes; None where it says nothing."""
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as line:
        line.sendall(written)
        if ends:
            line.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    while answer.startswith(b"HTTP/1.1 100"):
        answer = answer.partition(b"\r\n\r\n")[2]
    if not answer:
        return None
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    pairs = [tuple(one.split(b": ", 1)) for one in lines]
    chunked = (b"transfer-encoding", b"chunked") in pairs
    content = rest.split(b"\r\n")[1] if chunked else rest[: int(dict(pairs).get(b"content-length", len(rest)))]
    plain = [(name, value) for name, value in pairs if name != b"transfer-encoding"]
    return httpx.Response(int(status.split()[1]), headers=plain, content=content)
