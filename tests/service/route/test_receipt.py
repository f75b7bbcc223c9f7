"""Receipts: their exact content, and their replay."""

import json
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import service.route
from service.route.canonical import canonical
from service.route.case import Case, Customer, Scores
from service.route.decide import ResolvedThreshold, decide
from service.route.policy import Policy
from service.route.policy_document import check
from service.route.receipt import Provenance, receipt, replay

NOW = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
TOPICS = ["delivery", "product quality"]
DOCUMENT = (Path(service.route.__file__).parent / "default_policy.yaml").read_text(encoding="utf-8")
DEFAULT = check(DOCUMENT, TOPICS).policy
OURS = Provenance("d-1", "f-1", 2, 1, "keywords@1", None, "default@1", "always", "live", NOW)


def test_a_receipt_reads_like_this_for_ever():
    case = Case("shop", NOW, Scores(nps=3), sentiment={"negative": 0.9}, types={}, urgency={}, topics={}, language="pl")
    thresholds = {"negative": ResolvedThreshold(0.8, certified=True, certificate="c-7")}

    assert receipt(decide(DEFAULT, case, thresholds), case, OURS) == (
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


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
values = text | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
beliefs = st.none() | st.dictionaries(
    st.sampled_from(["negative", "high", "suggestion", "delivery", "product quality"]), st.floats(0, 1)
)


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
