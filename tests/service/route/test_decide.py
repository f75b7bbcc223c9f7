"""Deciding: which rules fire, what they make, what a person must look at."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import service.route
from service.route.case import Case, Customer, Scores
from service.route.decide import ResolvedThreshold, decide, resolve_uncertified
from service.route.policy_document import check

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
TOPICS = ["delivery", "product quality"]
DEFAULT = check((Path(service.route.__file__).parent / "default_policy.yaml").read_bytes(), TOPICS).policy


def case(**changes):
    """A record with text about which nothing is remarkable."""
    text = {
        "sentiment": {"negative": 0.1, "neutral": 0.8, "positive": 0.1},
        "types": {"suggestion": 0.1, "complaint": 0.1, "praise": 0.1, "question": 0.1},
        "urgency": {"low": 0.9, "normal": 0.05, "high": 0.05},
        "topics": {"delivery": 0.1, "product quality": 0.1},
    }
    return Case("s", NOW, **(text | changes))


def policy(rules, more=""):
    head = "name: p\nreview: triage\nthresholds: {neg: {axis: sentiment, label: negative, uncertified: 0.8}}\n"
    groups = "groups: {triage: {people: [sam, kim]}, north: {people: [ana]}}\nfields: {context.site: text}\n"
    return check(head + groups + more + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules), TOPICS).policy


def outcomes(decision):
    return {found.rule: found.outcome for found in decision.rules}


NEGATIVE = {"negative": 0.9, "neutral": 0.1, "positive": 0.0}


@pytest.mark.parametrize(
    ("seen", "kinds"),
    [
        (case(), []),
        (case(scores=Scores(nps=6)), ["follow_up"]),
        (case(scores=Scores(nps=7)), []),
        (case(scores=Scores(nps=10, csat=2)), ["follow_up"]),
        (case(scores=Scores(nps=10, csat=2.5)), []),
        (Case("s", NOW, scores=Scores(csat=1)), ["follow_up"]),
        (case(sentiment=NEGATIVE), ["ticket"]),
        (case(types={"suggestion": 0.6}), ["backlog_item"]),
        (case(types={"suggestion": 0.6}, urgency={"high": 0.5}), []),
        (case(types={"suggestion": 0.6}, urgency={}), []),
        (case(topics={"product quality": 0.5}), []),
        (case(topics={"product quality": 0.5}, context={"site": "Lodz"}), ["quality_case"]),
        (case(scores=Scores(nps=0), sentiment=NEGATIVE), ["follow_up", "ticket"]),
    ],
)
def test_the_default_policy_makes(seen, kinds):
    assert [plan.kind for plan in decide(DEFAULT, seen, resolve_uncertified(DEFAULT)).plans] == kinds


def test_the_first_rule_of_a_kind_wins_and_the_next_is_superseded():
    made = policy(
        [
            "{name: a, when: scores.nps <= 6, then: {create: ticket, priority: high}}",
            "{name: b, when: scores.nps <= 3, then: {create: ticket, priority: urgent}}",
            "{name: c, when: scores.nps <= 3, then: {create: follow_up}}",
            "{name: d, when: scores.nps > 3, then: {create: backlog_item}}",
        ]
    )
    decision = decide(made, case(scores=Scores(nps=2)), {})

    assert outcomes(decision) == {"a": "fired", "b": "superseded", "c": "fired", "d": "not_fired"}
    assert {found.rule: found.because for found in decision.rules if found.because} == {"b": "a"}
    assert [(plan.kind, plan.rules, plan.priority) for plan in decision.plans] == [
        ("ticket", ("a",), "high"),
        ("follow_up", ("c",), "normal"),
    ]


@pytest.mark.parametrize("first", ["{name: z, when: 'true', then: {create: ticket}}", None])
def test_stop_ends_the_evaluation_but_later_rules_are_still_explained(first):
    made = policy(
        [
            *([first] if first else []),
            "{name: a, when: scores.nps <= 6, then: {create: ticket}, stop: true}",
            "{name: b, when: scores.csat <= 2, then: {create: follow_up}}",
            '{name: c, when: sentiment.negative >= threshold("neg"), then: {create: backlog_item}}',
        ]
    )
    stopped = decide(made, case(scores=Scores(nps=2, csat=1)), {})
    going = decide(made, case(scores=Scores(nps=9)), {})

    assert [plan.kind for plan in stopped.plans] == ["ticket"]
    assert (stopped.review, going.review) == ((), ("c",))
    assert [found.because for found in stopped.rules[-2:]] == ["a", None]
    assert [(found.outcome, found.result, len(found.clauses)) for found in stopped.rules[-2:]] == [
        ("not_fired", True, 1),
        ("not_fired", None, 1),
    ]


ABSENT = {}
BLIND = {"abstain": "language"}
THRESHOLD_RULE = "{name: r, when: %s, then: {create: ticket}}"
USES = 'sentiment.negative >= threshold("neg")'
SET = {"neg": ResolvedThreshold(0.8)}
VOID = {"neg": ResolvedThreshold(0.8, certified=True, certificate="c-1", voided="It ran out.")}


@pytest.mark.parametrize(
    ("when", "changes", "thresholds", "result", "review"),
    [
        (USES, {}, SET, False, False),
        (USES, {"sentiment": NEGATIVE}, SET, True, False),
        (USES, {}, ABSENT, None, True),
        (USES, {}, {"neg": ResolvedThreshold(None)}, None, True),
        (USES, {}, VOID, None, True),
        (USES, BLIND, SET, None, True),
        (USES, {"degraded": True}, SET, None, True),
        (USES, {"sentiment": {}}, SET, None, False),
        (USES, {"sentiment": {}}, ABSENT, None, False),
        (USES, {"sentiment": None, "types": None, "urgency": None, "topics": None}, ABSENT, None, False),
        ('scores.nps >= threshold("neg")', {"scores": Scores(nps=3)}, ABSENT, None, True),
        ('scores.nps >= threshold("neg")', {"scores": Scores(nps=3), "sentiment": None}, ABSENT, None, False),
        (f"{USES} or true", {}, ABSENT, True, False),
        (f"{USES} and source == 'no such'", {}, ABSENT, False, False),
        (f"{USES} and scores.nps <= 6", {}, ABSENT, None, False),
        (f"{USES} and scores.nps <= 6", {"scores": Scores(nps=3)}, ABSENT, None, True),
        (f"{USES} and scores.nps <= 6", {"scores": Scores(nps=9)}, ABSENT, False, False),
        (f"{USES} or scores.nps <= 6", {}, ABSENT, None, True),
        (f"not {USES}", {}, ABSENT, None, True),
        (f"not {USES} and not scores.nps > 6", {}, ABSENT, None, False),
        (f"{USES} and not known(context.site)", {}, ABSENT, None, True),
        (f"{USES} and urgency.high >= 0.5", BLIND, SET, None, True),
        (f"{USES} and not urgency.high >= 0.5", BLIND, SET, None, True),
        (f"{USES} and urgency.high >= 0.5", {}, ABSENT, False, False),
        (f'{USES} and topic("delivery") >= 0.5', {"topics": {}} | BLIND, SET, None, False),
        (f"{USES} and known(sentiment.negative)", BLIND, SET, False, False),
        ("sentiment.negative >= 0.5", BLIND, SET, None, False),
        ('topic("delivery") >= 0.5', {"degraded": True}, SET, None, False),
        ("type.praise >= 0", BLIND, SET, None, False),
        ("scores.nps <= 6", {"scores": Scores(nps=3)} | BLIND, SET, True, False),
        ("language == 'en'", {"language": "en"} | BLIND, SET, True, False),
    ],
)
def test_a_rule_comes_under_review_only_where_judgement_is_all_that_lacks(when, changes, thresholds, result, review):
    made = policy([THRESHOLD_RULE % f"'{when.replace(chr(39), chr(39) * 2)}'"])
    decision = decide(made, case(**changes), thresholds)

    assert decision.rules[0].result is result
    assert decision.review == (("r",) if review else ())
    assert [(plan.rules, plan.group) for plan in decision.plans if plan.kind == "review"] == (
        [(("r",), "triage")] if review else []
    )


def test_one_review_names_every_rule_that_hangs_beside_the_items_made():
    made = policy(
        [
            "{name: a, when: scores.nps <= 6, then: {create: ticket}}",
            f"{{name: b, when: '{USES}', then: {{create: ticket}}}}",
            f"{{name: c, when: '{USES}', then: {{create: follow_up}}}}",
        ]
    )
    decision = decide(made, case(scores=Scores(nps=1), degraded=True), SET)

    assert [(plan.kind, plan.rules) for plan in decision.plans] == [("ticket", ("a",)), ("review", ("b", "c"))]


def test_the_value_looked_at_is_shown_unless_it_is_withheld():
    made = policy([THRESHOLD_RULE % f"'{USES}'"])

    assert decide(made, case(), {}).rules[0].clauses[0].value == 0.1
    assert decide(made, case(**BLIND), SET).rules[0].clauses[0].value is None


def test_thresholds_used_are_told_and_a_voided_one_has_no_value():
    certified = ResolvedThreshold(0.83, certified=True, certificate="c-1")
    made = policy([THRESHOLD_RULE % f"'{USES}'"])

    assert decide(made, case(), {"neg": certified, "other": certified}).thresholds == {"neg": certified}
    assert decide(made, case(), VOID).thresholds == {
        "neg": ResolvedThreshold(None, certificate="c-1", voided="It ran out.")
    }
    assert decide(policy(["{name: r, when: 'true', then: {create: ticket}}"]), case(), SET).thresholds == {}


MORE = "slas: {std: {acknowledge: 4h, resolve: 5d}}\n"
FULL_ACTION = (
    "{create: ticket, mandatory: true, sla: std, assign: north, priority: urgent, deliver: [desk, log], "
    "tags: %s, key: [context.site, customer.tier]}"
)


def full(tags):
    return policy(["{name: r, when: 'true', then: " + FULL_ACTION % tags + "}"], MORE)


def test_a_plan_holds_all_that_the_rule_asks_for():
    seen = case(tags=("delivery",), context={"site": "Lodz"}, customer=Customer(region="emea"))
    (plan,) = decide(full("topics"), seen, {}).plans

    assert (plan.kind, plan.rules, plan.mandatory, plan.priority, plan.tags) == (
        "ticket",
        ("r",),
        True,
        "urgent",
        ("delivery",),
    )
    assert (plan.group, plan.sla, plan.deliver) == ("north", "std", ("desk", "log"))
    assert plan.key == (("context.site", "Lodz"), ("customer.tier", None))


@pytest.mark.parametrize(
    ("tags", "changes", "expected"),
    [
        ("topics", {}, ("delivery",)),
        ("topics", {"degraded": True}, ()),
        ("topics", {"abstain": "short"}, ()),
        ("[a, b]", {"degraded": True}, ("a", "b")),
    ],
)
def test_topics_are_no_tags_where_nothing_may_act_on_them(tags, changes, expected):
    assert decide(full(tags), case(tags=("delivery",), **changes), {}).plans[0].tags == expected


def test_history_starts_no_clock_and_sends_nothing():
    (plan,) = decide(full("topics"), case(history=True), {}).plans

    assert (plan.sla, plan.deliver, plan.group) == (None, (), "north")


probabilities = st.none() | st.dictionaries(st.sampled_from(["negative", "high", "suggestion"]), st.floats(0, 1))


@given(
    nps=st.none() | st.integers(0, 10),
    beliefs=probabilities,
    topics=st.none() | st.dictionaries(st.sampled_from(TOPICS), st.floats(0, 1)),
    context=st.dictionaries(st.sampled_from(["site", "lot"]), st.text(max_size=2) | st.integers() | st.booleans()),
    abstain=st.sampled_from([None, "empty"]),
    threshold=st.none() | st.floats(0, 1),
)
def test_no_case_makes_the_decision_fail(nps, beliefs, topics, context, abstain, threshold):
    seen = Case(
        "s",
        NOW,
        Scores(nps=nps),
        sentiment=beliefs,
        types=beliefs,
        urgency=beliefs,
        topics=topics,
        context=context,
        abstain=abstain,
    )
    decision = decide(DEFAULT, seen, {"negative": ResolvedThreshold(threshold)})

    fired = [found for found in decision.rules if found.outcome == "fired"]
    assert len(decision.plans) == len(fired) + bool(decision.review)
    assert all((found.result is True) == (found.outcome != "not_fired") for found in decision.rules)
