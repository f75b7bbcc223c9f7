"""What is wrong with a body or a parameter is said in our words, not in pydantic's."""

import pytest
from builders import record

ITEM = "/v1/work-items/0199a0f0-0000-7000-8000-000000000000/events"
NAME = "1 to 64 letters, digits, dots, underscores or hyphens are allowed here."
UNKNOWN = "This field is unknown here"
TYPES = (
    "acknowledge, assign, contact_attempt, wait, resume, resolve, reopen, judge, hand_off, accept, decline, "
    "review_bypass, acknowledge_escalation, wrong_routing"
)
LONG = "x" * 70

BODIES = {
    "source": ("/v1/feedback", {**record(), "source": "a b"}, "/source", NAME),
    "language": (
        "/v1/feedback",
        {**record(), "language": "e n"},
        "/language",
        "A language is written as a tag, such as en or pt-BR (BCP 47).",
    ),
    "null": ("/v1/feedback", None, "", "Send a record (an object) or a list of them."),
    "a text": ("/v1/feedback", "hello", "", "Send a record (an object) or a list of them."),
    "a text in a list": ("/v1/feedback", ["hello"], "/0", "An object is needed here."),
    "beside context": (
        "/v1/feedback",
        {**record(), "scors": {}},
        "/scors",
        f"{UNKNOWN} (did you mean `scores`?): remove it, or put it into `context`.",
    ),
    "like nothing": (
        "/v1/feedback",
        {**record(), LONG: 1},
        f"/{LONG}",
        f"{UNKNOWN}: remove it, or put it into `context`.",
    ),
    "far from context": (
        "/v1/feedback",
        {**record(), "verbatims": [{"text": "a", "txt": "b"}]},
        "/verbatims/0/txt",
        f"{UNKNOWN} (did you mean `text`?): remove it.",
    ),
    "too much": ("/v1/feedback", {**record(), "scores": {"nps": 11}}, "/scores/nps", "At most 10 is allowed here."),
    "no event": (ITEM, {"type": "explode"}, "/type", f"'explode' is no event: one of {TYPES} is."),
    "a field of an event": (
        ITEM,
        {"type": "assign", "owner": "a", "coment": "b"},
        "/coment",
        f"{UNKNOWN} (did you mean `comment`?): remove it.",
    ),
    "no texts": ("/v1/classify", {"texts": []}, "/texts", "This list has 0 entries: send at least 1."),
    "unknown to classify": (
        "/v1/classify",
        {"texts": ["a"], "text": 1},
        "/text",
        f"{UNKNOWN} (did you mean `texts`?): remove it.",
    ),
    "a name": ("/v1/destinations", {"name": "a b", "kind": "webhook"}, "/name", NAME),
    "no object": ("/v1/classify", None, "", "An object is needed here."),
}


@pytest.mark.parametrize(("path", "body", "pointer", "detail"), BODIES.values(), ids=BODIES)
def test_a_body(house, path, body, pointer, detail):
    raw = {"content": b"null", "headers": {"content-type": "application/json"}} if body is None else {"json": body}
    answer = house.client().post(path, **raw)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"pointer": pointer, "detail": detail}])


@pytest.mark.parametrize(
    ("address", "parameter", "detail"),
    [
        ("/v1/feedback?limit=many", "limit", "A whole number is needed here."),
        ("/v1/feedback?limit=201", "limit", "At most 200 is allowed here."),
        ("/v1/deliveries?state=lost", "state", "One of these is needed here: 'pending', 'delivered' or 'dead'."),
        ("/v1/feedback?source=a+b", "source", NAME),
    ],
)
def test_a_parameter(house, address, parameter, detail):
    errors = house.client().get(address).json()["errors"]
    assert errors == [{"pointer": "", "parameter": parameter, "detail": detail}]


def test_two_contents_of_one_revision_in_one_list(house):
    identity = house.unique()
    answer = house.client().post("/v1/feedback", json=[record(identity, "One."), record(identity, "Two.")])
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (409, "/1")
    assert "is stored, or stands earlier in this list, with other content" in error["detail"]


def test_a_refusal_names_the_roles_that_may(house):
    posted = house.client("product").post(ITEM, json={"type": "acknowledge"})
    assert "'admin' or 'supervisor'" in posted.json()["detail"]
    read = house.client("source").get("/v1/work-items")
    assert "'admin' or 'auditor' or 'supervisor'" in read.json()["detail"]
