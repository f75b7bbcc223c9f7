"""Three-valued truth, against a naive evaluator that shares no code with the product."""

from datetime import timedelta

import pytest
from expressions import NAMES, NOW, joined, naive, records, seen, spell, trees, view_of
from hypothesis import given, settings
from hypothesis import strategies as st

from service.route.case import Case, Scores
from service.route.conditions import parse
from service.route.truth import View, compile_expression


@settings(max_examples=100)
@given(trees, records, st.booleans())
def test_truth_agrees_with_the_naive_evaluator(tree, record, withheld):
    compiled = compile_expression(parse(spell(tree), NAMES))

    truth, findings = compiled.ask(view_of(record, withheld=withheld))

    assert truth is naive(tree, seen(record, withheld=withheld))
    assert [finding.text for finding in findings] == list(compiled.texts)


JUDGED = joined(
    st.sampled_from(
        [
            (">=", 0, "sentiment.negative", 'threshold("a")'),
            ("<", 0, 'threshold("b")', 'topic("delivery")'),
            ("<", 0, "scores.csat", "sentiment.negative"),
            ("<=", 0, "scores.nps", 3),
            ("known", "urgency.high"),
            ("matches", 0, "text", "go"),
        ]
    )
)


@settings(max_examples=150)
@given(JUDGED, records, st.booleans())
def test_a_rule_hangs_exactly_when_some_answer_of_the_judgement_would_fire_it(tree, record, withheld):
    """Try both answers for each clause that judgement left open, in every combination."""
    compiled = compile_expression(parse(spell(tree), NAMES))
    view = view_of(record, withheld=withheld)
    truth, findings = compiled.ask(view)
    if truth is not None or 'threshold("' not in spell(tree):
        return

    def hangs(text):
        """Open: unknown, though every field in its text is told by the record."""
        names = [name for name in record if name in text and not name.startswith("threshold")]
        return all(record[name] is not None for name in names)

    found = {finding.text: finding.result for finding in findings}
    open_ones = [text for text, result in found.items() if result is None and hangs(text)]

    def reach(node):
        """Give the values a node may take: each open clause as it likes, by itself."""
        if node[0] == "not":
            return {None if value is None else not value for value in reach(node[1])}
        if node[0] in {"and", "or"}:
            sets = [reach(part) for part in node[1]]
            combined = sets[0]
            for other in sets[1:]:
                combined = {naive((node[0], [("fixed", one), ("fixed", two)]), {}) for one in combined for two in other}
            return combined
        text = compile_expression(parse(spell(node), NAMES)).texts[0]
        return {True, False} if text in open_ones else {found[text]}

    assert compiled.hangs_on_judgement(view, findings) is (True in reach(tree))


@pytest.mark.parametrize(
    ("written", "clauses"),
    [
        ("scores.nps <= 6 or scores.csat <= 2", [("scores.nps <= 6", 3, True), ("scores.csat <= 2", None, None)]),
        ("not (language == 'en')", [('language == "en"', "en", True)]),
        ("6 >= scores.nps", [("6 >= scores.nps", 3, True)]),
        ("threshold('a') <= urgency.high", [('threshold("a") <= urgency.high', 0.9, None)]),
        ("known(context.site)", [("known(context.site)", None, False)]),
        ("scores.nps in [3, 4]", [("scores.nps in [3, 4]", 3, True)]),
        ("context.vip", [("context.vip", False, False)]),
        ("true", [("true", True, True)]),
        (
            "scores.nps < 3 and (scores.nps > 1 or not scores.nps < 3)",
            [("scores.nps < 3", 3, False), ("scores.nps > 1", 3, True)],
        ),
    ],
)
def test_each_clause_is_explained_once_with_the_value_looked_at(written, clauses):
    case = Case("s", NOW, scores=Scores(nps=3), urgency={"high": 0.9}, language="en", context={"vip": False})

    _, findings = compile_expression(parse(written, NAMES)).ask(View(case, {}, withheld=False))

    assert [tuple(finding) for finding in findings] == clauses


PARCEL = ("The parcel was late.", "I want a Refund")
TICKETS = {"ticket": tuple(NOW - timedelta(days=days) for days in (3, 30, 45))}


@pytest.mark.parametrize(
    ("written", "changes", "value", "result"),
    [
        ('matches(text, "(?i)refund")', {"text": PARCEL}, "Refund", True),
        ('matches(text, "refund")', {"text": PARCEL}, None, False),
        ('matches(text, "refund")', {"text": ()}, None, None),
        ('matches(text, "^$")', {"text": (" ", "\n")}, None, None),
        ('matches(text, "refund")', {}, None, None),
        ('matches(text, "x+")', {"text": ("x" * 500,)}, "x" * 100, True),
        ('matches(source, "^store-[0-9]+$")', {}, "store-7", True),
        ('matches(language, "e")', {}, None, None),
        ('count_recent("ticket", days=30) > 1', {"past": TICKETS}, 2, True),
        ('count_recent("ticket", days=29) > 1', {"past": TICKETS}, 1, False),
        ('count_recent("follow_up", days=30) == 0', {"past": TICKETS}, 0, True),
        ('count_recent("ticket", days=30) == 0', {}, None, None),
        ('days_since_last("ticket") >= 3', {"past": TICKETS}, 3.0, True),
        ('days_since_last("follow_up") >= 3', {"past": TICKETS}, None, None),
        ('days_since_last("ticket") >= 3', {"past": {"ticket": (NOW + timedelta(days=1),)}}, None, None),
    ],
)
def test_the_text_and_the_past_are_looked_at(written, changes, value, result):
    case = Case("store-7", NOW, **changes)

    _, findings = compile_expression(parse(written, NAMES)).ask(View(case, {}, withheld=False))

    assert findings == ((written, value, result),)


def test_unknown_is_written_as_a_word():
    case = Case("s", NOW)

    _, findings = compile_expression(parse("scores.nps > 1", NAMES)).ask(View(case, {}, withheld=False))

    assert [finding.to_json() for finding in findings] == [
        {"text": "scores.nps > 1", "value": None, "result": "unknown"}
    ]
