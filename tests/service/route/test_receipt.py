"""Receipts: their exact content, and their replay."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import service.route
from service.route.canonical import canonical
from service.route.case import Case, Customer, Scores
from service.route.decide import ResolvedThreshold, decide
from service.route.policy import Policy
from service.route.policy_document import check
from service.route.receipt import Provenance, calendars_of, receipt, replay

NOW = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
TOPICS = ["delivery", "product quality"]
DOCUMENT = (Path(service.route.__file__).parent / "default_policy.yaml").read_text(encoding="utf-8")
DEFAULT = check(DOCUMENT, TOPICS).policy
OURS = Provenance("d-1", "f-1", 2, 1, "keywords@1", None, "default@1", "always", "live", NOW, "5f2c")
SEEN = Case("shop", NOW, Scores(nps=3), sentiment={"negative": 0.9}, types={}, urgency={}, topics={}, language="pl")
CERTIFIED = {"negative": ResolvedThreshold(0.8, certified=True, certificate="c-7")}


def test_a_receipt_of_the_first_format_reads_like_this_for_ever():
    first = replace(OURS, input=None, format=1)

    assert receipt(decide(DEFAULT, SEEN, CERTIFIED), SEEN, first) == (
        '{"calendar":"always","calibrator":null,"case":{"abstain":null,"context":{},"customer":{"account_value":null,'
        '"attributes":{},"id":null,"region":null,"tier":null},"degraded":false,"history":false,"language":"pl",'
        '"now":"2026-11-20T10:00:00.123456Z","scores":{"ces":null,"csat":null,"nps":3,"stars":null},'
        '"sentiment":{"negative":0.9},"source":"shop","tags":[],"topics":{},"type":{},"urgency":{}},'
        '"classifier":"keywords@1","decided_at":"2026-11-20T10:00:00.123456Z","feedback_id":"f-1","id":"d-1",'
        '"mode":"live","policy_version":1,"review":[],"revision":2,"rules":['
        '{"clauses":[{"result":true,"text":"scores.nps <= 6","value":3},'
        '{"result":"unknown","text":"scores.csat <= 2","value":null}],'
        '"outcome":"fired","result":true,"rule":"detractor-follow-up"},'
        '{"clauses":[{"result":true,"text":"sentiment.negative >= threshold(\\"negative\\")","value":0.9}],'
        '"outcome":"fired","result":true,"rule":"negative-text-ticket"},'
        '{"clauses":[{"result":"unknown","text":"type.suggestion >= 0.6","value":null},'
        '{"result":"unknown","text":"urgency.high >= 0.5","value":null}],'
        '"outcome":"not_fired","result":"unknown","rule":"product-suggestion"},'
        '{"clauses":[{"result":"unknown","text":"topic(\\"product quality\\") >= 0.5","value":null},'
        '{"result":false,"text":"known(context.site)","value":null}],'
        '"outcome":"not_fired","result":false,"rule":"site-defect"}],'
        '"taxonomy":"default@1","thresholds":{"negative":{"certificate":"c-7","certified":true,"value":0.8}}}'
    )


def test_a_receipt_of_the_second_format_tells_more_and_the_rest_as_before():
    first = json.loads(receipt(decide(DEFAULT, SEEN, CERTIFIED), SEEN, replace(OURS, input=None, format=1)))
    second = json.loads(receipt(decide(DEFAULT, SEEN, CERTIFIED), SEEN, OURS))

    assert {name: second.pop(name) for name in second.keys() - first.keys()} == {
        "format": 2,
        "input": "5f2c",
        "bypass": None,
        "plans": [
            {
                "kind": "follow_up",
                "rules": ["detractor-follow-up"],
                "mandatory": True,
                "priority": "high",
                "tags": [],
                "group": None,
                "sla": None,
                "deliver": [],
                "key": [],
                "join": None,
            },
            {
                "kind": "ticket",
                "rules": ["negative-text-ticket"],
                "mandatory": False,
                "priority": "normal",
                "tags": [],
                "group": None,
                "sla": None,
                "deliver": [],
                "key": [],
                "join": None,
            },
        ],
    }
    assert [rule.pop("because") for rule in second["rules"]] == [None] * 4
    assert second == first


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
values = text | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
beliefs = st.none() | st.dictionaries(
    st.sampled_from(["negative", "high", "suggestion", "delivery", "product quality"]), st.floats(0, 1)
)


@settings(max_examples=30)
@given(
    case=st.builds(
        Case,
        source=text,
        now=st.datetimes(timezones=st.just(UTC)),
        scores=st.builds(
            Scores, nps=st.none() | st.integers(0, 10), csat=st.none() | st.floats(1, 5) | st.integers(1, 5)
        ),
        sentiment=beliefs,
        types=beliefs,
        urgency=beliefs,
        topics=beliefs,
        tags=st.lists(text).map(tuple),
        language=st.none() | text,
        abstain=st.sampled_from([None, "quote"]),
        degraded=st.booleans(),
        customer=st.builds(Customer, region=st.none() | text, attributes=st.dictionaries(text, values)),
        context=st.dictionaries(st.sampled_from(["site", "lot", "é"]), values),
        history=st.booleans(),
    ),
    threshold=st.builds(
        ResolvedThreshold, st.none() | st.floats(0, 1), st.booleans(), st.none() | st.just("c-1"), st.booleans()
    ),
)
def test_a_replay_gives_the_same_bytes_also_from_the_stored_policy(case, threshold):
    written = receipt(decide(DEFAULT, case, {"negative": threshold}), case, OURS)
    rebuilt = Policy.from_canonical(json.loads(canonical(DEFAULT.canonical)))

    assert replay(written, DEFAULT) == written
    assert replay(written, rebuilt) == written
    assert canonical(json.loads(written)) == written


def test_a_replay_shows_what_another_policy_would_have_said():
    case = Case("shop", NOW, Scores(nps=6))
    written = receipt(decide(DEFAULT, case, {}), case, OURS)
    stricter = check(DOCUMENT.replace("scores.nps <= 6", "scores.nps <= 5"), TOPICS).policy

    again = json.loads(replay(written, stricter))

    assert json.loads(written)["rules"][0]["outcome"] == "fired"
    assert again["rules"][0]["outcome"] == "not_fired"


SLAS = """
name: p
rules:
  - {name: a, when: scores.nps <= 6, then: {create: follow_up, sla: quick}}
  - {name: b, when: scores.nps <= 3, then: {create: ticket, sla: plain}}
  - {name: c, when: scores.nps <= 10, then: {create: quality_case}}
slas: {quick: {calendar: emea, resolve: 4h}, plain: {resolve: 5d}}
calendars: {emea: {zone: Europe/Warsaw, hours: {mon-fri: ["09:00-17:00"]}, holidays: PL}}
"""


@pytest.mark.parametrize(
    ("nps", "history", "calendar"),
    [
        (9, False, None),
        (5, False, f"emea (holidays {version('holidays')})"),
        (2, False, f"always, emea (holidays {version('holidays')})"),
        (2, True, None),
    ],
)
def test_the_calendars_on_which_clocks_start_are_named(nps, history, calendar):
    policy = check(SLAS, []).policy
    decision = decide(policy, Case("shop", NOW, Scores(nps=nps), history=history), {})

    assert calendars_of(policy, decision) == calendar
