"""Calibration runs over HTTP: asked for by an admin, followed by a supervisor, and never more than the labels say."""

import pytest
from judged import answered, arrive, drawn
from sqlmodel import Session

ASKED = {"axis": "sentiment", "label": "negative", "promise": {"precision": 0.9, "confidence": 0.95}}


@pytest.fixture(scope="module")
def judged(house) -> dict:
    """A run over twenty cards that two reviewers answered."""
    with Session(house.database.engine, expire_on_commit=False) as session:
        arrive(session, 40, 40)
        answered(session, drawn(session, 20))
    begun = house.client().post("/v1/calibration/runs", json={**ASKED, "comment": "The first one.", "seed": 3})
    assert begun.status_code == 202, begun.text
    house.drain()
    return house.client("supervisor").get(f"/v1/calibration/runs/{begun.json()['id']}").json()


def test_a_run_says_how_many_labels_it_has_and_needs(judged):
    assert (judged["state"], judged["comment"], judged["promise"]) == ("done", "The first one.", ASKED["promise"])
    threshold = judged["thresholds"]["negative"]
    assert (threshold["status"], threshold["need"], threshold["tested"]) == ("refused", 29, False)
    assert threshold["have"] < 20
    assert threshold["label_next"]["sentence"]
    assert judged["agreement"]["negative"]["percent"]["n"] == 20
    assert (judged["metrics"], judged["reliability"]) == ({"negative": None}, {"negative": []})
    assert judged["result"]["seed"] == 3


def test_a_run_holds_no_words_of_customers(judged):
    assert "kettle" not in str(judged)


def test_runs_are_listed_newest_first_and_by_label(house, judged):
    client = house.client("auditor")
    (listed,) = client.get("/v1/calibration/runs", params={"axis": "sentiment", "label": "negative"}).json()["items"]
    assert (listed["id"], listed["headline"]) == (judged["id"], judged["headline"])
    assert client.get("/v1/calibration/runs", params={"label": "angry"}).json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"axis": "mood"}, "/axis"),
        ({"label": "angry"}, "/label"),
        ({"source": "nowhere"}, "/source"),
        ({"promise": {"precision": 1.0, "confidence": 0.95}}, "/promise/precision"),
        ({"promise": {"precision": 0.9}}, "/promise/confidence"),
        ({"seed": -1}, "/seed"),
        ({"size": 5}, "/size"),
        ({"comment": " "}, "/comment"),
    ],
)
def test_what_is_wrong_with_a_wish_is_named(house, judged, changes, pointer):
    refused = house.client().post("/v1/calibration/runs", json={**ASKED, **changes})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
