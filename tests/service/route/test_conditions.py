"""The rule language: what it accepts, what it refuses and where it points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from service.bench.hostile import HOSTILE
from service.route.conditions import parse
from service.route.expression import Expression, text_of
from service.route.names import Names
from service.route.tokens import InvalidExpression

NAMES = Names(
    {"context.site": "text", "context.lot": "text", "context.hours": "number", "customer.attributes.vip": "boolean"},
    ["negative"],
    ["delivery", "product quality"],
)
TREES = TypeAdapter(Expression)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("scores.nps<=6 or scores.csat<=2", "scores.nps <= 6 or scores.csat <= 2"),
        ("sentiment.negative >= threshold('negative')", 'sentiment.negative >= threshold("negative")'),
        ("type.suggestion >= 0.6 and not urgency.high >= .5", "type.suggestion >= 0.6 and not urgency.high >= 0.5"),
        ("topic('product quality') >= 0.5 and known(context.site)", None),
        ("not (scores.nps <= 6 or scores.csat <= 2)", None),
        ("(scores.nps <= 6 or scores.csat <= 2) and source == 'app'", None),
        ("customer.tier in ['gold', \"silver\"]", 'customer.tier in ["gold", "silver"]'),
        ("scores.nps not in [-1, 0, 1.5]", None),
        ("0 <= scores.nps < 7", "0 <= scores.nps and scores.nps < 7"),
        ("customer.attributes.vip and true", None),
        ("customer.attributes.vip == False", "customer.attributes.vip == false"),
        ("known(topic('delivery'))", None),
        ("sentiment.negative > sentiment.positive", None),
        ("6 >= scores.nps", None),
        (" \n scores . nps\n  >= - 5 ", "scores.nps >= -5"),
        (r"context.site == 'caf\u00e9 \\ \" \n'", r'context.site == "café \\ \" \n"'),
        ("context.site == 'Łódź' and scores.nps > 1", 'context.site == "Łódź" and scores.nps > 1'),
        ("context.site == 'Łódź\u00a0\u3000Nord'\u00a0and\ttrue", 'context.site == "Łódź\u00a0\u3000Nord" and true'),
        (r"context.site == 'a\tb\u0008\u000c'", r'context.site == "a\tb\b\f"'),
        ("true", None),
        ("not not true", None),
        ('matches(text, "(?i)refund|money back")', None),
        (r"matches(context.site, '^[A-Z]\\d+$')", r'matches(context.site, "^[A-Z]\\d+$")'),
        ('matches(text, any_of("a", "b"))', 'matches(text, "a") or matches(text, "b")'),
        ("count_recent('follow_up', days = 30) >= 2", 'count_recent("follow_up", days=30) >= 2'),
        ("count_recent('follow_up', 30) >= 2", 'count_recent("follow_up", days=30) >= 2'),
        ("known(days_since_last('ticket'))", None),
        ("days_since_last('ticket') not in [1, 2]", None),
        ("any_of(scores.nps <= 6, known(source), not true)", "scores.nps <= 6 or known(source) or not true"),
        ("any_of(scores.nps <= 6) and true", "scores.nps <= 6 and true"),
        ("any_of(customer.tier, ['gold', 'silver'])", 'customer.tier in ["gold", "silver"]'),
        ("any_of(scores.csat, scores.stars) <= 2", "scores.csat <= 2 or scores.stars <= 2"),
        ("source == any_of('app', 'web') and true", '(source == "app" or source == "web") and true'),
        ("any_of(source, language) in ['a']", 'source in ["a"] or language in ["a"]'),
    ],
)
def test_what_is_accepted_has_one_spelling_and_survives_json(written, canonical):
    tree = parse(written, NAMES)
    spelled = text_of(tree)

    assert spelled == (canonical or written.replace("'", '"'))
    assert parse(spelled, NAMES) == tree
    assert TREES.validate_json(TREES.dump_json(tree)) == tree


@pytest.mark.parametrize(
    ("written", "column", "word", "detail", "suggestion"),
    [
        ("score.nps <= 6", 1, "score.nps", "there is no field", "did you mean scores.nps?"),
        ("nps <= 6", 1, "nps", "there is no field", "did you mean scores.nps?"),
        ("context.sit == 'a'", 1, "context.sit", "is not declared", "did you mean context.site?"),
        ("context.agent == 'a'", 1, "context.agent", "is not declared", "fields: {context.agent: text}"),
        ("topic('delivry') > 0.5", 7, "'delivry'", "not defined", "did you mean delivery?"),
        ("1 < threshold('negativ')", 15, "'negativ'", "not defined", "did you mean negative?"),
        ("treshold('negative') < scores.nps", 1, "treshold", "no function", "did you mean threshold?"),
        ("source == 'ü' and scores.npss > 1", 19, "scores.npss", "no field", "did you mean scores.nps?"),
        ("scores.nps = 6", 12, "=", "no meaning", "write == to compare"),
        ("scores.nps =< 6", 12, "=", "=< has no meaning", "write <="),
        ("scores.nps <> 6", 12, "<", "<> has no meaning", "write !="),
        ("scores.nps <= 6,5", 17, "5", "a comma joins nothing", "take a point"),
        ("urgency.high >= 80%", 19, "%", "% has no meaning", "0.8 for 80 %"),
        ('text contains "refund"', 6, "contains", "not a word", "write matches("),
        ("customer.tier == gold", 18, "gold", "no field gold", 'in quotes: "gold"'),
        ("sc\u043eres.nps > 1", 1, "sc\u043eres.nps", "no letter of English: U+043E", "did you mean scores.nps?"),
        ("scores.nps > 1 \u200b", 16, "\u200b", "a hidden character (U+200B)", "delete it"),
        ("scores.nps <= 6 && true", 17, "&", "no meaning", "write `and`"),
        ("scores.nps ≤ 6", 12, "≤", "no meaning", "write <="),
        ("source == “app”", 11, "“", "no meaning", "straight quotes"),
        ("scores.nps AND true", 12, "AND", "not a word", "did you mean and?"),
        ("scores.nps == None", 15, "None", "not a word", "known(field)"),
        ("scores.nps <= '6'", 15, "'6'", "a number cannot be compared with a text", "without quotes"),
        ("customer.tier == 6", 18, "6", "a text cannot be compared with a number", 'in quotes: "6"'),
        ("scores.nps == true", 15, "true", "a number cannot be compared with a boolean", None),
        ("customer.tier >= 'gold'", 1, "customer.tier", ">= is for numbers", "use ==, != or in"),
        ("customer.attributes.vip > false", 1, "customer.attributes.vip", "> is for numbers", None),
        ("'customer.tier' == 'gold'", 1, "'customer.tier'", "no field is looked at", "did you mean customer.tier?"),
        ("threshold('negative') > 0.5", 1, "threshold('negative')", "no field is looked at", None),
        ("scores.nps", 1, "scores.nps", "a number alone", "compare it"),
        ("scores.nps - 1 > 2", 1, "scores.nps - 1", "do not calculate", None),
        ("scores.nps in (1, 2)", 15, "(1, 2", "a list of written values", None),
        ("scores.nps in []", 15, "[]", "a list of written values", None),
        ("scores.nps in [1, 'a']", 19, "'a'", "must be a number", None),
        ("scores.nps in [true]", 16, "true", "must be a number", None),
        ("source in [language]", 12, "language", "must be a written value", None),
        ("'a' in ['a']", 1, "'a'", "stands a field", None),
        ("known(6)", 7, "6", "asks about a field", None),
        ("known(threshold('negative'))", 7, "threshold('negative'", "asks about a field", None),
        ("known(scores.nps) > 1", 1, "known", "is a condition", None),
        ("topic(delivery) > 1", 1, "topic(delivery)", "one name in quotes", None),
        ("topic > 1", 1, "topic", "needs brackets", None),
        ("(scores.nps > 1", 1, "(", "never closed", None),
        ("scores.nps > 1)", 15, ")", "closes nothing", None),
        ("source == 'app", 11, "'", "never closed", "close the text"),
        ("scores.nps >", 13, "", "something is missing", None),
        ("scores.nps > 1\n  and scores.npx > 1", 7, "scores.npx", "no field", "did you mean scores.nps?"),
        ("", 1, "", "empty", "true"),
        ("text == 'refund'", 1, "text", "can only be searched", 'matches(text, "word")'),
        ("matches(text)", 1, "matches(text", "takes a text and a pattern", None),
        ("matches(scores.nps, '6')", 9, "scores.nps", "searches the text or one text field", None),
        ("matches(text, source)", 15, "source", "written in quotes", None),
        (r"matches(text, '(a)\\1')", 15, r"'(a)\\1'", "refer back", "write out"),
        ("matches(text, '(?!a)b')", 15, "'(?!a)b'", "look ahead or behind", "two conditions"),
        ("matches(text, '[')", 15, "'['", "no pattern of RE2: missing ]", "backslash"),
        (r"matches(text, '\bshop\b')", 15, r"'\bshop\b'", "control character", "two backslashes"),
        ("matches(text, 'a|')", 15, "'a|'", "found in every text", "look for a |"),
        (f"matches(text, '{'ab' * 251}')", 15, "'abab", "502 characters", "fewer words"),
        (r"matches(text, '\\pL{150}')", 15, r"'\\pL{150}'", "too large", "fewer words"),
        ("matches(text, 'a{1001}')", 15, "'a{1001}'", "too large", "fewer words"),
        ("matches(text, 'a') > 1", 1, "matches", "is a condition", None),
        ("match(text, 'a')", 1, "match", "no function match", "did you mean matches?"),
        ("count_recent('folow_up', days=3) > 1", 14, "'folow_up'", "no kind of item", "did you mean follow_up?"),
        ("count_recent('ticket', days=0) > 1", 29, "0", "1 to 3650", None),
        ("count_recent('ticket', days=3651) > 1", 29, "3651", "1 to 3650", None),
        ("count_recent('ticket') > 1", 1, "count_recent('ticket'", "a kind of item and a number of days", None),
        ("days_since_last('review') > 1", 17, "'review'", "no kind of item review", None),
        ("days_since_last > 1", 1, "days_since_last", "needs brackets", 'days_since_last("ticket")'),
        ("any_of() and true", 1, "any_of(", "takes conditions", None),
        ("any_of(scores.nps, scores.csat)", 8, "scores.nps", "a number alone", None),
        ("0 < any_of(scores.nps, scores.csat) < 3", 5, "any_of", "one side of one comparison", None),
        ("any_of(scores.nps) < any_of(scores.csat)", 22, "any_of", "one side of one comparison", None),
        ("scores.nps / scores.csat > 1", 12, "/", "missing or zero", "a field of its own"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_remedy(written, column, word, detail, suggestion):
    with pytest.raises(InvalidExpression) as caught:
        parse(written, NAMES)
    first = caught.value.problems[0]

    assert (first.column, first.word[: len(word)] if word else first.word) == (column, word)
    assert first.line == (2 if "\n" in written else 1)
    assert detail in first.detail
    assert suggestion is None or suggestion in (first.suggestion or "")


def test_every_mistake_is_told_once_in_the_order_of_the_text():
    with pytest.raises(InvalidExpression) as caught:
        parse("scores.nbs > 1 and not (customer.tier < 'a' or 0 < scores.cat < 3)", NAMES)

    assert [found.word for found in caught.value.problems] == ["scores.nbs", "customer.tier", "scores.cat"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused(name):
    with pytest.raises(InvalidExpression):
        parse(HOSTILE[name], NAMES)


def test_the_limits_leave_room_for_real_rules():
    forty = " or ".join(f"scores.nps == {n}" for n in range(40))
    deep = "(" * 15 + "true" + " and customer.attributes.vip)" * 15

    assert text_of(parse(forty, NAMES)) == forty
    assert parse(deep, NAMES)


signs = st.sampled_from(["(", ")", "[", "]", ",", "-", "<", "<=", "==", "!=", ".", "=", "\\", '"', "1", "0.5", "é"])
words = signs | st.sampled_from(
    ["and", "or", "not", "in", "true", '"gold"', "scores.nps", "customer.tier", "known", "topic", "threshold"]
)


@given(st.lists(words, max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_is_a_tree_or_a_clear_refusal(written):
    try:
        tree = parse(written, NAMES)
    except InvalidExpression as error:
        refused = error.problems
    else:
        assert parse(text_of(tree), NAMES) == tree
        return

    assert refused
    assert all(found.detail and 0 <= found.offset <= len(written) for found in refused)
