"""Expected harm: worked numbers, and what its probability rests on."""

import doctest
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.route.case import Case, Customer, Scores
from service.route.decide import decide, resolve_uncertified
from service.route.policy_document import check
from service.work import harm
from service.work.harm import expected_harm, harm_of

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
RULE = """\
name: p
thresholds: {negative: {axis: sentiment, label: negative}}
rules: [{name: r, when: 'WHEN', then: {create: ticket, priority: urgent}}]
"""
CASE = Case(
    "s",
    NOW,
    scores=Scores(nps=3),
    sentiment={"negative": 0.8, "neutral": 0.1, "positive": 0.1},
    topics={"billing": 0.6, "delivery": 0.1},
    customer=Customer(tier="sentiment.negative", account_value=2_000),
)


def test_the_numbers_of_the_page_are_right():
    outcome = doctest.testmod(harm)

    assert (outcome.failed, outcome.attempted > 0) == (0, True)


@pytest.mark.parametrize(
    ("when", "probability"),
    [
        ("scores.nps <= 6", 1.0),
        ("sentiment.negative >= 0.5", 0.8),
        ('topic("billing") >= 0.5 and known(customer.tier)', 0.6),
        ('topic("billing") >= 0.5 and sentiment.negative >= 0.5', 0.8),
        ('topic("billing") >= 0.5 or sentiment.positive >= 0.5', 0.6),
        ('customer.tier == "sentiment.negative"', 1.0),
        ('sentiment.negative >= threshold("negative")', harm.UNDECIDED),  # a review: nobody knows yet
    ],
)
def test_the_probability_is_the_largest_belief_that_true_clauses_rest_on(when, probability):
    policy = check(RULE.replace("WHEN", when), ["billing", "delivery"]).policy
    decision = decide(policy, CASE, resolve_uncertified(policy))
    (plan,) = decision.plans
    severity = 1 if plan.kind == "review" else 4

    assert harm_of(plan, decision, CASE) == pytest.approx(probability * 2_000 * severity)


values = st.none() | st.floats(-1e12, 1e12)


@given(st.floats(0, 1), values, values, st.sampled_from(["low", "normal", "high", "urgent"]))
def test_more_at_stake_is_never_less_harm(probability, one, other, priority):
    less, more = sorted([one or 0, other or 0])

    assert expected_harm(probability, less, priority, mandatory=False) >= 0
    assert expected_harm(probability, less, priority, mandatory=False) <= expected_harm(
        probability, more, priority, mandatory=True
    )
