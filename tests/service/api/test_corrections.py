"""`wrong_routing` and what is made of it: said in any state, listed, counted, and never used to certify."""

from uuid import UUID, uuid4

import pytest
from reviewed import review

from calibration.promise import Promise
from service.lab.labels.corrections import Counted, corrected, counts
from service.lab.labels.evidence import newest_binding
from service.lab.runs.findings import RunQuestion, gather, judge_all
from service.store.tables import now

POLICY = """
name: corrections
rules:
  - {name: angry, when: scores.nps <= 6, then: {create: ticket}}
  - {name: odd, when: sentiment.negative >= threshold("open"), then: {create: quality_case}}
thresholds: {open: {axis: sentiment, label: negative, uncertified: null}}
"""
LIST = "/v1/calibration/corrections"
ABOUT = {"axis": "sentiment", "label": "negative", "right": "positive"}


@pytest.fixture(scope="module", autouse=True)
def policy(house):
    version = house.client().post("/v1/policies", content=POLICY).raise_for_status().json()["version"]
    house.client().post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()


@pytest.fixture
def made(house):
    """Let a customer write; the item that stands for it, of this kind."""

    def make(kind: str = "ticket", text: str = "Just what I needed: broken, and late.") -> dict:
        record = {"source": "s", "external_id": house.unique(), "scores": {"nps": 2}, "verbatims": [{"text": text}]}
        told = house.client().post("/v1/feedback", json=record).raise_for_status().json()["results"][0]
        house.drain()
        items = house.client().get(f"/v1/feedback/{told['id']}").json()["work_items"]
        return next(one for one in items if one["kind"] == kind)

    return make


def say(house, item, type: str = "wrong_routing", role: str = "supervisor", **fields):
    return house.client(role).post(f"/v1/work-items/{item['id']}/events", json={"type": type, **fields})


def listed(house, item, **parameters) -> list[dict]:
    found = house.client("supervisor").get(LIST, params={"limit": 200, **parameters}).raise_for_status().json()
    return [one for one in found["items"] if one["work_item"] == item["id"]]


@pytest.mark.parametrize("state", ["open", "waiting", "resolved", "retracted"])
def test_it_is_said_in_every_state_as_often_as_anybody_likes_and_moves_nothing(house, made, state):
    item = made()
    if state == "retracted":
        house.client().delete(f"/v1/feedback/{item['feedback_ids'][0]}").raise_for_status()
    elif state != "open":
        say(house, item, {"waiting": "wait", "resolved": "resolve"}[state]).raise_for_status()
    before = house.client("supervisor").get(f"/v1/work-items/{item['id']}").json()
    for _ in range(2):
        said = say(house, item, comment="It is irony.", **ABOUT)
        assert said.status_code == 201
    after = said.json()
    changed = {name for name in before if before[name] != after[name]}
    assert (before["status"], changed) == (state, {"events"})
    assert [one["type"] for one in after["events"][-2:]] == ["wrong_routing"] * 2
    assert after["events"][-1]["data"] == {"comment": "It is irony.", **ABOUT}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/comment"),
        ({"comment": ""}, "/comment"),
        ({"comment": "x", "axis": "mood"}, "/axis"),
        ({"comment": "x", "right": "y" * 201}, "/right"),
    ],
)
def test_what_is_not_said_properly_is_refused_by_its_place(house, made, fields, pointer):
    refused = say(house, made(), **fields)
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == [pointer]


def test_corrections_are_listed_newest_first_with_the_customers_words(house, made):
    item = made(text="Late again. Lovely.")
    say(house, item, comment="It is irony.", **ABOUT).raise_for_status()
    say(house, item, comment="Nobody has to act.", role="admin").raise_for_status()
    bare, about = listed(house, item)
    assert (about["rule"], about["text"], about["comment"]) == ("angry", "Late again. Lovely.", "It is irony.")
    assert {name: about[name] for name in ABOUT} == ABOUT
    assert (about["kind"], about["feedback_id"], about["rules"]) == ("wrong_routing", item["feedback_ids"][0], {})
    assert (bare["axis"], bare["label"], bare["right"]) == (None, None, None)
    assert listed(house, item, axis="sentiment") == [about]
    assert listed(house, item, since=bare["at"]) == [bare]

    first = house.client("supervisor").get(LIST, params={"limit": 1}).json()
    assert first["items"] == [bare]
    assert house.client("supervisor").get(LIST, params={"limit": 1, "cursor": first["next"]}).json()["items"] == [about]


def test_what_a_person_decides_in_review_is_listed_and_counted_too(house, made):
    item = made("review")
    say(house, item, "judge", rules={"odd": False}, comment="They are happy.").raise_for_status()
    (one,) = listed(house, item)
    assert (one["kind"], one["rules"], one["comment"]) == ("review", {"odd": False}, "They are happy.")
    say(house, made(), comment="x", **ABOUT).raise_for_status()
    with house.database.session() as session:
        told = counts(session)
    assert Counted("odd", 1, said_yes=False) in told
    (angry,) = [one for one in told if (one.rule, one.axis) == ("angry", "sentiment")]
    assert (angry.label, angry.said_yes) == ("negative", None)
    assert angry.number == sum(one["axis"] == "sentiment" for one in _all(house))


def _all(house) -> list[dict]:
    return house.client("supervisor").get(LIST, params={"limit": 200}).json()["items"]


def test_a_targeted_draw_is_told_the_records_that_were_corrected_on_its_axis(house, made):
    about, bare, judged, silent = made(), made(), made("review"), made()
    say(house, about, comment="x", **ABOUT).raise_for_status()
    say(house, bare, comment="x").raise_for_status()
    say(house, judged, "judge", rules={"odd": True}).raise_for_status()
    of = {name: UUID(one["feedback_ids"][0]) for name, one in zip("abjs", (about, bare, judged, silent), strict=True)}
    with house.database.session() as session:
        assert corrected(session, "sentiment") & set(of.values()) == {of["a"], of["b"], of["j"]}
        assert corrected(session, "urgency") & set(of.values()) == {of["b"], of["j"]}


def test_a_correction_changes_nothing_that_a_run_finds(house, made):
    said = {f"{house.unique()}-c": place for place in range(32)}
    records = [
        {
            "source": "s",
            "external_id": one,
            "scores": {"nps": 2},
            "verbatims": [{"text": f"It is late, number {place}."}],
        }
        for one, place in said.items()
    ]
    sent = house.client().post("/v1/feedback", json=records).raise_for_status().json()["results"]
    house.drain()
    asked = RunQuestion(uuid4(), "sentiment", "negative", None, Promise(0.9, 0.95), 1, "ada", None)
    with house.database.session() as session:
        right = {UUID(one["id"]): ("negative", "positive")[place % 4 == 0] for place, one in enumerate(sent)}
        review(session, right, pool="audit", raters=("rea", "rob"))
        session.commit()
        binding, at = newest_binding(session), now()
        before = judge_all(gather(session, asked, binding, at), asked)
    for one in sent[:3]:
        (item, *_) = house.client().get(f"/v1/feedback/{one['id']}").json()["work_items"]
        say(
            house, item, comment="It is neutral.", axis="sentiment", label="negative", right="neutral"
        ).raise_for_status()
    say(house, made("review"), "judge", rules={"odd": False}).raise_for_status()
    with house.database.session() as session:
        after = judge_all(gather(session, asked, binding, at), asked)
    assert len(before.gathered.looks[0].labels) == 64
    assert after.gathered.digest == before.gathered.digest
    (judged,), (again,) = before.labels, after.labels
    assert judged.judged.ready
    assert (repr(again.judged), again.pile) == (repr(judged.judged), judged.pile)
