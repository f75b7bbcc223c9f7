"""Clauses and rules in words: a table of what people read, and nothing in the language that cannot be said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages.reasons import clause_in_short, clause_words, joining, rule_words
from service.route.case import FIELDS
from service.route.expression import Compare, FieldOf, Fixed, Holds, Known, OneOf, ThresholdOf, TopicOf, text_of
from service.route.policy import Action, Rule
from service.route.policy_document import check

ASKS = "; the rule asks whether it is "


@pytest.mark.parametrize(
    ("text", "value", "result", "words"),
    [
        ("scores.nps <= 6", 3, True, f"NPS is 3{ASKS}6 or less"),
        ("scores.nps <= 6", 9, False, f"NPS is 9{ASKS}6 or less"),
        ("6 >= scores.nps", 3, True, f"NPS is 3{ASKS}6 or less"),
        ("scores.csat < 2.5", 2, True, f"satisfaction is 2{ASKS}less than 2.5"),
        ("scores.ces > 4", 5.25, True, f"the effort score (CES) is 5.25{ASKS}more than 4"),
        ("scores.stars == 1", 1, True, "the number of stars is 1"),
        ("scores.stars == 1", 2, False, f"the number of stars is 2{ASKS}1"),
        ("scores.nps <= 6", None, "unknown", "not known: NPS"),
        ("customer.account_value >= 100000", 120000, True, f"the account's value is 120,000{ASKS}100,000 or more"),
        ("context.delta > -5", -2, True, f"delta is -2{ASKS}more than -5"),
        ("scores.nps < scores.csat", 1, True, f"NPS is 1{ASKS}less than satisfaction"),
        ('customer.tier == "gold"', "gold", True, "the customer's tier is gold"),
        ('customer.tier == "gold"', "silver", False, f"the customer's tier is silver{ASKS}gold"),
        ('customer.tier != "gold"', "silver", True, f"the customer's tier is silver{ASKS}anything but gold"),
        ('customer.region in ["emea", "amer"]', "apac", False, f"the customer's region is apac{ASKS}emea or amer"),
        ('language not in ["en", "de"]', "fr", True, f"the language is fr{ASKS}anything but en or de"),
        (
            'source in ["a","b","c","d","e","f","g","h"]',
            "a",
            True,
            f"the source is a{ASKS}a, b, c, d, e, f or one of 2 others",
        ),
        ('customer.region in ["emea"]', None, "unknown", "not known: the customer's region"),
        ("known(context.site)", "Lodz", True, "site is known: Lodz"),
        ("known(context.site)", None, False, "site is not known"),
        ('known(topic("delivery"))', 0.2, True, "whether it is about delivery is known"),
        ("context.is_vip", True, True, "is vip: yes"),
        ("context.is_vip", False, False, f"is vip: no{ASKS}yes"),
        ("customer.attributes.beta == true", True, True, "beta is yes"),
        ("customer.attributes.beta", None, "unknown", "not known: beta"),
        ("true", True, True, "always"),
        (
            'sentiment.negative >= threshold("negative")',
            0.93,
            True,
            f"sounds negative (very sure){ASKS}sure enough to count as negative",
        ),
        (
            'sentiment.negative >= threshold("negative")',
            0.03,
            False,
            f"does not sound negative (very sure){ASKS}sure enough to count as negative",
        ),
        (
            'sentiment.negative >= threshold("negative")',
            0.93,
            "unknown",
            "sounds negative (very sure); not known: what counts as negative",
        ),
        ('sentiment.negative >= threshold("negative")', None, "unknown", "not known: whether it sounds negative"),
        (
            'topic("product quality") >= 0.5',
            0.8,
            True,
            f"is about product quality (fairly sure){ASKS}more likely than not",
        ),
        ("type.suggestion >= 0.8", 0.79, False, f"makes a suggestion (fairly sure){ASKS}a little surer than that"),
        ("urgency.high >= 0.6", 0.1, False, f"is not urgent (very sure){ASKS}likely"),
        ("urgency.high < 0.3", 0.1, True, f"is not urgent (very sure){ASKS}less than a chance of 30 %"),
        (
            "sentiment.negative > sentiment.positive",
            0.7,
            True,
            f"sounds negative (not very sure){ASKS}more than the chance that it sounds positive",
        ),
        ('matches(text, "(?i)refund")', "Refund", True, f"the text says Refund{ASKS}something like (?i)refund"),
        ('matches(text, "refund")', None, False, "the text says nothing like refund"),
        ('matches(text, "refund")', None, "unknown", "nothing was written"),
        ('matches(context.site, "^A")', "Lodz", False, f"site is Lodz{ASKS}something like ^A"),
        ('matches(context.site, "^A")', None, "unknown", "not known: site"),
        (
            'count_recent("follow_up", days=30) >= 2',
            1,
            False,
            f"the number of the customer's follow-ups in the last 30 days is 1{ASKS}2 or more",
        ),
        (
            'days_since_last("ticket") < 7',
            None,
            "unknown",
            "not known: the number of days since the customer's last ticket",
        ),
        ("known(", 1, True, "known("),
        ("a + b", 1, True, "a + b"),
        ("open('x')", 1, True, "open('x')"),
        ("", 1, True, ""),
    ],
)
def test_a_clause_in_words(text, value, result, words):
    assert clause_words(text, value, result) == words


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("scores.nps <= 6", 3, "NPS is 3 (6 or less)"),
        ('sentiment.negative >= threshold("negative")', 0.93, "sounds negative (very sure)"),
        ('customer.tier == "gold"', "gold", "the customer's tier is gold"),
        ("a + b", 1, "a + b"),
    ],
)
def test_a_clause_in_short(text, value, words):
    assert clause_in_short(text, value, True) == words


def test_what_a_customer_sent_cannot_turn_the_sentence_around():
    told = clause_words('context.site == "x"', "Lodz\u202e\n\x1b evil", False)
    assert told == f"site is Lodz⟦RLO⟧ ⟦U+001B⟧ evil{ASKS}x"


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (Action(create="follow_up", mandatory=True), "a follow-up that must be done"),
        (Action(create="ticket", assign="desk", deliver=("helpdesk",)), "a ticket, for desk, sent to helpdesk"),
        (Action(create="backlog_item"), "an idea"),
        (
            Action(create="quality_case", priority="urgent", deliver=("a", "b")),
            "a quality case, urgent, sent to a and b",
        ),
        (Action(create="ticket", priority="high"), "a ticket, of high priority"),
    ],
)
def test_what_a_rule_makes_in_words(then, words):
    assert rule_words(Rule(name="r", when=Holds(item=Fixed(value=True)), then=then)) == words


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
fields = st.one_of(
    st.sampled_from([FieldOf(name=name, type=field.type) for name, field in FIELDS.items()]),
    st.builds(
        FieldOf,
        name=st.from_regex(r"(context|customer\.attributes)\.[a-z_][a-z0-9_]{0,8}", fullmatch=True),
        type=st.sampled_from(["text", "number", "boolean"]),
    ),
)
looked = fields | st.builds(TopicOf, label=words)
fixed = st.builds(Fixed, value=st.booleans() | words | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15))
operand = looked | fixed | st.builds(ThresholdOf, name=words)
clause = st.one_of(
    st.builds(Compare, op=st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), left=operand, right=operand),
    st.builds(OneOf, op=st.sampled_from(["in", "not in"]), item=looked, values=st.lists(fixed, min_size=1).map(tuple)),
    st.builds(Known, item=looked),
    st.builds(Holds, item=operand),
)
values = st.none() | st.booleans() | words | st.integers() | st.floats()


@given(clause, values, st.sampled_from([True, False, "unknown"]))
def test_every_clause_of_the_language_can_be_said(tree, value, result):
    text = text_of(tree)
    assert clause_words(text, value, result)
    assert clause_in_short(text, value, result)
    assert "\n" not in clause_words(text, value, result)


@given(st.text(), values, st.sampled_from([True, False, "unknown"]))
def test_no_text_at_all_makes_it_fail(text, value, result):
    assert isinstance(clause_words(text, value, result), str)


@pytest.mark.parametrize(
    ("when", "line"),
    [
        ("scores.nps <= 6 and scores.csat <= 2", "All of these must hold:"),
        ("1 <= scores.nps <= 6 and scores.csat <= 2", "All of these must hold:"),
        ("scores.nps <= 6 or scores.csat <= 2", "One of these is enough:"),
        ("scores.nps <= 6", None),
        ("scores.nps <= 6 and (scores.csat <= 2 or scores.ces <= 2)", None),
        ("scores.nps <= 6 or not known(scores.csat)", None),
        ("not (scores.nps <= 6 and scores.csat <= 2)", None),
    ],
)
def test_how_a_rule_joins_its_clauses_is_said_only_where_it_is_plain(when, line):
    policy = check(f"name: one\nrules: [{{name: low, when: '{when}', then: {{create: follow_up}}}}]", ()).policy
    assert joining(policy) == ({"low": line} if line else {})
