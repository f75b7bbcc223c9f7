"""The cases of `tests/corpora`: refused with place and remedy, or kept and shown as they came. Never a 500."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from builders import record
from corpora import Case, cases, changed, escaped, exchanged, expanded, forged, named, raw, sent_at, text

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}
RULES = {"name": "corpora", "rules": [{"name": "all", "when": "scores.nps <= 10", "then": {"create": "ticket"}}]}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Place:
    """Where a body is sent, and a good one to change."""

    method: str
    path: str
    good: Callable[[], dict[str, Any]]


@pytest.fixture(scope="module")
def item(house) -> Mapping[str, Any]:
    admin = house.client()
    assert admin.post("/v1/policies", json=RULES).status_code == 201
    assert admin.post("/v1/policies/2/activate", json={"comment": "corpora"}).status_code == 200
    (sent,) = admin.post("/v1/feedback", json=record("item", scores={"nps": 1})).json()["results"]
    made = {"name": "desk", "kind": "webhook", "settings": {"base_url": "https://desk.example.com/"}}
    assert admin.post("/v1/destinations", json=made).status_code == 201
    house.drain()
    (made,) = admin.get(f"/v1/feedback/{sent['id']}").json()["work_items"]
    return made


@pytest.fixture(scope="module")
def places(house, item) -> Mapping[str, Place]:
    contact = {"type": "contact_attempt", "channel": "phone", "outcome": "reached"}
    settings = {"base_url": "https://desk.example.com/"}
    return {
        "feedback": Place("POST", "/v1/feedback", lambda: record(house.unique())),
        "classify": Place("POST", "/v1/classify", lambda: {"texts": ["Fine."], "questions": ["Why?"]}),
        "event": Place("POST", f"/v1/work-items/{item['id']}/events", lambda: dict(contact)),
        "policies": Place("POST", "/v1/policies", lambda: {"name": "x", "rules": []}),
        "activate": Place("POST", "/v1/policies/1/activate", lambda: {"comment": "corpora"}),
        "destinations": Place(
            "POST", "/v1/destinations", lambda: {"name": house.unique(), "kind": "webhook", "settings": dict(settings)}
        ),
        "change": Place("PATCH", "/v1/destinations/desk", lambda: {"settings": dict(settings)}),
    }


OTHERS = ("classify", "event", "policies", "activate", "destinations", "change")


# Words of our libraries, that nobody who sends feedback can make sense of.
_FOREIGN = re.compile("Input should|Extra inputs|String should|Field required|Value error|Traceback|pydantic|psycopg")


def is_problem(answer: httpx.Response, expected: str) -> list[dict[str, Any]]:
    """Check a refusal, its place and its remedy; the errors."""
    status, kind = expected.split()
    assert answer.status_code == int(status), answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (kind, int(status))
    assert set(problem) == {"type", "title", "status", "detail", "errors"}
    assert len(answer.content) < 100_000, "a refusal is no echo"
    for told in [problem, *problem["errors"]]:
        assert len(told["detail"].split()) > 1, told
        assert not _FOREIGN.search(told["detail"]), told
        assert all(character.isprintable() for character in told["detail"]), told
    return problem["errors"]


def says(answer: httpx.Response, case: Case) -> None:
    words = [answer.json()["detail"], *(f"{one['detail']} {one.get('suggestion')}" for one in answer.json()["errors"])]
    assert str(case.get("says", "")) in " ".join(words)


def ids(case: Case) -> str:
    return str(case["name"])[:60]


def bodies() -> Iterator[Any]:
    """Every case for feedback and for one of the other addresses in turn, or for those it names."""
    for number, case in enumerate(named(cases("json"))):
        for place in case.get("to", (OTHERS[number % len(OTHERS)], "feedback")):
            yield pytest.param(case, place, id=f"{place}: {ids(case)}")


@pytest.mark.parametrize(("case", "place"), list(bodies()))
def test_a_body(house, places, case, place):
    to = places[place]
    answer = house.client().request(to.method, to.path, content=raw(case), headers=JSON)
    errors = is_problem(answer, case["answer"])
    says(answer, case)
    if "pointer" in case:
        assert [one["pointer"] for one in errors] == [case["pointer"]]
    if "line" in case:
        assert [one["line"] for one in errors] == [case["line"]]


def fields(verdict: str) -> Iterator[Any]:
    for group in cases("fields"):
        for case in group.get(verdict, ()):
            for number, value in enumerate(case["values"]):
                yield pytest.param(group["to"], case, value, id=f"{group['to']}.{case['set'][:40]} {number}")


@pytest.mark.parametrize(("place", "case", "value"), list(fields("refused")))
def test_a_field_refused(house, places, place, case, value):
    to, table = places[place], {"feedback": "feedback", "destinations": "destination"}.get(place, "work_item_event")
    before = house.count(table)
    sent = json.dumps(changed(to.good(), case["set"], expanded(value)))
    answer = house.client().request(to.method, to.path, content=sent, headers=JSON)
    errors = is_problem(answer, "422 invalid")
    says(answer, case)
    place_told = case.get("pointer", "/" + case["set"].replace(".", "/"))
    (pointer,) = {one["pointer"] for one in errors}
    assert pointer == place_told or pointer.startswith(f"{place_told}/"), errors
    assert house.count(table) == before


ABSENT = object()


@pytest.mark.parametrize(("place", "case", "value"), list(fields("taken")))
def test_a_field_taken(house, places, place, case, value):
    sent = changed(places[place].good(), case["set"], expanded(value))
    answer = house.client().post("/v1/feedback", content=json.dumps(sent))
    assert answer.status_code == 202, answer.text[:500]
    (result,) = answer.json()["results"]
    shown: Any = house.client().get(f"/v1/feedback/{result['id']}").json()["feedback"]
    for step in case["set"].split("."):
        shown = shown[int(step)] if isinstance(shown, list) else shown.get(step, ABSENT)
        if shown is ABSENT:
            break
    wanted = case.get("shown", sent_at(sent, case["set"]))
    assert shown is ABSENT or wanted != "absent"
    assert wanted == "absent" or (shown == wanted and isinstance(shown, bool) == isinstance(wanted, bool))


TEXTS = list(named(cases("texts")))


@pytest.fixture(scope="module")
def told(house, item) -> Mapping[str, dict[str, Any]]:
    """Every text as words, question and context of a record that has gone the whole way: its story by its name."""
    client, sent = house.client(), []
    for case in TEXTS:
        words = text(case["text"])
        context = {"said": words[:10_000], words[:128] or "x": True}
        verbatims = [{"question": words[:2_000], "text": words}]
        sent.append(record(house.unique(), verbatims=verbatims, context=context, scores={"nps": 1}))
    answer = client.post("/v1/feedback", content=json.dumps(sent))
    assert answer.status_code == 202, answer.text[:1_000]
    house.drain()
    results = zip(TEXTS, answer.json()["results"], strict=True)
    return {case["name"]: client.get(f"/v1/feedback/{one['id']}").json() for case, one in results}


@pytest.mark.parametrize("case", TEXTS, ids=ids)
def test_a_text_is_kept_and_routed(told, case):
    words, story = text(case["text"]), told[case["name"]]
    assert story["state"] == "routed", story["reason"]
    assert story["feedback"]["verbatims"] == [{"question": words[:2_000], "text": words}]
    assert story["feedback"]["context"] == {"said": words[:10_000], words[:128] or "x": True}
    # Words are no orders: the item is the one that the score alone asks for.
    (made,) = story["work_items"]
    assert (made["kind"], made["status"], made["priority"], made["owner"]) == ("ticket", "open", "normal", None)
    for span in story["classification"]["spans"]:
        assert 0 <= span["start"] < span["end"] <= len(words)


@pytest.mark.parametrize("case", TEXTS, ids=ids)
def test_a_text_said_by_people_at_work(house, places, case):
    client, words = house.client(), text(case["text"])
    body = {"type": "contact_attempt", "channel": "phone", "outcome": "no_answer", "comment": words[:4_000]}
    answer = client.post(places["event"].path, content=json.dumps(body))
    assert answer.status_code == 201, answer.text[:300]
    assert answer.headers["content-type"] == "application/json"
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.json()["events"][-1]["data"]["comment"] == words[:4_000]
    comment = words[:2_000] or "x"
    answer = client.post("/v1/policies/2/activate", content=json.dumps({"comment": comment}))
    assert (answer.status_code, answer.json()["activation_comment"]) == (200, comment)
    answer = client.post("/v1/classify", content=json.dumps({"texts": [words], "questions": [words]}))
    assert answer.status_code == 200, answer.text[:300]


LISTS = ("/v1/feedback", "/v1/work-items", "/v1/deliveries")


def addresses() -> Iterator[Any]:
    for case in cases("urls"):
        written = next(case[word] for word in ("get", "address", "each", "pages") if word in case)
        query = text(written)
        if forgery := re.fullmatch(r'cursor=\{"forged": (.*)\}', query):
            query = f"cursor={forged(json.loads(forgery[1]))}"
        every = LISTS if "pages" in case else (*LISTS, "/v1/policies", "/v1/destinations")
        for path in (f"{one}?{query}" for one in every) if {"pages", "each"} & case.keys() else (query,):
            yield pytest.param(
                case, path, id=f"{case.get('method', 'GET')} {path[:90]}".encode("unicode_escape").decode()
            )


@pytest.mark.parametrize(("case", "path"), list(addresses()))
def test_an_address(house, item, case, path):
    things = {"{feedback}": item["feedback_ids"][0], "{cursor}": forged([item["created_at"], item["id"]])}
    for name, thing in things.items():
        path = path.replace(name, thing)
    line = f"{case.get('method', 'GET')} {path} HTTP/1.1"
    answer = spoken(house, [line, f"Authorization: Bearer {key(house)}", "Host: x", "Connection: close"], b"")
    assert answer is not None
    if isinstance(case["answer"], int):
        assert answer.status_code == case["answer"], answer.text
        return
    errors = is_problem(answer, case["answer"])
    says(answer, case)
    if "parameter" in case:
        assert [one["parameter"] for one in errors] == [case["parameter"]]
    if answer.status_code == 405:
        assert answer.headers["allow"]


def key(house) -> str:
    return house.client().headers["authorization"].removeprefix("Bearer ")


def spoken(house, head: list[str | bytes], body: bytes, *, ends: bool = False) -> httpx.Response | None:
    """Write a request onto a socket and read the answer to its end; None where there is none."""
    lines = [line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape") for line in head]
    return exchanged(house.url, b"\r\n".join([*lines, b"", body]), ends=ends)


def head_of(case: Case, house, body: bytes) -> list[str | bytes]:
    good = {
        "Host": "localhost",
        "Authorization": f"Bearer {key(house)}",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines: list[str | bytes] = [text(case.get("request", "POST /v1/feedback HTTP/1.1"))]
    lines += [f"{name}: {value}" for name, value in good.items() if name not in case.get("without", ())]
    for line in case.get("head", ()):
        if isinstance(line, dict) and "lines" in line:
            lines += [line["lines"].format(number) for number in range(line["times"])]
        else:
            lines.append(text(line))
    return lines + [escaped(line) for line in case.get("bytes", ())]


@pytest.mark.parametrize("case", list(named(cases("headers"))), ids=ids)
def test_a_head(house, case):
    if "bytes_only" in case:
        answer = exchanged(house.url, escaped(case["bytes_only"]))
    else:
        body = text(case["body"]).encode() if "body" in case else json.dumps(record(house.unique())).encode()
        answer = spoken(house, head_of(case, house, body), body, ends=case.get("ends", False))
    assert (answer is None) == (case["answer"] == "nothing")
    if answer is None:
        return
    if isinstance(case["answer"], list):
        assert answer.status_code in case["answer"]
        return
    status, *kind = str(case["answer"]).split()
    if kind and kind != ["server"]:
        is_problem(answer, case["answer"])
    assert answer.status_code == int(status), answer.text
    if "id" in case:
        got = answer.headers["x-request-id"]
        assert got == case["id"] or (case["id"] == "new" and re.fullmatch(r"[0-9a-f-]{36}", got))


@pytest.mark.parametrize("case", list(named(cases("policies"))), ids=ids)
def test_a_policy(house, item, case):
    before = house.count("policy")
    answer = house.client().post("/v1/policies", content=raw(case), headers={"content-type": "application/yaml"})
    if "taken" in case:
        assert answer.status_code == 201, answer.text[:500]
        shown = house.client().get(f"/v1/policies/{answer.json()['version']}")
        assert shown.json()["document"] == raw(case).decode()
        return
    errors = is_problem(answer, "422 invalid-policy")
    says(answer, case)
    assert [errors[0]["line"], errors[0]["column"]] == case["refused"], errors[:3]
    assert all(set(one) == {"line", "column", "detail", "suggestion"} for one in errors)
    assert house.count("policy") == before
