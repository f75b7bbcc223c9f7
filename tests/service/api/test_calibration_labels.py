"""`/v1/calibration` for labels: the contract of samples, cards, labels and disputes over HTTP."""

from uuid import UUID, uuid4

import pytest
from read_records import read_records
from sqlalchemy import text
from sqlmodel import select

from service.people.access import create_key
from service.store.lab_tables import LabelCard


@pytest.fixture
def ask(house):
    """`ask(3)` closes what was asked before, reads texts and draws them; the sample as it was answered."""

    def asked(many=2, **changes):
        with house.database.session() as session:
            session.execute(text("UPDATE label_sample SET state = 'closed'"))
            source = house.unique()
            read_records(session, [f"The kettle {number} of {source} leaks." for number in range(many)], source=source)
        wanted = {"axis": "sentiment", "label": "negative", "size": many, "pool": "audit", "source": source, "seed": 7}
        answer = house.client().post("/v1/calibration/samples", json={**wanted, "overlap": 0.0, **changes})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return asked


@pytest.fixture
def people(house):
    """`people("ana")` is a client of a reviewer of this name."""

    def named(name):
        if ("named", name) not in house.clients:
            with house.database.session() as session:
                key = create_key(session, house.vault, name=name, role="reviewer", actor="test").key
            client = house.stack.enter_context(type(house.client())(base_url=house.url, trust_env=False, timeout=30))
            client.headers["Authorization"] = f"Bearer {key}"
            house.clients["named", name] = client
        return house.clients["named", name]

    return named


def label(client, card, *labels, **said):
    return client.post("/v1/calibration/labels", json={"card": card, "labels": list(labels), **said})


def test_a_sample_is_drawn_labelled_and_done(house, ask, people):
    drawn = ask(2)
    assert set(drawn) == {"id", "size", "design", "seed", "pool_digest"}
    assert (drawn["size"], drawn["seed"]) == (2, 7)
    ana = people("ana")
    shown = ana.get("/v1/calibration/next", params={"sample": drawn["id"]}).json()
    assert (shown["axis"], shown["choices"]) == ("sentiment", ["negative", "neutral", "positive"])
    assert shown["verbatims"] == [{"question": "Why?", "text": shown["text"]}]
    assert (shown["done"], shown["total"]) == (0, 2)
    kept = label(ana, shown["card"], "negative", flag="Names a shop.")
    assert kept.status_code == 201
    again = label(ana, shown["card"], "negative", flag="Names a shop.")
    assert (again.status_code, again.json()) == (200, kept.json())
    assert kept.json()["blind"]
    other = label(ana, shown["card"], "positive")
    assert (other.status_code, other.json()["type"]) == (409, "already-said")
    assert label(ana, ana.get("/v1/calibration/next").json()["card"], unsure=True).status_code == 201
    assert ana.get("/v1/calibration/next").status_code == 204
    sample = house.client("supervisor").get(f"/v1/calibration/samples/{drawn['id']}").json()
    counted = {"open": 0, "third": 0, "disputed": 1, "settled": 1, "gone": 0, "labels": 2, "people": 1}
    assert (sample["state"], sample["progress"]) == ("open", counted)
    assert "kettle" not in str(sample), "a customer's words"
    listed = house.client("supervisor").get("/v1/calibration/samples", params={"limit": 1}).json()
    assert listed["items"] == [sample]
    with house.database.session() as session:
        disputed = select(LabelCard.feedback_id).where(LabelCard.state == "disputed")
        (feedback,) = session.exec(disputed.where(LabelCard.sample_id == UUID(drawn["id"])))
        session.execute(text("DELETE FROM classification WHERE feedback_id = :id"), {"id": feedback})
    house.client().delete(f"/v1/feedback/{feedback}").raise_for_status()  # nobody can decide its card any more
    after = house.client("supervisor").get(f"/v1/calibration/samples/{drawn['id']}").json()
    assert (after["state"], after["progress"]) == ("done", counted | {"disputed": 0, "gone": 1})


def test_what_cannot_be_drawn_says_where_and_why(house, ask):
    wanted = {"axis": "sentiment", "label": "negative", "size": 5, "pool": "audit"}
    ask(1)
    for changes, pointer in (
        ({"axis": "mood"}, "/axis"),
        ({"label": "angry"}, "/label"),
        ({"source": "nobody"}, "/source"),
        ({"size": 0}, "/size"),
        ({"size": True}, "/size"),
        ({"overlap": 2}, "/overlap"),
        ({"seed": -1}, "/seed"),
        ({"since": "yesterday"}, "/since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "/since"),  # of a year that could not be read again
        ({"mood": 1}, "/mood"),
    ):
        answer = house.client().post("/v1/calibration/samples", json={**wanted, **changes})
        assert (answer.status_code, [one["pointer"] for one in answer.json()["errors"]]) == (422, [pointer]), changes
    empty = house.client().post("/v1/calibration/samples", json={**wanted, "since": "2099-01-01T00:00:00Z"})
    assert "Or choose an earlier `since`" in empty.json()["errors"][0]["detail"]


def test_what_is_no_label_says_where(ask, people):
    ask(1)
    card = people("ana").get("/v1/calibration/next").json()["card"]
    for said, pointer in (
        ({"labels": ["angry"]}, "/labels"),
        ({"labels": []}, "/labels"),
        ({"labels": ["negative"], "skip": ""}, "/skip"),
        ({"labels": ["negative"], "unsure": "yes"}, "/unsure"),
        ({}, "/labels"),
    ):
        answer = people("ana").post("/v1/calibration/labels", json={"card": card, **said})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), said


def test_a_card_of_somebody_else_is_as_one_that_is_not_there(ask, people):
    ask(1)
    card = people("ana").get("/v1/calibration/next").json()["card"]
    theirs, none = (label(people("jan"), one, "negative") for one in (card, str(uuid4())))
    assert (theirs.status_code, theirs.json()) == (404, none.json())
    assert people("jan").get("/v1/calibration/next", params={"sample": str(uuid4())}).status_code == 404


def test_a_label_is_taken_back_and_a_card_revealed(ask, people):
    ask(1)
    ana = people("ana")
    card = ana.get("/v1/calibration/next").json()["card"]
    assert ana.post("/v1/calibration/labels/undo", json={"card": card}).json() == {"card": card}
    label(ana, card, "negative")
    assert ana.post("/v1/calibration/labels/undo", json={}).json() == {"card": card}
    label(ana, card, "neutral")
    seen = ana.post(f"/v1/calibration/cards/{card}/reveal").json()
    assert seen == {"card": card, "model": {"negative": 0.5, "neutral": 0.25, "positive": 0.25}, "colleagues": []}
    assert ana.post("/v1/calibration/labels/undo", json={"card": card}).status_code == 409


def test_a_dispute_is_decided_with_a_reason_and_a_sentence(house, ask, people):
    ask(1, overlap=1.0)
    for name, said in (("ana", "negative"), ("jan", "neutral"), ("kim", "positive")):
        label(people(name), people(name).get("/v1/calibration/next").json()["card"], said)
    assert people("ana").get("/v1/calibration/disputes").json() == {"items": []}
    (dispute,) = people("leo").get("/v1/calibration/disputes").json()["items"]
    assert [(one["who"], one["labels"]) for one in dispute["answers"]] == [
        ("A", ["negative"]),
        ("B", ["neutral"]),
        ("C", ["positive"]),
    ]
    path = f"/v1/calibration/disputes/{dispute['card_id']}"
    decision = {"labels": ["negative"], "reason": "It leaks.", "sentence": f"A leak is a complaint ({house.unique()})."}
    assert people("ana").post(path, json=decision).status_code == 409
    for wrong in ({"sentence": None}, {"guideline": str(uuid4())}):
        assert people("leo").post(path, json={**decision, **wrong}).status_code == 422
    decided = people("leo").post(path, json=decision)
    assert (decided.status_code, decided.json()["labels"]) == (201, ["negative"])
    same = {"labels": ["neutral"], "reason": "No.", "guideline": decided.json()["guideline"]}
    assert people("leo").post(path, json=same).status_code == 409
    assert people("leo").get("/v1/calibration/disputes").json() == {"items": []}


def test_a_closed_sample_shows_nothing_more(house, ask, people):
    drawn = ask(1)
    answer = house.client().post(f"/v1/calibration/samples/{drawn['id']}/close")
    assert (answer.status_code, answer.json()["state"]) == (200, "closed")
    assert people("ana").get("/v1/calibration/next").status_code == 204


def test_an_admin_s_labels_are_kept_beside_and_not_blind(house, ask, people):
    ask(1)
    card = house.client().get("/v1/calibration/next").json()["card"]
    assert label(house.client(), card, "negative").json()["blind"] is False
    assert people("ana").get("/v1/calibration/next").status_code == 200
