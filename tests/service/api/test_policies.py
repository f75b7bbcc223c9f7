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
        ({"comment": "x", "share": 0}, "/share"),
        ({"comment": "x", "share": 1.5}, "/share"),
        ({"comment": "x", "share": True}, "/share"),
        ({"comment": "x", "scope": {"country": ["PL"]}}, "/scope/country"),
        ({"comment": "x", "scope": {"region": []}}, "/scope/region"),
        ({"comment": "x", "scope": {"region": "emea"}}, "/scope/region"),
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


EXAMPLES = """examples:
  - {name: a low score, record: {scores: {nps: 3}}, creates: [follow_up]}
  - {name: a high score, record: {scores: {nps: 9}}, creates: [ticket]}
"""


def test_a_policy_is_checked_and_nothing_is_stored(house):
    before = house.count("policy")
    answer = house.client().post("/v1/policies/check", content=POLICY)
    assert (answer.status_code, answer.json()["name"], answer.json()["warnings"]) == (200, "store", [])
    warned = house.client().post("/v1/policies/check", content=POLICY + EXAMPLES).json()["warnings"]
    assert [(one["line"], one["column"]) for one in warned] == [(9, 5)]
    wrong = house.client().post("/v1/policies/check", content=POLICY.replace("scores.nps", "scores.nsp"))
    (error,) = wrong.json()["errors"]
    assert (wrong.status_code, error["line"], error["column"]) == (422, 5, 11)
    assert error["suggestion"] == "did you mean scores.nps?"
    assert house.count("policy") == before


def test_a_version_says_why_it_was_made_and_how_far_it_is(house):
    answer = house.client().post("/v1/policies?comment=the rules of May", content=POLICY)
    version = answer.json()["version"]
    shown = house.client().get(f"/v1/policies/{version}").json()
    assert (shown["comment"], shown["state"], shown["activations"]) == ("the rules of May", "draft", [])


def test_a_version_whose_examples_do_not_hold_is_not_activated(house, published):
    version = published(POLICY + EXAMPLES)
    answer = house.client().post(f"/v1/policies/{version}/activate", json={"comment": "now"})
    assert (answer.status_code, answer.json()["type"]) == (422, "broken-examples")
    (error,) = answer.json()["errors"]
    assert error["example"] == "a high score"
    assert error["detail"].endswith("must make a ticket, but makes nothing: no rule makes a ticket")
    assert house.client().get(f"/v1/policies/{version}").json()["state"] == "draft"


def told(house, version: int) -> dict:
    return house.client().get(f"/v1/policies/{version}").json()


def test_a_version_is_tried_on_some_looked_at_beside_and_ended(house, published):
    admin, everyone, version = house.client(), published(), published()
    assert admin.post(f"/v1/policies/{everyone}/activate", json={"comment": "all"}).status_code == 200
    asked = {"comment": "try", "share": 0.25, "scope": {"region": ["emea"], "source": ["web"]}}
    staged = admin.post(f"/v1/policies/{version}/activate", json=asked).json()
    (force,) = staged["activations"]
    assert (staged["state"], staged["active"]) == ("staged", False)
    assert {name: force[name] for name in asked} == asked
    assert (force["mode"], force["by"]) == ("live", "admin")

    shadow = admin.post(f"/v1/policies/{version}/activate", json={"comment": "look", "mode": "shadow"}).json()
    assert [(one["mode"], one["share"]) for one in shadow["activations"]] == [("live", 0.25), ("shadow", 1.0)]
    assert told(house, everyone)["state"] == "active"

    end = f"/v1/policies/{version}/deactivate"
    ended = admin.post(end, json={"comment": "seen enough"})
    assert (ended.status_code, ended.json()["state"], ended.json()["activations"]) == (200, "retired", [])
    assert admin.post(end, json={"comment": "again"}).status_code == 409
    assert admin.post(f"/v1/policies/{everyone}/deactivate", json={"comment": "x"}).status_code == 409
    shadowed = admin.post(f"/v1/policies/{everyone}/activate", json={"comment": "x", "mode": "shadow"})
    assert shadowed.status_code == 409


def test_a_share_of_customers_gets_the_staged_version_and_a_shadow_has_no_effect(house, published):
    admin = house.client()
    base, staged, shadow = (published(POLICY.replace("store", name)) for name in ("base", "staged", "shadow"))
    admin.post(f"/v1/policies/{base}/activate", json={"comment": "all"})
    admin.post(f"/v1/policies/{staged}/activate", json={"comment": "emea", "scope": {"region": ["emea"]}})
    admin.post(f"/v1/policies/{shadow}/activate", json={"comment": "beside", "mode": "shadow"})
    sent = [
        record(house.unique(), scores={"nps": 2}, customer={"id": "c", "region": region}) for region in ("emea", "amer")
    ]
    results = admin.post("/v1/feedback", json=sent).json()["results"]
    house.drain()
    stories = [admin.get(f"/v1/feedback/{one['id']}").json() for one in results]
    assert [story["decision"]["policy_version"] for story in stories] == [staged, base]
    assert [len(story["work_items"]) for story in stories] == [1, 1]
    with house.database.session() as session:
        rows = session.execute(text("SELECT mode, policy_version, count(*) FROM decision GROUP BY 1, 2")).all()
    assert ("shadow", shadow, 2) in [tuple(row) for row in rows]


def test_the_version_before_decides_again(house, published):
    one, two = published(), published()
    for version in (one, two):
        house.client().post(f"/v1/policies/{version}/activate", json={"comment": "on"})
    back = house.client().post("/v1/policies/rollback", json={"comment": "too many tickets"})
    assert (back.status_code, back.json()["version"], back.json()["state"]) == (200, one, "active")
    assert decided_by(house) == one
    assert told(house, two)["state"] == "retired"
    assert house.client().post("/v1/policies/rollback", json={}).status_code == 422


def test_two_versions_are_compared(house, published):
    one, two = published(), published(POLICY.replace("<= 6", "<= 7"))
    answer = house.client("supervisor").get(f"/v1/policies/{two}/diff?against={one}").json()
    assert (answer["version"], answer["against"]) == (two, one)
    (change,) = answer["changes"]
    assert change["fields"] == [{"field": "when", "before": "scores.nps <= 6", "after": "scores.nps <= 7"}]
    assert answer["sentences"] == ["The rule detractor now fires at NPS 7 or less instead of 6 or less."]
    house.client().post(f"/v1/policies/{two}/activate", json={"comment": "on"})
    assert house.client().get(f"/v1/policies/{two}/diff").json()["changes"] == []
    assert house.client().get(f"/v1/policies/{two}/diff?against=99999").status_code == 404


def keys(house) -> list[str]:
    from service.people.access import create_key  # noqa: PLC0415 (named here only)

    with house.database.session() as session:
        return [create_key(session, house.vault, name=name, role="admin", actor="test").key for name in ("ana", "ben")]
