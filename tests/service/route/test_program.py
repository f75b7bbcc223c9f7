"""A whole policy as one function: it says what rule after rule says by itself."""

from datetime import UTC, datetime

import pytest
from disagreement import ASKED, OF, disagreements
from expressions import NAMES, naive, records, seen, spell, trees, view_of
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bench.route import policy_of
from service.route.case import Case, Scores
from service.route.conditions import parse
from service.route.decide import ResolvedThreshold, decide, kinds, resolve_uncertified
from service.route.program import Program
from service.route.truth import compile_expression

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


@settings(max_examples=100)
@given(st.lists(trees, min_size=1, max_size=4), records, st.booleans())
def test_a_program_says_of_every_condition_what_the_naive_evaluator_says(written, record, withheld):
    conditions = [parse(spell(tree), NAMES) for tree in written]
    program, view = Program([*conditions, *conditions[:1]]), view_of(record, withheld=withheld)
    expected = [naive(tree, seen(record, withheld=withheld)) for tree in (*written, written[0])]

    answers = program.ask(view)

    assert [truth for truth, _ in answers] == expected
    assert list(answers[:-1]) == [compile_expression(tree).ask(view) for tree in conditions]
    assert program.fires(view.case, view.thresholds) == [i for i, truth in enumerate(expected) if truth]


def test_heed_and_cel_agree_on_two_thousand_conditions_and_records():
    compared = []

    @settings(max_examples=20, database=None)
    @given(ASKED, OF)
    def compare(written, of):
        found, asked = disagreements(written, of)
        compared.append(asked)
        assert found == []

    compare()

    assert sum(compared) >= 2_000


def test_equal_values_written_differently_stay_as_each_rule_wrote_them():
    program = Program([parse(text, NAMES) for text in ("scores.nps <= 6", "scores.nps <= 6.0")])

    answers = program.ask(view_of(dict.fromkeys(RECORD) | {"scores.nps": 3}))

    assert [clauses[0].text for _, clauses in answers] == ["scores.nps <= 6", "scores.nps <= 6.0"]


RECORD = [
    *("scores.nps", "scores.csat", "context.n", "sentiment.negative", "urgency.high", 'topic("delivery")'),
    *('threshold("a")', 'threshold("b")', "customer.tier", "context.site", "language", "context.vip"),
    *("text", "days ago"),
]


@pytest.mark.parametrize(
    ("written", "text", "made", "days"),
    [
        (["scores.nps <= 6"], False, set(), None),
        (['matches(source, "a")'], False, set(), None),
        (['matches(text, "a") or true'], True, set(), None),
        (
            ['count_recent("ticket", days=30) > 1', 'count_recent("follow_up", 7) > 1'],
            False,
            {"ticket", "follow_up"},
            30,
        ),
        (['count_recent("ticket", days=30) > days_since_last("ticket")'], False, {"ticket"}, None),
    ],
)
def test_a_program_tells_what_it_looks_at_beyond_the_answer(written, text, made, days):
    program = Program([parse(one, NAMES) for one in written])

    assert (program.needs_text, program.past_kinds, program.past_days) == (text, made, days)


@pytest.mark.parametrize("value", [0.8, None])
@pytest.mark.parametrize("degraded", [False, True])
def test_kinds_are_those_of_the_full_decision(value, degraded):
    policy = policy_of(40)
    thresholds = resolve_uncertified(policy) | {"negative": ResolvedThreshold(value)}
    cases = [
        Case(
            "app",
            NOW,
            scores=Scores(nps=nps, csat=2),
            sentiment={"negative": nps / 10},
            topics={"delivery": 0.9, "price": nps / 10},
            degraded=degraded,
        )
        for nps in range(11)
    ]

    for case in cases:
        decision = decide(policy, case, thresholds)
        assert kinds(policy, case, thresholds) == {plan.kind: plan.rules for plan in decision.plans}
    assert any(kinds(policy, case, thresholds) for case in cases)


def test_what_a_policy_says_never_becomes_source_text():
    quote = 'a"); import os; ("'
    program = Program([parse(f"customer.tier == {quote!r} or context.site in [{quote!r}]", NAMES)])

    assert program.fires(Case("s", NOW, context={"site": quote}), {}) == [0]
