"""`/v1/calibration/gates` and `/certificates`: what passes by itself is shown, and changed by admins in pairs."""

from datetime import timedelta

import httpx
import pytest
from builders import record
from proofs import certificate
from sqlmodel import select

from service.people.access import create_key
from service.store.tables import Classification, now

POLICY = """
name: gates
review: triage
thresholds:
  upset: {axis: sentiment, label: negative, promise: {precision: 0.90, confidence: 0.95}, uncertified: 0.85}
rules:
  - {name: upset, when: sentiment.negative >= threshold("upset"), then: {create: ticket}}
groups: {triage: {people: [sam]}}
"""
NEGATIVE = {"axis": "sentiment", "label": "negative"}
ASKED = {**NEGATIVE, "reason": "The survey changed."}


@pytest.fixture(scope="module")
def proved(house):
    """A certificate for what the house's own model reads of the source `shop`."""
    admin = house.client()
    version = admin.post("/v1/policies", content=POLICY).json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    assert admin.post("/v1/feedback", json=record("read", source="shop")).status_code == 202
    house.drain()
    with house.database.session() as session:
        read = session.exec(select(Classification)).one()
        way = {"classifier": read.classifier, "taxonomy": read.taxonomy, "calibrators": {"shop": read.calibrator}}
        way |= {"model_digest": read.model_digest or "", "preparation": read.preparation or ""}
        return str(certificate(session, by="ana", **way).id)


@pytest.fixture(scope="module")
def second(house):
    """Another admin."""
    with house.database.session() as session:
        key = create_key(session, house.vault, name="ben", role="admin", actor="test").key
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=house.url, headers=headers, trust_env=False, timeout=30) as client:
        yield client


def gate(house):
    answer = house.client("supervisor").get("/v1/calibration/gates", params=NEGATIVE)
    (found,) = answer.json()["items"]
    return found


def cells(house):
    return {(one["source"], one["language"]): (one["state"], one["value"]) for one in gate(house)["cells"]}


def change(house, **asked):
    return house.client().post("/v1/calibration/gates", json=ASKED | asked)


def test_certificates_are_listed_and_shown(house, proved):
    supervisor = house.client("supervisor")
    listed = supervisor.get("/v1/calibration/certificates", params={"axis": "sentiment", "state": "live"}).json()
    assert [one["id"] for one in listed["items"]] == [proved]
    assert supervisor.get("/v1/calibration/certificates", params={"label": "positive"}).json()["items"] == []
    shown = supervisor.get(f"/v1/calibration/certificates/{proved}").json()
    assert shown == listed["items"][0]
    assert (shown["precision"], shown["n"], shown["rungs"]) == (0.9, 80, [0.7, 0.8, 0.9])


def test_a_gate_moves_up_and_with_two_people_down(house, proved, second):
    assert cells(house) == {("shop", "en"): ("promised", 0.8), (None, None): ("uncertified", 0.85)}
    up = change(house, action="move", threshold=0.9)
    assert (up.status_code, up.json()["state"]) == (200, "done")
    assert cells(house)["shop", "en"] == ("promised", 0.9)

    down = change(house, action="move", threshold=0.7)
    assert (down.status_code, down.json()["state"]) == (202, "waiting")
    assert [one["id"] for one in gate(house)["waiting"]] == [down.json()["id"]]
    place = f"/v1/calibration/gates/{down.json()['id']}"
    own = house.client().post(f"{place}/approve", json={"comment": "I am sure."})
    assert (own.status_code, own.json()["type"]) == (409, "own-change")
    assert house.client().post(f"{place}/decline", json={"comment": "No."}).json()["type"] == "own-change"
    agreed = second.post(f"{place}/approve", json={"comment": "I looked at the errors."})
    assert (agreed.status_code, agreed.json()["decided_by"]) == (200, "ben")
    assert cells(house)["shop", "en"] == ("promised", 0.7)
    assert [one["action"] for one in gate(house)["history"]] == ["move", "move"]
    assert second.post(f"{place}/decline", json={"comment": "Again."}).status_code == 409


def test_a_hold_shows_why_until_two_people_lift_it(house, proved, second):
    assert change(house, action="hold", language="en").status_code == 200
    assert change(house, action="hold", language="en").status_code == 409
    (cell,) = [one for one in gate(house)["cells"] if (one["source"], one["language"]) == ("shop", "en")]
    assert (cell["state"], cell["value"]) == ("review", None)
    assert cell["reason"].endswith("The survey changed.")
    assert [one["cause"] for one in gate(house)["holds"]] == ["person"]
    asked = change(house, action="lift", language="en")
    assert asked.status_code == 202
    place = f"/v1/calibration/gates/{asked.json()['id']}/approve"
    assert second.post(place, json={"comment": "Fine."}).status_code == 200
    assert cells(house)["shop", "en"][0] == "promised"


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"action": "move", "threshold": 0.75}, 422, "Nothing was proved at 75 %"),
        ({"action": "move"}, 422, "names the threshold"),
        ({"action": "hold", "threshold": 0.9}, 422, "names the threshold"),
        ({"action": "hold", "label": "negativ"}, 422, "did you mean negative?"),
        ({"action": "hold", "reason": " "}, 422, "/reason"),
        ({"action": "hold", "source": "shpo"}, 422, "There is no source 'shpo': did you mean shop?"),
        ({"action": "hold", "language": "EN"}, 422, "/language"),
        ({"action": "hold", "axis": "mood"}, 422, "/axis"),
        ({"action": "loosen"}, 422, "/action"),
        ({"action": "move", "threshold": "nan"}, 422, "/threshold"),
        ({"action": "lift", "source": "hotel"}, 409, "Nothing is held"),
        ({"action": "move", "threshold": 0.9, "label": "positive"}, 409, "No certificate in force"),
    ],
)
def test_what_cannot_be_changed_is_refused_in_words(house, proved, asked, status, words):
    answer = change(house, **asked)
    assert answer.status_code == status, answer.text
    assert words in answer.text


def test_a_policy_that_a_certificate_stands_behind_gets_no_warning(house, proved):
    admin = house.client()
    told = admin.post("/v1/policies/check", content=POLICY).json()["warnings"]
    assert [one["detail"] for one in told if "threshold" in one["detail"]] == []
    more = POLICY.replace("0.90", "0.99")
    (told,) = [
        one["detail"]
        for one in admin.post("/v1/policies/check", content=more).json()["warnings"]
        if "threshold" in one["detail"]
    ]
    assert told.startswith("threshold upset is uncertified")
    with house.database.session() as session:
        certificate(session, by="ana", sources=["hotel"], expires_at=now() - timedelta(days=1))
    (told,) = [
        one["detail"]
        for one in admin.post("/v1/policies/check", content=POLICY).json()["warnings"]
        if "threshold" in one["detail"]
    ]
    assert "ran out" in told


def test_a_backtest_decides_by_the_certificates_of_today(house, proved):
    admin = house.client()
    asked = {"since": "2020-01-01T00:00:00Z", "until": (now() + timedelta(days=1)).isoformat()}
    begun = admin.post("/v1/policies/2/backtest", json=asked).json()["id"]
    house.drain()
    found = admin.get(f"/v1/backtests/{begun}").json()["result"]
    assert "of 100 such texts at least 90 are right (certificate of" in found["promises"]["sentence"]
    assert any("certificates and holds give them now" in one for one in found["assumptions"])
    before = {one["kind"]: one["then"] for one in found["kinds"]}
    assert change(house, action="hold").status_code == 200
    begun = admin.post("/v1/policies/2/backtest", json=asked).json()["id"]
    house.drain()
    found = admin.get(f"/v1/backtests/{begun}").json()["result"]
    assert {one["kind"]: one["then"] for one in found["kinds"] if one["then"]} == {"review": 1}
    assert "review" not in {kind for kind, count in before.items() if count}
    assert "The threshold upset is held" in found["promises"]["sentence"]
