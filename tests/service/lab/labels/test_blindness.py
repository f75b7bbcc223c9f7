"""Blindness: every byte that a reviewer is answered before they have labelled, read for what must not be there."""

import pytest
from read_records import read_records
from sites import opened
from sqlalchemy import text

from models.taxonomies.taxonomy import default_taxonomy
from service.lab.labels.samples import Wanted, draw
from service.people.access import create_key
from service.store.tables import now

TOPICS = default_taxonomy()
SURE = 0.98712345  # the model's, of a text that reads otherwise
PLANTED = (
    "98712",
    "0.987",
    "98.7",
    "0.0064",
    "zoe",
    "pinkish",
    "from 0.3",
    "atline",
    "tests@1",
    "digest-1",
    "identity@1",
)


@pytest.fixture(scope="module")
def site(migrated, vault, reader, http):
    with opened(migrated, vault, reader, http) as made:
        made.person("zoe", "reviewer")
        yield made


@pytest.fixture(scope="module")
def cards(site):
    """Six texts of which the model is sure; a colleague has answered all of them, differing, with a flag."""
    with site.database.session() as session:
        made = [f"Thank you, the lamp {number} shines." for number in range(6)]
        ids = read_records(session, made, negative=[SURE] * 6)
        for axis, label in (("sentiment", "negative"), ("type", None)):
            draw(session, Wanted(axis, label, 6, "audit", seed=7, overlap=1.0), TOPICS, by="ada", at=now())
    zoe = client(site, "zoe")
    while (card := zoe.get("/v1/calibration/next")).status_code == 200:
        chosen = {"sentiment": ["neutral"], "type": ["praise"]}[card.json()["axis"]]
        said = {"card": card.json()["card"], "labels": chosen, "flag": "pinkish"}
        assert zoe.post("/v1/calibration/labels", json=said).status_code in {200, 201}
    return ids


def client(site, name):
    with site.database.session() as session:
        key = create_key(session, site.wiring.vault, name=name, role="reviewer", actor="test").key
    made = site.browser()
    made.headers.update({"Authorization": f"Bearer {key}", "Accept": "application/json"})
    return made


class Ear:
    """Keeps every byte that these clients are answered."""

    def __init__(self, *clients):
        self.heard = []
        for one in clients:
            one.event_hooks["response"].append(self.listen)

    def listen(self, response):
        response.read()
        head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        asked = f"{response.request.method} {response.request.url.path}"
        self.heard.append((asked, head + "\n" + response.content.decode()))

    def assert_nothing_told(self):
        for place, answered in self.heard:
            for planted in PLANTED:
                assert planted not in answered.lower(), f"{place} tells {planted!r}"


def wander(page, places):
    for place in places:
        page.get(place, follow_redirects=True)


def test_nothing_a_reviewer_is_answered_before_labelling_tells_what_others_think(site, cards):
    kim, page = client(site, "kim"), site.signed_in(site.person("kim", "reviewer"))
    ear = Ear(kim, page)
    labelled = 0
    while (answer := kim.get("/v1/calibration/next")).status_code == 200:
        card = answer.json()["card"]
        assert kim.post(f"/v1/calibration/cards/{card}/reveal").status_code == 409, "revealed before it was labelled"
        for wrong in ({"labels": ["angry"]}, {"labels": [], "unsure": True, "skip": "both"}, {"labels": [], "mood": 1}):
            assert kim.post("/v1/calibration/labels", json={"card": card, **wrong}).status_code == 422
        wander(page, ("/review", "/review/guidelines", "/review/disputes", "/review?done=saved", "/"))
        kim.get("/v1/calibration/disputes")
        said = {"card": card, "labels": ["positive" if answer.json()["axis"] == "sentiment" else "praise"]}
        assert [kim.post("/v1/calibration/labels", json=said).status_code for _ in range(2)] == [201, 200]
        if labelled == 0:
            assert kim.post("/v1/calibration/labels/undo", json={"card": card}).status_code == 200
            assert kim.post("/v1/calibration/labels", json=said).status_code == 201
        labelled += 1
    assert labelled == 12
    assert len(ear.heard) > 100
    ear.assert_nothing_told()


def test_nothing_is_told_to_a_reviewer_who_asks_for_what_is_not_theirs(site, cards):
    lea, page = client(site, "lea"), site.signed_in(site.person("lea", "reviewer"))
    ear = Ear(lea, page)
    with site.database.session() as session:
        slots = session.execute(text("SELECT id, card_id, sample_id FROM label_slot WHERE rater = 'zoe'")).all()
    for slot, card_id, sample in slots:
        answer = lea.post("/v1/calibration/labels", json={"card": str(slot), "labels": ["neutral"]})
        assert answer.status_code in {404, 422}
        assert lea.post(f"/v1/calibration/cards/{slot}/reveal").status_code == 404
        decision = {"labels": ["neutral"], "reason": "so", "sentence": f"Sentence {card_id}."}
        assert lea.post(f"/v1/calibration/disputes/{card_id}", json=decision).status_code in {409, 422}
        assert lea.get(f"/v1/calibration/samples/{sample}").status_code == 403
    for place in ("samples", "runs", "certificates", "gates", "corrections"):
        assert lea.get(f"/v1/calibration/{place}").status_code == 403
    for feedback in cards:
        for place in (f"/v1/feedback/{feedback}", "/v1/feedback", "/v1/work-items", "/v1/backlog"):
            assert lea.get(place).status_code == 403
        wander(page, (f"/feedback/{feedback}", "/inbox", "/reports", "/search?q=lamp", "/corrections", "/review"))
    ear.assert_nothing_told()


def test_a_reveal_after_labelling_is_the_one_answer_that_tells(site, cards):
    leo = client(site, "leo")
    with site.database.session() as session:
        read_records(session, ["Thank you, the shelf stands."], negative=[SURE])
        wanted = Wanted("sentiment", "negative", 1, "audit", seed=7)
        asked = {"sample": str(draw(session, wanted, TOPICS, by="ada", at=now()).id)}
    zoe = client(site, "zoe")
    for one in (zoe, leo):
        card = one.get("/v1/calibration/next", params=asked).json()
        one.post("/v1/calibration/labels", json={"card": card["card"], "labels": ["positive"], "flag": "pinkish"})
    seen = leo.post(f"/v1/calibration/cards/{card['card']}/reveal")
    assert seen.json()["model"]["negative"] == SURE
    assert [one["flag"] for one in seen.json()["colleagues"]] == ["pinkish"]
    assert "zoe" not in seen.text, "a colleague's name"


def test_the_shapes_of_what_a_reviewer_is_answered_have_no_place_for_it(site):
    document = site.browser().get("/openapi.json").json()
    card = set(document["components"]["schemas"]["CardOut"]["properties"])
    assert card == {
        "card",
        "text",
        "question",
        "axis",
        "choices",
        "meanings",
        "verbatims",
        "lease_until",
        "done",
        "total",
    }


def test_whoever_may_see_more_by_another_key_or_account_of_their_name_is_not_blind(site, cards):
    with site.database.session() as session:
        read_records(session, [f"Thank you, the chair {number} stands." for number in range(3)], negative=[SURE] * 3)
        wanted = Wanted("sentiment", "negative", 3, "audit", seed=7, overlap=1.0)
        asked = {"sample": str(draw(session, wanted, TOPICS, by="ada", at=now()).id)}
    ida, blind = client(site, "ida"), []
    for also in (None, "account", "key"):
        if also == "account":
            site.person("ida", "reviewer", "supervisor")
        elif also == "key":
            with site.database.session() as session:
                session.execute(text("UPDATE \"user\" SET roles = '{reviewer}' WHERE name = 'ida'"))
                create_key(session, site.wiring.vault, name="ida", role="supervisor", actor="test")
        card = ida.get("/v1/calibration/next", params=asked).json()["card"]
        answer = ida.post("/v1/calibration/labels", json={"card": card, "labels": ["neutral"]})
        blind.append(answer.json()["blind"])
    assert blind == [True, False, False]
