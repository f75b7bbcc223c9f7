"""The value of a threshold: by a certificate that stands, by the policy, or none, so that a person decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import record
from proofs import certificate
from sqlalchemy import text
from sqlmodel import select

from calibration.promise import Promise
from service.route.case import Case
from service.route.certificates import Certificate, Gate, Gates, Hold, ReadBy
from service.route.decide import ResolvedThreshold
from service.route.policy_document import check
from service.store.lab_tables import GateHold
from service.store.tables import Classification, now

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
BY = ReadBy("heed@1", "abc", "shop@2", "default@1", "2")
PROVED = Certificate(
    id="c-1",
    axis="sentiment",
    label="negative",
    sources={"shop"},
    languages={"en", "de"},
    classifier="heed@1",
    model_digest="abc",
    calibrators={"shop": "shop@2"},
    taxonomy="default@1",
    preparation="2",
    threshold=0.7,
    promise=Promise(0.9, 0.95),
    issued_at=datetime(2026, 11, 3, tzinfo=UTC),
    expires_at=datetime(2027, 5, 4, tzinfo=UTC),
)
HELD = Hold("sentiment", "negative", "alarm", "9 of 40 were wrong", datetime(2026, 11, 5, tzinfo=UTC))
WITHDRAWN = "The promise was withdrawn on 5 Nov 2026: 9 of 40 were wrong."
CERTIFIED = ResolvedThreshold(0.7, certified=True, certificate="c-1")
UNCERTIFIED = ResolvedThreshold(0.8)
ISSUED = "The certificate of 3 Nov 2026"


def lapsed(words, certificate="c-1"):
    return ResolvedThreshold(None, certificate=certificate, voided=words)


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        ({}, {}, CERTIFIED),
        ({}, {"language": "de"}, CERTIFIED),
        ({}, {"language": "fr"}, UNCERTIFIED),
        ({}, {"language": None}, UNCERTIFIED),
        ({}, {"source": "hotel"}, UNCERTIFIED),
        ({}, {"at": PROVED.expires_at}, lapsed(f"{ISSUED} ran out on 4 May 2027.")),
        ({}, {"at": PROVED.expires_at - timedelta(seconds=1)}, CERTIFIED),
        ({}, {"classifier": "heed@2"}, lapsed(f"{ISSUED} is for another model than the one that read this text.")),
        ({}, {"model_digest": ""}, lapsed(f"{ISSUED} is for another model than the one that read this text.")),
        ({}, {"taxonomy": "default@2"}, lapsed(f"{ISSUED} is for another version of the topics.")),
        ({}, {"preparation": "3"}, lapsed(f"{ISSUED} is for texts that were prepared otherwise.")),
        ({}, {"calibrator": "shop@3"}, lapsed(f"{ISSUED} is for another calibration of the source shop.")),
        ({"holds": [HELD]}, {}, lapsed(WITHDRAWN, None)),
        ({"holds": [replace(HELD, certificate="c-1")]}, {}, lapsed(WITHDRAWN)),
        ({"holds": [replace(HELD, source="hotel")]}, {}, CERTIFIED),
        ({"holds": [replace(HELD, language="de")]}, {}, CERTIFIED),
        ({"holds": [replace(HELD, language="de")]}, {"language": "de"}, lapsed(WITHDRAWN, None)),
        (
            {"certificates": [], "holds": [replace(HELD, cause="person", reason="New wording.")]},
            {},
            lapsed("People have decided on all such texts since 5 Nov 2026: New wording.", None),
        ),
        ({"certificates": [replace(PROVED, taxonomy="t@0", id="c-2"), PROVED]}, {}, CERTIFIED),
        ({"certificates": [replace(PROVED, sources={"hotel"}, id="c-2"), PROVED]}, {}, CERTIFIED),
        ({"certificates": []}, {}, UNCERTIFIED),
        ({"certificates": [], "uncertified": None}, {}, ResolvedThreshold(None)),
    ],
)
def test_a_gate_gives_each_text_its_value(given, text, expected):
    gate = Gate(**{"uncertified": 0.8, "certificates": [PROVED], **given})
    where = {"source": "shop", "language": "en", "at": NOW} | text
    by = replace(BY, **{name: where.pop(name) for name in text if name not in {"source", "language", "at"}})
    assert gate.resolve(by=by, **where) == expected


POLICY = """
name: p
thresholds:
  asked: {axis: sentiment, label: negative, promise: {precision: 0.90, confidence: 0.95}, uncertified: 0.8}
  more: {axis: sentiment, label: negative, promise: {precision: 0.95, confidence: 0.95}, uncertified: 0.8}
  surer: {axis: sentiment, label: negative, promise: {precision: 0.90, confidence: 0.99}, uncertified: 0.8}
  less: {axis: sentiment, label: negative, promise: {precision: 0.80, confidence: 0.90}, uncertified: 0.8}
  silent: {axis: sentiment, label: negative, uncertified: 0.8}
  other: {axis: sentiment, label: positive, promise: {precision: 0.90, confidence: 0.95}, uncertified: 0.8}
rules:
  - {name: r, when: scores.nps <= 6, then: {create: ticket}}
"""
SEEN = Case(source="shop", now=NOW, language="en", sentiment={"negative": 0.9}, types={}, urgency={}, topics={})


def test_only_a_promise_that_was_proved_is_kept():
    policy = check(POLICY, ()).policy
    found = Gates([PROVED]).resolve(policy, SEEN, BY)
    assert {name: one.value for name, one in found.items() if one.certified} == {"asked": 0.7, "less": 0.7}
    assert {one.value for one in found.values() if not one.certified} == {0.8}
    held = Gates([PROVED], [HELD]).resolve(policy, SEEN, BY)
    assert {name for name, one in held.items() if one.voided} == {"asked", "more", "surer", "less", "silent"}


def test_where_nobody_read_a_text_no_certificate_is_asked():
    policy = check(POLICY, ()).policy
    for case, by in ((SEEN, None), (replace(SEEN, sentiment=None), BY)):
        assert set(Gates([PROVED], [HELD]).resolve(policy, case, by).values()) == {UNCERTIFIED}


ROUTED = """
name: routed
review: triage
thresholds:
  negative: {axis: sentiment, label: negative, promise: {precision: 0.90, confidence: 0.95}, uncertified: 0.999}
rules:
  - {name: upset, when: sentiment.negative >= threshold("negative"), then: {create: ticket}}
groups: {triage: {people: [sam]}}
"""


def test_routing_obeys_a_certificate_until_it_is_void_and_says_why(admin, drain, database):
    def decided(name):
        (posted,) = admin.post("/v1/feedback", json=record(name, source="shop")).json()["results"]
        drain()
        story = admin.get(f"/v1/feedback/{posted['id']}").json()
        answer = admin.post(f"/v1/decisions/{story['decision']['id']}/replay").json()
        assert answer == {"identical": True, "differences": []}
        (threshold,) = story["decision"]["thresholds"].values()
        return threshold, [(item["kind"], item["why"][0]["reason"]) for item in story["work_items"]]

    version = admin.post("/v1/policies", content=ROUTED).json()["version"]
    admin.post(f"/v1/policies/{version}/activate", json={"comment": "test"}).raise_for_status()
    plain = {"value": 0.999, "certified": False, "certificate": None, "voided": None}
    assert decided("before") == (plain, [])
    with database.session() as session:
        read = session.exec(select(Classification)).one()
        way = {name: getattr(read, name) for name in ("classifier", "taxonomy")}
        way |= {"model_digest": read.model_digest or "", "preparation": read.preparation or ""}
        proved = certificate(session, by="ana", threshold=0.3, calibrators={"shop": read.calibrator}, **way)
    certified = {"value": 0.3, "certified": True, "certificate": str(proved.id), "voided": None}
    assert decided("certified") == (certified, [("ticket", None)])

    with database.session() as session:
        hold = GateHold(
            axis="sentiment",
            label="negative",
            cause="alarm",
            reason="Too many errors.",
            by="heed",
            certificate_id=proved.id,
        )
        session.add(hold)
    today = now()
    words = f"The promise was withdrawn on {today.day} {today:%b %Y}: Too many errors."
    voided = {"value": None, "certified": False, "certificate": str(proved.id), "voided": words}
    assert decided("held") == (voided, [("review", words)])

    with database.session() as session:
        session.execute(text("UPDATE gate_hold SET lifted_at = now()"))
        session.execute(text("UPDATE certificate SET model_digest = 'another'"))
    threshold, ((kind, reason),) = decided("another model")
    assert (threshold["value"], threshold["certificate"], kind) == (None, str(proved.id), "review")
    assert reason == threshold["voided"]
    assert "another model" in reason
    with database.session() as session:
        session.execute(text("UPDATE certificate SET state = 'superseded'"))
    assert decided("none") == (plain, [])
