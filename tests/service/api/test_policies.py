"""Policies through the API: published in two spellings, refused with their place, counted up, immutable, activated."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from builders import record
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.app import create_app

POLICY = """
name: store
rules:
  - name: detractor
    when: scores.nps <= 6
    then: {create: follow_up, mandatory: true}
"""


@pytest.fixture
def published(house):
    def publish(document: str | bytes = POLICY, kind: str = "application/yaml") -> int:
        answer = house.client().post("/v1/policies", content=document, headers={"content-type": kind})
        assert answer.status_code == 201, answer.text
        return answer.json()["version"]

    return publish


def test_yaml_and_json_say_the_same(house, published):
    tree = {
        "name": "store",
        "rules": [{"name": "detractor", "when": "scores.nps <= 6", "then": {"create": "follow_up", "mandatory": True}}],
    }
    written = [
        published(),
        published(json.dumps(tree), "application/json"),
        published(POLICY, "text/yaml; charset=utf-8"),
    ]
    shown = [house.client().get(f"/v1/policies/{version}").json() for version in written]
    assert len({one["digest"] for one in shown}) == 1
    assert all(one["tree"] == shown[0]["tree"] for one in shown)
    assert shown[0]["document"] == POLICY
    assert [one["name"] for one in shown] == ["store"] * 3
    assert not any(one["active"] for one in shown)
    assert written == list(range(written[0], written[0] + 3))


def test_versions_count_up_under_pressure(house, published):
    first = published()
    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(lambda _: published(), range(8)))
    assert sorted(versions) == list(range(first + 1, first + 9))


def test_the_place_is_the_word_itself(house):
    answer = house.client().post("/v1/policies", content=POLICY.replace("scores.nps", "scores.nsp"))
    (error,) = answer.json()["errors"]
    assert (error["line"], error["column"]) == (5, 11)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"name": "x", "rules": [NaN]}',
        b'{"name": "a\\ud800", "rules": []}',
        b'{"name": "a\\u0000", "rules": []}',
        b"[" * 5_000,
    ],
)
def test_hostile_json_is_no_500(house, raw):
    answer = house.client().post("/v1/policies", content=raw, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text


def test_a_slip_of_json_says_its_place(house):
    answer = house.client().post(
        "/v1/policies", content=b'{"name": "x",\n "rules": [}', headers={"content-type": "application/json"}
    )
    assert (answer.status_code, answer.json()["type"]) == (400, "not-parseable")
    (error,) = answer.json()["errors"]
    assert (error["line"], error["column"]) == (2, 12)


def test_it_is_shown_who_activated_a_version_and_why(house, published):
    version = published()
    shown = house.client().get(f"/v1/policies/{version}").json()
    assert [shown[name] for name in ACTIVATION] == [None] * 3
    for comment in ("first", "again"):
        activated = house.client().post(f"/v1/policies/{version}/activate", json={"comment": comment}).json()
    assert (activated["activated_by"], activated["activation_comment"]) == ("admin", "again")
    assert activated["activated_at"] > activated["created_at"]
    listed = {each["version"]: each for each in house.client().get("/v1/policies").json()["items"]}
    for one in (listed[version], house.client().get(f"/v1/policies/{version}").json()):
        assert [one[name] for name in ACTIVATION] == [activated[name] for name in ACTIVATION]


ACTIVATION = ("activated_at", "activated_by", "activation_comment")


def test_another_kind_of_body_is_415(house):
    answer = house.client().post("/v1/policies", content=POLICY, headers={"content-type": "text/html"})
    assert answer.status_code == 415


@pytest.mark.parametrize("change", ["UPDATE policy SET document = 'x'", "DELETE FROM policy"])
def test_a_published_version_never_changes(house, published, change):
    published()
    with pytest.raises(DBAPIError, match="never changes"), house.database.session() as session:
        session.execute(text(change))


def decided_by(house) -> int:
    answer = house.client().post("/v1/feedback", json=record(house.unique(), scores={"nps": 2}))
    house.drain()
    story = house.client().get(f"/v1/feedback/{answer.json()['results'][0]['id']}").json()
    return story["decision"]["policy_version"]


def test_the_next_decision_uses_the_activated_version(house, published):
    one, two = published(), published()
    for version in (one, two, one):
        answer = house.client().post(f"/v1/policies/{version}/activate", json={"comment": "try it"})
        assert (answer.status_code, answer.json()["active"], answer.json()["version"]) == (200, True, version)
        assert decided_by(house) == version
        active = [each["version"] for each in house.client().get("/v1/policies").json()["items"] if each["active"]]
        assert active == [version]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/comment"),
        ({"comment": ""}, "/comment"),
        ({"comment": "x" * 2_001}, "/comment"),
        ({"comment": "x", "mode": "shade"}, "/mode"),
        ({"comment": "x", "force": True}, "/force"),
    ],
)
def test_an_activation_says_why(house, published, body, pointer):
    answer = house.client().post(f"/v1/policies/{published()}/activate", json=body)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])


def test_where_approval_is_needed_nobody_activates_their_own(house, serve):
    with serve(create_app(replace(house.wiring, require_approval=True))) as url:
        author, other = (
            httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
            for key in keys(house)
        )
        with author, other:
            version = author.post("/v1/policies", content=POLICY).json()["version"]
            activate = f"/v1/policies/{version}/activate"
            refused = author.post(activate, json={"comment": "mine"})
            assert (refused.status_code, refused.json()["type"]) == (409, "own-policy")
            assert decided_by(house) != version
            assert other.post(activate, json={"comment": "read and approved"}).status_code == 200
    assert decided_by(house) == version


def keys(house) -> list[str]:
    from service.people.access import create_key  # noqa: PLC0415 (named here only)

    with house.database.session() as session:
        return [create_key(session, house.vault, name=name, role="admin", actor="test").key for name in ("ana", "ben")]
