"""Why a rule did not fire: in words, and checked against every value there could have been."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.route.case import Case, Customer, Scores
from service.route.conditions import parse
from service.route.decide import decide, resolve_uncertified
from service.route.names import Names
from service.route.policy import Action, Policy, Rule, Threshold
from service.route.why_not import UnknownRule, why_not

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SEEN = Case(
    "shop",
    NOW,
    Scores(nps=7),
    sentiment={"negative": 0.62, "neutral": 0.3, "positive": 0.08},
    types={"complaint": 0.4},
    urgency={"high": 0.1},
    topics={"delivery": 0.2},
    language="en",
    customer=Customer(id="c-1", tier="gold", account_value=900.0),
)
SAID = replace(SEEN, text=("It came soon.",))
NAMES = Names(
    {"context.site": "text", "context.vip": "boolean", "customer.attributes.plan": "text"},
    ("neg", "none"),
    ("delivery",),
)
THRESHOLDS = {
    "neg": Threshold(axis="sentiment", label="negative", uncertified=0.8),
    "none": Threshold(axis="sentiment", label="negative"),
}


def rule(name, when, create="ticket", *, stop=False):
    return Rule(name=name, when=parse(when, NAMES), then=Action(create=create), stop=stop)


def policy(*rules):
    """Built by hand: publishing refuses rules that can never fire, and these are to be asked why they do not."""
    return Policy(name="p", rules=rules, review="triage", thresholds=THRESHOLDS)


def one(when):
    return policy(rule("r", when))


def asked(made, case=SEEN, name="r"):
    return why_not(made, case, resolve_uncertified(made), name)


FIRED = "It would have fired had "


@pytest.mark.parametrize(
    ("when", "case", "said"),
    [
        ("scores.nps <= 6", SEEN, "NPS been 6 or less; it was 7."),
        ("scores.nps < 6.5 and scores.nps != 6", SEEN, "NPS been 5 or less; it was 7."),
        ("scores.nps < 1", SEEN, "NPS been 0; it was 7."),
        ("scores.nps == 3", SEEN, "NPS been 3; it was 7."),
        ("3 <= scores.nps <= 5", SEEN, "NPS been 5; it was 7."),
        ("not scores.nps > 6", SEEN, "NPS been 6 or less; it was 7."),
        ("scores.csat <= 2", SEEN, "satisfaction been 2; it was missing."),
        ("known(context.site)", SEEN, "site been known; it was missing."),
        ("not known(customer.tier)", SEEN, "the customer's tier been missing; it was gold."),
        ('customer.tier == "silver"', SEEN, "the customer's tier been silver; it was gold."),
        ('customer.tier not in ["gold", "silver"]', SEEN, "the customer's tier been something else; it was gold."),
        ("context.vip", replace(SEEN, context={"vip": False}), "vip been yes; it was no."),
        ("customer.account_value > 1000", SEEN, "the account's value been more than 1,000; it was 900."),
        (
            'sentiment.negative >= threshold("neg")',
            SEEN,
            "the chance that the text sounds negative been 80 % or more; it was 62 %.",
        ),
        (
            'topic("delivery") > 0.5',
            replace(SEEN, topics={"delivery": 0.0364712873683}),
            "the chance that the text is about delivery been more than 50 %; it was 3.6 %.",
        ),
        (
            'topic("delivery") >= 0.5',
            replace(SEEN, topics={"delivery": 0.49996}),
            "the chance that the text is about delivery been 50 % or more; it was 49.996 %.",
        ),
        (
            "customer.account_value > 98765.25",
            replace(SEEN, customer=Customer(account_value=12.345678)),
            "the account's value been more than 98,765.25; it was 12.35.",
        ),
        # the nearer of two ways, each measured by its own range
        ('scores.nps <= 1 or topic("delivery") >= 0.5', SEEN, None),
        ('scores.nps <= 6 or topic("delivery") >= 0.5', SEEN, "NPS been 6 or less; it was 7."),
    ],
)
def test_the_smallest_change_is_told_in_words(when, case, said):
    told = asked(one(when), case)

    assert told.outcome == "not_fired"
    assert told.change is not None
    expected = said or "the chance that the text is about delivery been 50 % or more; it was 20 %."
    assert told.sentence == FIRED + expected


RULES = (
    rule("first", "scores.nps <= 8", "follow_up"),
    rule("second", "scores.nps <= 7", "follow_up"),
    rule("end", "scores.nps == 7 or scores.nps == 2", stop=True),
    rule("late", "scores.nps <= 7", "quality_case"),
    rule("later", "scores.nps <= 2 or scores.nps >= 10", "backlog_item"),
    rule("never", "scores.nps == 2", "backlog_item"),
)


@pytest.mark.parametrize(
    ("name", "outcome", "because", "said"),
    [
        ("first", "fired", None, "It fired."),
        (
            "second",
            "superseded",
            "first",
            "It was true, but the rule first stands before it and makes the same kind of item.",
        ),
        ("late", "stopped", "end", "It was true, but the rule end stands before it and ends the evaluation."),
        ("later", "not_fired", None, FIRED + "NPS been 10; it was 7."),
        (
            "never",
            "not_fired",
            "end",
            "No change of one value would have made it fire: even true, it comes after the rule end.",
        ),
    ],
)
def test_what_stands_before_a_rule_is_named(name, outcome, because, said):
    told = asked(policy(*RULES), name=name)

    assert (told.outcome, told.because, told.sentence) == (outcome, because, said)


@pytest.mark.parametrize(
    ("when", "case", "lacking", "said"),
    [
        (
            "scores.nps <= 6 and scores.csat <= 2",
            SEEN,
            ["scores.nps <= 6", "scores.csat <= 2"],
            "NPS is 6 or less (it was 7); satisfaction is 2 or less (it was missing).",
        ),
        (
            "not (scores.nps > 6 or known(customer.tier) or urgency.high >= 0.05)",
            SEEN,
            ["scores.nps > 6", "known(customer.tier)", "urgency.high >= 0.05"],
            (
                "NPS is 6 or less (it was 7); the customer's tier is not known (it was gold);"
                " the chance that the text is urgent is less than 5 % (it was 10 %)."
            ),
        ),
        (
            "sentiment.negative >= 0.5",
            replace(SEEN, degraded=True),
            ["sentiment.negative >= 0.5"],
            "the text sounds negative (at least 50 % sure; it was missing).",
        ),
        ('matches(text, "late")', SEEN, ['matches(text, "late")'], 'the text contains "late" (it was missing).'),
        ('matches(text, "late")', SAID, ['matches(text, "late")'], 'the text contains "late".'),
        (
            'not matches(text, "soon")',
            SAID,
            ['matches(text, "soon")'],
            'the text does not contain "soon" (it contains soon).',
        ),
        (
            'sentiment.negative >= threshold("none")',
            SEEN,
            ['sentiment.negative >= threshold("none")'],
            (
                "the text sounds negative (sure enough for the threshold none; it was 62 %)."
                " A person is asked instead: it hangs on what no rule may act upon."
            ),
        ),
    ],
)
def test_where_no_single_value_is_enough_what_lacks_is_said_as_the_rule_asks_for_it(when, case, lacking, said):
    told = asked(one(when), case)

    assert told.change is None
    assert [clause.text for clause in told.lacking] == lacking
    assert told.sentence == "No change of one value would have made it fire. What lacks: " + said


def test_a_number_written_in_two_ways_is_one_clause():
    when = '(scores.csat <= 2 or scores.nps <= 2) and (not scores.csat <= 2.0 or context.site == "a")'
    told = asked(one(when), replace(SEEN, scores=Scores()))

    assert [clause.text for clause in told.lacking] == ["scores.csat <= 2", "scores.nps <= 2", 'context.site == "a"']


def test_a_rule_that_is_not_there():
    with pytest.raises(UnknownRule, match="no rule x"):
        asked(one("true"), name="x")


bounds = st.sampled_from([0, 2, 5, 6, 7.5, 10])
shares = st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9])
signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
clause = st.one_of(
    st.builds("scores.nps {} {}".format, signs, bounds),
    st.builds("sentiment.negative {} {}".format, signs, shares),
    st.sampled_from(["known(scores.nps)", 'customer.tier == "gold"', 'not customer.tier in ["a", "b"]']),
)
conditions = st.recursive(
    clause,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner) | st.builds("not {}".format, inner)
    ),
    max_leaves=4,
)


def everything(case):
    """The case with one value other than it was, in steps finer than any rule's, and how far that is."""
    nps, negative = case.scores.nps, case.sentiment["negative"]
    for value in (None, *range(11)):
        far = 1.0 if nps is None or value is None else abs(nps - value) / 10
        yield far, replace(case, scores=Scores(nps=value))
    for value in [step / 200 for step in range(201)]:
        yield abs(negative - value), replace(case, sentiment={"negative": value})
    for value in (None, "gold", "a", "b", "else"):
        yield 1.0, replace(case, customer=Customer(tier=value))


def distance(change):
    if change.was is None or change.needed is None or change.name == "customer.tier":
        return 1.0
    return abs(change.was - change.needed) / (10 if change.name == "scores.nps" else 1)


def with_change(case, change):
    if change.name == "scores.nps":
        return replace(case, scores=Scores(nps=change.needed))
    if change.name == "customer.tier":
        return replace(case, customer=Customer(tier=change.needed))
    return replace(case, sentiment={"negative": change.needed})


@settings(max_examples=60)
@given(
    first=conditions,
    second=conditions,
    nps=st.none() | st.integers(0, 10),
    negative=st.sampled_from([0.0, 0.24, 0.5, 0.8]),
    tier=st.sampled_from([None, "gold", "x"]),
)
def test_the_change_fires_and_no_smaller_one_does(first, second, nps, negative, tier):
    made = policy(rule("a", first), rule("r", second))
    case = Case("s", NOW, Scores(nps=nps), sentiment={"negative": negative}, customer=Customer(tier=tier))

    def fires(seen):
        return decide(made, seen, {}).rules[1].outcome == "fired"

    told = asked(made, case)
    if told.outcome != "not_fired":
        assert decide(made, case, {}).rules[1].result is True
        return
    if told.change is not None:
        assert fires(with_change(case, told.change))
    limit = distance(told.change) if told.change else 2.0
    for far, seen in everything(case):
        same = ("scores.nps" in second, "sentiment.negative" in second, "customer.tier" in second)
        changed = (seen.scores != case.scores, seen.sentiment != case.sentiment, seen.customer != case.customer)
        if far < limit - 1e-12 and all(here or not other for here, other in zip(same, changed, strict=True)):
            assert not fires(seen), seen
