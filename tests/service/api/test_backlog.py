"""The backlog: what customers ask for, in their words, with what its score is made of."""

from uuid import uuid4

import pytest

POLICY = """
name: ideas
rules:
  - name: asks
    when: scores.nps >= 9
    then: {create: backlog_item, tags: [kettles]}
  - name: upset
    when: scores.nps <= 2
    then: {create: follow_up}
"""


@pytest.fixture(scope="module")
def made(house):
    admin = house.client()
    version = admin.post("/v1/policies", content=POLICY).json()["version"]
    assert admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).status_code == 200

    def push(nps=9, texts=("Sell a kettle that whistles.",), source="shop", **fields):
        record = {
            "source": source,
            "external_id": house.unique(),
            "scores": {"nps": nps},
            "verbatims": [{"question": "What next?", "text": one} for one in texts],
            **fields,
        }
        return record, admin.post("/v1/feedback", json=record).json()["results"][0]["id"]

    return push


@pytest.fixture(scope="module")
def three(house, made):
    """Ids of the records behind three ideas, oldest first."""
    ids = [
        made(customer={"id": "c-1", "account_value": 9_000})[1],
        made(texts=("First.", "Second.", " "))[1],
        made(texts=(), source="other-shop")[1],
    ]
    house.drain()
    return ids


def idea_of(client, feedback_id):
    found = client.get(f"/v1/feedback/{feedback_id}").json()["work_items"]
    (item,) = [one["id"] for one in found if one["kind"] == "backlog_item"]
    return client.get(f"/v1/backlog/{item}").json()


def test_an_idea_tells_who_asks_and_what_it_weighs(house, three):
    idea = idea_of(house.client("product"), three[0])
    assert idea["score"] == pytest.approx(2.0)
    assert idea["tags"] == ["kettles"]
    assert idea["work_item_id"] == idea["id"]
    received = idea["factors"].pop("newest")
    assert idea["factors"] == {"voices": 1, "account_value": 9_000}
    assert idea["evidence"] == [
        {
            "feedback_id": three[0],
            "text": "Sell a kettle that whistles.",
            "question": "What next?",
            "source": "shop",
            "received_at": received,
        }
    ]


def test_every_answer_is_evidence_in_its_order(house, three):
    assert [one["text"] for one in idea_of(house.client(), three[1])["evidence"]] == ["First.", "Second.", " "]


def test_scores_without_words_are_a_voice_without_evidence(house, three):
    idea = idea_of(house.client(), three[2])
    assert (idea["evidence"], idea["score"], idea["factors"]["voices"]) == ([], 1.0, 1)
    assert idea["factors"]["newest"]


def test_newest_first_page_by_page(house, three):
    client = house.client("supervisor")
    whole = client.get("/v1/backlog").json()
    assert [one["created_at"] for one in whole["items"]] == sorted(
        (one["created_at"] for one in whole["items"]), reverse=True
    )
    found, cursor = [], None
    while cursor or not found:
        answer = client.get("/v1/backlog", params={"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
        found += answer["items"]
        cursor = answer["next"]
    assert found == whole["items"]
    assert len(found) >= len(three)


@pytest.mark.parametrize(
    ("query", "some"), [("tag=kettles", True), ("tag=pans", False), ("status=open", True), ("status=resolved", False)]
)
def test_filters(house, three, query, some):
    assert bool(house.client().get(f"/v1/backlog?{query}").json()["items"]) == some


def test_other_work_is_no_idea(house, made):
    _, feedback_id = made(nps=1)
    house.drain()
    (item,) = house.client().get(f"/v1/feedback/{feedback_id}").json()["work_items"]
    assert house.client().get(f"/v1/backlog/{item['id']}").status_code == 404
    assert item["id"] not in {one["id"] for one in house.client().get("/v1/backlog?limit=200").json()["items"]}
    assert house.client().get(f"/v1/backlog/{uuid4()}").status_code == 404


@pytest.mark.parametrize("query", ["status=done", "limit=0", "cursor=x"])
def test_what_cannot_be_asked(house, query):
    assert house.client().get(f"/v1/backlog?{query}").status_code == 422


@pytest.mark.parametrize(
    ("role", "status"),
    [("supervisor", 200), ("product", 200), ("auditor", 200), ("admin", 200), ("source", 403), ("reviewer", 403)],
)
def test_who_may_read_it(house, role, status):
    assert house.client(role).get("/v1/backlog").status_code == status


def test_a_new_revision_is_weighed_again(house, made):
    record, feedback_id = made(customer={"id": "c-9", "account_value": 9_000})
    house.drain()
    changed = {**record, "revision": 2, "customer": {"id": "c-9", "account_value": 99_000}}
    assert house.client().post("/v1/feedback", json=changed).status_code == 202
    house.drain()
    idea = idea_of(house.client(), feedback_id)
    assert (idea["factors"]["account_value"], idea["score"]) == (99_000, pytest.approx(3.0))
